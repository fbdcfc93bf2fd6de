/** A running sum keeps the axes. */
import type { Tensor } from "../index.ts";

declare const x: Tensor<"row" | "column">;

x.cumSum("row") satisfies Tensor<"row" | "column">;
