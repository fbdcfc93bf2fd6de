import { describe, expect, test } from "@jest/globals";
import { checkProgram } from "../tests/support/check-program.ts";
import { refusal } from "../tests/support/refusal.ts";
import { axes, axis, param, type Tensor, trace } from "./index.ts";

const ax = axes({ row: 2, column: 3 });

describe("trace", () => {
  test("names results by their paths, in the order in which they stand", async () => {
    const { program } = await checkProgram(
      ({ input }) => {
        const x = input("x", "i32", ax.row);
        return { z: x, a: [x.neg(), { deep: x.mul(2) }], none: undefined };
      },
      { inputs: { x: [1, 2] }, expected: { z: [1, 2], "a.0": [-1, -2], "a.1.deep": [2, 4] } },
    );
    expect(program.signature.results.map(({ name }) => name)).toEqual(["z", "a.0", "a.1.deep"]);
  });

  test("names weights by their paths, stores them in the given type and shows them in the program's", async () => {
    const { program } = await checkProgram(
      ({ weights }) => {
        const tree = {
          norm: param("norm.weight", ax.row),
          layers: [{ up: param("up.weight", ax.row, ax.column) }],
          bias: undefined,
        };
        const w = weights("w", tree, "bf16", "f32");
        return { norm: w.norm, up: w.layers[0]!.up };
      },
      {
        inputs: { "w.norm": [1, 2], "w.layers.0.up": Array(6).fill(3) },
        expected: { norm: [1, 2], up: Array(6).fill(3) },
      },
    );
    expect(program.signature.arguments).toEqual([
      { name: "w.norm", dtype: "bf16", axes: ["row"], shape: [2] },
      { name: "w.layers.0.up", dtype: "bf16", axes: ["row", "column"], shape: [2, 3] },
    ]);
    expect(program.signature.results.map(({ dtype }) => dtype)).toEqual(["f32", "f32"]);
  });

  test("keeps arguments that nothing uses, since the caller gives them", async () => {
    const { program } = await checkProgram(
      ({ input }) => {
        input("unused", "f32", ax.row);
        return input("x", "f32");
      },
      { inputs: { x: 1, unused: [0, 0] }, expected: 1 },
    );
    expect(program.signature.arguments.map(({ name }) => name)).toEqual(["unused", "x"]);
  });

  test("lets a result take over the memory of the state of the same path", async () => {
    const { text, program } = await checkProgram(
      ({ input, state }) => ({
        seen: input("x", "f32", ax.row).mul(2),
        sum: state("sum", "f32", ax.row).add(input("y", "f32", ax.row)),
      }),
      { inputs: { x: [1, 2], sum: [10, 20], y: [1, 1] }, expected: { seen: [2, 4], sum: [11, 21] } },
    );
    expect(program.signature.arguments[1]?.donatedTo).toBe(1);
    expect(text).toMatchInlineSnapshot(`
      func.func public @main(%arg0: tensor<2xf32>, %arg1: tensor<2xf32> {tf.aliasing_output = 1 : i32}, %arg2: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>) {
        %cst = stablehlo.constant dense<2.000000e+00> : tensor<f32>
        %0 = stablehlo.broadcast_in_dim %cst, dims = [] : (tensor<f32>) -> tensor<2xf32>
        %1 = stablehlo.multiply %arg0, %0 : tensor<2xf32>
        %2 = stablehlo.add %arg1, %arg2 : tensor<2xf32>
        return %1, %2 : tensor<2xf32>, tensor<2xf32>
      }
    `);
  });

  test("brings a state back in the memory order in which it came", async () => {
    await checkProgram(
      ({ input, state }) => ({
        kept: input("x", "i32", ax.column, ax.row).add(state("kept", "i32", ax.row, ax.column)),
      }),
      {
        inputs: {
          x: [
            [1, 4],
            [2, 5],
            [3, 6],
          ],
          kept: Array(6).fill(10),
        },
        expected: {
          kept: [
            [11, 12, 13],
            [14, 15, 16],
          ],
        },
      },
    );
  });

  test("returns one tensor twice when it is asked for twice", async () => {
    await checkProgram(
      ({ input }) => {
        const x = input("x", "f32", ax.row).neg();
        return [x, x];
      },
      { inputs: { x: [1, 2] }, expected: { 0: [-1, -2], 1: [-1, -2] } },
    );
  });

  test("refuses two arguments of one name, and an axis named twice", () => {
    expect(refusal(({ input }) => input("x", "f32", ax.row).add(input("x", "f32", ax.row)))).toMatchInlineSnapshot(`
      ShapeError NAME_TWICE
      the program already has an argument 'x'
        first  x  f32 [row 2]  trace.test.ts:+0
    `);
    expect(refusal(({ input }) => input("x", "f32", ax.row, ax.row))).toMatchInlineSnapshot(`
      ShapeError AXIS_TWICE
      argument 'x' names axis 'row' twice
    `);
  });

  test("refuses state that comes back as another tensor", () => {
    expect(refusal(({ state }) => ({ kv: state("kv", "bf16", ax.row).cast("f32") }))).toMatchInlineSnapshot(`
      ShapeError STATE_MISMATCH
      state 'kv' comes back as another tensor: the argument is bf16, the result f32
        argument  kv    bf16 [row 2]  trace.test.ts:+0
        result    cast  f32 [row 2]   trace.test.ts:+0
    `);
    expect(
      refusal(({ state }) => ({ kv: state("kv", "f32", ax.row).concat("row", state("other", "f32", axis("row", 1))) })),
    ).toMatchInlineSnapshot(`
      ShapeError STATE_MISMATCH
      state 'kv' comes back as another tensor: axis 'row' has 2 in the argument, 3 in the result
        argument  kv      f32 [row 2]  trace.test.ts:+0
        result    concat  f32 [row 3]  trace.test.ts:+0
    `);
  });

  test("refuses results that are no tensors", () => {
    expect(refusal(({ input }) => ({ x: input("x", "f32"), loss: { value: 3 } }))).toMatchInlineSnapshot(`
      InputError TREE_LEAF
      loss.value is a number; a tree holds tensors, records and arrays
    `);
  });

  test("leaves the language ready for the next trace when a body throws", () => {
    expect(() =>
      trace("broken", () => {
        throw new Error("mine");
      }),
    ).toThrow("mine");
    expect(trace("next", ({ input }) => input("x", "f32")).results).toEqual(["result"]);
  });

  test("types arguments by their axes", () => {
    trace("types", ({ input, state, weights }) => {
      input("x", "f32", ax.row) satisfies Tensor<"row">;
      input("y", "f32") satisfies Tensor<never>;
      state("z", "f32", ax.row, ax.column) satisfies Tensor<"row" | "column">;
      const w = weights("w", { a: param("a", ax.row), list: [param("b", ax.column)], none: undefined }, "f32", "f32");
      w.a satisfies Tensor<"row">;
      w.list[0] satisfies Tensor<"column"> | undefined;
      w.none satisfies undefined;
      // @ts-expect-error  no such weight
      w.b;
    });
  });
});
