/**
 * Eight-bit floats (E5M2) with a power of two for each row: MXFP4 without loss, for devices that have no FP4.
 *
 * A magnitude of FP4 is 0, 1 or 1.5 times a power of two, so the two bits of E5M2's mantissa hold it, and its exponent spans
 * 29 of a row's block exponents. The power of two does not vary along the axis that a product contracts, so `dot`
 * applies it after the product, where it commutes with rounding. Rows that spread further cannot be held, which whoever
 * packs has to check (`lossless`).
 */
import type { Axis } from "../axes.ts";
import { tensorOf, untyped } from "../graph.ts";
import type { AnyTensor } from "../tensor.ts";
import type { Packing } from "./packing.ts";

export const e5m2: Packing = {
  lossless: true,
  expertsOnly: true,
  parts(of) {
    return [
      { name: "elements", dtype: "f8e5m2", axes: of },
      { name: "scales", dtype: "u8", axes: of.slice(0, -1) },
    ];
  },
  unpack(parts, _, dtype) {
    const [elements, scales] = parts.map(untyped) as [AnyTensor, AnyTensor];
    const scale = scales.bitCast("f8e8m0fnu").cast(dtype);
    return tensorOf(elements.cast(dtype).mul(scale));
  },
  pack(given, of) {
    const values = untyped(given);
    // The largest magnitude of a row gets E5M2's largest exponent.
    const largest = values.abs().maxOver((of.at(-1) as Axis).name);
    const exponent = largest.bitCast("u32").shiftRight(mantissaBits).max(largestExponent);
    const inverse = exponent
      .mul(0)
      .add(2 * bias + largestExponent)
      .sub(exponent);
    const scaled = values.mul(inverse.shiftLeft(mantissaBits).bitCast("f32"));
    return [scaled.cast("f8e5m2"), exponent.sub(largestExponent).cast("u8")].map(tensorOf);
  },
};

// Implementation

/** Of f32. */
const mantissaBits = 23;
const bias = 127;
/** Of E5M2, whose largest number is 1.75 · 2^15. */
const largestExponent = 15;
