/**
 * An optimisation barrier: a value that is made once and lies in memory from then on, however many read it.
 *
 * XLA fuses what makes a value into each of its readers. For a cache that is written in place this is ruin: written once
 * for the result and once more for each reader, it has to be copied whole before every step (docs/log.md).
 */
import type { Ssa } from "../emitter.ts";
import { applyOne, type Value } from "../graph.ts";
import { defineOp } from "../op.ts";
import type { Tensor } from "../tensor.ts";

// Public API

/** The same value, made once: what makes it is not fused into what reads it. */
export function barrier<A extends string>(x: Tensor<A>): Tensor<A> {
  // The same axes.
  return applyOne(barrierOp, [x]) as unknown as Tensor<A>;
}

export const barrierOp = defineOp({
  // Its former name: locations of saved texts, and the maps of goldens, have it.
  name: "settle",
  touches: "view",
  infer: ([x]) => [x as Value],
  lower: (e, [x]) => e.barrier([x as Ssa]),
  flops: () => 0,
});

/** @deprecated The former name of `barrier`. */
export function settle<A extends string>(x: Tensor<A>): Tensor<A> {
  return barrier(x);
}

/** @deprecated The former name of `barrierOp`. */
export const settleOp = barrierOp;
