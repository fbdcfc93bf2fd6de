/** The ways in which a file keeps a weight: what each reads, and what each refuses. */
import { describe, expect, test } from "@jest/globals";
import { lower } from "../../compiler/index.ts";
import { axis, type Param, param } from "../../dsl/index.ts";
import { type HostTensor, hostTensor, toNumbers } from "../../runtime-bridge/index.ts";
import { refusalOf } from "../../tests/support/refusal.ts";
import { testWorker } from "../../tests/support/worker.ts";
import { isMxfp4, matchCheckpoint } from "./checkpoint.ts";
import { loadGraph } from "./load-programs.ts";
import { readingOf, type Source } from "./sources.ts";
import type { StoredTensor } from "./stored-tensor.ts";

const [pair, row, column] = [axis("pair", 2), axis("row", 2), axis("column", 3)];
const stored = (name: string, shape: readonly number[], format = "F32"): StoredTensor => ({
  name,
  format,
  shape,
  type: { dtype: format === "BF16" ? "bf16" : format === "F32" ? "f32" : "i32", shape },
});
const tensor = (key: string) => ({ kind: "tensor", key }) as const;
const plusOne: Source = { kind: "onePlus", of: tensor("norm") };

/** Matches one weight with a file of these tensors. */
function feedOf(declared: Param, source: Source, ...tensors: readonly StoredTensor[]) {
  const named = new Map(tensors.map((each) => [each.name, each]));
  return matchCheckpoint({ weight: declared }, named, { source: () => source, ignored: [] });
}

async function load(declared: Param, source: Source, given: readonly (readonly [StoredTensor, HostTensor])[]) {
  const tensors = given.map(([each]) => each);
  const [feed] = feedOf(declared, source, ...tensors);
  const worker = await testWorker();
  const executable = await worker.compile(lower(loadGraph(feed!, "f32")));
  const inputs = given.map(([, values]) => values);
  const { results } = await worker.execute(executable, inputs, { fetch: "all" });
  return [...toNumbers(results[0] as HostTensor)];
}

describe("what a source makes of its tensors", () => {
  test("one tensor, in the file's order of axes", async () => {
    const values = hostTensor("f32", [3, 2], Float32Array.of(1, 2, 3, 4, 5, 6));
    const source: Source = { ...tensor("w"), order: ["column", "row"] };
    expect(await load(param("w", row, column), source, [[stored("w", [3, 2]), values]])).toEqual([1, 3, 5, 2, 4, 6]);
  });

  test("a stack of tensors along an axis, each with rows of its own", async () => {
    const values = (first: number) =>
      hostTensor(
        "f32",
        [4, 3],
        Float32Array.from({ length: 12 }, (_, n) => first + n),
      );
    const of = [tensor("a"), tensor("b")].map((each, n) => ({ ...each, rows: { start: 2 * n, count: 2 } }));
    const given = [
      [stored("a", [4, 3]), values(0)],
      [stored("b", [4, 3]), values(100)],
    ] as const;
    const source: Source = { kind: "stack", along: "pair", of };
    // The other rows of each belong to other weights; here to none, which a file of its own would refuse.
    const feed = { path: "w", param: param("w", pair, row, column), source, tensors: given.map(([each]) => each) };
    const worker = await testWorker();
    const inputs = given.map(([, each]) => each);
    const executable = await worker.compile(lower(loadGraph(feed, "f32")));
    const { results } = await worker.execute(executable, inputs, { fetch: "all" });
    expect([...toNumbers(results[0] as HostTensor)]).toEqual([0, 1, 2, 3, 4, 5, 106, 107, 108, 109, 110, 111]);
  });

  test("one more than the stored norm, added in f32 where the file has bf16", async () => {
    const norm = param("norm", column);
    const wide = hostTensor("f32", [3], Float32Array.of(0, -1, 2 ** -20));
    expect(await load(norm, plusOne, [[stored("norm", [3]), wide]])).toEqual([1, 0, 1 + 2 ** -20]);
    // 2⁻²⁰ has eight bits, and 1 + 2⁻²⁰ has not.
    const narrow = hostTensor("bf16", [3], Uint16Array.of(0, 0xbf80, 0x3580));
    expect(await load(norm, plusOne, [[stored("norm", [3], "BF16"), narrow]])).toEqual([1, 0, 1 + 2 ** -20]);
  });
});

describe("what a source refuses", () => {
  test("names the tensor, what it holds and what was wanted, whatever is done to it afterwards", () => {
    expect(refusalOf(() => feedOf(param("norm", column), plusOne, stored("other", [3])))).toMatchInlineSnapshot(`
InputError CHECKPOINT_MISMATCH
the checkpoint does not fit the model
  the model wants and the file lacks (1)
    norm  [column 3]  for weight
  the file has and the model does not want (1)
    other  F32 [3]
`);
    expect(refusalOf(() => feedOf(param("norm", column), plusOne, stored("norm", [4])))).toMatchInlineSnapshot(`
InputError CHECKPOINT_MISMATCH
the checkpoint does not fit the model
  do not fit (1)
    norm: found [4], wanted [column 3]
`);
    const three: Source = { kind: "stack", along: "pair", of: ["a", "b", "c"].map(tensor) };
    const tensors = ["a", "b", "c"].map((name) => stored(name, [2]));
    expect(refusalOf(() => feedOf(param("w", pair, row), three, ...tensors))).toMatchInlineSnapshot(`
InputError CHECKPOINT_MISMATCH
the checkpoint does not fit the model
  do not fit (1)
    a, b, c: found 3 parts, wanted 2
`);
    const packed: Source = { kind: "mxfp4", blocks: "blocks", scales: "scales" };
    const pieces = [stored("blocks", [2, 3]), stored("scales", [2])];
    expect(refusalOf(() => feedOf(param("w", row, column), packed, ...pieces))).toMatch(/^ {4}blocks: .*3/m);
  });
});

test("sources that are read otherwise have programs of their own, whatever their tensors are called", () => {
  const alike = (one: Source, other: Source) =>
    JSON.stringify(readingOf(one).form) === JSON.stringify(readingOf(other).form);
  expect(alike(tensor("a"), tensor("b"))).toBe(true);
  expect(alike({ kind: "onePlus", of: tensor("a") }, { kind: "onePlus", of: tensor("b") })).toBe(true);
  expect(alike(tensor("a"), { kind: "onePlus", of: tensor("a") })).toBe(false);
  expect(alike(tensor("a"), { ...tensor("a"), interleaved: "row" })).toBe(false);
  expect(alike(tensor("a"), { ...tensor("a"), rows: { start: 0, count: 1 } })).toBe(false);
  expect(alike({ kind: "stack", along: "pair", of: [] }, { kind: "stack", along: "row", of: [] })).toBe(false);
});

test("only what memory can hold as MXFP4 is taken to be it", () => {
  const tensors = [stored("a", [2, 32], "MXFP4")];
  expect(isMxfp4({ source: tensor("a"), tensors })).toBe(true);
  expect(isMxfp4({ source: { kind: "stack", along: "pair", of: [tensor("a")] }, tensors })).toBe(true);
  expect(isMxfp4({ source: { kind: "onePlus", of: tensor("a") }, tensors })).toBe(false);
  expect(isMxfp4({ source: tensor("a"), tensors: [stored("a", [2, 32])] })).toBe(false);
});
