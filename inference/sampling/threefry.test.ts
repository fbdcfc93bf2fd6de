import { expect, test } from "@jest/globals";
import { expected } from "../../tests/ops/expected.ts";
import { type ThreefryKey, threefryUniform } from "./threefry.ts";

test("numbers are those of jax.random.uniform for the same key", () => {
  expect(expected.randomBits.length).toBeGreaterThan(2);
  for (const { key, uniform } of expected.randomBits) {
    const found = Array.from(uniform, (_, n) => threefryUniform(key as unknown as ThreefryKey, n));
    expect(found).toEqual(uniform.map(Number));
  }
});
