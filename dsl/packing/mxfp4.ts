/**
 * MXFP4: 32 elements of four bits share a power of two (OCP Microscaling Formats 1.0).
 *
 * Elements are FP4 (E2M1), two a byte, the first in the low half; scales are E8M0, value 2^(s - 127). Unpacking is exact
 * in f32, and in bf16 for all scales that trained models use.
 */
import { type Axis, axis } from "../axes.ts";
import { decodeFp4 } from "../ops/fp4.ts";
import { settle } from "../ops/settle.ts";
import type { Tensor } from "../tensor.ts";
import { blockAxes } from "./blocks.ts";
import type { Packing } from "./packing.ts";

export const mxfp4: Packing = {
  forExperts: true,
  parts(of) {
    const scales = blockAxes("MXFP4", of);
    return [
      { name: "blocks", dtype: "u8", axes: [...scales, axis("byte", 16)] },
      { name: "scales", dtype: "u8", axes: scales },
    ];
  },
  unpack([blocks, scales], of, dtype) {
    const elements = decodeFp4(blocks as Tensor<"block" | "byte">, axis("nibble", 2));
    const scale = (scales as Tensor<"block">).bitCast("f8e8m0fnu").cast("bf16");
    const values = elements.mul(scale).merge(["byte", "nibble"], axis("element", 32)) as unknown as Tensor<string>;
    const along = of.at(-1) as Axis;
    const block = blockAxes("MXFP4", [along])[0] as Axis;
    // Made once, in bf16, which holds it exactly: products read it from there.
    return settle(values.merge([block.name, "element"], along) as Tensor<string>).cast(dtype);
  },
};
