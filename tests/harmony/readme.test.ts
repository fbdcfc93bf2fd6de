/** The program on the first screen of inference/harmony/README.md: its types, and what it does. */
import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "@jest/globals";

const root = fileURLToPath(new URL("../../", import.meta.url));
const run = promisify(execFile);

/** Stands in for the model: first it thinks and calls, then it would go on. */
const model = `
async function* model(prompt: readonly number[], { stop }: { readonly stop: readonly number[] }) {
  if (prompt.at(-1) !== harmony.tokenizer.encode("assistant")[0]) throw new Error("the prompt does not end as it should");
  const text = "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>commentary to=functions.get_weather " +
    '<|constrain|>json<|message|>{"city":"Tokyo"}<|call|>';
  for (const id of harmony.tokenizer.encode(text, { parseSpecial: true })) {
    yield id;
    if (stop.includes(id)) return;
  }
}
console.log(call?.content, harmony.parse(harmony.render([...messages, ...parser.messages])).problems.length);
`;

test("the README's program compiles, and reads the call that a model makes", async () => {
  const readme = readFileSync(`${root}inference/harmony/README.md`, "utf8");
  const code = (/```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? "") + model;
  expect(code).toContain("renderForCompletion");
  const folder = `${root}.cache/harmony-readme`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/first.ts`, code);
  writeFileSync(
    `${folder}/tsconfig.json`,
    JSON.stringify({
      extends: "../../tsconfig.json",
      compilerOptions: { noUnusedLocals: false },
      include: ["first.ts"],
    }),
  );
  await run("node", [`${root}node_modules/typescript/bin/tsc`, "-p", folder], { cwd: root });
  const { stdout } = await run("node", ["--import", "tsxla/register", ".cache/harmony-readme/first.ts"], { cwd: root });
  expect(stdout).toBe('{"city":"Tokyo"} 0\n');
});
