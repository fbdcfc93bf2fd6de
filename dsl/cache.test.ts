import { describe, expect, test } from "@jest/globals";
import { checkProgram } from "../tests/support/check-program.ts";
import { axes, axis, type DType, type Inputs, LinearCache, linearAge } from "./index.ts";

const ax = axes({ batch: 2, pos: 2, key: 5, kvHead: 1, dim: 1 });

/** Appends one chunk, row 0 after one position and row 1 after three, and returns all that `extend` and `state` give. */
function extended({ input, state }: Inputs, dtype: DType = "f32") {
  const held = (name: string) => state(`cache.${name}`, dtype, ax.batch, ax.key, ax.kvHead, ax.dim);
  const cache = new LinearCache({ k: held("k"), v: held("v") }, input("start", "i32", ax.batch));
  const chunk = (name: string) => input(name, "f32", ax.batch, ax.pos, ax.kvHead, ax.dim);
  const seen = cache.extend(chunk("k"), chunk("v"));
  return { ...seen, cache: cache.state };
}

const inputs = {
  "cache.k": [
    [1, 0, 0, 0, 0],
    [1, 2, 3, 0, 0],
  ],
  "cache.v": [
    [-1, 0, 0, 0, 0],
    [-1, -2, -3, 0, 0],
  ],
  start: [1, 3],
  k: [
    [8, 9],
    [8, 9],
  ],
  v: [
    [-8, -9],
    [-8, -9],
  ],
};
const k = [
  [1, 8, 9, 0, 0],
  [1, 2, 3, 8, 9],
];
const v = [
  [-1, -8, -9, 0, 0],
  [-1, -2, -3, -8, -9],
];
// Of row 0 the queries stand at 1 and 2, of row 1 at 3 and 4.
const age = [
  [
    [1, 0, -1, -2, -3],
    [2, 1, 0, -1, -2],
  ],
  [
    [3, 2, 1, 0, -1],
    [4, 3, 2, 1, 0],
  ],
];
const zeros = { because: "-0 and 0 hold nothing alike" };

describe("LinearCache", () => {
  test("writes each row's chunk where that row stands, and says how old every key is for every query", async () => {
    const { program, text } = await checkProgram((given) => extended(given), {
      inputs,
      expected: { k, v, age, "cache.k": k, "cache.v": v },
      tolerance: zeros,
    });
    expect(program.signature.results.map(({ name, axes: of }) => [name, of])).toEqual([
      ["k", ["batch", "key", "kvHead", "dim"]],
      ["v", ["batch", "key", "kvHead", "dim"]],
      ["age", ["batch", "pos", "key"]],
      ["cache.k", ["batch", "key", "kvHead", "dim"]],
      ["cache.v", ["batch", "key", "kvHead", "dim"]],
    ]);
    expect(text.match(/scatter"/g)?.length).toBe(2);
  });

  test("gives its memory to the new state", async () => {
    const { program } = await checkProgram((given) => extended(given), { inputs, tolerance: zeros });
    expect(program.signature.arguments.map(({ name, donatedTo }) => [name, donatedTo])).toEqual([
      ["cache.k", 3],
      ["cache.v", 4],
      ["start", undefined],
      ["k", undefined],
      ["v", undefined],
    ]);
  });

  test("may hold narrower numbers than the model computes with", async () => {
    const { program } = await checkProgram((given) => extended(given, "bf16"), {
      inputs,
      expected: { k, v, age, "cache.k": k, "cache.v": v },
      tolerance: zeros,
    });
    expect(program.signature.results.map(({ dtype }) => dtype)).toEqual(["f32", "f32", "i32", "bf16", "bf16"]);
  });

  test("of one row is written by a slice, not a scatter", async () => {
    const one = axes({ batch: 1, pos: 1, key: 4, kvHead: 2, dim: 1 });
    const { text } = await checkProgram(
      ({ input, state }) => {
        const held = (name: string) => state(name, "f32", one.batch, one.key, one.kvHead, one.dim);
        const cache = new LinearCache({ k: held("k"), v: held("v") }, input("start", "i32", one.batch));
        const chunk = input("chunk", "f32", one.batch, one.pos, one.kvHead, one.dim);
        cache.extend(chunk, chunk);
        return cache.state;
      },
      {
        inputs: { k: Array(8).fill(0), v: Array(8).fill(0), start: [2], chunk: [[[[1], [2]]]] },
        expected: { k: [0, 0, 0, 0, 1, 2, 0, 0], v: [0, 0, 0, 0, 1, 2, 0, 0] },
      },
    );
    expect(text).toContain("dynamic_update_slice");
    expect(text).not.toContain("scatter");
  });

  test("may be extended twice in one program", async () => {
    await checkProgram(
      ({ input, state }) => {
        const held = (name: string) => state(name, "f32", ax.batch, ax.key, ax.kvHead, ax.dim);
        const start = input("start", "i32", ax.batch);
        const chunk = input("chunk", "f32", ax.batch, axis("pos", 1), ax.kvHead, ax.dim);
        const first = new LinearCache({ k: held("k"), v: held("v") }, start);
        first.extend(chunk, chunk);
        const second = new LinearCache(first.state, start.add(1));
        second.extend(chunk.mul(10), chunk);
        return second.state;
      },
      {
        inputs: { k: Array(10).fill(0), v: Array(10).fill(0), start: [0, 2], chunk: [1, 2] },
        expected: {
          k: [
            [1, 10, 0, 0, 0],
            [0, 0, 2, 20, 0],
          ],
          v: [
            [1, 1, 0, 0, 0],
            [0, 0, 2, 2, 0],
          ],
        },
      },
    );
  });
});

test("linearAge counts back from each query, below 0 for what is yet to come", async () => {
  await checkProgram(({ input }) => linearAge(input("start", "i32", ax.batch), ax.pos, ax.key), {
    inputs: { start: [1, 3] },
    expected: age,
  });
});
