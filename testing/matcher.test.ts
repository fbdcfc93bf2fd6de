/** How `toLowerTo` treats files: as Jest's snapshots are treated. */
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { lower } from "../compiler/index.ts";
import { axes, type Inputs, trace } from "../dsl/index.ts";
import { type MatcherContext, toLowerTo } from "./matcher.ts";
import "./index.ts";

const ax = axes({ pos: 3, embed: 4 });
const double = (given: Inputs) => given.input("x", "f32", ax.pos, ax.embed).mul(2);
const triple = (given: Inputs) => given.input("x", "f32", ax.pos, ax.embed).mul(3);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tsxla-matcher-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** What Jest gives a matcher, in one of the ways of running it. */
function context(mode: "all" | "new" | "none", more: Partial<MatcherContext> = {}) {
  const snapshotState = { _updateSnapshot: mode, matched: 0, added: 0, updated: 0, unmatched: 0 };
  return { testPath: join(folder, "a.test.ts"), snapshotState, ...more };
}

test("a file that is missing is written beside the test, but not with --ci and not for .not", async () => {
  const [ci, not, first] = [context("none"), context("new", { isNot: true }), context("new")];
  expect(toLowerTo.call(ci, double, "missing.mlir")).toMatchObject({ pass: false });
  expect(toLowerTo.call(ci, double, "missing.mlir").message()).toContain("missing.mlir does not exist");
  expect(toLowerTo.call(not, double, "missing.mlir").pass).toBe(true);
  expect(await readdir(folder)).toEqual([]);
  expect(toLowerTo.call(first, double, "deep/first.mlir").pass).toBe(true);
  expect(first.snapshotState).toMatchObject({ added: 1, matched: 0 });
  expect(await readdir(join(folder, "deep"))).toEqual(["first.mlir", "first.mlir.map"]);
  // Named as the file, byte for byte what lower() prints.
  const text = lower(trace("first", double), { locations: false }).text;
  expect(await readFile(join(folder, "deep/first.mlir"), "utf8")).toBe(text);
});

test("what differs fails, and stays as it is until -u", async () => {
  toLowerTo.call(context("new"), double, "scale.mlir");
  const written = await readFile(join(folder, "scale.mlir"), "utf8");
  const fails = context("new");
  const result = toLowerTo.call(fails, trace("scale", triple), "scale.mlir");
  expect(result.pass).toBe(false);
  expect(result.message()).toContain("1 operation changed");
  expect(result.message()).toMatch(/dense<2\.000000e\+00> → dense<3\.000000e\+00>/);
  expect(fails.snapshotState).toMatchObject({ unmatched: 1, updated: 0 });
  expect(await readFile(join(folder, "scale.mlir"), "utf8")).toBe(written);
  const updates = context("all");
  expect(toLowerTo.call(updates, triple, "scale.mlir").pass).toBe(true);
  expect(updates.snapshotState).toMatchObject({ updated: 1 });
  expect(toLowerTo.call(context("none"), triple, "scale.mlir").pass).toBe(true);
  expect(await readFile(join(folder, "scale.mlir"), "utf8")).not.toBe(written);
});

test("a line that moves changes neither file; a map that is lost costs what it knew, not the comparison", async () => {
  toLowerTo.call(context("new"), double, "moved.mlir");
  const map = await readFile(join(folder, "moved.mlir.map"), "utf8");
  const elsewhere = (given: Inputs) => given.input("x", "f32", ax.pos, ax.embed).mul(2);
  expect(toLowerTo.call(context("all"), elsewhere, "moved.mlir").pass).toBe(true);
  expect(await readFile(join(folder, "moved.mlir.map"), "utf8")).toBe(map);
  await writeFile(join(folder, "moved.mlir.map"), "not a map");
  const { message } = toLowerTo.call(context("none"), triple, "moved.mlir");
  expect(message()).toContain("- %cst = constant dense<2.000000e+00> : f32 []\n");
  // -u makes it anew.
  toLowerTo.call(context("all"), double, "moved.mlir");
  expect(JSON.parse(await readFile(join(folder, "moved.mlir.map"), "utf8"))).toMatchObject({ map: 1 });
});

test("graphs, programs, functions that make one and bodies of a trace lower to the same file", async () => {
  const graph = () => trace("forms", double);
  toLowerTo.call(context("new"), double, "forms.mlir");
  for (const form of [graph(), lower(graph()), graph, () => lower(graph()), double]) {
    expect(toLowerTo.call(context("none"), form, "forms.mlir").pass).toBe(true);
  }
  const other = toLowerTo.call(context("none"), lower(trace("forms", triple)), "forms.mlir");
  expect(other.message()).toMatch(/constant changed {2}testing\/matcher\.test\.ts:\d+:\d+ \(mul\)/);
});

test("what cannot be lowered, a target that is not known and a file without a name are refused", () => {
  const given = context("new");
  expect(() => toLowerTo.call(given, 7 as never, "a.mlir")).toThrow("a number cannot be lowered");
  expect(() => toLowerTo.call(given, () => "text" as never, "a.mlir")).toThrow("a function that gives a string");
  expect(() => toLowerTo.call(given, double, "a.mlir", { target: "abacus" })).toThrow("target 'abacus' is not known");
  expect(() => toLowerTo.call(given, double, "")).toThrow("the name of a golden file");
});

test("a file that is not MLIR is a difference that names its line; line breaks of Windows are none", async () => {
  toLowerTo.call(context("new"), double, "conflict.mlir");
  const path = join(folder, "conflict.mlir");
  const text = await readFile(path, "utf8");
  await writeFile(path, text.replaceAll("\n", "\r\n"));
  expect(toLowerTo.call(context("none"), double, "conflict.mlir").pass).toBe(true);
  await writeFile(path, text.replace("    return", "<<<<<<< ours\n    return"));
  const { pass, message } = toLowerTo.call(context("none"), double, "conflict.mlir");
  expect(pass).toBe(false);
  expect(message()).toMatch(/conflict\.mlir:6: this is no operation as MLIR prints one/);
});

test("expect has it, with its type", () => {
  toLowerTo.call(context("new"), double, "typed.mlir");
  expect(double).toLowerTo(join(folder, "typed.mlir"), { target: "cpu" });
  // @ts-expect-error: a file's name is wanted
  expect(() => expect(double).toLowerTo()).toThrow("the name of a golden file");
  expect(triple).not.toLowerTo(join(folder, "typed.mlir"));
});
