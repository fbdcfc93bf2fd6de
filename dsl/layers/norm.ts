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

/**
 * Layer norm over `embed`: mean 0 and variance 1, then scaled and moved (arXiv:1607.06450).
 *
 * Computed in f32, scale and bias included, and returned in the type of `x`.
 *
 * @param eps  added to the variance, so that equal numbers stay finite
 */
export function layerNorm<B extends string>(
  x: Tensor<B | "embed">,
  scale: Tensor<"embed">,
  bias: Tensor<"embed"> | undefined,
  eps: number,
): Tensor<B | "embed"> {
  const wide = x.cast("f32");
  const centred = wide.sub(wide.mean("embed"));
  const scaled = centred.mul(centred.mul(centred).mean("embed").add(eps).rsqrt()).mul(scale);
  return (bias === undefined ? scaled : scaled.add(bias)).cast(x.dtype);
}
