/** Constants have the axes that they are given. */
import { axes, constant, full, iota, type Tensor } from "../index.ts";

const ax = axes({ row: 2, column: 3 });

iota(ax.row) satisfies Tensor<"row">;
full(1, "f32") satisfies Tensor<never>;
constant([1, 2], "f32", ax.row) satisfies Tensor<"row">;
// @ts-expect-error  an axis, not its name
iota("row");
