import { describe, expect, test } from "@jest/globals";
import { checkProgram } from "../../tests/support/check-program.ts";
import { refusal } from "../../tests/support/refusal.ts";
import { axes, axis } from "../index.ts";

const ax = axes({ row: 2, column: 3 });

describe("concat", () => {
  test("joins along an axis, in the head's memory order", async () => {
    const { text } = await checkProgram(
      ({ input }) =>
        input("x", "f32", ax.row, ax.column).concat(
          "column",
          input("y", "f32", axis("column", 1), ax.row),
          input("z", "f32", ax.row, ax.column),
        ),
      {
        inputs: {
          x: [
            [1, 2, 3],
            [4, 5, 6],
          ],
          y: [[7, 8]],
          z: [
            [9, 10, 11],
            [12, 13, 14],
          ],
        },
        expected: [
          [1, 2, 3, 7, 9, 10, 11],
          [4, 5, 6, 8, 12, 13, 14],
        ],
      },
    );
    expect(text).toMatchInlineSnapshot(`
      func.func public @main(%arg0: tensor<2x3xf32>, %arg1: tensor<1x2xf32>, %arg2: tensor<2x3xf32>) -> tensor<2x7xf32> {
        %0 = stablehlo.transpose %arg1, dims = [1, 0] : (tensor<1x2xf32>) -> tensor<2x1xf32>
        %1 = stablehlo.concatenate %arg0, %0, %arg2, dim = 1 : (tensor<2x3xf32>, tensor<2x1xf32>, tensor<2x3xf32>) -> tensor<2x7xf32>
        return %1 : tensor<2x7xf32>
      }
    `);
  });

  test("of nothing is the head itself", async () => {
    await checkProgram(({ input }) => input("x", "i8", ax.row).concat("row"), {
      inputs: { x: [1, 2] },
      expected: [1, 2],
    });
  });

  test("refuses tails with another size, other axes or another element type", () => {
    expect(
      refusal(({ input }) =>
        input("x", "f32", ax.row, ax.column).concat("row", input("y", "f32", ax.row, axis("column", 4))),
      ),
    ).toMatchInlineSnapshot(`
      ShapeError SIZE_MISMATCH
      concat along 'row': axis 'column' has 3 in the head, 4 in the tail
        head  x  f32 [row 2, column 3]  concat.test.ts:+1
        tail  y  f32 [row 2, column 4]  concat.test.ts:+1
    `);
    expect(
      refusal(({ input }) => {
        const tail = input("y", "f32", ax.row);
        // @ts-expect-error  the tail lacks an axis
        return input("x", "f32", ax.row, ax.column).concat("row", tail);
      }),
    ).toMatchInlineSnapshot(`
      ShapeError SIZE_MISMATCH
      concat along 'row': the tail lacks axis 'column'
        head  x  f32 [row 2, column 3]  concat.test.ts:+3
        tail  y  f32 [row 2]            concat.test.ts:+1
    `);
    expect(
      refusal(({ input }) => {
        const tail = input("y", "f32", ax.row, ax.column);
        // @ts-expect-error  the tail has an axis too many
        return input("x", "f32", ax.row).concat("row", tail);
      }),
    ).toMatchInlineSnapshot(`
      ShapeError SIZE_MISMATCH
      concat along 'row': the head lacks axis 'column'
        head  x  f32 [row 2]            concat.test.ts:+3
        tail  y  f32 [row 2, column 3]  concat.test.ts:+1
    `);
    expect(
      refusal(({ input }) => input("x", "f32", ax.row).concat("row", input("y", "bf16", ax.row))),
    ).toMatchInlineSnapshot(`
      ShapeError SIZE_MISMATCH
      concat along 'row': the head is f32, the tail bf16
        head  x  f32 [row 2]   concat.test.ts:+0
        tail  y  bf16 [row 2]  concat.test.ts:+0
        hint  tail.cast("f32")
    `);
  });

  test("refuses an axis that the head lacks", () => {
    expect(
      refusal(({ input }) => {
        const [x, y] = [input("x", "f32", ax.row), input("y", "f32", ax.row)];
        // @ts-expect-error  the head has no such axis
        return x.concat("column", y);
      }),
    ).toMatchInlineSnapshot(`
      ShapeError AXIS_MISSING
      concat over 'column': the head has no such axis
        head  x  f32 [row 2]  concat.test.ts:+1
    `);
  });
});

describe("pad", () => {
  test("adds copies of a number before and after", async () => {
    const { text } = await checkProgram(
      ({ input }) => ({
        zeros: input("x", "i32", ax.row, ax.column).pad("column", 1, 2),
        ones: input("y", "f32", ax.row).pad("row", 0, 1, -Infinity),
      }),
      {
        inputs: {
          x: [
            [1, 2, 3],
            [4, 5, 6],
          ],
          y: [1, 2],
        },
        expected: {
          zeros: [
            [0, 1, 2, 3, 0, 0],
            [0, 4, 5, 6, 0, 0],
          ],
          ones: [1, 2, -Infinity],
        },
      },
    );
    expect(text).toMatchInlineSnapshot(`
      func.func public @main(%arg0: tensor<2x3xi32>, %arg1: tensor<2xf32>) -> (tensor<2x6xi32>, tensor<3xf32>) {
        %c = stablehlo.constant dense<0> : tensor<i32>
        %0 = stablehlo.pad %arg0, %c, low = [0, 1], high = [0, 2], interior = [0, 0] : (tensor<2x3xi32>, tensor<i32>) -> tensor<2x6xi32>
        %cst = stablehlo.constant dense<0xFF800000> : tensor<f32>
        %1 = stablehlo.pad %arg1, %cst, low = [0], high = [1], interior = [0] : (tensor<2xf32>, tensor<f32>) -> tensor<3xf32>
        return %0, %1 : tensor<2x6xi32>, tensor<3xf32>
      }
    `);
  });

  test("refuses negative and fractional counts, and a filler that the element type lacks", () => {
    expect(refusal(({ input }) => input("x", "i32", ax.row).pad("row", -1, 0))).toMatchInlineSnapshot(`
      ShapeError INDEX_RANGE
      pad along 'row': -1 before and 0 after, and both are whole numbers from 0
        operand  x  i32 [row 2]  concat.test.ts:+0
    `);
    expect(refusal(({ input }) => input("x", "u8", ax.row).pad("row", 1, 0, -1))).toMatchInlineSnapshot(`
      ShapeError NUMBER_RANGE
      pad: -1 is not a value of u8
        operand  x   u8 [row 2]  concat.test.ts:+0
        filler   -1
    `);
    // @ts-expect-error  no such axis
    expect(refusal(({ input }) => input("x", "i32", ax.row).pad("column", 1, 0))).toMatchInlineSnapshot(`
      ShapeError AXIS_MISSING
      pad over 'column': the operand has no such axis
        operand  x  i32 [row 2]  concat.test.ts:+0
    `);
  });
});

describe("reverse", () => {
  test("turns axes round", async () => {
    const { text } = await checkProgram(({ input }) => input("x", "i32", ax.row, ax.column).reverse("column", "row"), {
      inputs: {
        x: [
          [1, 2, 3],
          [4, 5, 6],
        ],
      },
      expected: [
        [6, 5, 4],
        [3, 2, 1],
      ],
    });
    expect(text).toMatchInlineSnapshot(`
      func.func public @main(%arg0: tensor<2x3xi32>) -> tensor<2x3xi32> {
        %0 = stablehlo.reverse %arg0, dims = [0, 1] : tensor<2x3xi32>
        return %0 : tensor<2x3xi32>
      }
    `);
  });

  test("refuses an axis that is not there, or one named twice", () => {
    // @ts-expect-error  no such axis
    expect(refusal(({ input }) => input("x", "i32", ax.row).reverse("column"))).toMatchInlineSnapshot(`
      ShapeError AXIS_MISSING
      reverse over 'column': the operand has no such axis
        operand  x  i32 [row 2]  concat.test.ts:+0
    `);
    expect(refusal(({ input }) => input("x", "i32", ax.row).reverse("row", "row"))).toMatchInlineSnapshot(`
      ShapeError AXIS_TWICE
      reverse over 'row', 'row': an axis is named twice
        operand  x  i32 [row 2]  concat.test.ts:+0
    `);
  });
});
