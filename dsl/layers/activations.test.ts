import { describe, expect, test } from "@jest/globals";
import { expected } from "../../tests/ops/expected.ts";
import { checkProgram } from "../../tests/support/check-program.ts";
import type { Tolerance } from "../../tests/support/numbers.ts";
import { axis, erf, gelu, geluTanh, relu, silu } from "../index.ts";

const { x, ...wanted } = expected.activations;
const n = axis("n", x.length);

const tolerance: Tolerance = {
  relative: 1e-6,
  absolute: 1e-6,
  because: "a dozen operations in f32, and a polynomial that is within 3e-7 of the error function",
};

describe("activations", () => {
  test("agree with numpy and with C's error function", async () => {
    await checkProgram(
      ({ input }) => {
        const given = input("x", "f32", n);
        return { erf: erf(given), gelu: gelu(given), geluTanh: geluTanh(given), silu: silu(given), relu: relu(given) };
      },
      {
        inputs: { x },
        expected: wanted,
        tolerance: { erf: tolerance, gelu: tolerance, geluTanh: tolerance, silu: tolerance },
      },
    );
  });

  test("of narrow floats are computed in f32 and rounded once", async () => {
    const { text } = await checkProgram(({ input }) => silu(input("x", "bf16", axis("n", 2))), {
      inputs: { x: [1, -2] },
      expected: [1 / (1 + Math.exp(-1)), -2 / (1 + Math.exp(2))],
    });
    expect(text).toMatchInlineSnapshot(`
      func.func public @main(%arg0: tensor<2xbf16>) -> tensor<2xbf16> {
        %0 = stablehlo.convert %arg0 : (tensor<2xbf16>) -> tensor<2xf32>
        %1 = stablehlo.logistic %0 : tensor<2xf32>
        %2 = stablehlo.multiply %0, %1 : tensor<2xf32>
        %3 = stablehlo.convert %2 : (tensor<2xf32>) -> tensor<2xbf16>
        return %3 : tensor<2xbf16>
      }
    `);
  });
});
