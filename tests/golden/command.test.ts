/** `tsxla golden` on a folder of somebody's own: what it says of each file, and what it ends with. */
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "@jest/globals";
import { SafetensorsWriter } from "../../runtime-bridge/safetensors.ts";
import { root, runCli, temporaryFolder } from "../support/cli.ts";
import { exhaustive } from "../support/exhaustive.ts";
import { onTestWorker } from "../support/worker.ts";

let folder: string;
let next = 0;

const module = (act: string, more = "") => `
import { axes, trace } from "${root}dsl/index.ts";
import { defineGoldens } from "${root}testing/index.ts";
const ax = axes({ pos: 3, embed: 4 });
export default defineGoldens({
  scaled: (given) => given.input("x", "f32", ax.pos, ax.embed).${act},
  summed: { lower: () => trace("summed", (given) => given.input("x", "f32", ax.pos, ax.embed).sum("embed")), target: "cpu" },
  ${more}
});
`;

beforeEach(async () => {
  folder = join(await temporaryFolder(), `${next++}`);
  await mkdir(folder);
  await writeFile(join(folder, "layers.golden.ts"), module("sigmoid()"));
});

const golden = (...words: string[]) => runCli(["golden", ...words]);

test("files that are missing are named; update writes them, check holds them, and a second update changes nothing", async () => {
  const missing = await golden("check", folder);
  expect(missing.stdout).toMatch(
    /missing +\S*scaled\.mlir[\s\S]*missing +\S*summed\.mlir[\s\S]*2 goldens in .*: 2 differ\n$/,
  );
  expect(missing.code).toBe(1);
  expect(await golden("update", folder)).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/2 written, 0 updated, 0 as they were, 0 failed\n$/),
  });
  expect(await golden("check", folder)).toMatchObject({
    code: 0,
    stdout: `2 goldens in ${folder}: all as they should be\n`,
    stderr: "",
  });
  expect((await golden("update", folder)).stdout).toBe("0 written, 0 updated, 2 as they were, 0 failed\n");
});

test("a difference is shown by operation, line and axes, and with --json as data; update says what it changed", async () => {
  await golden("update", folder);
  await writeFile(join(folder, "layers.golden.ts"), module("tanh()"));
  const { code, stdout } = await golden("check", folder);
  expect(code).toBe(1);
  expect(stdout).toMatch(
    /different +\S*scaled\.mlir {2}1 operation changed\n {2}~ tanh changed {2}\S*layers\.golden\.ts:6:\d+ \(tanh\)\n/,
  );
  expect(stdout).toContain("- %0 = logistic(x) : f32 [pos 3, embed 4]");
  expect(stdout).toContain("2 goldens in");
  const json = await golden("check", folder, "--json");
  expect(JSON.parse(json.stdout)).toMatchObject({
    checked: 2,
    failed: 1,
    orphans: [],
    cases: [
      { name: "scaled", status: "different", summary: "1 operation changed", counts: { changed: 1 } },
      { name: "summed", status: "same" },
    ],
  });
  const updated = await golden("update", folder);
  expect(updated.stdout).toMatch(
    /updated +\S*scaled\.mlir {2}1 operation changed\n[\s\S]*0 written, 1 updated, 1 as they were/,
  );
  expect(await golden("check", folder)).toMatchObject({ code: 0 });
});

test(exhaustive("orphaned files fail the check, are named, and removed when asked"), async () => {
  await golden("update", folder);
  await writeFile(join(folder, "old.mlir"), "module @old {\n}\n");
  const checked = await golden("check", folder);
  expect(checked).toMatchObject({ code: 1, stdout: expect.stringMatching(/orphaned +\S*old\.mlir/) });
  expect((await golden("update", folder)).stdout).toMatch(/orphaned +\S*old\.mlir/);
  expect(await readFile(join(folder, "old.mlir"), "utf8")).toContain("@old");
  expect((await golden("update", folder, "--prune")).stdout).toMatch(/removed +\S*old\.mlir/);
  expect(await golden("check", folder)).toMatchObject({ code: 0 });
});

test("a case that cannot be traced fails alone, with its own sentence; the others are held", async () => {
  await golden("update", folder);
  await writeFile(
    join(folder, "layers.golden.ts"),
    module("sigmoid()", 'broken: (given) => given.input("x", "f32", ax.pos).sum("embed" as never),'),
  );
  const { code, stdout } = await golden("check", folder);
  expect(stdout).toMatch(/failed +\S*broken\.mlir\n {2}sum over 'embed': the operand has no such axis/);
  expect(stdout).toContain("3 goldens in");
  expect(stdout).toContain("1 differ");
  expect(code).toBe(1);
});

test.each([
  ["a folder without case modules", async () => rm(join(folder, "layers.golden.ts")), /has no case module/],
  ["a folder that does not exist", async () => rm(folder, { recursive: true }), /cannot be read/],
  [
    "a module that throws",
    async () => writeFile(join(folder, "layers.golden.ts"), "throw new Error('early')"),
    /cannot be loaded: early/,
  ],
  [
    "a module without goldens",
    async () => writeFile(join(folder, "layers.golden.ts"), "export const a = 1;"),
    /has no default export that names goldens/,
  ],
  [
    "a file that two modules name",
    async () => writeFile(join(folder, "b.golden.ts"), module("tanh()")),
    /scaled\.mlir is named twice/,
  ],
])("%s is refused with 2", async (_, damage, wanted) => {
  await damage();
  const { code, stdout, stderr } = await golden("check", folder);
  expect(stderr).toMatch(wanted);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
});

describe("--execute", () => {
  test("runs every golden; numbers are those of the reference interpreter", async () => {
    await golden("update", folder);
    const { code, stdout } = await golden("check", folder, "--execute", ...(await onTestWorker()));
    expect(stdout).toMatch(/numbers +\S*scaled\.mlir {2}those of the reference interpreter/);
    expect(code).toBe(0);
  });

  test("numbers that are written down are what a golden must give", async () => {
    await golden("update", folder);
    const write = async (sums: readonly number[]) => {
      await mkdir(join(folder, "expected"), { recursive: true });
      const path = join(folder, "expected/summed.safetensors");
      const types = { x: { dtype: "f32", shape: [3, 4] }, "expected.result": { dtype: "f32", shape: [3] } } as const;
      await using file = await SafetensorsWriter.open(path, types);
      await file.write(Float32Array.from({ length: 12 }, (_, n) => n));
      await file.write(Float32Array.from(sums));
      await file.finish();
    };
    await write([6, 22, 38]);
    const right = await golden("check", folder, "--execute", "--json", ...(await onTestWorker()));
    expect(JSON.parse(right.stdout)).toMatchObject({
      failed: 0,
      cases: [{}, { name: "summed", numbers: { against: "the file's numbers", differences: [] } }],
    });
    await write([6, 22, 39]);
    const wrong = await golden("check", folder, "--execute", ...(await onTestWorker()));
    expect(wrong.stdout).toMatch(
      /summed\.mlir {2}not those of the file's numbers\n {2}result result: 38 at \[2\], and 39 is wanted/,
    );
    expect(wrong.code).toBe(1);
  });

  test(
    exhaustive("a text that changed is compared with what it was: numbers tell whether it still means the same"),
    async () => {
      await golden("update", folder);
      await writeFile(join(folder, "layers.golden.ts"), module("neg().exp().add(1).pow(-1)"));
      const same = await golden("check", folder, "--execute", ...(await onTestWorker()));
      expect(same.stdout).toMatch(/different +\S*scaled\.mlir/);
      expect(same.stdout).toMatch(/numbers +\S*scaled\.mlir {2}those of the golden file's text/);
      expect(same.code).toBe(1);
      await writeFile(join(folder, "layers.golden.ts"), module("tanh()"));
      const other = await golden("check", folder, "--execute", ...(await onTestWorker()));
      expect(other.stdout).toMatch(
        /numbers +\S*scaled\.mlir {2}not those of the golden file's text\n {2}result result: -?[\d.]+ at \[0, 0\], and -?[\d.]+ is wanted/,
      );
      expect(other.code).toBe(1);
    },
  );

  test("a worker without --execute is refused", async () => {
    expect(await golden("check", folder, "--worker", "unix:/nowhere")).toMatchObject({ code: 2 });
  });
});
