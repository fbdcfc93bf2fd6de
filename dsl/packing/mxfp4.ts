/**
 * MXFP4: 32 elements of four bits share a power of two (OCP Microscaling Formats 1.0).
 *
 * Elements are FP4 (E2M1), two a byte, the first in the low half; scales are E8M0, value 2^(s - 127). Unpacking is exact
 * in f32, and in bf16 for all scales that trained models use.
 */
import { type Axis, axis } from "../axes.ts";
import type { Tensor } from "../tensor.ts";
import { blockAxes } from "./blocks.ts";
import type { Packing } from "./packing.ts";

export const mxfp4: Packing = {
  parts(of) {
    const scales = blockAxes("MXFP4", of);
    return [
      { name: "blocks", dtype: "u8", axes: [...scales, axis("byte", 16)] },
      { name: "scales", dtype: "u8", axes: scales },
    ];
  },
  unpack([blocks, scales], of, dtype) {
    const bytes = blocks as Tensor<"block" | "byte">;
    const elements = bytes
      .bitSplit("f4e2m1fn", axis("nibble", 2))
      .cast(dtype)
      .merge(["byte", "nibble"], axis("element", 32));
    const scale = (scales as Tensor<"block">).bitCast("f8e8m0fnu").cast(dtype);
    return elements.mul(scale).merge(["block", "element"], of.at(-1) as Axis) as Tensor<string>;
  },
};
