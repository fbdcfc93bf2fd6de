import { describe, expect, test } from "@jest/globals";
import { Sampler } from "./sampler.ts";
import { type AllowedTokens, readAllowed } from "./token-mask.ts";

const logits = Float32Array.from({ length: 70 }, (_, id) => id / 10);
const left = (said: AllowedTokens, forbidden?: ReadonlySet<number>) => [
  ...new Sampler().distribution(logits, { allowed: readAllowed(said), forbidden }).ids,
];

describe("what a mask allows", () => {
  test("is all, the ids that it lists, or the bits that it sets", () => {
    expect(left("all")).toHaveLength(70);
    expect(left({ ids: [69, 3, 3] })).toEqual([3, 69]);
    expect(left({ ids: new Set([5]) })).toEqual([5]);
    // Bits 0 and 31 of the first word, 1 of the second, 5 of the third: as xgrammar packs them.
    expect(left({ bitmask: Int32Array.of(1 | (1 << 31), 2, 1 << 5) })).toEqual([0, 31, 33, 69]);
    expect(left({ bitmask: Uint32Array.of(0x8000_0001) })).toEqual([0, 31]);
  });

  test("shares the whole probability among itself", () => {
    const { probabilities } = new Sampler({ topK: 2 }).distribution(logits, {
      allowed: readAllowed({ ids: [1, 2, 3] }),
    });
    expect(probabilities[0]! + probabilities[1]!).toBeCloseTo(1, 12);
    expect(probabilities[1]! / probabilities[0]!).toBeCloseTo(Math.exp(0.1), 6);
  });

  test("loses what minTokens forbids", () => {
    expect(left({ ids: [1, 2] }, new Set([2]))).toEqual([1]);
  });

  test("is an error when it is nothing, which says why", () => {
    expect(() => left({ ids: [] })).toThrowErrorMatchingInlineSnapshot(
      `"the mask allows no token of the vocabulary at position 0"`,
    );
    expect(() => left({ ids: [70] })).toThrow(expect.objectContaining({ code: "MASK_EMPTY", exitCode: 1 }));
    expect(() => left({ bitmask: new Int32Array(3) })).toThrow(/the mask allows no token/);
    expect(() => left({ ids: [4] }, new Set([4]))).toThrowErrorMatchingInlineSnapshot(
      `"the mask allows no token of the vocabulary at position 0, the stop tokens apart, which minTokens forbids"`,
    );
    expect(() => left("all", new Set(logits.keys()))).toThrowErrorMatchingInlineSnapshot(
      `"minTokens allows no token of the vocabulary at position 0"`,
    );
  });

  test("must be one of the three", () => {
    const wrong = (said: unknown) => () => readAllowed(said as AllowedTokens);
    expect(wrong(undefined)).toThrowErrorMatchingInlineSnapshot(
      `"the mask gave none of "all", { ids } with numbers and { bitmask } with an Int32Array or Uint32Array"`,
    );
    expect(wrong({ bitmask: [1] })).toThrow(/the mask gave none of/);
    expect(wrong({ ids: 5 })).toThrow(/the mask gave none of/);
    expect(wrong({ ids: [1, -1] })).toThrowErrorMatchingInlineSnapshot(`"the mask allows -1, which is no token id"`);
    expect(wrong({ ids: ["1"] })).toThrow(/no token id/);
  });
});
