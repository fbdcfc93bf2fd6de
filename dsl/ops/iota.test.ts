import { describe, expect, test } from "@jest/globals";
import { checkProgram } from "../../tests/support/check-program.ts";
import { refusal, refusalOf } from "../../tests/support/refusal.ts";
import { axes, axis, constant, type DType, dtypes, full, iota } from "../index.ts";

const ax = axes({ row: 2, column: 3 });

describe("iota", () => {
  test("counts from 0 along one axis", async () => {
    const { text } = await checkProgram(() => iota(ax.column), { expected: [0, 1, 2] });
    expect(text).toMatchInlineSnapshot(`
      func.func public @main() -> tensor<3xi32> {
        %0 = stablehlo.iota dim = 0 : tensor<3xi32>
        return %0 : tensor<3xi32>
      }
    `);
  });

  test("counts in any type of numbers", async () => {
    await checkProgram(() => ({ f: iota(ax.column, "f32"), b: iota(ax.column, "bf16"), u: iota(ax.column, "u8") }), {
      expected: { f: [0, 1, 2], b: [0, 1, 2], u: [0, 1, 2] },
    });
  });

  test("refuses bool, which cannot count", () => {
    expect(refusal(() => iota(ax.row, "bool"))).toMatchInlineSnapshot(`
      ShapeError DTYPE
      iota over 'row' counts in numbers, and not in bool
        hint  iota(ax.row, "i32")
    `);
  });
});

describe("full", () => {
  test("is one number everywhere, or a scalar", async () => {
    const { text } = await checkProgram(() => ({ all: full(0.5, "f32", ax.row, ax.column), one: full(7, "i32") }), {
      expected: { all: Array(6).fill(0.5), one: 7 },
    });
    expect(text).toMatchInlineSnapshot(`
      func.func public @main() -> (tensor<2x3xf32>, tensor<i32>) {
        %cst = stablehlo.constant dense<5.000000e-01> : tensor<f32>
        %0 = stablehlo.broadcast_in_dim %cst, dims = [] : (tensor<f32>) -> tensor<2x3xf32>
        %c = stablehlo.constant dense<7> : tensor<i32>
        return %0, %c : tensor<2x3xf32>, tensor<i32>
      }
    `);
  });
});

describe("constant", () => {
  test("holds numbers row-major over its axes", async () => {
    const { text } = await checkProgram(() => constant([1, 2, 3, 4, 5, 6], "i32", ax.row, ax.column).sum("row"), {
      expected: [5, 7, 9],
    });
    expect(text).toMatchInlineSnapshot(`
      func.func public @main() -> tensor<3xi32> {
        %c = stablehlo.constant dense<[[1, 2, 3], [4, 5, 6]]> : tensor<2x3xi32>
        %c_0 = stablehlo.constant dense<0> : tensor<i32>
        %0 = stablehlo.reduce(%c init: %c_0) applies stablehlo.add across dimensions = [0] : (tensor<2x3xi32>, tensor<i32>) -> tensor<3xi32>
        return %0 : tensor<3xi32>
      }
    `);
  });

  test("of equal numbers is written as one", async () => {
    const { text } = await checkProgram(() => constant([2, 2, 2], "f32", ax.column), { expected: [2, 2, 2] });
    expect(text).toMatchInlineSnapshot(`
      func.func public @main() -> tensor<3xf32> {
        %cst = stablehlo.constant dense<2.000000e+00> : tensor<3xf32>
        return %cst : tensor<3xf32>
      }
    `);
  });

  test("holds every element type in few elements and, as bytes, in many", async () => {
    const values = (Object.keys(dtypes) as DType[]).map((dtype) => {
      const few =
        dtype === "bool" ? [0, 1, 1] : dtype === "f8e8m0fnu" ? [1, 0.5, 4] : [0, 1, dtype.startsWith("u") ? 3 : -2];
      return [dtype, few, Array.from({ length: 150 }, (_, n) => few[n % 3] as number)] as const;
    });
    await checkProgram(
      () =>
        values.map(([dtype, few, many]) => ({
          few: constant(few, dtype, ax.column),
          many: constant(many, dtype, axis("n", 150)),
        })),
      {
        expected: Object.fromEntries(
          values.flatMap(([, few, many], n) => [
            [`${n}.few`, few],
            [`${n}.many`, many],
          ]),
        ),
      },
    );
  });

  test("holds integers of 64 bits exactly", async () => {
    const values = [2n ** 63n - 1n, -(2n ** 63n), 1n];
    const { text } = await checkProgram(() => constant(values, "i64", ax.column), { expected: values });
    expect(text).toMatchInlineSnapshot(`
      func.func public @main() -> tensor<3xi64> {
        %c = stablehlo.constant dense<[9223372036854775807, -9223372036854775808, 1]> : tensor<3xi64>
        return %c : tensor<3xi64>
      }
    `);
  });

  test("refuses another count of numbers than its axes have", () => {
    expect(refusal(() => constant([1, 2], "f32", ax.row, ax.column))).toMatchInlineSnapshot(`
      InputError CONSTANT_SIZE
      constant over row, column takes 6 values, and 2 were given
    `);
    expect(refusalOf(() => constant([], "f32"))).toMatchInlineSnapshot(`
      InputError CONSTANT_SIZE
      constant over no axes takes 1 values, and 0 were given
    `);
  });

  test("refuses numbers that the element type lacks", () => {
    expect(refusal(() => constant([1, 2.5, 3], "i32", ax.column))).toMatchInlineSnapshot(`
      ShapeError NUMBER_RANGE
      constant: 2.5 at 1 is not a value of i32
    `);
    expect(refusal(() => constant([1, 256, 3], "u8", ax.column))).toMatchInlineSnapshot(`
      ShapeError NUMBER_RANGE
      constant: 256 at 1 is not a value of u8
    `);
    expect(refusal(() => full(-1, "u32"))).toMatchInlineSnapshot(`
      ShapeError NUMBER_RANGE
      constant: -1 is not a value of u32
    `);
  });
});
