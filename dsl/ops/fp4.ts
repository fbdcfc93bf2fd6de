/**
 * FP4 (E2M1), two a byte: the elements of MXFP4 (OCP Microscaling Formats 1.0).
 *
 * The magnitudes are 0, 0.5, 1, 1.5, 2, 3, 4 and 6, all exact in bf16.
 */
import type { Axis } from "../axes.ts";
import { requireFresh, requireKind } from "../checks.ts";
import type { Ssa } from "../emitter.ts";
import { applyOne, type Value } from "../graph.ts";
import { defineOp } from "../op.ts";
import type { Tensor } from "../tensor.ts";

// Public API

/** The two elements of each byte, along `into` of 2, the low half first; bf16. */
export function decodeFp4<A extends string, N extends string>(bytes: Tensor<A>, into: Axis<N>): Tensor<A | N> {
  // `into` is added to the axes of the bytes.
  return applyOne(fp4, [bytes], { into }) as unknown as Tensor<A | N>;
}

export const fp4 = defineOp<{ into: Axis }>({
  name: "decodeFp4",
  infer([bytes], { into }) {
    const x = bytes as Value;
    requireKind("decodeFp4", x, ["uint"]);
    requireFresh("decodeFp4", x, into);
    return [{ dtype: "bf16", axes: [...x.axes, into] }];
  },
  lower: (e, [bytes], { into }) => [e.decodeFp4(bytes as Ssa, into)],
  flops: () => 0,
});
