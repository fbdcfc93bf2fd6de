/** Normalisation. */
import { shapeError } from "../shape-error.ts";
import type { Tensor, Value, Within } from "../tensor.ts";

/**
 * Root-mean-square norm over the axis of `scale`, whatever the other axes are (arXiv:1910.07467).
 *
 * Computed in f32, the scale included, and returned in the type of `x`.
 *
 * @param scale  over the axis that is normalised: `embed` in a layer, `dim` for queries and keys
 * @param eps    added to the mean square, so that zeros stay finite
 * @param over   the axes that are normalised, where the scale has several
 * @throws ShapeError when the scale has several axes and none is named
 */
export function rmsNorm<A extends string, N extends string>(
  x: Tensor<A>,
  scale: Tensor<N> & Within<NoInfer<A>>,
  eps: number,
  ...over: readonly (N & NoInfer<A>)[]
): Tensor<A> {
  const along = normalised("rmsNorm", x, scale, over);
  const wide = x.cast("f32");
  const unit = wide.mul(
    wide
      .mul(wide)
      .mean(...along)
      .add(eps)
      .rsqrt(),
  );
  return unit.mul(scale).cast(x.dtype);
}

/**
 * Layer norm over the axis of `scale`: mean 0 and variance 1, then scaled and moved (arXiv:1607.06450).
 *
 * Computed in f32, scale and bias included, and returned in the type of `x`.
 *
 * @param eps   added to the variance, so that equal numbers stay finite
 * @param over  the axes that are normalised, where the scale has several
 * @throws ShapeError when the scale has several axes and none is named
 */
export function layerNorm<A extends string, N extends string>(
  x: Tensor<A>,
  scale: Tensor<N> & Within<NoInfer<A>>,
  bias: (Tensor<N> & Within<NoInfer<A>>) | undefined,
  eps: number,
  ...over: readonly (N & NoInfer<A>)[]
): Tensor<A> {
  const along = normalised("layerNorm", x, scale, over);
  const wide = x.cast("f32");
  const centred = wide.sub(wide.mean(...along));
  const spread = centred
    .mul(centred)
    .mean(...along)
    .add(eps)
    .rsqrt();
  const scaled = centred.mul(spread).mul(scale);
  return (bias === undefined ? scaled : scaled.add(bias)).cast(x.dtype);
}

// Implementation

/** The axes that a norm runs over: those that were named, else the scale's own. */
function normalised<A extends string>(
  op: string,
  x: Tensor<A>,
  scale: Within<A> & Value,
  over: readonly A[],
): readonly A[] {
  const extra = scale.axes.filter(({ name }) => !x.axes.some((axis) => axis.name === name));
  if (extra.length > 0) {
    const list = extra.map(({ name }) => `'${name}'`).join(", ");
    throw shapeError(
      "AXIS_EXTRA",
      `${op}: the scale has ${list}, which the tensor lacks`,
      [
        ["tensor", x],
        ["scale", scale],
      ],
      undefined,
      { axes: extra.map(({ name }) => name) },
    );
  }
  if (over.length > 0) return over;
  if (scale.names.length === 1) return scale.names;
  const [first = "…"] = scale.names;
  throw shapeError(
    "AXIS_MISSING",
    `${op}: the scale has ${scale.names.length === 0 ? "no axis" : "several axes"}, and the norm runs over one`,
    [["scale", scale]],
    `name the axes that are normalised, as the last arguments: ${op}(…, eps, "${first}")`,
    { axes: scale.names },
  );
}
