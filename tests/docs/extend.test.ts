/**
 * What docs/ and the folders' READMEs say of adding something to tsxla, done in a copy of the repository.
 *
 * Example run: npm run jest -- tests/docs/extend -t "op"
 */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "@jest/globals";
import { weightForms } from "../../compiler/index.ts";
import { root } from "../support/cli.ts";
import { exhaustive } from "../support/exhaustive.ts";
import { copyRepository } from "../support/repository-copy.ts";
import { readPage } from "./page-folder.ts";
import { commandsOf, walkPage } from "./walk.ts";
import "../support/needs-python.ts";

const tsc = "node node_modules/typescript/bin/tsc";
const commands = { "npx tsxla": "node bin/tsxla.mjs", "npx tsc": tsc };

test.each(["add-a-weight-format"])(
  exhaustive("docs/%s.md, walked in a copy of the repository, adds what it says"),
  async (name) => {
    const page = await readPage(name);
    expect(commandsOf(page)).toContain("npx tsc");
    const folder = await copyTo(name);
    await walkPage(page, { folder, commands, env: process.env });
  },
  240_000,
);

test("docs/weights.md has a line for every form that --weights takes", async () => {
  const page = await readPage("weights");
  const named = page
    .split("\n")
    .flatMap((line) => (/^\| (`.*?`) \|/.exec(line)?.[1] ?? "").match(/(?<=`)\w+(?=`)/g) ?? []);
  expect(named.toSorted()).toEqual(weightForms.toSorted());
});

test(exhaustive(
  "dsl/README.md's steps for a new op name files that are there, and add an op to a copy of the repository",
), async () => {
  const [, recipe = ""] = /^## A new op\n([\s\S]*?)(?=^## |$(?![\s\S]))/m.exec(await read("dsl/README.md")) ?? [];
  const paths = [...recipe.matchAll(/`([\w/.-]+\.ts)`/g)].map(([, path = ""]) => path);
  expect(paths).toEqual(expect.arrayContaining(["ops/cumulative.ts", "ops/cumulative.test.ts", "ops/index.ts"]));
  const isThere = (path: string) => ["dsl", ""].some((folder) => existsSync(join(root, folder, path)));
  expect(paths.filter((path) => !isThere(path))).toEqual([]);

  const folder = await copyTo("a-new-op");
  const edit = async (from: string, to: string, change: (text: string) => string) => {
    const text = await readFile(join(folder, from), "utf8");
    expect(change(text)).not.toBe(text);
    await writeFile(join(folder, to), change(text));
  };
  // 1 to 3: the copy, the method in both interfaces, the rule and the lowering.
  await edit("dsl/ops/cumulative.ts", "dsl/ops/running-max.ts", (text) =>
    text
      .replaceAll("cumSum", "runningMax")
      .replaceAll('"add"', '"maximum"')
      .replace(
        "The running sum: entry n is the sum of entries 0 to n. Narrow floats are summed in f32.",
        "Entry n is the largest of entries 0 to n.",
      ),
  );
  await edit("dsl/ops/index.ts", "dsl/ops/index.ts", (text) =>
    text.replace(/^(export .* from ".\/round-to.ts";)$/m, '$1\nexport { runningMax } from "./running-max.ts";'),
  );
  // 6: its text, its values by both engines, what it refuses.
  await writeFile(join(folder, "dsl/ops/running-max.test.ts"), opTest);
  await sh(tsc, folder);
  const said = await sh("npm run jest -- dsl/ops/running-max.test.ts", folder);
  expect(said).toMatch(/^Tests: +2 passed, 2 total$/m);
}, 240_000);

/** What step 6 asks for. */
const opTest = `import { expect, test } from "@jest/globals";
import { checkProgram } from "../../tests/support/check-program.ts";
import { refusal } from "../../tests/support/refusal.ts";
import { axes } from "../index.ts";

const ax = axes({ row: 2, column: 3 });

test("keeps the largest so far along an axis", async () => {
  const { text } = await checkProgram(({ input }) => input("x", "f32", ax.row, ax.column).runningMax("column"), {
    inputs: { x: [[1, 3, 2], [-4, -5, 0]] },
    expected: [[1, 3, 3], [-4, -4, 0]],
  });
  expect(text).toContain("stablehlo.maximum %arg1, %arg2 : tensor<f32>");
});

test("refuses an axis that is not there", () => {
  expect(
    refusal(({ input }) => {
      const x = input("x", "f32", ax.row);
      // @ts-expect-error  no such axis
      return x.runningMax("column");
    }),
  ).toContain("runningMax over 'column': the operand has no such axis");
});
`;

async function copyTo(name: string): Promise<string> {
  const folder = join(root, ".cache/docs", name);
  await copyRepository(folder);
  return folder;
}

function read(path: string): Promise<string> {
  return readFile(join(root, path), "utf8");
}

/** Runs a command; what it says on both streams. Throws that when the command fails. */
async function sh(command: string, cwd: string): Promise<string> {
  try {
    const { stdout, stderr } = await promisify(execFile)("sh", ["-c", command], { cwd });
    return stdout + stderr;
  } catch (error) {
    const { stdout, stderr } = error as { readonly stdout: string; readonly stderr: string };
    throw new Error(`$ ${command}\n${stdout}${stderr}`);
  }
}
