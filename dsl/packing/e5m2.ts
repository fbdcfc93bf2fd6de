/**
 * Eight-bit floats (E5M2) with a power of two for each row: MXFP4 without loss, for devices that have no FP4.
 *
 * A magnitude of FP4 is 0, 1 or 1.5 times a power of two, so the two bits of E5M2's mantissa hold it, and its exponent spans
 * 29 of a row's block exponents. The power of two does not vary along the axis that a product contracts, so `dot`
 * applies it after the product, where it commutes with rounding. Rows that spread further cannot be held, which whoever
 * packs has to check (`lossless`).
 */
import type { Tensor } from "../tensor.ts";
import type { Packing } from "./packing.ts";

export const e5m2: Packing = {
  forExperts: true,
  lossless: true,
  parts(of) {
    return [
      { name: "elements", dtype: "f8e5m2", axes: of },
      { name: "scales", dtype: "u8", axes: of.slice(0, -1) },
    ];
  },
  unpack([elements, scales], _, dtype) {
    const scale = (scales as Tensor<string>).bitCast("f8e8m0fnu").cast(dtype);
    return (elements as Tensor<string>).cast(dtype).mul(scale as never);
  },
  pack(values, of) {
    // The largest magnitude of a row gets E5M2's largest exponent.
    const largest = values.abs().maxOver((of.at(-1) as { name: string }).name) as unknown as Tensor<string>;
    const exponent = largest.bitCast("u32").shiftRight(mantissaBits).max(largestExponent);
    const inverse = exponent
      .mul(0)
      .add(2 * bias + largestExponent)
      .sub(exponent as never);
    const scaled = values.mul(inverse.shiftLeft(mantissaBits).bitCast("f32") as never);
    return [scaled.cast("f8e5m2"), exponent.sub(largestExponent).cast("u8")] as readonly Tensor<string>[];
  },
};

// Implementation

/** Of f32. */
const mantissaBits = 23;
const bias = 127;
/** Of E5M2, whose largest number is 1.75 · 2^15. */
const largestExponent = 15;
