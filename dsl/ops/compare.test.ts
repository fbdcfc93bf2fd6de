import { describe, expect, test } from "@jest/globals";
import { expected } from "../../tests/ops/expected.ts";
import { checkProgram } from "../../tests/support/check-program.ts";
import { refusal } from "../../tests/support/refusal.ts";
import { axes, axis, type Tensor } from "../index.ts";

const ax = axes({ row: 2, column: 3 });

/** Every comparison. */
const all = (x: Tensor<"n">, y: Tensor<"n"> | number) => ({
  eq: x.eq(y),
  ne: x.ne(y),
  ge: x.ge(y),
  gt: x.gt(y),
  le: x.le(y),
  lt: x.lt(y),
});

describe("comparisons", () => {
  test("of floats agree with numpy: NaN is equal to nothing, and 0 to -0", async () => {
    const { left, right, comparisons } = expected.functions;
    const n = axis("n", left.length);
    const { text } = await checkProgram(({ input }) => all(input("x", "f32", n), input("y", "f32", n)), {
      inputs: { x: left, y: right },
      expected: comparisons,
    });
    expect(text).toMatchInlineSnapshot(`
      func.func public @main(%arg0: tensor<100xf32>, %arg1: tensor<100xf32>) -> (tensor<100xi1>, tensor<100xi1>, tensor<100xi1>, tensor<100xi1>, tensor<100xi1>, tensor<100xi1>) {
        %0 = stablehlo.compare EQ, %arg0, %arg1, FLOAT : (tensor<100xf32>, tensor<100xf32>) -> tensor<100xi1>
        %1 = stablehlo.compare NE, %arg0, %arg1, FLOAT : (tensor<100xf32>, tensor<100xf32>) -> tensor<100xi1>
        %2 = stablehlo.compare GE, %arg0, %arg1, FLOAT : (tensor<100xf32>, tensor<100xf32>) -> tensor<100xi1>
        %3 = stablehlo.compare GT, %arg0, %arg1, FLOAT : (tensor<100xf32>, tensor<100xf32>) -> tensor<100xi1>
        %4 = stablehlo.compare LE, %arg0, %arg1, FLOAT : (tensor<100xf32>, tensor<100xf32>) -> tensor<100xi1>
        %5 = stablehlo.compare LT, %arg0, %arg1, FLOAT : (tensor<100xf32>, tensor<100xf32>) -> tensor<100xi1>
        return %0, %1, %2, %3, %4, %5 : tensor<100xi1>, tensor<100xi1>, tensor<100xi1>, tensor<100xi1>, tensor<100xi1>, tensor<100xi1>
      }
    `);
  });

  test("know signed from unsigned integers", async () => {
    const { text } = await checkProgram(
      ({ input }) => ({
        signed: input("x", "i8", ax.row).lt(input("y", "i8", ax.row)),
        plain: input("u", "u8", ax.row).lt(input("v", "u8", ax.row)),
      }),
      { inputs: { x: [-1, 1], y: [1, -1], u: [255, 1], v: [1, 255] }, expected: { signed: [1, 0], plain: [0, 1] } },
    );
    expect(text).toMatchInlineSnapshot(`
      func.func public @main(%arg0: tensor<2xi8>, %arg1: tensor<2xi8>, %arg2: tensor<2xui8>, %arg3: tensor<2xui8>) -> (tensor<2xi1>, tensor<2xi1>) {
        %0 = stablehlo.compare LT, %arg0, %arg1, SIGNED : (tensor<2xi8>, tensor<2xi8>) -> tensor<2xi1>
        %1 = stablehlo.compare LT, %arg2, %arg3, UNSIGNED : (tensor<2xui8>, tensor<2xui8>) -> tensor<2xi1>
        return %0, %1 : tensor<2xi1>, tensor<2xi1>
      }
    `);
  });

  test("order booleans: false comes first", async () => {
    await checkProgram(({ input }) => all(input("x", "bool", axis("n", 4)), input("y", "bool", axis("n", 4))), {
      inputs: { x: [0, 0, 1, 1], y: [0, 1, 0, 1] },
      expected: {
        eq: [1, 0, 0, 1],
        ne: [0, 1, 1, 0],
        ge: [1, 0, 1, 1],
        gt: [0, 0, 1, 0],
        le: [1, 1, 0, 1],
        lt: [0, 1, 0, 0],
      },
    });
  });

  test("repeat the right operand along what it lacks, and take numbers", async () => {
    const { text } = await checkProgram(
      ({ input }) => ({
        rows: input("x", "i32", ax.row, ax.column).ge(input("y", "i32", ax.row)),
        two: input("z", "i32", ax.column).gt(2),
      }),
      {
        inputs: { x: [1, 2, 3, 1, 2, 3], y: [2, 3], z: [1, 2, 3] },
        expected: { rows: [0, 1, 1, 0, 0, 1], two: [0, 0, 1] },
      },
    );
    expect(text).toMatchInlineSnapshot(`
      func.func public @main(%arg0: tensor<2x3xi32>, %arg1: tensor<2xi32>, %arg2: tensor<3xi32>) -> (tensor<2x3xi1>, tensor<3xi1>) {
        %0 = stablehlo.broadcast_in_dim %arg1, dims = [0] : (tensor<2xi32>) -> tensor<2x3xi32>
        %1 = stablehlo.compare GE, %arg0, %0, SIGNED : (tensor<2x3xi32>, tensor<2x3xi32>) -> tensor<2x3xi1>
        %c = stablehlo.constant dense<2> : tensor<i32>
        %2 = stablehlo.broadcast_in_dim %c, dims = [] : (tensor<i32>) -> tensor<3xi32>
        %3 = stablehlo.compare GT, %arg2, %2, SIGNED : (tensor<3xi32>, tensor<3xi32>) -> tensor<3xi1>
        return %1, %3 : tensor<2x3xi1>, tensor<3xi1>
      }
    `);
  });

  test("refuse operands of two kinds, since converting one would change the answer", () => {
    expect(refusal(({ input }) => input("x", "i32", ax.row).lt(input("y", "f32", ax.row)))).toMatchInlineSnapshot(`
      ShapeError DTYPE
      lt: no element type holds every i32 and every f32
        left   x  i32 [row 2]  compare.test.ts:+0
        right  y  f32 [row 2]  compare.test.ts:+0
        hint  cast one of them: right.cast("i32")
    `);
    expect(refusal(({ input }) => input("x", "i32", ax.row).lt(input("y", "u32", ax.row)))).toMatchInlineSnapshot(`
      ShapeError DTYPE
      lt: no element type holds every i32 and every u32
        left   x  i32 [row 2]  compare.test.ts:+0
        right  y  u32 [row 2]  compare.test.ts:+0
        hint  cast one of them: right.cast("i32")
    `);
  });

  test("happen in the wider of two element types", async () => {
    const { text } = await checkProgram(
      ({ input }) => ({
        integers: input("x", "i8", ax.row).lt(input("y", "i32", ax.row)),
        mixed: input("n", "u8", ax.row).gt(input("m", "i16", ax.row)),
        floats: input("a", "bf16", ax.row).lt(input("b", "f32", ax.row)),
      }),
      {
        inputs: { x: [-1, 1], y: [300, -300], n: [255, 0], m: [-1, 300], a: [1, 1], b: [1.0001, 1] },
        expected: { integers: [1, 0], mixed: [1, 0], floats: [1, 0] },
      },
    );
    expect(text).toMatchInlineSnapshot(`
      func.func public @main(%arg0: tensor<2xi8>, %arg1: tensor<2xi32>, %arg2: tensor<2xui8>, %arg3: tensor<2xi16>, %arg4: tensor<2xbf16>, %arg5: tensor<2xf32>) -> (tensor<2xi1>, tensor<2xi1>, tensor<2xi1>) {
        %0 = stablehlo.convert %arg0 : (tensor<2xi8>) -> tensor<2xi32>
        %1 = stablehlo.compare LT, %0, %arg1, SIGNED : (tensor<2xi32>, tensor<2xi32>) -> tensor<2xi1>
        %2 = stablehlo.convert %arg2 : (tensor<2xui8>) -> tensor<2xi16>
        %3 = stablehlo.compare GT, %2, %arg3, SIGNED : (tensor<2xi16>, tensor<2xi16>) -> tensor<2xi1>
        %4 = stablehlo.convert %arg4 : (tensor<2xbf16>) -> tensor<2xf32>
        %5 = stablehlo.compare LT, %4, %arg5, FLOAT : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xi1>
        return %1, %3, %5 : tensor<2xi1>, tensor<2xi1>, tensor<2xi1>
      }
    `);
  });

  test("refuse a number that the element type lacks, and an axis that the left operand lacks", () => {
    expect(refusal(({ input }) => input("x", "i32", ax.row).lt(0.5))).toMatchInlineSnapshot(`
      ShapeError NUMBER_RANGE
      lt: 0.5 is not a value of i32
        left   x    i32 [row 2]  compare.test.ts:+0
        right  0.5
    `);
    expect(
      // @ts-expect-error  the left operand owns the axes
      refusal(({ input }) => input("x", "i32", ax.row).eq(input("y", "i32", ax.column))),
    ).toMatchInlineSnapshot(`
      ShapeError AXIS_EXTRA
      eq: the right operand has 'column', which the left one lacks
        left   x  i32 [row 2]     compare.test.ts:+0
        right  y  i32 [column 3]  compare.test.ts:+0
        hint  the left operand owns the axes: swap the two, or left.broadcast(ax.column)
    `);
  });
});
