/** The result has the left operand's axes, and the right operand may lack some of them. */
import { axes, full, iota, type Tensor } from "../index.ts";

const ax = axes({ row: 2, column: 3, half: 2, long: 6 });

declare const x: Tensor<"row" | "column">;
declare const bias: Tensor<"column">;

x.add(bias) satisfies Tensor<"row" | "column">;
x.exp() satisfies Tensor<"row" | "column">;
// @ts-expect-error  an accidental outer product
iota(ax.row).mul(iota(ax.column));
// @ts-expect-error  the left operand lacks `row`
bias.add(x);
// @ts-expect-error  not a tensor
x.add("1");
full(1, "f32").add(full(2, "f32")) satisfies Tensor<never>;
