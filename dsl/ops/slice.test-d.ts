/** Windows keep the axes, and a start may differ along the others. */
import type { Tensor } from "../index.ts";

declare const x: Tensor<"row" | "column">;
declare const at: Tensor<"row">;
declare const v: Tensor<"row" | "column">;

x.slice("column", at, 1) satisfies Tensor<"row" | "column">;
x.update("column", at, v) satisfies Tensor<"row" | "column">;
// @ts-expect-error  a start along the axis that is cut
x.slice("row", at, 1);
// @ts-expect-error  the value lacks an axis
x.update("column", 0, at);
