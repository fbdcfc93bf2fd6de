/** Repetition along new axes. */
import type { Axis } from "../axes.ts";
import { requireFresh } from "../checks.ts";
import type { Ssa } from "../emitter.ts";
import { applyOne, type Value } from "../graph.ts";
import { defineOp } from "../op.ts";
import { type Fresh, method } from "../tensor.ts";

// Public API

declare module "../tensor.ts" {
  interface Tensor<in out A extends string> {
    /** Repeats along new axes. The only way to grow a tensor: no outer product happens by accident. */
    broadcast<N extends string>(...extra: readonly Axis<Fresh<N, A>>[]): Tensor<A | N>;
  }
  interface AnyTensor {
    broadcast(...extra: readonly Axis[]): AnyTensor;
  }
}

export const broadcast = defineOp<{ extra: readonly Axis[] }>({
  name: "broadcast",
  infer([x], { extra }) {
    const { dtype, axes } = x as Value;
    extra.forEach((added, n) => void requireFresh("broadcast", x as Value, added, [...axes, ...extra.slice(0, n)]));
    return [{ dtype, axes: [...axes, ...extra] }];
  },
  lower: (e, [x], { extra }) => [e.arrange(x as Ssa, [...(x as Ssa).dims, ...extra])],
  flops: () => 0,
});

method("broadcast", function (...extra) {
  return extra.length === 0 ? this : applyOne(broadcast, [this], { extra });
});
