/** A cast keeps the axes; taking words apart adds an axis, putting them together removes one. */
import { axes, type Tensor } from "../index.ts";

const ax = axes({ row: 2, column: 3, piece: 4, half: 2 });

declare const x: Tensor<"row">;

x.cast("bf16") satisfies Tensor<"row">;
x.bitSplit("u8", ax.piece) satisfies Tensor<"row" | "piece">;
x.bitMerge("u64", "row") satisfies Tensor<never>;
// @ts-expect-error  not an element type
x.cast("float");
