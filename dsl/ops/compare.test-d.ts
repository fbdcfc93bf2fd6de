/** A comparison has the left operand's axes. */
import type { Tensor } from "../index.ts";

declare const x: Tensor<"row" | "column">;
declare const y: Tensor<"row">;

x.lt(y) satisfies Tensor<"row" | "column">;
// @ts-expect-error  the left operand lacks `column`
y.lt(x);
