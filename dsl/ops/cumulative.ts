/** Running reductions along an axis. */
import { axisOf, requireKind } from "../checks.ts";
import type { Ssa } from "../emitter.ts";
import { applyOne, type Value } from "../graph.ts";
import { defineOp } from "../op.ts";
import { method } from "../tensor.ts";
import { accumulator, neutral } from "./reduce.ts";

// Public API

declare module "../tensor.ts" {
  interface Tensor<in out A extends string> {
    /** The running sum: entry n is the sum of entries 0 to n. Narrow floats are summed in f32. */
    cumSum(along: A): Tensor<A>;
  }
  interface AnyTensor {
    cumSum(along: string): AnyTensor;
  }
}

export const cumSum = defineOp<{ along: string }>({
  name: "cumSum",
  infer([x], { along }) {
    requireKind("cumSum", x as Value, ["int", "uint", "float"]);
    axisOf("cumSum", x as Value, along);
    return [x as Value];
  },
  lower(e, [input], { along }) {
    const x = input as Ssa;
    const wide = accumulator(x.dtype);
    return [e.convert(e.cumulative("add", e.convert(x, wide), neutral(e, "add", wide), along), x.dtype)];
  },
});

// Implementation

method("cumSum", function (along) {
  return applyOne(cumSum, [this], { along });
});
