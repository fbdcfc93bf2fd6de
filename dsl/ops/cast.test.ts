import { describe, expect, test } from "@jest/globals";
import { expected } from "../../tests/ops/expected.ts";
import { checkProgram } from "../../tests/support/check-program.ts";
import { refusal } from "../../tests/support/refusal.ts";
import { axes, axis, type DType, dtypes } from "../index.ts";

const ax = axes({ row: 2, column: 3, piece: 4, half: 2 });

describe("cast", () => {
  test("to its own type is the tensor itself", async () => {
    const { text } = await checkProgram(({ input }) => input("x", "f32", ax.row).cast("f32"), {
      inputs: { x: [1, 2] },
      expected: [1, 2],
    });
    expect(text).toMatchInlineSnapshot(`
      func.func public @main(%arg0: tensor<2xf32>) -> tensor<2xf32> {
        return %arg0 : tensor<2xf32>
      }
    `);
  });

  test.each(["bf16", "f16", "f8e5m2", "f8e4m3fn"] as const)(
    "rounds f32 to the nearest %s, ties to even, as ml_dtypes does",
    async (dtype) => {
      const { x, rounded } = expected.casts[dtype];
      await checkProgram(({ input }) => input("x", "f32", axis("n", x!.length)).cast(dtype), {
        inputs: { x: x! },
        expected: rounded!,
      });
    },
  );

  test("widens narrow floats exactly", async () => {
    const { text } = await checkProgram(
      ({ input }) => ({
        bf16: input("a", "bf16", ax.row).cast("f32"),
        f16: input("b", "f16", ax.row).cast("f32"),
        f8e5m2: input("c", "f8e5m2", ax.row).cast("f32"),
        f8e4m3fn: input("d", "f8e4m3fn", ax.row).cast("f32"),
      }),
      {
        inputs: { a: [3.140625, -Infinity], b: [65504, 2 ** -24], c: [57344, 2 ** -16], d: [448, 2 ** -9] },
        expected: {
          bf16: [3.140625, -Infinity],
          f16: [65504, 2 ** -24],
          f8e5m2: [57344, 2 ** -16],
          f8e4m3fn: [448, 2 ** -9],
        },
      },
    );
    expect(text).toMatchInlineSnapshot(`
      func.func public @main(%arg0: tensor<2xbf16>, %arg1: tensor<2xf16>, %arg2: tensor<2xf8E5M2>, %arg3: tensor<2xf8E4M3FN>) -> (tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) {
        %0 = stablehlo.convert %arg0 : (tensor<2xbf16>) -> tensor<2xf32>
        %1 = stablehlo.convert %arg1 : (tensor<2xf16>) -> tensor<2xf32>
        %2 = stablehlo.convert %arg2 : (tensor<2xf8E5M2>) -> tensor<2xf32>
        %3 = stablehlo.convert %arg3 : (tensor<2xf8E4M3FN>) -> tensor<2xf32>
        return %0, %1, %2, %3 : tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>
      }
    `);
  });

  test("reads block scales and four-bit floats", async () => {
    await checkProgram(
      ({ input }) => ({
        scales: input("s", "f8e8m0fnu", ax.column).cast("f32"),
        fours: input("f", "f4e2m1fn", ax.column).cast("f32"),
      }),
      {
        inputs: { s: [1, 2 ** -20, 2 ** 40], f: [0.5, -6, 1.5] },
        expected: { scales: [1, 2 ** -20, 2 ** 40], fours: [0.5, -6, 1.5] },
      },
    );
  });

  test("drops the fraction of floats that become integers", async () => {
    const { text } = await checkProgram(
      ({ input }) => ({
        signed: input("x", "f32", axis("n", 6)).cast("i32"),
        plain: input("y", "f32", axis("m", 3)).cast("u8"),
      }),
      {
        inputs: { x: [1.9, -1.9, 0.5, -0.5, 2.5, 1e9], y: [1.9, 0.5, 255] },
        expected: { signed: [1, -1, 0, 0, 2, 1e9], plain: [1, 0, 255] },
      },
    );
    expect(text).toMatchInlineSnapshot(`
      func.func public @main(%arg0: tensor<6xf32>, %arg1: tensor<3xf32>) -> (tensor<6xi32>, tensor<3xui8>) {
        %0 = stablehlo.convert %arg0 : (tensor<6xf32>) -> tensor<6xi32>
        %1 = stablehlo.convert %arg1 : (tensor<3xf32>) -> tensor<3xui8>
        return %0, %1 : tensor<6xi32>, tensor<3xui8>
      }
    `);
  });

  test("gives the nearest integer there is for floats beyond them all, and 0 for NaN", async () => {
    await checkProgram(({ input }) => input("x", "f32", axis("n", 5)).cast("i32"), {
      inputs: { x: [1e10, -1e10, Infinity, -Infinity, Number.NaN] },
      expected: [2 ** 31 - 1, -(2 ** 31), 2 ** 31 - 1, -(2 ** 31), 0],
    });
  });

  test("rounds integers that floats cannot hold, and wraps those that narrower ones cannot", async () => {
    await checkProgram(
      ({ input }) => {
        const x = input("x", "i32", ax.column);
        return {
          float: x.cast("f32"),
          half: x.cast("bf16"),
          byte: x.cast("i8"),
          plain: x.cast("u8"),
          wide: x.cast("i64"),
        };
      },
      {
        inputs: { x: [16777217, -1, 300] },
        expected: {
          float: [16777216, -1, 300],
          half: [16777216, -1, 300],
          byte: [1, -1, 44],
          plain: [1, 255, 44],
          wide: [16777217, -1, 300],
        },
      },
    );
  });

  test("makes truth of everything but 0, and 0 and 1 of truth", async () => {
    await checkProgram(
      ({ input }) => ({
        ints: input("n", "i32", ax.column).cast("bool"),
        floats: input("x", "f32", ax.column).cast("bool"),
        numbers: input("t", "bool", ax.row).cast("f32"),
        counts: input("u", "bool", ax.row).cast("i32"),
      }),
      {
        inputs: { n: [0, 2, -1], x: [-0, 0.25, Number.NaN], t: [0, 1], u: [1, 0] },
        expected: { ints: [0, 1, 1], floats: [0, 1, 1], numbers: [0, 1], counts: [1, 0] },
      },
    );
  });

  test("goes through four bits and back", async () => {
    await checkProgram(
      ({ input }) => ({
        signed: input("x", "i32", ax.column).cast("i4").cast("i32"),
        plain: input("y", "i32", ax.column).cast("u4").cast("i32"),
      }),
      { inputs: { x: [-8, 7, 8], y: [0, 15, 16] }, expected: { signed: [-8, 7, -8], plain: [0, 15, 0] } },
    );
  });

  test("leaves every element type as it is on its way from an argument to a result", async () => {
    const types = Object.keys(dtypes) as DType[];
    await checkProgram(({ input }) => types.map((dtype) => input(dtype, dtype, ax.row).rename("row", "line")), {
      inputs: Object.fromEntries(types.map((dtype) => [dtype, [1, 1]])),
      expected: Object.fromEntries(types.map((_, n) => [String(n), [1, 1]])),
    });
  });
});

describe("bitCast", () => {
  test("reads the same bits as another type of the same width", async () => {
    const { text } = await checkProgram(
      ({ input }) => ({
        bits: input("x", "f32", ax.row).bitCast("u32"),
        float: input("y", "u16", ax.row).bitCast("bf16"),
        sign: input("z", "u8", ax.row).bitCast("i8"),
      }),
      {
        inputs: { x: [1, -2], y: [0x3f80, 0xc000], z: [255, 1] },
        expected: { bits: [0x3f800000, 0xc0000000], float: [1, -2], sign: [-1, 1] },
      },
    );
    expect(text).toMatchInlineSnapshot(`
      func.func public @main(%arg0: tensor<2xf32>, %arg1: tensor<2xui16>, %arg2: tensor<2xui8>) -> (tensor<2xui32>, tensor<2xbf16>, tensor<2xi8>) {
        %0 = stablehlo.bitcast_convert %arg0 : (tensor<2xf32>) -> tensor<2xui32>
        %1 = stablehlo.bitcast_convert %arg1 : (tensor<2xui16>) -> tensor<2xbf16>
        %2 = stablehlo.bitcast_convert %arg2 : (tensor<2xui8>) -> tensor<2xi8>
        return %0, %1, %2 : tensor<2xui32>, tensor<2xbf16>, tensor<2xi8>
      }
    `);
  });

  test("refuses another width and says which method has it", () => {
    expect(refusal(({ input }) => input("x", "f32", ax.row).bitCast("u8"))).toMatchInlineSnapshot(`
      ShapeError BIT_WIDTH
      bitCast: f32 has 32 bits, and u8 has 8
        operand  x  f32 [row 2]  cast.test.ts:+0
        hint  x.bitSplit("u8", axis("piece", 4))
    `);
    expect(refusal(({ input }) => input("x", "u8", ax.row).bitCast("u32"))).toMatchInlineSnapshot(`
      ShapeError BIT_WIDTH
      bitCast: u8 has 8 bits, and u32 has 32
        operand  x  u8 [row 2]  cast.test.ts:+0
        hint  x.bitMerge("u32", …) over an axis of 4
    `);
    expect(refusal(({ input }) => input("x", "bool", ax.row).bitCast("u8"))).toMatchInlineSnapshot(`
      ShapeError DTYPE
      bitCast takes signed integers, unsigned integers or floats, and the operand is bool
        operand  x  bool [row 2]  cast.test.ts:+0
        hint  operand.cast("f32")
    `);
  });
});

describe("bitSplit and bitMerge", () => {
  test("put the lowest bits first", async () => {
    const { text } = await checkProgram(({ input }) => input("x", "u32", ax.row).bitSplit("u8", ax.piece), {
      inputs: { x: [0x12345678, 1] },
      expected: [
        [0x78, 0x56, 0x34, 0x12],
        [1, 0, 0, 0],
      ],
    });
    expect(text).toMatchInlineSnapshot(`
      func.func public @main(%arg0: tensor<2xui32>) -> tensor<2x4xui8> {
        %0 = stablehlo.bitcast_convert %arg0 : (tensor<2xui32>) -> tensor<2x4xui8>
        return %0 : tensor<2x4xui8>
      }
    `);
  });

  test("merge along any axis, wherever it lies in memory", async () => {
    const { text } = await checkProgram(({ input }) => input("x", "u8", ax.half, ax.row).bitMerge("u16", "half"), {
      inputs: {
        x: [
          [0x34, 1],
          [0x12, 0],
        ],
      },
      expected: [0x1234, 1],
    });
    expect(text).toMatchInlineSnapshot(`
      func.func public @main(%arg0: tensor<2x2xui8>) -> tensor<2xui16> {
        %0 = stablehlo.transpose %arg0, dims = [1, 0] : (tensor<2x2xui8>) -> tensor<2x2xui8>
        %1 = stablehlo.bitcast_convert %0 : (tensor<2x2xui8>) -> tensor<2xui16>
        return %1 : tensor<2xui16>
      }
    `);
  });

  test("undo each other", async () => {
    await checkProgram(({ input }) => input("x", "f32", ax.row).bitSplit("u16", ax.half).bitMerge("f32", "half"), {
      inputs: { x: [1.5, -0] },
      expected: [1.5, -0],
    });
  });

  test("take a byte's two numbers apart, the lower first", async () => {
    const { text } = await checkProgram(({ input }) => input("x", "u8", ax.row).bitSplit("u4", ax.half).cast("i32"), {
      inputs: { x: [0x21, 0xf0] },
      expected: [
        [1, 2],
        [0, 15],
      ],
    });
    expect(text).toMatchInlineSnapshot(`
      func.func public @main(%arg0: tensor<2xui8>) -> tensor<2x2xi32> {
        %0 = stablehlo.bitcast_convert %arg0 : (tensor<2xui8>) -> tensor<2x2xui4>
        %1 = stablehlo.convert %0 : (tensor<2x2xui4>) -> tensor<2x2xi32>
        return %1 : tensor<2x2xi32>
      }
    `);
  });

  test("take a byte's two four-bit floats apart", async () => {
    await checkProgram(({ input }) => input("x", "u8", ax.row).bitSplit("f4e2m1fn", ax.half).cast("f32"), {
      inputs: { x: [0x21, 0xf0] },
      expected: [
        [0.5, 1],
        [0, -6],
      ],
    });
  });

  test("refuse pieces that do not make the whole", () => {
    expect(refusal(({ input }) => input("x", "u32", ax.row).bitSplit("u8", ax.half))).toMatchInlineSnapshot(`
      ShapeError BIT_WIDTH
      bitSplit: u32 has 32 bits, and 2 of u8 have 16
        operand  x  u32 [row 2]  cast.test.ts:+0
        hint  x.bitSplit("u8", axis("piece", 4))
    `);
    expect(
      refusal(({ input }) => input("x", "u8", ax.row, ax.column).bitMerge("u32", "column")),
    ).toMatchInlineSnapshot(`
      ShapeError BIT_WIDTH
      bitMerge: 3 of u8 have 24 bits, and u32 has 32
        operand  x  u8 [row 2, column 3]  cast.test.ts:+0
        hint  x.bitMerge("u32", …) over an axis of 4
    `);
    // @ts-expect-error  the operand has no such axis
    expect(refusal(({ input }) => input("x", "u8", ax.row).bitMerge("u16", "half"))).toMatchInlineSnapshot(`
      ShapeError AXIS_MISSING
      bitMerge over 'half': the operand has no such axis
        operand  x  u8 [row 2]  cast.test.ts:+0
    `);
  });

  test("refuse a name that is taken", () => {
    // @ts-expect-error  the operand has the axis already
    expect(refusal(({ input }) => input("x", "u16", ax.half).bitSplit("u8", ax.half))).toMatchInlineSnapshot(`
      ShapeError AXIS_TAKEN
      bitSplit: axis 'half' already exists
        operand  x  u16 [half 2]  cast.test.ts:+0
        hint  rename one of the two: x.rename("half", …)
    `);
  });
});
