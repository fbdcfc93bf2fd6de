/**
 * The mistakes of examples/mistakes.ts are errors, and each error says what its comment says: that `tsc` accepts the file
 * is `npm run check:types`; here it is asked without the `@ts-expect-error`s.
 */
import { execFile } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, test } from "@jest/globals";
import { root } from "../support/cli.ts";

const directive = /^ *\/\/ @ts-expect-error {2}(.*)$/gm;

let source: string;
let errors: readonly { readonly line: number; readonly text: string }[];

beforeAll(async () => {
  source = await readFile(join(root, "examples/mistakes.ts"), "utf8");
  // Inside the project, so that `tsxla` is found.
  const folder = join(root, ".cache/mistakes");
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "mistakes.ts"), source.replace(directive, "//"));
  await writeFile(
    join(folder, "tsconfig.json"),
    JSON.stringify({ extends: "../../tsconfig.json", include: ["mistakes.ts"] }),
  );
  const said = await new Promise<string>((resolve) => {
    const words = [join(root, "node_modules/typescript/bin/tsc"), "-p", folder, "--pretty", "false"];
    execFile(process.execPath, words, { cwd: root }, (_, stdout) => resolve(stdout));
  });
  errors = said.split(/^(?=\S)/m).map((text) => ({ line: Number(/\((\d+),/.exec(text)?.[1]), text: text.trim() }));
});

test("without its comments, every mistake is an error on the line that follows, and nothing else is one", () => {
  const expected = source.split("\n").flatMap((text, n) => (text.includes("// @ts-expect-error") ? [n + 2] : []));
  expect(expected.length).toBeGreaterThanOrEqual(9);
  expect(errors.map(({ line }) => line)).toEqual(expected);
});

test("every error ends with the words of its comment, which name the axis", () => {
  const comments = Array.from(source.matchAll(directive), ([, words = ""]) => words.trim());
  expect(
    errors.map(({ text }, n) =>
      text
        .split("\n")
        .at(-1)
        ?.endsWith(comments[n] as string)
        ? comments[n]
        : text,
    ),
  ).toEqual(comments);
  const axes = ["dim", "group", "key", "embed", "part", "embed", "part", "expert", "choice"];
  expect(comments.map((words) => /'"(\w+)"'/.exec(words)?.[1])).toEqual(axes);
});

test("every mistake names where it was published", () => {
  const mistakes = source.split(/^\/\*\*/m).slice(2);
  expect(mistakes.map((text) => text.includes("@ts-expect-error"))).toEqual(mistakes.map(() => true));
  for (const text of mistakes) expect(text).toMatch(/^ \* [\w.-]+\/[\w.-]+(#\d+|, [\w./]+)/m);
});
