import { describe, expect, test } from "@jest/globals";
import { checkProgram } from "../../tests/support/check-program.ts";
import type { Tolerance } from "../../tests/support/numbers.ts";
import { refusal } from "../../tests/support/refusal.ts";
import { axes } from "../index.ts";

const ax = axes({ row: 2, column: 3, depth: 2, long: 300 });
const { NaN: nan } = Number;
const f32: Tolerance = { relative: 1e-6, because: "f32 exponentials and logarithms differ in their last bits" };

describe("reductions", () => {
  test("drop the axes that they run over", async () => {
    const { text } = await checkProgram(
      ({ input }) => {
        const x = input("x", "f32", ax.row, ax.column);
        return { sum: x.sum("column"), prod: x.prod("row"), max: x.maxOver("row", "column"), min: x.minOver("column") };
      },
      {
        inputs: {
          x: [
            [1, 2, 3],
            [4, 5, -6],
          ],
        },
        expected: { sum: [6, 3], prod: [4, 10, -18], max: 5, min: [1, -6] },
      },
    );
    expect(text).toMatchInlineSnapshot(`
      func.func public @main(%arg0: tensor<2x3xf32>) -> (tensor<2xf32>, tensor<3xf32>, tensor<f32>, tensor<2xf32>) {
        %cst = stablehlo.constant dense<0.000000e+00> : tensor<f32>
        %0 = stablehlo.reduce(%arg0 init: %cst) applies stablehlo.add across dimensions = [1] : (tensor<2x3xf32>, tensor<f32>) -> tensor<2xf32>
        %cst_0 = stablehlo.constant dense<1.000000e+00> : tensor<f32>
        %1 = stablehlo.reduce(%arg0 init: %cst_0) applies stablehlo.multiply across dimensions = [0] : (tensor<2x3xf32>, tensor<f32>) -> tensor<3xf32>
        %cst_1 = stablehlo.constant dense<0xFF800000> : tensor<f32>
        %2 = stablehlo.reduce(%arg0 init: %cst_1) applies stablehlo.maximum across dimensions = [0, 1] : (tensor<2x3xf32>, tensor<f32>) -> tensor<f32>
        %cst_2 = stablehlo.constant dense<0x7F800000> : tensor<f32>
        %3 = stablehlo.reduce(%arg0 init: %cst_2) applies stablehlo.minimum across dimensions = [1] : (tensor<2x3xf32>, tensor<f32>) -> tensor<2xf32>
        return %0, %1, %2, %3 : tensor<2xf32>, tensor<3xf32>, tensor<f32>, tensor<2xf32>
      }
    `);
  });

  test("over no axes leave the tensor as it is", async () => {
    await checkProgram(({ input }) => input("x", "f32", ax.row).sum(), { inputs: { x: [1, 2] }, expected: [1, 2] });
  });

  test("run over axes in any order and place", async () => {
    await checkProgram(({ input }) => input("x", "i32", ax.row, ax.column, ax.depth).sum("depth", "row"), {
      inputs: { x: Array.from({ length: 12 }, (_, n) => n) },
      expected: [0 + 1 + 6 + 7, 2 + 3 + 8 + 9, 4 + 5 + 10 + 11],
    });
  });

  test("take integers, signed or not, and wrap around", async () => {
    await checkProgram(
      ({ input }) => {
        const [x, y] = [input("x", "i8", ax.column), input("y", "u8", ax.column)];
        return {
          sum: x.sum("column"),
          max: x.maxOver("column"),
          min: x.minOver("column"),
          total: y.sum("column"),
          most: y.maxOver("column"),
          least: y.minOver("column"),
        };
      },
      {
        inputs: { x: [-128, -1, 2], y: [200, 100, 7] },
        expected: { sum: -127 + 256 - 256, max: 2, min: -128, total: 307 - 256, most: 200, least: 7 },
      },
    );
  });

  test("give NaN where there is one, and infinities over nothing else", async () => {
    await checkProgram(
      ({ input }) => {
        const x = input("x", "f32", ax.row, ax.column);
        return { max: x.maxOver("column"), min: x.minOver("column"), sum: x.sum("column") };
      },
      {
        inputs: {
          x: [
            [1, nan, 3],
            [-Infinity, -Infinity, -Infinity],
          ],
        },
        expected: { max: [nan, -Infinity], min: [nan, -Infinity], sum: [nan, -Infinity] },
      },
    );
  });

  test("sum narrow floats in f32 and round once", async () => {
    const { text } = await checkProgram(({ input }) => input("x", "bf16", ax.long).sum("long"), {
      inputs: { x: Array(300).fill(1) },
      expected: 300,
    });
    expect(text).toMatchInlineSnapshot(`
      func.func public @main(%arg0: tensor<300xbf16>) -> tensor<bf16> {
        %0 = stablehlo.convert %arg0 : (tensor<300xbf16>) -> tensor<300xf32>
        %cst = stablehlo.constant dense<0.000000e+00> : tensor<f32>
        %1 = stablehlo.reduce(%0 init: %cst) applies stablehlo.add across dimensions = [0] : (tensor<300xf32>, tensor<f32>) -> tensor<f32>
        %2 = stablehlo.convert %1 : (tensor<f32>) -> tensor<bf16>
        return %2 : tensor<bf16>
      }
    `);
  });

  test("of truth ask whether all or any hold", async () => {
    const { text } = await checkProgram(
      ({ input }) => {
        const x = input("x", "bool", ax.row, ax.column);
        return {
          all: x.all("column"),
          any: x.any("column"),
          bits: input("y", "u8", ax.row).any("row"),
          common: input("z", "i8", ax.row).all("row"),
        };
      },
      {
        inputs: {
          x: [
            [1, 0, 1],
            [0, 0, 0],
          ],
          y: [5, 2],
          z: [5, -4],
        },
        expected: { all: [0, 0], any: [1, 0], bits: 7, common: 4 },
      },
    );
    expect(text).toMatchInlineSnapshot(`
      func.func public @main(%arg0: tensor<2x3xi1>, %arg1: tensor<2xui8>, %arg2: tensor<2xi8>) -> (tensor<2xi1>, tensor<2xi1>, tensor<ui8>, tensor<i8>) {
        %c = stablehlo.constant dense<true> : tensor<i1>
        %0 = stablehlo.reduce(%arg0 init: %c) applies stablehlo.and across dimensions = [1] : (tensor<2x3xi1>, tensor<i1>) -> tensor<2xi1>
        %c_0 = stablehlo.constant dense<false> : tensor<i1>
        %1 = stablehlo.reduce(%arg0 init: %c_0) applies stablehlo.or across dimensions = [1] : (tensor<2x3xi1>, tensor<i1>) -> tensor<2xi1>
        %c_1 = stablehlo.constant dense<0> : tensor<ui8>
        %2 = stablehlo.reduce(%arg1 init: %c_1) applies stablehlo.or across dimensions = [0] : (tensor<2xui8>, tensor<ui8>) -> tensor<ui8>
        %c_2 = stablehlo.constant dense<-1> : tensor<i8>
        %3 = stablehlo.reduce(%arg2 init: %c_2) applies stablehlo.and across dimensions = [0] : (tensor<2xi8>, tensor<i8>) -> tensor<i8>
        return %0, %1, %2, %3 : tensor<2xi1>, tensor<2xi1>, tensor<ui8>, tensor<i8>
      }
    `);
  });

  test("refuse an axis that is not there, one named twice, and elements they are not for", () => {
    expect(
      refusal(({ input }) => {
        const x = input("x", "f32", ax.row);
        // @ts-expect-error  no such axis
        return x.sum("column");
      }),
    ).toMatchInlineSnapshot(`
      ShapeError AXIS_MISSING
      sum over 'column': the operand has no such axis
        operand  x  f32 [row 2]  reduce.test.ts:+1
    `);
    expect(refusal(({ input }) => input("x", "f32", ax.row, ax.column).sum("row", "row"))).toMatchInlineSnapshot(`
      ShapeError AXIS_TWICE
      sum over 'row', 'row': an axis is named twice
        operand  x  f32 [row 2, column 3]  reduce.test.ts:+0
    `);
    expect(refusal(({ input }) => input("x", "bool", ax.row).sum("row"))).toMatchInlineSnapshot(`
      ShapeError DTYPE
      sum takes signed integers, unsigned integers or floats, and the operand is bool
        operand  x  bool [row 2]  reduce.test.ts:+0
        hint  operand.cast("f32")
    `);
    expect(refusal(({ input }) => input("x", "f32", ax.row).any("row"))).toMatchInlineSnapshot(`
      ShapeError DTYPE
      any takes bool, signed integers or unsigned integers, and the operand is f32
        operand  x  f32 [row 2]  reduce.test.ts:+0
        hint  operand.ne(0)
    `);
  });
});

describe("mean", () => {
  test("divides the sum by the count, in f32 for narrow floats", async () => {
    const { text } = await checkProgram(
      ({ input }) => ({
        wide: input("x", "f32", ax.row, ax.column).mean("row", "column"),
        narrow: input("y", "bf16", ax.long).mean("long"),
      }),
      { inputs: { x: [1, 2, 3, 4, 5, 9], y: Array(300).fill(3) }, expected: { wide: 4, narrow: 3 } },
    );
    expect(text).toMatchInlineSnapshot(`
      func.func public @main(%arg0: tensor<2x3xf32>, %arg1: tensor<300xbf16>) -> (tensor<f32>, tensor<bf16>) {
        %cst = stablehlo.constant dense<0.000000e+00> : tensor<f32>
        %0 = stablehlo.reduce(%arg0 init: %cst) applies stablehlo.add across dimensions = [0, 1] : (tensor<2x3xf32>, tensor<f32>) -> tensor<f32>
        %cst_0 = stablehlo.constant dense<0.166666672> : tensor<f32>
        %1 = stablehlo.multiply %0, %cst_0 : tensor<f32>
        %2 = stablehlo.convert %arg1 : (tensor<300xbf16>) -> tensor<300xf32>
        %cst_1 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
        %3 = stablehlo.reduce(%2 init: %cst_1) applies stablehlo.add across dimensions = [0] : (tensor<300xf32>, tensor<f32>) -> tensor<f32>
        %cst_2 = stablehlo.constant dense<0.00333333341> : tensor<f32>
        %4 = stablehlo.multiply %3, %cst_2 : tensor<f32>
        %5 = stablehlo.convert %4 : (tensor<f32>) -> tensor<bf16>
        return %1, %5 : tensor<f32>, tensor<bf16>
      }
    `);
  });

  test("refuses the mean of integers", () => {
    expect(refusal(({ input }) => input("x", "i32", ax.row).mean("row"))).toMatchInlineSnapshot(`
      ShapeError DTYPE
      mean takes floats, and the operand is i32
        operand  x  i32 [row 2]  reduce.test.ts:+0
        hint  operand.cast("f32")
    `);
    expect(
      refusal(({ input }) => {
        const x = input("x", "f32", ax.row);
        // @ts-expect-error  no such axis
        return x.mean("column");
      }),
    ).toMatchInlineSnapshot(`
      ShapeError AXIS_MISSING
      mean over 'column': the operand has no such axis
        operand  x  f32 [row 2]  reduce.test.ts:+1
    `);
  });
});

describe("softmax", () => {
  test("sums to 1 along its axis, however large the numbers", async () => {
    const e = Math.exp;
    const total = 1 + e(-1) + e(-2);
    const { text } = await checkProgram(({ input }) => input("x", "f32", ax.row, ax.column).softmax("column"), {
      inputs: {
        x: [
          [1000, 999, 998],
          [0, -Infinity, -Infinity],
        ],
      },
      expected: [
        [1 / total, e(-1) / total, e(-2) / total],
        [1, 0, 0],
      ],
      tolerance: f32,
    });
    expect(text).toMatchInlineSnapshot(`
      func.func public @main(%arg0: tensor<2x3xf32>) -> tensor<2x3xf32> {
        %cst = stablehlo.constant dense<0xFF800000> : tensor<f32>
        %0 = stablehlo.reduce(%arg0 init: %cst) applies stablehlo.maximum across dimensions = [1] : (tensor<2x3xf32>, tensor<f32>) -> tensor<2xf32>
        %1 = stablehlo.broadcast_in_dim %0, dims = [0] : (tensor<2xf32>) -> tensor<2x3xf32>
        %2 = stablehlo.subtract %arg0, %1 : tensor<2x3xf32>
        %3 = stablehlo.exponential %2 : tensor<2x3xf32>
        %cst_0 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
        %4 = stablehlo.reduce(%3 init: %cst_0) applies stablehlo.add across dimensions = [1] : (tensor<2x3xf32>, tensor<f32>) -> tensor<2xf32>
        %5 = stablehlo.broadcast_in_dim %4, dims = [0] : (tensor<2xf32>) -> tensor<2x3xf32>
        %6 = stablehlo.divide %3, %5 : tensor<2x3xf32>
        return %6 : tensor<2x3xf32>
      }
    `);
  });

  test("is computed in f32 and returned in the operand's type", async () => {
    const { program } = await checkProgram(({ input }) => input("x", "bf16", ax.long).softmax("long"), {
      inputs: { x: Array(300).fill(2) },
      expected: Array(300).fill(1 / 300),
    });
    expect(program.signature.results[0]?.dtype).toBe("bf16");
  });

  test("of -Infinity alone is NaN, as nothing can be chosen", async () => {
    await checkProgram(({ input }) => input("x", "f32", ax.row).softmax("row"), {
      inputs: { x: [-Infinity, -Infinity] },
      expected: [nan, nan],
    });
  });

  test("refuses integers and an axis that is not there", () => {
    expect(refusal(({ input }) => input("x", "i32", ax.row).softmax("row"))).toMatchInlineSnapshot(`
      ShapeError DTYPE
      softmax takes floats, and the operand is i32
        operand  x  i32 [row 2]  reduce.test.ts:+0
        hint  operand.cast("f32")
    `);
    expect(
      refusal(({ input }) => {
        const x = input("x", "f32", ax.row);
        // @ts-expect-error  no such axis
        return x.softmax("column");
      }),
    ).toMatchInlineSnapshot(`
      ShapeError AXIS_MISSING
      softmax over 'column': the operand has no such axis
        operand  x  f32 [row 2]  reduce.test.ts:+1
    `);
  });
});

describe("logSumExp", () => {
  test("neither overflows nor makes NaN of nothing", async () => {
    await checkProgram(({ input }) => input("x", "f32", ax.row, ax.column).logSumExp("column"), {
      inputs: {
        x: [
          [1000, 1000, 1000],
          [-Infinity, -Infinity, -Infinity],
        ],
      },
      expected: [1000 + Math.log(3), -Infinity],
      tolerance: f32,
    });
  });

  test("runs over several axes, and is infinite where an element is", async () => {
    await checkProgram(
      ({ input }) => ({
        both: input("x", "f32", ax.row, ax.depth).logSumExp("row", "depth"),
        infinite: input("y", "f32", ax.row).logSumExp("row"),
      }),
      {
        inputs: { x: [0, 0, 0, 0], y: [Infinity, 1] },
        expected: { both: Math.log(4), infinite: Infinity },
        tolerance: f32,
      },
    );
  });

  test("refuses integers", () => {
    expect(refusal(({ input }) => input("x", "i32", ax.row).logSumExp("row"))).toMatchInlineSnapshot(`
      ShapeError DTYPE
      logSumExp takes floats, and the operand is i32
        operand  x  i32 [row 2]  reduce.test.ts:+0
        hint  operand.cast("f32")
    `);
  });
});

describe("argMax and argMin", () => {
  test("give the first of equals", async () => {
    const { text } = await checkProgram(
      ({ input }) => {
        const x = input("x", "f32", ax.row, ax.column);
        return { most: x.argMax("column"), least: x.argMin("column"), rows: x.argMax("row") };
      },
      {
        inputs: {
          x: [
            [1, 3, 3],
            [2, 0, 0],
          ],
        },
        expected: { most: [1, 0], least: [0, 1], rows: [1, 0, 0] },
      },
    );
    expect(text).toMatchInlineSnapshot(`
      func.func public @main(%arg0: tensor<2x3xf32>) -> (tensor<2xi32>, tensor<2xi32>, tensor<3xi32>) {
        %0 = stablehlo.iota dim = 1 : tensor<2x3xi32>
        %cst = stablehlo.constant dense<0xFF800000> : tensor<f32>
        %1 = stablehlo.reduce(%arg0 init: %cst) applies stablehlo.maximum across dimensions = [1] : (tensor<2x3xf32>, tensor<f32>) -> tensor<2xf32>
        %2 = stablehlo.broadcast_in_dim %1, dims = [0] : (tensor<2xf32>) -> tensor<2x3xf32>
        %3 = stablehlo.compare EQ, %arg0, %2, FLOAT : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xi1>
        %4 = stablehlo.compare NE, %arg0, %arg0, FLOAT : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xi1>
        %5 = stablehlo.or %3, %4 : tensor<2x3xi1>
        %c = stablehlo.constant dense<2> : tensor<i32>
        %6 = stablehlo.broadcast_in_dim %c, dims = [] : (tensor<i32>) -> tensor<2x3xi32>
        %7 = stablehlo.select %5, %0, %6 : tensor<2x3xi1>, tensor<2x3xi32>
        %c_0 = stablehlo.constant dense<2147483647> : tensor<i32>
        %8 = stablehlo.reduce(%7 init: %c_0) applies stablehlo.minimum across dimensions = [1] : (tensor<2x3xi32>, tensor<i32>) -> tensor<2xi32>
        %9 = stablehlo.iota dim = 1 : tensor<2x3xi32>
        %cst_1 = stablehlo.constant dense<0x7F800000> : tensor<f32>
        %10 = stablehlo.reduce(%arg0 init: %cst_1) applies stablehlo.minimum across dimensions = [1] : (tensor<2x3xf32>, tensor<f32>) -> tensor<2xf32>
        %11 = stablehlo.broadcast_in_dim %10, dims = [0] : (tensor<2xf32>) -> tensor<2x3xf32>
        %12 = stablehlo.compare EQ, %arg0, %11, FLOAT : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xi1>
        %13 = stablehlo.compare NE, %arg0, %arg0, FLOAT : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xi1>
        %14 = stablehlo.or %12, %13 : tensor<2x3xi1>
        %c_2 = stablehlo.constant dense<2> : tensor<i32>
        %15 = stablehlo.broadcast_in_dim %c_2, dims = [] : (tensor<i32>) -> tensor<2x3xi32>
        %16 = stablehlo.select %14, %9, %15 : tensor<2x3xi1>, tensor<2x3xi32>
        %c_3 = stablehlo.constant dense<2147483647> : tensor<i32>
        %17 = stablehlo.reduce(%16 init: %c_3) applies stablehlo.minimum across dimensions = [1] : (tensor<2x3xi32>, tensor<i32>) -> tensor<2xi32>
        %18 = stablehlo.iota dim = 0 : tensor<2x3xi32>
        %cst_4 = stablehlo.constant dense<0xFF800000> : tensor<f32>
        %19 = stablehlo.reduce(%arg0 init: %cst_4) applies stablehlo.maximum across dimensions = [0] : (tensor<2x3xf32>, tensor<f32>) -> tensor<3xf32>
        %20 = stablehlo.broadcast_in_dim %19, dims = [1] : (tensor<3xf32>) -> tensor<2x3xf32>
        %21 = stablehlo.compare EQ, %arg0, %20, FLOAT : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xi1>
        %22 = stablehlo.compare NE, %arg0, %arg0, FLOAT : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xi1>
        %23 = stablehlo.or %21, %22 : tensor<2x3xi1>
        %c_5 = stablehlo.constant dense<1> : tensor<i32>
        %24 = stablehlo.broadcast_in_dim %c_5, dims = [] : (tensor<i32>) -> tensor<2x3xi32>
        %25 = stablehlo.select %23, %18, %24 : tensor<2x3xi1>, tensor<2x3xi32>
        %c_6 = stablehlo.constant dense<2147483647> : tensor<i32>
        %26 = stablehlo.reduce(%25 init: %c_6) applies stablehlo.minimum across dimensions = [0] : (tensor<2x3xi32>, tensor<i32>) -> tensor<3xi32>
        return %8, %17, %26 : tensor<2xi32>, tensor<2xi32>, tensor<3xi32>
      }
    `);
  });

  test("give the first NaN where there is one", async () => {
    await checkProgram(
      ({ input }) => {
        const x = input("x", "f32", ax.row, ax.column);
        return { most: x.argMax("column"), least: x.argMin("column") };
      },
      {
        inputs: {
          x: [
            [9, nan, nan],
            [-Infinity, 0, Infinity],
          ],
        },
        expected: { most: [1, 2], least: [1, 0] },
      },
    );
  });

  test("of nothing but -Infinity give the first", async () => {
    await checkProgram(({ input }) => input("x", "f32", ax.column).argMax("column"), {
      inputs: { x: [-Infinity, -Infinity, -Infinity] },
      expected: 0,
    });
  });

  test("order integers by their sign or the lack of it", async () => {
    await checkProgram(
      ({ input }) => ({
        signed: input("x", "i8", ax.column).argMax("column"),
        plain: input("y", "u8", ax.column).argMin("column"),
      }),
      { inputs: { x: [-1, 5, -128], y: [200, 128, 129] }, expected: { signed: 1, plain: 1 } },
    );
  });

  test("refuse an axis that is not there and elements without order", () => {
    expect(
      refusal(({ input }) => {
        const x = input("x", "f32", ax.row);
        // @ts-expect-error  no such axis
        return x.argMax("column");
      }),
    ).toMatchInlineSnapshot(`
      ShapeError AXIS_MISSING
      argMax over 'column': the operand has no such axis
        operand  x  f32 [row 2]  reduce.test.ts:+1
    `);
    expect(refusal(({ input }) => input("x", "bool", ax.row).argMin("row"))).toMatchInlineSnapshot(`
      ShapeError DTYPE
      argMin takes signed integers, unsigned integers or floats, and the operand is bool
        operand  x  bool [row 2]  reduce.test.ts:+0
        hint  operand.cast("f32")
    `);
  });
});
