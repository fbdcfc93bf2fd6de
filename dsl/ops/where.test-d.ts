/** A choice by a mask has the axes of the value. */
import type { Tensor } from "../index.ts";

declare const x: Tensor<"row" | "column">;
declare const mask: Tensor<"row">;

x.where(mask, 0) satisfies Tensor<"row" | "column">;
// @ts-expect-error  the mask has an axis that the value lacks
mask.where(x, 0);
// @ts-expect-error  the other value has an axis that the value lacks
mask.where(mask, x);
