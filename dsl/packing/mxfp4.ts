/**
 * MXFP4: 32 elements of four bits share a power of two (OCP Microscaling Formats 1.0).
 *
 * Elements are FP4 (E2M1), two a byte, the first in the low half; scales are E8M0, value 2^(s - 127). Unpacking is exact
 * in f32, and in bf16 for all scales that trained models use.
 */
import { type Axis, axis } from "../axes.ts";
import { tensorOf, untyped } from "../graph.ts";
import { barrier } from "../ops/barrier.ts";
import { decodeFp4 } from "../ops/fp4.ts";
import type { Tensor } from "../tensor.ts";
import { blockAxes } from "./blocks.ts";
import type { Packing } from "./packing.ts";

export const mxfp4: Packing = {
  expertsOnly: true,
  parts(of) {
    const scales = blockAxes("MXFP4", of);
    return [
      { name: "blocks", dtype: "u8", axes: [...scales, axis("byte", 16)] },
      { name: "scales", dtype: "u8", axes: scales },
    ];
  },
  unpack(parts, of, dtype) {
    const [blocks, scales] = parts as [Tensor<string>, Tensor<string>];
    const elements = untyped(decodeFp4(blocks, axis("nibble", 2)));
    const values = elements
      .mul(scales.bitCast("f8e8m0fnu").cast("bf16"))
      .merge(["byte", "nibble"], axis("element", 32));
    const along = of.at(-1) as Axis;
    const block = blockAxes("MXFP4", [along])[0] as Axis;
    // Made once, in bf16, which holds it exactly: products read it from there.
    return barrier(tensorOf(values.merge([block.name, "element"], along))).cast(dtype);
  },
};
