/** A product has the axes of both sides without those that it sums over. */
import type { Tensor } from "../index.ts";

declare const x: Tensor<"batch" | "row" | "inner">;
declare const w: Tensor<"out" | "inner">;
declare const other: Tensor<"long">;

x.dot(w, "inner") satisfies Tensor<"batch" | "row" | "out">;
x.dot(x, "row", "inner") satisfies Tensor<"batch">;
// @ts-expect-error  the right operand has no `row`
x.dot(w, "row");
// @ts-expect-error  the operands share no axis
x.dot(other, "long");
