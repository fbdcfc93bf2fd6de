/** A broadcast adds the new axes. */
import { axes, type Tensor } from "../index.ts";

const ax = axes({ row: 2, column: 3, depth: 2 });

declare const x: Tensor<"row">;

x.broadcast(ax.column, ax.depth) satisfies Tensor<"row" | "column" | "depth">;
// @ts-expect-error  nothing is missing from the result's type
x.broadcast(ax.column) satisfies Tensor<"column">;
