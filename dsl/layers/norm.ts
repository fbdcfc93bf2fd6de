/** Normalisation. */
import type { Tensor } from "../tensor.ts";

/**
 * Root-mean-square norm over `embed`, whatever the other axes are (arXiv:1910.07467).
 *
 * Computed in f32, the scale included, and returned in the type of `x`.
 *
 * @param eps  added to the mean square, so that zeros stay finite
 */
export function rmsNorm<B extends string>(
  x: Tensor<B | "embed">,
  scale: Tensor<"embed">,
  eps: number,
): Tensor<B | "embed"> {
  const wide = x.cast("f32");
  const unit = wide.mul(wide.mul(wide).mean("embed").add(eps).rsqrt());
  return unit.mul(scale).cast(x.dtype);
}
