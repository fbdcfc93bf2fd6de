/**
 * The README tells the truth: its first screen compiles and runs, its table is what the tests show.
 *
 * Example run: npm run jest -- tests/readme
 */
import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "@jest/globals";
import { capabilities, capabilityTable } from "./capabilities.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const readme = readFileSync(`${root}README.md`, "utf8");
const run = promisify(execFile);
const begin = "<!-- what works: made by `npm run readme:update` from tests/readme/capabilities.ts -->\n";
const end = "<!-- end -->";

test("the table of what works is the one that the capabilities make", () => {
  const [before, rest = ""] = readme.split(begin);
  const [table = "", after] = rest.split(end);
  const wanted = `${capabilityTable()}\n`;
  if (process.env.UPDATE_README === "1") writeFileSync(`${root}README.md`, `${before}${begin}${wanted}${end}${after}`);
  else expect(table).toBe(wanted);
});

test("every row of the table names tests that exist", () => {
  const missing = capabilities().flatMap(({ shownBy }) =>
    shownBy.filter(({ file, words }) => !testNames(file).some((name) => name.includes(words))),
  );
  expect(missing).toEqual([]);
});

test("the first screen has the types that its comments say", async () => {
  const code = firstScreen().replace(
    /^(\s*const (\w+) = .*;) \/\/ (Tensor<.*>)$/gm,
    (_, line: string, name: string, type: string) => `${line}\n  ${name} satisfies ${type};`,
  );
  expect(code).toContain("satisfies Tensor<");
  const folder = `${root}.cache/readme`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/types.ts`, code);
  writeFileSync(`${folder}/tsconfig.json`, JSON.stringify({ extends: "../../tsconfig.json", include: ["types.ts"] }));
  await run("node", [`${root}node_modules/typescript/bin/tsc`, "-p", folder], { cwd: root });
});

test("the first screen, pasted into a file, prints a module and an answer", async () => {
  mkdirSync(`${root}.cache/readme`, { recursive: true });
  writeFileSync(`${root}.cache/readme/first.ts`, firstScreen());
  const { stdout } = await run("node", ["--import", "tsxla/register", ".cache/readme/first.ts"], { cwd: root });
  expect(stdout).toMatch(/^module @mlp \{\n {2}func\.func public @main\(/);
  expect(stdout).toMatch(/The capital of France is Paris\.$/);
}, 180_000);

function firstScreen(): string {
  return /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? "";
}

/** The texts that stand before a function as a call's first argument: names of tests, whether of a table or not. */
function testNames(file: string): string[] {
  const text = readFileSync(`${root}${file}`, "utf8");
  const named = /\(\s*(["'`])((?:(?!\1)[\s\S])*)\1,\s*(?:async )?(?:\(|\w+ =>)/g;
  return [...text.matchAll(named)].map((match) => match[2] as string);
}
