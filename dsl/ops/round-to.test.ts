import { describe, expect, test } from "@jest/globals";
import { checkProgram } from "../../tests/support/check-program.ts";
import { refusal } from "../../tests/support/refusal.ts";
import { axes } from "../index.ts";

const ax = axes({ pos: 4 });

describe("roundTo", () => {
  test("keeps the numbers that a narrower type has, ties to even, and its own type", async () => {
    const { text, program } = await checkProgram(({ input }) => input("x", "f32", ax.pos).roundTo("bf16"), {
      // bf16 has 8 bits of mantissa, the first of them 1: 1 + 2^-8 lies between 1 and 1 + 2^-7.
      inputs: { x: [1 + 2 ** -8, 1 + 3 * 2 ** -8, -2.5, 1 + 2 ** -8 + 2 ** -12] },
      expected: [1, 1 + 2 ** -6, -2.5, 1 + 2 ** -7],
    });
    expect(program.signature.results[0]?.dtype).toBe("f32");
    expect(text).toMatchInlineSnapshot(`
func.func public @main(%arg0: tensor<4xf32>) -> tensor<4xf32> {
  %0 = stablehlo.reduce_precision %arg0, format = e8m7 : tensor<4xf32>
  return %0 : tensor<4xf32>
}
`);
  });

  test("of f16 loses what is too large or too small for it", async () => {
    await checkProgram(({ input }) => input("x", "f32", ax.pos).roundTo("f16"), {
      inputs: { x: [1e6, -1e6, 1 + 2 ** -12, 0.5] },
      expected: [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1, 0.5],
    });
  });

  test("refuses whole numbers", () => {
    expect(refusal(({ input }) => input("x", "i32", ax.pos).roundTo("bf16"))).toMatchInlineSnapshot(`
ShapeError DTYPE
roundTo takes floats, and the operand is i32
  operand  x  i32 [pos 4]  round-to.test.ts:+0
  hint  operand.cast("f32")
`);
  });
});
