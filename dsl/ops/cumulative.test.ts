import { describe, expect, test } from "@jest/globals";
import { checkProgram } from "../../tests/support/check-program.ts";
import { refusal } from "../../tests/support/refusal.ts";
import { axes, axis } from "../index.ts";

const ax = axes({ row: 2, column: 3, depth: 2 });

describe("cumSum", () => {
  test("adds up along the last axis", async () => {
    const { text } = await checkProgram(({ input }) => input("x", "f32", ax.row, ax.column).cumSum("column"), {
      inputs: {
        x: [
          [1, 2, 3],
          [4, 5, 6],
        ],
      },
      expected: [
        [1, 3, 6],
        [4, 9, 15],
      ],
    });
    expect(text).toMatchInlineSnapshot(`
      func.func public @main(%arg0: tensor<2x3xf32>) -> tensor<2x3xf32> {
        %cst = stablehlo.constant dense<0.000000e+00> : tensor<f32>
        %0 = "stablehlo.reduce_window"(%arg0, %cst) <{padding = dense<[[0, 0], [2, 0]]> : tensor<2x2xi64>, window_dimensions = array<i64: 1, 3>}> ({
        ^bb0(%arg1: tensor<f32>, %arg2: tensor<f32>):
          %1 = stablehlo.add %arg1, %arg2 : tensor<f32>
          stablehlo.return %1 : tensor<f32>
        }) : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
        return %0 : tensor<2x3xf32>
      }
    `);
  });

  test("adds up along the first, a middle and the only axis", async () => {
    await checkProgram(
      ({ input }) => ({
        first: input("x", "i32", ax.row, ax.column).cumSum("row"),
        middle: input("y", "i32", ax.row, ax.column, ax.depth).cumSum("column"),
        only: input("z", "i32", ax.column).cumSum("column"),
        one: input("w", "i32", axis("single", 1)).cumSum("single"),
      }),
      {
        inputs: {
          x: [
            [1, 2, 3],
            [4, 5, 6],
          ],
          y: Array.from({ length: 12 }, (_, n) => n),
          z: [1, 1, 1],
          w: [7],
        },
        expected: {
          first: [1, 2, 3, 5, 7, 9],
          middle: [0, 1, 2, 4, 6, 9, 6, 7, 14, 16, 24, 27],
          only: [1, 2, 3],
          one: [7],
        },
      },
    );
  });

  test("adds narrow floats in f32 and rounds each entry once", async () => {
    const steps = Array.from({ length: 300 }, (_, n) => n + 1);
    await checkProgram(({ input }) => input("x", "bf16", axis("n", 300)).cumSum("n"), {
      inputs: { x: steps.map(() => 1) },
      expected: steps,
    });
  });

  test("refuses truth and an axis that is not there", () => {
    expect(refusal(({ input }) => input("x", "bool", ax.row).cumSum("row"))).toMatchInlineSnapshot(`
      ShapeError DTYPE
      cumSum takes signed integers, unsigned integers or floats, and the operand is bool
        operand  x  bool [row 2]  cumulative.test.ts:+0
        hint  operand.cast("f32")
    `);
    expect(
      refusal(({ input }) => {
        const x = input("x", "f32", ax.row);
        // @ts-expect-error  no such axis
        return x.cumSum("column");
      }),
    ).toMatchInlineSnapshot(`
      ShapeError AXIS_MISSING
      cumSum over 'column': the operand has no such axis
        operand  x  f32 [row 2]  cumulative.test.ts:+1
    `);
  });
});
