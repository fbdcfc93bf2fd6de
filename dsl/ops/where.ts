/** A choice between two values, element by element. */
import { requireConvertible, requireKind, requireWithin } from "../checks.ts";
import type { Ssa } from "../emitter.ts";
import { applyOne, tensorOf, type Value } from "../graph.ts";
import { defineOp } from "../op.ts";
import { method } from "../tensor.ts";
import { alignRight, rightOperand } from "./elementwise.ts";

// Public API

declare module "../tensor.ts" {
  interface Tensor<in out A extends string> {
    /** Itself where `mask` holds, `otherwise` elsewhere: `scores.where(visible, -1e30)`. */
    where(mask: Within<A>, otherwise: Within<A> | number): Tensor<A>;
  }
  interface AnyTensor {
    where(mask: Within<string>, otherwise: Within<string> | number): AnyTensor;
  }
}

export const where = defineOp<{ scalar?: number }>({
  name: "where",
  infer([value, mask, otherwise], { scalar }) {
    const [own, condition] = [value as Value, mask as Value];
    requireKind("where", condition, ["bool"], "mask", [["value", own]]);
    requireWithin("where", own, condition);
    requireConvertible("where", own, otherwise);
    requireWithin("where", own, otherwise, scalar);
    return [own];
  },
  lower(e, [value, mask, otherwise], { scalar }) {
    const own = value as Ssa;
    return [e.select(e.arrange(mask as Ssa, own.dims), own, alignRight(e, own, otherwise, scalar))];
  },
});

method("where", function (mask, otherwise) {
  const { inputs, attributes } = rightOperand(otherwise);
  return applyOne(where, [this, tensorOf(mask), ...inputs], attributes);
});
