import { describe, expect, test } from "@jest/globals";
import { checkProgram } from "../../tests/support/check-program.ts";
import { refusal } from "../../tests/support/refusal.ts";
import { axes } from "../index.ts";

const ax = axes({ row: 2, column: 3 });

describe("where", () => {
  test("keeps elements under the mask and takes the others from elsewhere, both repeated", async () => {
    const { text } = await checkProgram(
      ({ input }) =>
        input("x", "f32", ax.row, ax.column).where(input("mask", "bool", ax.column), input("other", "f32", ax.row)),
      { inputs: { x: [1, 2, 3, 4, 5, 6], mask: [1, 0, 1], other: [-1, -2] }, expected: [1, -1, 3, 4, -2, 6] },
    );
    expect(text).toMatchInlineSnapshot(`
      func.func public @main(%arg0: tensor<2x3xf32>, %arg1: tensor<3xi1>, %arg2: tensor<2xf32>) -> tensor<2x3xf32> {
        %0 = stablehlo.broadcast_in_dim %arg1, dims = [1] : (tensor<3xi1>) -> tensor<2x3xi1>
        %1 = stablehlo.broadcast_in_dim %arg2, dims = [0] : (tensor<2xf32>) -> tensor<2x3xf32>
        %2 = stablehlo.select %0, %arg0, %1 : tensor<2x3xi1>, tensor<2x3xf32>
        return %2 : tensor<2x3xf32>
      }
    `);
  });

  test("takes a number for the others, infinities among them", async () => {
    const { text } = await checkProgram(
      ({ input }) => input("x", "bf16", ax.row).where(input("mask", "bool", ax.row), -Infinity),
      {
        inputs: { x: [1, 2], mask: [0, 1] },
        expected: [-Infinity, 2],
      },
    );
    expect(text).toMatchInlineSnapshot(`
      func.func public @main(%arg0: tensor<2xbf16>, %arg1: tensor<2xi1>) -> tensor<2xbf16> {
        %cst = stablehlo.constant dense<0xFF80> : tensor<bf16>
        %0 = stablehlo.broadcast_in_dim %cst, dims = [] : (tensor<bf16>) -> tensor<2xbf16>
        %1 = stablehlo.select %arg1, %arg0, %0 : tensor<2xi1>, tensor<2xbf16>
        return %1 : tensor<2xbf16>
      }
    `);
  });

  test("lets no NaN through that the mask covers", async () => {
    await checkProgram(({ input }) => input("x", "f32", ax.row).where(input("mask", "bool", ax.row), 0), {
      inputs: { x: [Number.NaN, 2], mask: [0, 1] },
      expected: [0, 2],
    });
  });

  test("refuses a mask that is no bool", () => {
    expect(
      refusal(({ input }) => input("x", "f32", ax.row).where(input("mask", "i32", ax.row), 0)),
    ).toMatchInlineSnapshot(`
      ShapeError DTYPE
      where takes bool, and the mask is i32
        value  x     f32 [row 2]  where.test.ts:+0
        mask   mask  i32 [row 2]  where.test.ts:+0
        hint  mask.ne(0)
    `);
  });

  test("refuses numbers for booleans and the reverse", () => {
    expect(
      refusal(({ input }) => input("x", "f32", ax.row).where(input("m", "bool", ax.row), input("y", "bool", ax.row))),
    ).toMatchInlineSnapshot(`
      ShapeError DTYPE
      where: the left operand is f32, and not every bool is a value of that
        left   x  f32 [row 2]   where.test.ts:+0
        right  y  bool [row 2]  where.test.ts:+0
        hint  right.cast("f32")
    `);
    expect(
      refusal(({ input }) => input("x", "u8", ax.row).where(input("m", "bool", ax.row), -1)),
    ).toMatchInlineSnapshot(`
      ShapeError NUMBER_RANGE
      where: -1 is not a value of u8
        left   x   u8 [row 2]  where.test.ts:+0
        right  -1
    `);
  });

  test("refuses a mask with an axis too many", () => {
    expect(
      // @ts-expect-error  the value owns the axes
      refusal(({ input }) => input("x", "f32", ax.row).where(input("mask", "bool", ax.row, ax.column), 0)),
    ).toMatchInlineSnapshot(`
      ShapeError AXIS_EXTRA
      where: the right operand has 'column', which the left one lacks
        left   x     f32 [row 2]             where.test.ts:+0
        right  mask  bool [row 2, column 3]  where.test.ts:+0
        hint  the left operand owns the axes: swap the two, or left.broadcast(ax.column)
    `);
  });
});
