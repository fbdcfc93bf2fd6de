/** A norm keeps the axes and needs those of its scale. */
import { layerNorm, rmsNorm, type Tensor } from "../index.ts";

declare const given: Tensor<"batch" | "embed">;
declare const by: Tensor<"embed">;

rmsNorm(given, by, 1e-5) satisfies Tensor<"batch" | "embed">;
layerNorm(given, by, undefined, 1e-5) satisfies Tensor<"batch" | "embed">;
// @ts-expect-error  nothing to normalise over
rmsNorm(given.mean("embed"), by, 1e-5);

declare const q: Tensor<"pos" | "head" | "dim">;
declare const alongDim: Tensor<"dim">;
declare const perHead: Tensor<"head" | "dim">;
declare const alongHead: Tensor<"head">;

rmsNorm(q, alongDim, 1e-5) satisfies Tensor<"pos" | "head" | "dim">;
rmsNorm(q, perHead, 1e-5, "dim") satisfies Tensor<"pos" | "head" | "dim">;
layerNorm(q, perHead, undefined, 1e-5, "head", "dim") satisfies Tensor<"pos" | "head" | "dim">;
// @ts-expect-error  the scale has no axis `pos`
rmsNorm(q, alongDim, 1e-5, "pos");
// @ts-expect-error  a scale over `embed`, and queries have none
rmsNorm(q, by, 1e-5);
// @ts-expect-error  a bias over another axis than the scale
layerNorm(q, alongDim, alongHead, 1e-5);

/** The axes may be a type parameter of the caller's. */
export const generic = <B extends string>(q: Tensor<B | "dim">, by: Tensor<"dim">) =>
  rmsNorm(q, by, 1e-5) satisfies Tensor<B | "dim">;
