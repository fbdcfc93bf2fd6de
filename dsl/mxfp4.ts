/**
 * MXFP4: 32 elements of four bits share a power of two (OCP Microscaling Formats 1.0).
 *
 * Elements are FP4 (E2M1), two a byte, the first in the low half; scales are E8M0, value 2^(s - 127). Unpacking is exact
 * in f32, and in bf16 for all scales that trained models use.
 */
import { type Axis, axis } from "./axes.ts";
import type { DType } from "./dtype.ts";
import { InputError } from "./errors.ts";
import type { Tensor } from "./tensor.ts";

// Public API

/** Elements that share a scale. */
export const mxfp4Block = 32;

/** The axes of a matrix's blocks and scales; `of` has the packed axis last. @throws InputError when it is no multiple of 32 */
export function mxfp4Axes(of: readonly Axis[]): { readonly blocks: readonly Axis[]; readonly scales: readonly Axis[] } {
  const last = of.at(-1) as Axis;
  if (last.size % mxfp4Block !== 0) {
    throw new InputError("MXFP4", `MXFP4 packs 32 elements a block, and axis '${last.name}' has ${last.size}`, {
      axis: last.name,
      size: last.size,
    });
  }
  const scales = [...of.slice(0, -1), axis("block", last.size / mxfp4Block)];
  return { blocks: [...scales, axis("byte", mxfp4Block / 2)], scales };
}

/**
 * The elements of packed ones.
 *
 * @param blocks  u8 over `block`, `byte` and the other axes
 * @param scales  u8 over `block` and the other axes
 * @param into    the axis that `block` and `byte` make up
 */
export function unpackMxfp4(blocks: Tensor<string>, scales: Tensor<string>, into: Axis, dtype: DType): Tensor<string> {
  const any = (x: unknown) => x as Tensor<"block" | "byte" | "nibble" | "element">;
  const elements = any(any(blocks).bitSplit("f4e2m1fn", axis("nibble", 2) as never)).cast(dtype);
  const scale = any(scales).bitCast("f8e8m0fnu").cast(dtype);
  const flat = any(elements.merge(["byte", "nibble"], axis("element", mxfp4Block) as never));
  return flat.mul(scale as never).merge(["block", "element"], into as never) as unknown as Tensor<string>;
}
