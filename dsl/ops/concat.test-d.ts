/** Joining, padding and reversing keep the axes. */
import type { Tensor } from "../index.ts";

declare const x: Tensor<"row" | "column">;

x.concat("row", x) satisfies Tensor<"row" | "column">;
x.pad("row", 1, 1) satisfies Tensor<"row" | "column">;
x.reverse("row", "column") satisfies Tensor<"row" | "column">;
