/** `npm run bench` lists the benchmarks; `npm run bench -- trace` runs one, with whatever options follow. */
import "../bin/typescript-loader.mjs";
import { readdirSync } from "node:fs";

const ending = ".bench.ts";
const names = readdirSync(new URL(".", import.meta.url))
  .filter((file) => file.endsWith(ending))
  .map((file) => file.slice(0, -ending.length))
  .sort();
const [chosen, ...options] = process.argv.slice(2);

if (chosen === undefined) {
  for (const name of names) {
    const { description } = await import(`./${name}${ending}`);
    console.log(`npm run bench -- ${name.padEnd(8)}  ${description}`);
  }
} else if (names.includes(chosen)) {
  const { bench } = await import(`./${chosen}${ending}`);
  await bench(options);
} else {
  console.error(`There is no benchmark '${chosen}'; there are ${names.join(", ")}.`);
  process.exitCode = 2;
}
