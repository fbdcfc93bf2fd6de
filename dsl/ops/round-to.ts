/**
 * Rounding to the precision of a narrower element type, without leaving one's own.
 *
 * XLA adds up what devices hold in the type in which the sum is used next. Between a sum in f32 and its conversion this
 * keeps the devices' sums in f32: rounding twice to the same precision changes nothing, and what stands between is
 * not looked through (docs/log.md).
 */
import { requireKind } from "../checks.ts";
import type { DType } from "../dtype.ts";
import type { Ssa } from "../emitter.ts";
import { applyOne, type Value } from "../graph.ts";
import { defineOp } from "../op.ts";
import { method } from "../tensor.ts";

// Public API

declare module "../tensor.ts" {
  interface Tensor<in out A extends string> {
    /** Rounded to the numbers that `dtype` has, in the tensor's own element type. */
    roundTo(dtype: DType): Tensor<A>;
  }
  interface AnyTensor {
    roundTo(dtype: DType): AnyTensor;
  }
}

export const roundTo = defineOp<{ to: DType }>({
  name: "roundTo",
  infer([x], { to }) {
    requireKind("roundTo", x as Value, ["float"]);
    requireKind("roundTo", { ...(x as Value), dtype: to }, ["float"]);
    return [x as Value];
  },
  lower: (e, [x], { to }) => [e.roundTo(x as Ssa, to)],
});

// Implementation

method("roundTo", function (to) {
  return applyOne(roundTo, [this], { to });
});
