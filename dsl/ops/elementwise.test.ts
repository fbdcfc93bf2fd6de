import { describe, expect, test } from "@jest/globals";
import { expected } from "../../tests/ops/expected.ts";
import { checkProgram } from "../../tests/support/check-program.ts";
import type { Tolerance } from "../../tests/support/numbers.ts";
import { refusal } from "../../tests/support/refusal.ts";
import { axes, axis, type DType, type Tensor } from "../index.ts";

const ax = axes({ row: 2, column: 3, half: 2, long: 6 });

const approximate: Tolerance = {
  relative: 2e-6,
  absolute: 2e-7,
  because: "XLA and the interpreter evaluate in f32, by different polynomials; the expectation is f64 rounded once",
};

const eitherZero: Tolerance = { because: "of 0 and -0 either may be the larger one" };

/** Every function of one float. */
const unary = (x: Tensor<"n">) => ({
  abs: x.abs(),
  cbrt: x.cbrt(),
  ceil: x.ceil(),
  cos: x.cos(),
  exp: x.exp(),
  expm1: x.expm1(),
  floor: x.floor(),
  isFinite: x.isFinite(),
  log: x.log(),
  log1p: x.log1p(),
  neg: x.neg(),
  round: x.round(),
  rsqrt: x.rsqrt(),
  sigmoid: x.sigmoid(),
  sign: x.sign(),
  sin: x.sin(),
  sqrt: x.sqrt(),
  tan: x.tan(),
  tanh: x.tanh(),
});

/** Functions whose every result is one of the numbers that f32 has. */
const exact = ["abs", "ceil", "floor", "isFinite", "neg", "round", "sign"];

describe("functions of one float", () => {
  const { x, unary: results } = expected.functions;
  const n = axis("n", x.length);

  test("agree with numpy, on infinities, NaN, both zeros, halves and tiny numbers too", async () => {
    const { text } = await checkProgram(({ input }) => unary(input("x", "f32", n)), {
      inputs: { x },
      expected: results,
      tolerance: Object.fromEntries(
        Object.keys(results)
          .filter((name) => !exact.includes(name))
          .map((name) => [name, approximate]),
      ),
    });
    expect(text).toMatchInlineSnapshot(`
      func.func public @main(%arg0: tensor<26xf32>) -> (tensor<26xf32>, tensor<26xf32>, tensor<26xf32>, tensor<26xf32>, tensor<26xf32>, tensor<26xf32>, tensor<26xf32>, tensor<26xi1>, tensor<26xf32>, tensor<26xf32>, tensor<26xf32>, tensor<26xf32>, tensor<26xf32>, tensor<26xf32>, tensor<26xf32>, tensor<26xf32>, tensor<26xf32>, tensor<26xf32>, tensor<26xf32>) {
        %0 = stablehlo.abs %arg0 : tensor<26xf32>
        %1 = stablehlo.cbrt %arg0 : tensor<26xf32>
        %2 = stablehlo.ceil %arg0 : tensor<26xf32>
        %3 = stablehlo.cosine %arg0 : tensor<26xf32>
        %4 = stablehlo.exponential %arg0 : tensor<26xf32>
        %5 = stablehlo.exponential_minus_one %arg0 : tensor<26xf32>
        %6 = stablehlo.floor %arg0 : tensor<26xf32>
        %7 = stablehlo.is_finite %arg0 : (tensor<26xf32>) -> tensor<26xi1>
        %8 = stablehlo.log %arg0 : tensor<26xf32>
        %9 = stablehlo.log_plus_one %arg0 : tensor<26xf32>
        %10 = stablehlo.negate %arg0 : tensor<26xf32>
        %11 = stablehlo.round_nearest_even %arg0 : tensor<26xf32>
        %12 = stablehlo.rsqrt %arg0 : tensor<26xf32>
        %13 = stablehlo.logistic %arg0 : tensor<26xf32>
        %14 = stablehlo.sign %arg0 : tensor<26xf32>
        %15 = stablehlo.sine %arg0 : tensor<26xf32>
        %16 = stablehlo.sqrt %arg0 : tensor<26xf32>
        %17 = stablehlo.tan %arg0 : tensor<26xf32>
        %18 = stablehlo.tanh %arg0 : tensor<26xf32>
        return %0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, %18 : tensor<26xf32>, tensor<26xf32>, tensor<26xf32>, tensor<26xf32>, tensor<26xf32>, tensor<26xf32>, tensor<26xf32>, tensor<26xi1>, tensor<26xf32>, tensor<26xf32>, tensor<26xf32>, tensor<26xf32>, tensor<26xf32>, tensor<26xf32>, tensor<26xf32>, tensor<26xf32>, tensor<26xf32>, tensor<26xf32>, tensor<26xf32>
      }
    `);
  });

  test("take subnormal numbers for zero where the device does", async () => {
    const said = "XLA on CPU flushes subnormal numbers, and the interpreter knows no device";
    await checkProgram(({ input }) => ({ sign: input("x", "f32", ax.row).sign() }), {
      inputs: { x: [1e-39, -1e-39] },
      expected: { sign: [0, -0] },
      interpreterDiffers: { sign: said },
    });
  });

  test("keep narrow floats narrow", async () => {
    const { program } = await checkProgram(({ input }) => unary(input("x", "bf16", axis("n", 4))), {
      inputs: { x: [-1, 0.5, 1, 2] },
      tolerance: {
        relative: 2 ** -7,
        absolute: 2 ** -9,
        because: "bf16 has eight bits, and the two round differently",
      },
    });
    for (const { name, dtype } of program.signature.results) expect(dtype).toBe(name === "isFinite" ? "bool" : "bf16");
  });
});

/** Every function of two floats. */
const binary = (x: Tensor<"n">, y: Tensor<"n">) => ({
  add: x.add(y),
  sub: x.sub(y),
  mul: x.mul(y),
  div: x.div(y),
  rem: x.rem(y),
  max: x.max(y),
  min: x.min(y),
  pow: x.pow(y),
  atan2: x.atan2(y),
});

describe("functions of two floats", () => {
  const { left, right, binary: results } = expected.functions;
  const n = axis("n", left.length);

  test("agree with numpy on each pair of tricky numbers", async () => {
    const { text } = await checkProgram(({ input }) => binary(input("left", "f32", n), input("right", "f32", n)), {
      inputs: { left, right },
      expected: results,
      tolerance: { pow: approximate, atan2: approximate, max: eitherZero, min: eitherZero },
    });
    expect(text).toMatchInlineSnapshot(`
      func.func public @main(%arg0: tensor<100xf32>, %arg1: tensor<100xf32>) -> (tensor<100xf32>, tensor<100xf32>, tensor<100xf32>, tensor<100xf32>, tensor<100xf32>, tensor<100xf32>, tensor<100xf32>, tensor<100xf32>, tensor<100xf32>) {
        %0 = stablehlo.add %arg0, %arg1 : tensor<100xf32>
        %1 = stablehlo.subtract %arg0, %arg1 : tensor<100xf32>
        %2 = stablehlo.multiply %arg0, %arg1 : tensor<100xf32>
        %3 = stablehlo.divide %arg0, %arg1 : tensor<100xf32>
        %4 = stablehlo.remainder %arg0, %arg1 : tensor<100xf32>
        %5 = stablehlo.maximum %arg0, %arg1 : tensor<100xf32>
        %6 = stablehlo.minimum %arg0, %arg1 : tensor<100xf32>
        %7 = stablehlo.power %arg0, %arg1 : tensor<100xf32>
        %8 = stablehlo.atan2 %arg0, %arg1 : tensor<100xf32>
        return %0, %1, %2, %3, %4, %5, %6, %7, %8 : tensor<100xf32>, tensor<100xf32>, tensor<100xf32>, tensor<100xf32>, tensor<100xf32>, tensor<100xf32>, tensor<100xf32>, tensor<100xf32>, tensor<100xf32>
      }
    `);
  });
});

/** Every function of two integers, but for the quotients. */
const integers = (x: Tensor<"n">, y: Tensor<"n">) => ({
  add: x.add(y),
  sub: x.sub(y),
  mul: x.mul(y),
  max: x.max(y),
  min: x.min(y),
  and: x.and(y),
  or: x.or(y),
  xor: x.xor(y),
  shiftLeft: x.shiftLeft(y),
  shiftRight: x.shiftRight(y),
});

describe.each(["i8", "u8", "i32", "u32", "i64"] as const)("functions of %s", (dtype) => {
  const { x, left, right, unary: ones, binary: pairs } = expected.integers[dtype];
  const signed = dtype.startsWith("i");
  const { div, rem, ...others } = pairs;

  test("wrap around, and shift by the width and more", async () => {
    await checkProgram(
      ({ input }) => integers(input("x", dtype, axis("n", left.length)), input("y", dtype, axis("n", left.length))),
      {
        inputs: { x: left, y: right },
        expected: others,
      },
    );
  });

  test("count bits, negate and flip", async () => {
    await checkProgram(
      ({ input }) => {
        const given = input("x", dtype, axis("n", x.length));
        return {
          not: given.not(),
          neg: given.neg(),
          popcount: given.popcount(),
          countLeadingZeros: given.countLeadingZeros(),
          ...(signed ? { abs: given.abs(), sign: given.sign() } : {}),
        };
      },
      { inputs: { x }, expected: ones },
    );
  });

  test("divide towards zero; by zero all bits are set, and the remainder is the left operand", async () => {
    const given = { inputs: { x: left, y: right }, expected: { div: div!, rem: rem! } };
    const n = axis("n", left.length);
    await checkProgram(
      ({ input }) => {
        const [a, b] = [input("x", dtype, n), input("y", dtype, n)];
        return { div: a.div(b), rem: a.rem(b) };
      },
      { ...given, interpreterRefuses: "it divides in C++, where an integer by zero ends the process" },
    );
    const kept = left.flatMap((_, at) => (Number(right[at]) === 0 ? [] : [at]));
    const only = (of: readonly (number | bigint | boolean)[]) => kept.map((at) => of[at]!);
    await checkProgram(
      ({ input }) => {
        const [a, b] = [input("x", dtype, axis("n", kept.length)), input("y", dtype, axis("n", kept.length))];
        return { div: a.div(b), rem: a.rem(b) };
      },
      { inputs: { x: only(left), y: only(right) }, expected: { div: only(div!), rem: only(rem!) } },
    );
  });
});

describe("integers", () => {
  test("to a whole power wrap around", async () => {
    await checkProgram(({ input }) => input("x", "i32", ax.long).pow(input("y", "i32", ax.long)), {
      inputs: { x: [2, 3, -2, 0, 7, 10], y: [10, 3, 3, 0, 1, 10] },
      expected: [1024, 27, -8, 1, 7, 1410065408],
    });
  });

  test("shift down with the sign where they have one and with 0 where they don't", async () => {
    const { text } = await checkProgram(
      ({ input }) => ({
        signed: input("x", "i8", ax.row).shiftRight(1),
        plain: input("y", "u8", ax.row).shiftRight(1),
      }),
      { inputs: { x: [-128, 3], y: [128, 3] }, expected: { signed: [-64, 1], plain: [64, 1] } },
    );
    expect(text).toMatchInlineSnapshot(`
      func.func public @main(%arg0: tensor<2xi8>, %arg1: tensor<2xui8>) -> (tensor<2xi8>, tensor<2xui8>) {
        %c = stablehlo.constant dense<1> : tensor<i8>
        %0 = stablehlo.broadcast_in_dim %c, dims = [] : (tensor<i8>) -> tensor<2xi8>
        %1 = stablehlo.shift_right_arithmetic %arg0, %0 : tensor<2xi8>
        %c_0 = stablehlo.constant dense<1> : tensor<ui8>
        %2 = stablehlo.broadcast_in_dim %c_0, dims = [] : (tensor<ui8>) -> tensor<2xui8>
        %3 = stablehlo.shift_right_logical %arg1, %2 : tensor<2xui8>
        return %1, %3 : tensor<2xi8>, tensor<2xui8>
      }
    `);
  });
});

describe("booleans", () => {
  test("combine as logic does", async () => {
    const [x, y] = [
      [false, false, true, true],
      [false, true, false, true],
    ];
    await checkProgram(
      ({ input }) => {
        const [a, b] = [input("x", "bool", axis("n", 4)), input("y", "bool", axis("n", 4))];
        return { and: a.and(b), or: a.or(b), xor: a.xor(b), not: a.not(), max: a.max(b), min: a.min(b), one: a.or(1) };
      },
      {
        inputs: { x: x!, y: y! },
        expected: {
          and: [0, 0, 0, 1],
          or: [0, 1, 1, 1],
          xor: [0, 1, 1, 0],
          not: [1, 1, 0, 0],
          max: [0, 1, 1, 1],
          min: [0, 0, 0, 1],
          one: [1, 1, 1, 1],
        },
      },
    );
  });
});

describe("the left operand", () => {
  test("owns the axes: the right one is repeated along what it lacks, whatever its order", async () => {
    const { text } = await checkProgram(
      ({ input }) => input("x", "f32", ax.row, ax.half, ax.column).add(input("y", "f32", ax.column, ax.row)),
      {
        inputs: {
          x: Array(12).fill(0),
          y: [
            [1, 2],
            [3, 4],
            [5, 6],
          ],
        },
        expected: [
          [
            [1, 3, 5],
            [1, 3, 5],
          ],
          [
            [2, 4, 6],
            [2, 4, 6],
          ],
        ],
      },
    );
    expect(text).toMatchInlineSnapshot(`
      func.func public @main(%arg0: tensor<2x2x3xf32>, %arg1: tensor<3x2xf32>) -> tensor<2x2x3xf32> {
        %0 = stablehlo.transpose %arg1, dims = [1, 0] : (tensor<3x2xf32>) -> tensor<2x3xf32>
        %1 = stablehlo.broadcast_in_dim %0, dims = [0, 2] : (tensor<2x3xf32>) -> tensor<2x2x3xf32>
        %2 = stablehlo.add %arg0, %1 : tensor<2x2x3xf32>
        return %2 : tensor<2x2x3xf32>
      }
    `);
  });

  test("owns the element type: the right one is converted", async () => {
    const { text } = await checkProgram(
      ({ input }) => ({
        wide: input("x", "f32", ax.row).add(input("y", "bf16", ax.row)),
        float: input("x2", "f32", ax.row).mul(input("n", "i32", ax.row)),
      }),
      {
        inputs: { x: [1, 2], y: [0.5, 0.25], x2: [0.5, 3], n: [4, -2] },
        expected: { wide: [1.5, 2.25], float: [2, -6] },
      },
    );
    expect(text).toMatchInlineSnapshot(`
      func.func public @main(%arg0: tensor<2xf32>, %arg1: tensor<2xbf16>, %arg2: tensor<2xf32>, %arg3: tensor<2xi32>) -> (tensor<2xf32>, tensor<2xf32>) {
        %0 = stablehlo.convert %arg1 : (tensor<2xbf16>) -> tensor<2xf32>
        %1 = stablehlo.add %arg0, %0 : tensor<2xf32>
        %2 = stablehlo.convert %arg3 : (tensor<2xi32>) -> tensor<2xf32>
        %3 = stablehlo.multiply %arg2, %2 : tensor<2xf32>
        return %1, %3 : tensor<2xf32>, tensor<2xf32>
      }
    `);
  });

  test("makes a number a constant of its own type", async () => {
    const { text } = await checkProgram(({ input }) => input("x", "bf16", ax.row).mul(0.1), {
      inputs: { x: [1, 10] },
      expected: [0.10009765625, 1],
    });
    expect(text).toMatchInlineSnapshot(`
      func.func public @main(%arg0: tensor<2xbf16>) -> tensor<2xbf16> {
        %cst = stablehlo.constant dense<1.000980e-01> : tensor<bf16>
        %0 = stablehlo.broadcast_in_dim %cst, dims = [] : (tensor<bf16>) -> tensor<2xbf16>
        %1 = stablehlo.multiply %arg0, %0 : tensor<2xbf16>
        return %1 : tensor<2xbf16>
      }
    `);
  });
});

describe("element-wise ops refuse", () => {
  test("a right operand with an axis that the left one lacks", () => {
    expect(
      refusal(({ input }) => {
        const bias = input("bias", "f32", ax.row, ax.column);
        // @ts-expect-error  the left operand owns the axes
        return input("x", "f32", ax.row).add(bias.mul(2));
      }),
    ).toMatchInlineSnapshot(`
      ShapeError AXIS_EXTRA
      add: the right operand has 'column', which the left one lacks
        left   x    f32 [row 2]            elementwise.test.ts:+3
        right  mul  f32 [row 2, column 3]  elementwise.test.ts:+3
        hint  the left operand owns the axes: swap the two, or left.broadcast(ax.column)
    `);
  });

  test("an axis of two sizes", () => {
    expect(
      refusal(({ input }) => input("x", "f32", ax.row, axis("column", 6)).mul(input("y", "f32", ax.column))),
    ).toMatchInlineSnapshot(`
      ShapeError SIZE_MISMATCH
      mul: axis 'column' has 6 on the left, 3 on the right
        left   x  f32 [row 2, column 6]  elementwise.test.ts:+0
        right  y  f32 [column 3]         elementwise.test.ts:+0
        hint  6 = 2 × 3: a flat dimension may hold a pair; split it where the parameter is declared, param(key, …, ax.part, ax.column)
    `);
  });

  test("elements that the function is not for", () => {
    expect(refusal(({ input }) => input("x", "i32", ax.row).exp())).toMatchInlineSnapshot(`
      ShapeError DTYPE
      exp takes floats, and the operand is i32
        operand  x  i32 [row 2]  elementwise.test.ts:+0
        hint  operand.cast("f32")
    `);
    expect(refusal(({ input }) => input("x", "f32", ax.row).and(input("y", "f32", ax.row)))).toMatchInlineSnapshot(`
      ShapeError DTYPE
      and takes bool, signed integers or unsigned integers, and the left operand is f32
        left  x  f32 [row 2]  elementwise.test.ts:+0
        hint  left.ne(0)
    `);
    expect(refusal(({ input }) => input("x", "bool", ax.row).add(1))).toMatchInlineSnapshot(`
      ShapeError DTYPE
      add takes signed integers, unsigned integers or floats, and the left operand is bool
        left  x  bool [row 2]  elementwise.test.ts:+0
        hint  left.cast("f32")
    `);
  });

  test("a mask where numbers are meant, and numbers where a mask is", () => {
    expect(refusal(({ input }) => input("x", "f32", ax.row).mul(input("mask", "bool", ax.row)))).toMatchInlineSnapshot(`
      ShapeError DTYPE
      mul: the left operand is f32, and not every bool is a value of that
        left   x     f32 [row 2]   elementwise.test.ts:+0
        right  mask  bool [row 2]  elementwise.test.ts:+0
        hint  right.cast("f32")
    `);
    expect(refusal(({ input }) => input("mask", "bool", ax.row).and(input("x", "i32", ax.row)))).toMatchInlineSnapshot(`
      ShapeError DTYPE
      and: the left operand is bool, and not every i32 is a value of that
        left   mask  bool [row 2]  elementwise.test.ts:+0
        right  x     i32 [row 2]   elementwise.test.ts:+0
        hint  right.ne(0)
    `);
  });

  test("a right operand that would lose its fraction or its upper bits", () => {
    expect(refusal(({ input }) => input("x", "i32", ax.row).mul(input("y", "f32", ax.row)))).toMatchInlineSnapshot(`
      ShapeError DTYPE
      mul: the left operand is i32, and not every f32 is a value of that
        left   x  i32 [row 2]  elementwise.test.ts:+0
        right  y  f32 [row 2]  elementwise.test.ts:+0
        hint  right.cast("i32")
    `);
    expect(refusal(({ input }) => input("x", "i8", ax.row).add(input("y", "i32", ax.row)))).toMatchInlineSnapshot(`
      ShapeError DTYPE
      add: the left operand is i8, and not every i32 is a value of that
        left   x  i8 [row 2]   elementwise.test.ts:+0
        right  y  i32 [row 2]  elementwise.test.ts:+0
        hint  right.cast("i8")
    `);
    expect(refusal(({ input }) => input("x", "u32", ax.row).sub(input("y", "i32", ax.row)))).toMatchInlineSnapshot(`
      ShapeError DTYPE
      sub: the left operand is u32, and not every i32 is a value of that
        left   x  u32 [row 2]  elementwise.test.ts:+0
        right  y  i32 [row 2]  elementwise.test.ts:+0
        hint  right.cast("u32")
    `);
  });

  test.each<[DType, number]>([
    ["i8", 128],
    ["u8", -1],
    ["i32", 0.5],
    ["u4", 16],
    ["bool", 2],
    ["i32", Number.NaN],
  ])("a number that the element type lacks: %s %d", (dtype, number) => {
    expect(() => refusal(({ input }) => input("x", dtype, ax.row).max(number))).not.toThrow();
  });

  test("a number with its place", () => {
    expect(refusal(({ input }) => input("x", "u8", ax.row).add(256))).toMatchInlineSnapshot(`
      ShapeError NUMBER_RANGE
      add: 256 is not a value of u8
        left   x    u8 [row 2]  elementwise.test.ts:+0
        right  256
    `);
  });
});
