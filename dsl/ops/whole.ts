/**
 * A tensor that is brought together along an axis before something needs all of it.
 *
 * Sorting what lies spread over devices takes a dozen exchanges between them; a few numbers are gathered in one. On one device
 * nothing is written.
 */
import { axisOf } from "../checks.ts";
import type { Ssa } from "../emitter.ts";
import { applyOne, type Value } from "../graph.ts";
import { defineOp } from "../op.ts";
import type { AnyTensor, Tensor } from "../tensor.ts";

// Public API

/** The same tensor, of which every device has all along `along`. */
export function whole<A extends string>(x: Tensor<A>, along: A): Tensor<A> {
  // The same axes.
  return wholeAlong(x, along) as unknown as Tensor<A>;
}

/** The same, inside the language. */
export function wholeAlong(x: Value, along: string): AnyTensor {
  return applyOne(wholeOp, [x], { along });
}

export const wholeOp = defineOp<{ along: string }>({
  name: "whole",
  touches: "view",
  gathers: ({ along }) => along,
  infer([x], { along }) {
    axisOf("whole", x as Value, along);
    return [x as Value];
  },
  lower: (e, [x], { along }) => [e.whole(x as Ssa, along)],
  flops: () => 0,
});
