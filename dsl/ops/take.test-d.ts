/** Entries looked up take the axes of the ids; a single position removes the axis. */
import type { Tensor } from "../index.ts";

declare const x: Tensor<"vocab" | "embed">;
declare const ids: Tensor<"batch" | "pos">;

x.take("vocab", ids) satisfies Tensor<"batch" | "pos" | "embed">;
x.at("vocab", 0) satisfies Tensor<"embed">;
// @ts-expect-error  the operand has no such axis
x.at("pos", 0);
// @ts-expect-error  a position along the axis itself
x.at("vocab", x);
