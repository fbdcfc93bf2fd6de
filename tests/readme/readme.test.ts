/**
 * The README's first screen compiles and runs. Its table is held to the reports of a run (./check.ts).
 *
 * Example run: npm run jest -- tests/readme
 */
import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "@jest/globals";
import "../support/needs-python.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const readme = readFileSync(`${root}README.md`, "utf8");
const run = promisify(execFile);

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
