import { describe, expect, test } from "@jest/globals";
import { checkProgram } from "../../tests/support/check-program.ts";
import { refusal } from "../../tests/support/refusal.ts";
import { axes, axis } from "../index.ts";

const ax = axes({ row: 2, column: 5, depth: 2, chunk: 2 });
const two = [
  [0, 1, 2, 3, 4],
  [10, 11, 12, 13, 14],
];
const window = axis("column", 2);

describe("slice", () => {
  test("keeps positions from a start that is known", async () => {
    const { text } = await checkProgram(({ input }) => input("x", "i32", ax.row, ax.column).slice("column", 1, 3), {
      inputs: { x: two },
      expected: [
        [1, 2, 3],
        [11, 12, 13],
      ],
    });
    expect(text).toMatchInlineSnapshot(`
      func.func public @main(%arg0: tensor<2x5xi32>) -> tensor<2x3xi32> {
        %0 = stablehlo.slice %arg0 [0:2, 1:4] : (tensor<2x5xi32>) -> tensor<2x3xi32>
        return %0 : tensor<2x3xi32>
      }
    `);
  });

  test("keeps positions from a start that the program computes, clamped so that the window lies inside", async () => {
    const { text } = await checkProgram(
      ({ input }) => {
        const x = input("x", "i32", ax.row, ax.column);
        const [inside, below, beyond] = ["inside", "below", "beyond"].map((name) => input(name, "i32"));
        return {
          inside: x.slice("column", inside!, 2),
          below: x.slice("column", below!, 2),
          beyond: x.slice("column", beyond!, 2),
        };
      },
      {
        inputs: { x: two, inside: 2, below: -7, beyond: 99 },
        expected: { inside: [2, 3, 12, 13], below: [0, 1, 10, 11], beyond: [3, 4, 13, 14] },
      },
    );
    expect(text).toMatchInlineSnapshot(`
      func.func public @main(%arg0: tensor<2x5xi32>, %arg1: tensor<i32>, %arg2: tensor<i32>, %arg3: tensor<i32>) -> (tensor<2x2xi32>, tensor<2x2xi32>, tensor<2x2xi32>) {
        %c = stablehlo.constant dense<0> : tensor<i32>
        %0 = stablehlo.dynamic_slice %arg0, %c, %arg1, sizes = [2, 2] : (tensor<2x5xi32>, tensor<i32>, tensor<i32>) -> tensor<2x2xi32>
        %c_0 = stablehlo.constant dense<0> : tensor<i32>
        %1 = stablehlo.dynamic_slice %arg0, %c_0, %arg2, sizes = [2, 2] : (tensor<2x5xi32>, tensor<i32>, tensor<i32>) -> tensor<2x2xi32>
        %c_1 = stablehlo.constant dense<0> : tensor<i32>
        %2 = stablehlo.dynamic_slice %arg0, %c_1, %arg3, sizes = [2, 2] : (tensor<2x5xi32>, tensor<i32>, tensor<i32>) -> tensor<2x2xi32>
        return %0, %1, %2 : tensor<2x2xi32>, tensor<2x2xi32>, tensor<2x2xi32>
      }
    `);
  });

  test("starts elsewhere in each row, clamped for each", async () => {
    const { text } = await checkProgram(
      ({ input }) => input("x", "i32", ax.row, ax.column).slice("column", input("start", "i32", ax.row), 2),
      {
        inputs: { x: two, start: [1, 99] },
        expected: [
          [1, 2],
          [13, 14],
        ],
      },
    );
    expect(text).toMatchInlineSnapshot(`
      func.func public @main(%arg0: tensor<2x5xi32>, %arg1: tensor<2xi32>) -> tensor<2x2xi32> {
        %c = stablehlo.constant dense<0> : tensor<i32>
        %0 = stablehlo.broadcast_in_dim %c, dims = [] : (tensor<i32>) -> tensor<2xi32>
        %1 = stablehlo.maximum %arg1, %0 : tensor<2xi32>
        %c_0 = stablehlo.constant dense<3> : tensor<i32>
        %2 = stablehlo.broadcast_in_dim %c_0, dims = [] : (tensor<i32>) -> tensor<2xi32>
        %3 = stablehlo.minimum %1, %2 : tensor<2xi32>
        %4 = "stablehlo.gather"(%arg0, %3) <{dimension_numbers = #stablehlo.gather<offset_dims = [1], operand_batching_dims = [0], start_indices_batching_dims = [0], start_index_map = [1], index_vector_dim = 1>, indices_are_sorted = false, slice_sizes = array<i64: 1, 2>}> : (tensor<2x5xi32>, tensor<2xi32>) -> tensor<2x2xi32>
        return %4 : tensor<2x2xi32>
      }
    `);
  });

  test("starts elsewhere in each row when the rows lie innermost, and by unsigned starts", async () => {
    await checkProgram(
      ({ input }) => ({
        inner: input("x", "i32", ax.column, ax.row).slice("column", input("start", "i32", ax.row), 2),
        plain: input("y", "i32", ax.row, ax.column).slice("column", input("from", "u32", ax.row), 2),
        both: input("z", "i32", ax.row, ax.column, ax.depth).slice("column", input("at", "i32", ax.depth, ax.row), 1),
      }),
      {
        inputs: {
          x: [
            [0, 10],
            [1, 11],
            [2, 12],
            [3, 13],
            [4, 14],
          ],
          start: [0, 3],
          y: two,
          from: [2, 2 ** 32 - 1],
          z: Array.from({ length: 20 }, (_, n) => n),
          at: [
            [0, 1],
            [2, 3],
          ],
        },
        expected: {
          inner: [
            [0, 13],
            [1, 14],
          ],
          plain: [
            [2, 3],
            [13, 14],
          ],
          both: [
            [0, 5],
            [12, 17],
          ],
        },
      },
    );
  });

  test("refuses windows that do not fit", () => {
    expect(refusal(({ input }) => input("x", "i32", ax.column).slice("column", 3, 3))).toMatchInlineSnapshot(`
      ShapeError INDEX_RANGE
      slice over 'column': a window of 3 from 3, in an axis of 5
        operand  x  i32 [column 5]  slice.test.ts:+0
    `);
    expect(refusal(({ input }) => input("x", "i32", ax.column).slice("column", 0, 0))).toMatchInlineSnapshot(`
      ShapeError INDEX_RANGE
      slice over 'column': a window of 0 from 0, in an axis of 5
        operand  x  i32 [column 5]  slice.test.ts:+0
    `);
    expect(refusal(({ input }) => input("x", "i32", ax.column).slice("column", -1, 2))).toMatchInlineSnapshot(`
      ShapeError INDEX_RANGE
      slice over 'column': a window of 2 from -1, in an axis of 5
        operand  x  i32 [column 5]  slice.test.ts:+0
    `);
    expect(refusal(({ input }) => input("x", "i32", ax.column).slice("column", 0.5, 2))).toMatchInlineSnapshot(`
      ShapeError INDEX_RANGE
      slice over 'column': a window of 2 from 0.5, in an axis of 5
        operand  x  i32 [column 5]  slice.test.ts:+0
    `);
    expect(
      refusal(({ input }) => input("x", "i32", ax.column).slice("column", input("at", "i32"), 6)),
    ).toMatchInlineSnapshot(`
      ShapeError INDEX_RANGE
      slice over 'column': a window of 6 in an axis of 5
        operand  x  i32 [column 5]  slice.test.ts:+0
    `);
  });

  test("refuses starts that are no integers, or that differ by an axis that the operand lacks or cuts", () => {
    expect(
      refusal(({ input }) => input("x", "i32", ax.column).slice("column", input("at", "f32"), 2)),
    ).toMatchInlineSnapshot(`
      ShapeError DTYPE
      slice takes signed integers or unsigned integers, and the start is f32
        operand  x   i32 [column 5]  slice.test.ts:+0
        start    at  f32 []          slice.test.ts:+0
        hint  start.cast("i32")
    `);
    expect(
      refusal(({ input }) => {
        const [x, at] = [input("x", "i32", ax.column), input("at", "i32", ax.row)];
        // @ts-expect-error  the operand has no rows
        return x.slice("column", at, 2);
      }),
    ).toMatchInlineSnapshot(`
      ShapeError AXIS_EXTRA
      slice over 'column': the start has axis 'row', which the operand lacks
        operand  x   i32 [column 5]  slice.test.ts:+1
        start    at  i32 [row 2]     slice.test.ts:+1
    `);
    expect(
      refusal(({ input }) => {
        const [x, at] = [input("x", "i32", ax.column), input("at", "i32", ax.column)];
        // @ts-expect-error  a window has one start
        return x.slice("column", at, 2);
      }),
    ).toMatchInlineSnapshot(`
      ShapeError AXIS_EXTRA
      slice over 'column': a window has one start along its axis
        operand  x   i32 [column 5]  slice.test.ts:+1
        start    at  i32 [column 5]  slice.test.ts:+1
    `);
    expect(
      refusal(({ input }) =>
        input("x", "i32", ax.row, ax.column).slice("column", input("at", "i32", axis("row", 3)), 2),
      ),
    ).toMatchInlineSnapshot(`
      ShapeError SIZE_MISMATCH
      slice over 'column': axis 'row' has 2 in the operand, 3 in the start
        operand  x   i32 [row 2, column 5]  slice.test.ts:+1
        start    at  i32 [row 3]            slice.test.ts:+1
    `);
    expect(
      refusal(({ input }) => {
        const x = input("x", "i32", ax.row);
        // @ts-expect-error  no such axis
        return x.slice("column", 0, 1);
      }),
    ).toMatchInlineSnapshot(`
      ShapeError AXIS_MISSING
      slice over 'column': the operand has no such axis
        operand  x  i32 [row 2]  slice.test.ts:+1
    `);
  });
});

describe("stride", () => {
  test("keeps every other position", async () => {
    const { text } = await checkProgram(
      ({ input }) => {
        const x = input("x", "i32", ax.row, ax.column);
        return { even: x.stride("column", 0, 2), odd: x.stride("column", 1, 2) };
      },
      { inputs: { x: two }, expected: { even: [0, 2, 4, 10, 12, 14], odd: [1, 3, 11, 13] } },
    );
    expect(text).toMatchInlineSnapshot(`
      func.func public @main(%arg0: tensor<2x5xi32>) -> (tensor<2x3xi32>, tensor<2x2xi32>) {
        %0 = stablehlo.slice %arg0 [0:2, 0:5:2] : (tensor<2x5xi32>) -> tensor<2x3xi32>
        %1 = stablehlo.slice %arg0 [0:2, 1:5:2] : (tensor<2x5xi32>) -> tensor<2x2xi32>
        return %0, %1 : tensor<2x3xi32>, tensor<2x2xi32>
      }
    `);
  });

  test("refuses steps of nothing and starts outside", () => {
    expect(refusal(({ input }) => input("x", "i32", ax.column).stride("column", 0, 0))).toMatchInlineSnapshot(`
      ShapeError INDEX_RANGE
      slice over 'column': steps of 0 from 0, in an axis of 5
        operand  x  i32 [column 5]  slice.test.ts:+0
    `);
    expect(refusal(({ input }) => input("x", "i32", ax.column).stride("column", 5, 1))).toMatchInlineSnapshot(`
      ShapeError INDEX_RANGE
      slice over 'column': a window of 0 from 5, in an axis of 5
        operand  x  i32 [column 5]  slice.test.ts:+0
    `);
  });
});

describe("update", () => {
  test("writes at a start that is known", async () => {
    const { text } = await checkProgram(
      ({ input }) => input("x", "i32", ax.row, ax.column).update("column", 1, input("v", "i32", window, ax.row)),
      {
        inputs: {
          x: two,
          v: [
            [-1, -3],
            [-2, -4],
          ],
        },
        expected: [
          [0, -1, -2, 3, 4],
          [10, -3, -4, 13, 14],
        ],
      },
    );
    expect(text).toMatchInlineSnapshot(`
      func.func public @main(%arg0: tensor<2x5xi32>, %arg1: tensor<2x2xi32>) -> tensor<2x5xi32> {
        %c = stablehlo.constant dense<1> : tensor<i32>
        %0 = stablehlo.transpose %arg1, dims = [1, 0] : (tensor<2x2xi32>) -> tensor<2x2xi32>
        %c_0 = stablehlo.constant dense<0> : tensor<i32>
        %1 = stablehlo.dynamic_update_slice %arg0, %0, %c_0, %c : (tensor<2x5xi32>, tensor<2x2xi32>, tensor<i32>, tensor<i32>) -> tensor<2x5xi32>
        return %1 : tensor<2x5xi32>
      }
    `);
  });

  test("writes at a start that the program computes, clamped", async () => {
    const { text } = await checkProgram(
      ({ input }) =>
        input("x", "i32", ax.row, ax.column).update("column", input("at", "i32"), input("v", "i32", ax.row, window)),
      {
        inputs: {
          x: two,
          at: 4,
          v: [
            [-1, -2],
            [-3, -4],
          ],
        },
        expected: [
          [0, 1, 2, -1, -2],
          [10, 11, 12, -3, -4],
        ],
      },
    );
    expect(text).toMatchInlineSnapshot(`
      func.func public @main(%arg0: tensor<2x5xi32>, %arg1: tensor<i32>, %arg2: tensor<2x2xi32>) -> tensor<2x5xi32> {
        %c = stablehlo.constant dense<0> : tensor<i32>
        %0 = stablehlo.dynamic_update_slice %arg0, %arg2, %c, %arg1 : (tensor<2x5xi32>, tensor<2x2xi32>, tensor<i32>, tensor<i32>) -> tensor<2x5xi32>
        return %0 : tensor<2x5xi32>
      }
    `);
  });

  test("writes elsewhere in each row, clamped for each", async () => {
    const { text } = await checkProgram(
      ({ input }) =>
        input("x", "i32", ax.row, ax.column).update(
          "column",
          input("at", "i32", ax.row),
          input("v", "i32", ax.row, window),
        ),
      {
        inputs: {
          x: two,
          at: [0, 99],
          v: [
            [-1, -2],
            [-3, -4],
          ],
        },
        expected: [
          [-1, -2, 2, 3, 4],
          [10, 11, 12, -3, -4],
        ],
      },
    );
    expect(text).toMatchInlineSnapshot(`
      func.func public @main(%arg0: tensor<2x5xi32>, %arg1: tensor<2xi32>, %arg2: tensor<2x2xi32>) -> tensor<2x5xi32> {
        %c = stablehlo.constant dense<0> : tensor<i32>
        %0 = stablehlo.broadcast_in_dim %c, dims = [] : (tensor<i32>) -> tensor<2xi32>
        %1 = stablehlo.maximum %arg1, %0 : tensor<2xi32>
        %c_0 = stablehlo.constant dense<3> : tensor<i32>
        %2 = stablehlo.broadcast_in_dim %c_0, dims = [] : (tensor<i32>) -> tensor<2xi32>
        %3 = stablehlo.minimum %1, %2 : tensor<2xi32>
        %4 = "stablehlo.scatter"(%arg0, %3, %arg2) <{indices_are_sorted = false, scatter_dimension_numbers = #stablehlo.scatter<update_window_dims = [1], input_batching_dims = [0], scatter_indices_batching_dims = [0], scatter_dims_to_operand_dims = [1], index_vector_dim = 1>, unique_indices = true}> ({
        ^bb0(%arg3: tensor<i32>, %arg4: tensor<i32>):
          stablehlo.return %arg4 : tensor<i32>
        }) : (tensor<2x5xi32>, tensor<2xi32>, tensor<2x2xi32>) -> tensor<2x5xi32>
        return %4 : tensor<2x5xi32>
      }
    `);
  });

  test("writes elsewhere in each row and depth, whatever their order", async () => {
    const x = Array.from({ length: 20 }, (_, n) => n);
    const expected = [...x];
    // Row r, depth d writes at 2r + d: the element [r, 2r + d, d].
    for (const [r, d] of [
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
    ] as const)
      expected[r * 10 + (2 * r + d) * 2 + d] = -(1 + r * 2 + d);
    await checkProgram(
      ({ input }) =>
        input("x", "i32", ax.row, ax.column, ax.depth).update(
          "column",
          input("at", "i32", ax.depth, ax.row),
          input("v", "i32", ax.depth, axis("column", 1), ax.row),
        ),
      {
        inputs: {
          x,
          at: [
            [0, 2],
            [1, 3],
          ],
          v: [[[-1, -3]], [[-2, -4]]],
        },
        expected,
      },
    );
  });

  test("refuses values that fit no window", () => {
    expect(
      refusal(({ input }) => input("x", "i32", ax.column).update("column", 4, input("v", "i32", window))),
    ).toMatchInlineSnapshot(`
      ShapeError INDEX_RANGE
      update over 'column': a window of 2 from 4, in an axis of 5
        operand  x  i32 [column 5]  slice.test.ts:+0
        value    v  i32 [column 2]  slice.test.ts:+0
    `);
    expect(
      refusal(({ input }) =>
        input("x", "i32", ax.column).update("column", input("at", "i32"), input("v", "i32", axis("column", 6))),
      ),
    ).toMatchInlineSnapshot(`
      ShapeError INDEX_RANGE
      update over 'column': a window of 6 in an axis of 5
        operand  x  i32 [column 5]  slice.test.ts:+1
    `);
    expect(
      refusal(({ input }) => input("x", "i32", ax.column).update("column", 0, input("v", "f32", window))),
    ).toMatchInlineSnapshot(`
      ShapeError SIZE_MISMATCH
      update over 'column': the value fits no window of the operand: the operand is i32, the value f32
        operand  x  i32 [column 5]  slice.test.ts:+0
        value    v  f32 [column 2]  slice.test.ts:+0
        hint  value.cast("i32")
    `);
    expect(
      refusal(({ input }) =>
        input("x", "i32", ax.row, ax.column).update("column", 0, input("v", "i32", axis("row", 3), window)),
      ),
    ).toMatchInlineSnapshot(`
      ShapeError SIZE_MISMATCH
      update over 'column': the value fits no window of the operand: axis 'row' has 2 in the operand, 3 in the value
        operand  x  i32 [row 2, column 5]  slice.test.ts:+1
        value    v  i32 [row 3, column 2]  slice.test.ts:+1
    `);
    expect(
      refusal(({ input }) => {
        const [x, v] = [input("x", "i32", ax.column), input("v", "i32", ax.depth, window)];
        // @ts-expect-error  the value has an axis too many
        return x.update("column", 0, v);
      }),
    ).toMatchInlineSnapshot(`
      ShapeError SIZE_MISMATCH
      update over 'column': the value fits no window of the operand: the operand lacks axis 'depth'
        operand  x  i32 [column 5]           slice.test.ts:+1
        value    v  i32 [depth 2, column 2]  slice.test.ts:+1
    `);
    expect(
      refusal(({ input }) => {
        const [x, v] = [input("x", "i32", ax.column), input("v", "i32", ax.row)];
        // @ts-expect-error  the value lacks the axis
        return x.update("column", 0, v);
      }),
    ).toMatchInlineSnapshot(`
      ShapeError AXIS_MISSING
      update over 'column': the value has no such axis
        value  v  i32 [row 2]  slice.test.ts:+1
    `);
    expect(
      refusal(({ input }) =>
        input("x", "i32", ax.column).update("column", input("at", "f32"), input("v", "i32", window)),
      ),
    ).toMatchInlineSnapshot(`
      ShapeError DTYPE
      update takes signed integers or unsigned integers, and the start is f32
        operand  x   i32 [column 5]  slice.test.ts:+1
        start    at  f32 []          slice.test.ts:+1
        hint  start.cast("i32")
    `);
  });
});

describe("addAt", () => {
  const rows = axes({ row: 4, column: 2 });
  const added = axis("row", 5);

  test("adds each row where its position says, as often as it is named", async () => {
    const { text } = await checkProgram(
      ({ input }) =>
        input("x", "f32", rows.row, rows.column).addAt(
          "row",
          input("at", "i32", added),
          input("v", "f32", added, rows.column),
        ),
      {
        inputs: {
          x: [0, 0, 10, 10, 20, 20, 30, 30],
          at: [2, 0, 2, 3, 2],
          v: [1, 2, 3, 4, 5, 6, 7, 8, 0.5, 0.25],
        },
        expected: [
          [3, 4],
          [10, 10],
          [26.5, 28.25],
          [37, 38],
        ],
      },
    );
    expect(text).toMatchInlineSnapshot(`
func.func public @main(%arg0: tensor<4x2xf32>, %arg1: tensor<5xi32>, %arg2: tensor<5x2xf32>) -> tensor<4x2xf32> {
  %0 = "stablehlo.scatter"(%arg0, %arg1, %arg2) <{indices_are_sorted = false, scatter_dimension_numbers = #stablehlo.scatter<update_window_dims = [1], inserted_window_dims = [0], scatter_dims_to_operand_dims = [0], index_vector_dim = 1>, unique_indices = false}> ({
  ^bb0(%arg3: tensor<f32>, %arg4: tensor<f32>):
    %1 = stablehlo.add %arg3, %arg4 : tensor<f32>
    stablehlo.return %1 : tensor<f32>
  }) : (tensor<4x2xf32>, tensor<5xi32>, tensor<5x2xf32>) -> tensor<4x2xf32>
  return %0 : tensor<4x2xf32>
}
`);
  });

  test("leaves out what lies outside", async () => {
    await checkProgram(
      ({ input }) => input("x", "i32", rows.row).addAt("row", input("at", "i32", added), input("v", "i32", added)),
      { inputs: { x: [0, 0, 0, 0], at: [-1, 4, 0, 2 ** 31 - 1, 3], v: [1, 2, 4, 8, 16] }, expected: [4, 0, 0, 16] },
    );
  });

  test("takes the value's axes in any order", async () => {
    await checkProgram(
      ({ input }) =>
        input("x", "i32", rows.row, rows.column).addAt(
          "row",
          input("at", "u8", axis("row", 2)),
          input("v", "i32", rows.column, axis("row", 2)),
        ),
      { inputs: { x: Array(8).fill(0), at: [3, 1], v: [1, 2, 3, 4] }, expected: [0, 0, 2, 4, 0, 0, 1, 3] },
    );
  });

  test("refuses a value that has not a row for each position", () => {
    expect(
      refusal(({ input }) =>
        input("x", "f32", rows.row, rows.column).addAt(
          "row",
          input("at", "i32", added),
          input("v", "f32", axis("row", 3), rows.column),
        ),
      ),
    ).toMatchInlineSnapshot(`
ShapeError SIZE_MISMATCH
addAt over 'row': the value has a row of the operand for each position
  operand    x   f32 [row 4, column 2]  slice.test.ts:+1
  positions  at  i32 [row 5]            slice.test.ts:+3
  value      v   f32 [row 3, column 2]  slice.test.ts:+4
`);
    expect(
      refusal(({ input }) =>
        input("x", "f32", rows.row).addAt("row", input("at", "i32", added), input("v", "bf16", added)),
      ),
    ).toMatchInlineSnapshot(`
ShapeError SIZE_MISMATCH
addAt over 'row': the value has a row of the operand for each position
  operand    x   f32 [row 4]   slice.test.ts:+1
  positions  at  i32 [row 5]   slice.test.ts:+1
  value      v   bf16 [row 5]  slice.test.ts:+1
  hint  value.cast("f32")
`);
    expect(
      refusal(({ input }) =>
        input("x", "f32", rows.row).addAt("row", input("at", "f32", added), input("v", "f32", added)),
      ),
    ).toMatchInlineSnapshot(`
ShapeError DTYPE
addAt takes signed integers or unsigned integers, and the positions are f32
  positions  at  f32 [row 5]  slice.test.ts:+1
  hint  positions.cast("i32")
`);
  });
});
