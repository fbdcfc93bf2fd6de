import { describe, expect, test } from "@jest/globals";
import { checkProgram } from "../../tests/support/check-program.ts";
import type { Tolerance } from "../../tests/support/numbers.ts";
import { refusal } from "../../tests/support/refusal.ts";
import { axes, layerNorm, rmsNorm } from "../index.ts";

const ax = axes({ batch: 2, embed: 4, mlp: 4, head: 2, dim: 2 });
const x = [
  [1, 2, 3, 4],
  [0, 0, 0, 0],
];
const scale = [1, 2, 0.5, -1];
const tolerance: Tolerance = { relative: 1e-6, because: "means and a root in f32" };

describe("rmsNorm", () => {
  test("divides by the root of the mean square, and leaves zeros finite", async () => {
    const root = Math.sqrt((1 + 4 + 9 + 16) / 4 + 1e-5);
    await checkProgram(
      ({ input }) => rmsNorm(input("x", "f32", ax.batch, ax.embed), input("scale", "f32", ax.embed), 1e-5),
      {
        inputs: { x, scale },
        expected: [scale.map((each, n) => (each * (n + 1)) / root), [0, 0, 0, -0]],
        tolerance,
      },
    );
  });

  test("normalises bf16 in f32, the scale included, and rounds once", async () => {
    const { text } = await checkProgram(
      ({ input }) => rmsNorm(input("x", "bf16", ax.embed), input("scale", "bf16", ax.embed), 1e-5),
      { inputs: { x: [300, 300, 300, 300], scale }, expected: scale },
    );
    expect(text).toMatchInlineSnapshot(`
      func.func public @main(%arg0: tensor<4xbf16>, %arg1: tensor<4xbf16>) -> tensor<4xbf16> {
        %0 = stablehlo.convert %arg0 : (tensor<4xbf16>) -> tensor<4xf32>
        %1 = stablehlo.multiply %0, %0 : tensor<4xf32>
        %cst = stablehlo.constant dense<0.000000e+00> : tensor<f32>
        %2 = stablehlo.reduce(%1 init: %cst) applies stablehlo.add across dimensions = [0] : (tensor<4xf32>, tensor<f32>) -> tensor<f32>
        %cst_0 = stablehlo.constant dense<2.500000e-01> : tensor<f32>
        %3 = stablehlo.multiply %2, %cst_0 : tensor<f32>
        %cst_1 = stablehlo.constant dense<9.99999974E-6> : tensor<f32>
        %4 = stablehlo.add %3, %cst_1 : tensor<f32>
        %5 = stablehlo.rsqrt %4 : tensor<f32>
        %6 = stablehlo.broadcast_in_dim %5, dims = [] : (tensor<f32>) -> tensor<4xf32>
        %7 = stablehlo.multiply %0, %6 : tensor<4xf32>
        %8 = stablehlo.convert %arg1 : (tensor<4xbf16>) -> tensor<4xf32>
        %9 = stablehlo.multiply %7, %8 : tensor<4xf32>
        %10 = stablehlo.convert %9 : (tensor<4xf32>) -> tensor<4xbf16>
        return %10 : tensor<4xbf16>
      }
    `);
  });

  test("refuses a scale over another axis of the same size", () => {
    expect(
      refusal(({ input }) => {
        const [given, wrong] = [input("x", "f32", ax.batch, ax.embed), input("scale", "f32", ax.mlp)];
        // @ts-expect-error  embed and mlp are both 4
        return rmsNorm(given, wrong, 1e-5);
      }),
    ).toMatchInlineSnapshot(`
      ShapeError AXIS_EXTRA
      rmsNorm: the scale has 'mlp', which the tensor lacks
        tensor  x      f32 [batch 2, embed 4]  norm.test.ts:+1
        scale   scale  f32 [mlp 4]             norm.test.ts:+1
    `);
  });

  test("runs over the axis of its scale: queries are normalised over `dim`, each head for itself", async () => {
    const heads = [
      [3, 4],
      [6, 8],
      [0, 0],
      [-1, 1],
    ];
    const norm = ([a, b]: number[]) => Math.sqrt(((a as number) ** 2 + (b as number) ** 2) / 2 + 1e-5);
    await checkProgram(
      ({ input }) => rmsNorm(input("q", "f32", ax.batch, ax.head, ax.dim), input("scale", "f32", ax.dim), 1e-5),
      {
        inputs: { q: heads, scale: [1, 10] },
        expected: heads.map((head) => [(head[0] as number) / norm(head), (10 * (head[1] as number)) / norm(head)]),
        tolerance,
      },
    );
  });

  test("runs over the axes that are named, where the scale has others too", async () => {
    const norm = Math.sqrt((9 + 16) / 2 + 1e-5);
    await checkProgram(
      ({ input }) => {
        const [q, each] = [input("q", "f32", ax.head, ax.dim), input("scale", "f32", ax.head, ax.dim)];
        return { perHead: rmsNorm(q, each, 1e-5, "dim"), all: rmsNorm(q, each, 1e-5, "head", "dim") };
      },
      {
        inputs: { q: [3, 4, 3, 4], scale: [1, 1, 1, 10] },
        expected: {
          perHead: [3 / norm, 4 / norm, 3 / norm, 40 / norm],
          all: [3 / norm, 4 / norm, 3 / norm, 40 / norm],
        },
        tolerance,
      },
    );
  });

  test("refuses a scale of several axes where none is named, and one without axes", () => {
    expect(
      refusal(({ input }) => rmsNorm(input("q", "f32", ax.head, ax.dim), input("scale", "f32", ax.head, ax.dim), 1e-5)),
    ).toMatchInlineSnapshot(`
ShapeError AXIS_MISSING
rmsNorm: the scale has several axes, and the norm runs over one
  scale  scale  f32 [head 2, dim 2]  norm.test.ts:+0
  hint  name the axes that are normalised, as the last arguments: rmsNorm(…, eps, "head")
`);
    expect(
      refusal(({ input }) => rmsNorm(input("q", "f32", ax.dim), input("scale", "f32"), 1e-5)),
    ).toMatchInlineSnapshot(`
ShapeError AXIS_MISSING
rmsNorm: the scale has no axis, and the norm runs over one
  scale  scale  f32 []  norm.test.ts:+0
  hint  name the axes that are normalised, as the last arguments: rmsNorm(…, eps, "…")
`);
  });
});

describe("layerNorm", () => {
  test("moves the mean to 0 and the variance to 1, then scales and moves", async () => {
    const spread = Math.sqrt(1.25 + 1e-5);
    const bias = [0, 1, 2, 3];
    await checkProgram(
      ({ input }) => {
        const [given, by] = [input("x", "f32", ax.batch, ax.embed), input("scale", "f32", ax.embed)];
        return {
          moved: layerNorm(given, by, input("bias", "f32", ax.embed), 1e-5),
          centred: layerNorm(given, by, undefined, 1e-5),
        };
      },
      {
        inputs: { x, scale, bias },
        expected: {
          moved: [scale.map((each, n) => (each * (n - 1.5)) / spread + n), bias],
          centred: [scale.map((each, n) => (each * (n - 1.5)) / spread), [0, 0, 0, -0]],
        },
        tolerance: { ...tolerance, absolute: 1e-6 },
      },
    );
  });
});
