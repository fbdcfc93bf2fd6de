/** `rope` keeps the axes, and angles may lack some of them. */
import { axis, rope, type Tensor } from "../index.ts";

declare const x: Tensor<"batch" | "pos" | "head" | "dim">;
declare const cos: Tensor<"pos" | "dim">;

rope<"batch" | "head">(x, { cos, sin: cos }, 2) satisfies Tensor<"batch" | "pos" | "head" | "dim">;
// @ts-expect-error  angles over an axis that the tensor lacks
rope<"batch" | "head">(x, { cos: cos.broadcast(axis("layer", 2)), sin: cos }, 2);
