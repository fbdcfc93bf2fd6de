import { describe, expect, test } from "@jest/globals";
import type { DType } from "../dsl/dtype.ts";
import { expected } from "../tests/ops/expected.ts";
import { decodeFloat, encodeFloat, floatFormat } from "./floats.ts";

const narrow = ["f4e2m1fn", "f8e5m2", "f8e4m3fn", "f8e8m0fnu", "f16", "bf16"] as const satisfies readonly DType[];

/** Every pattern of so many bits. */
const patterns = (bits: number): bigint[] => Array.from({ length: 2 ** bits }, (_, pattern) => BigInt(pattern));

describe.each(narrow)("%s", (dtype) => {
  const { bits, significand } = floatFormat(dtype);

  test("encodes every value that it has as the bits that it was read from", () => {
    const wrong = patterns(bits).filter((pattern) => {
      const value = decodeFloat(pattern, dtype);
      return !Number.isNaN(value) && encodeFloat(value, dtype) !== pattern;
    });
    expect(wrong).toEqual([]);
  });

  test("rounds numbers between two values to the nearer, and the middle to the even one, or to the larger where all are odd", () => {
    const finite = patterns(bits)
      .map((pattern) => decodeFloat(pattern, dtype))
      .filter((value) => Number.isFinite(value) && value > 0)
      .sort((a, b) => a - b);
    const rounded = (value: number) => decodeFloat(encodeFloat(value, dtype), dtype);
    const wrong = finite.slice(1).filter((high, n) => {
      const low = finite[n] as number;
      const middle = low / 2 + high / 2;
      const even = significand > 1 && encodeFloat(low, dtype) % 2n === 0n ? low : high;
      const [below, above] = [low + (middle - low) * 0.99, middle + (high - middle) * 0.01];
      return rounded(below) !== low || rounded(middle) !== even || rounded(above) !== high;
    });
    expect(wrong).toEqual([]);
  });
});

test.each(["bf16", "f16", "f8e5m2", "f8e4m3fn"] as const)("rounds to %s as ml_dtypes does", (dtype) => {
  const { x, rounded } = expected.casts[dtype];
  const own = x!.map((value) => decodeFloat(encodeFloat(Number(value), dtype), dtype));
  expect(own).toEqual(rounded);
});

test("keeps f32 and f64 as the machine has them", () => {
  for (const value of [0, -0, 0.1, -1e-310, 1e300, Infinity, -Infinity]) {
    expect(decodeFloat(encodeFloat(value, "f64"), "f64")).toBe(value);
    expect(decodeFloat(encodeFloat(value, "f32"), "f32")).toBe(Math.fround(value));
  }
});

test("gives block scales no sign, no zero and no infinity", () => {
  const encoded = [0, -1, Infinity, Number.NaN, 1.5, 3, 2 ** 127 * 1.4, 2 ** 127 * 1.5].map((value) =>
    encodeFloat(value, "f8e8m0fnu"),
  );
  expect(encoded.map(Number)).toEqual([255, 255, 255, 255, 128, 129, 254, 255]);
});
