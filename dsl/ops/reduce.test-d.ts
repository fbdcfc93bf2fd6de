/** Reductions drop axes, and softmax keeps them. */
import type { Tensor } from "../index.ts";

declare const x: Tensor<"row" | "column">;

x.sum("row") satisfies Tensor<"column">;
x.mean("row", "column") satisfies Tensor<never>;
x.argMax("column") satisfies Tensor<"row">;
x.logSumExp("column") satisfies Tensor<"row">;
x.softmax("column") satisfies Tensor<"row" | "column">;
// @ts-expect-error  no axis is left to sum over
x.sum("row").sum("row");
// @ts-expect-error  no such axis
x.maxOver("depth");
