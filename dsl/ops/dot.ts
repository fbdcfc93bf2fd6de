/**
 * The product that contracts axes by name.
 *
 * Batching and order need no arguments: axes that both operands have and that are not contracted are batched, the rest
 * are kept. A weight stands on the left in the text whichever side it has in the program, since XLA reads a matrix at
 * memory speed on CPU only as the left operand, contracted over its last dimension (docs/log.md).
 */
import { elementsOf } from "../axes.ts";
import { requireAxes, requireKind, sizeHint } from "../checks.ts";
import { dtypes } from "../dtype.ts";
import type { Ssa } from "../emitter.ts";
import { applyOne, meaningOf, untyped, type Value } from "../graph.ts";
import { defineOp } from "../op.ts";
import { partsOf } from "../parts.ts";
import { shapeError } from "../shape-error.ts";
import { type AnyTensor, method, type Shared } from "../tensor.ts";

// Public API

declare module "../tensor.ts" {
  interface Tensor<in out A extends string> {
    /**
     * Contracts `over`. Other shared axes are batched, the rest are kept; their order never matters.
     *
     * The result has the left operand's element type; the right one is converted to it. Sums are kept in f32.
     */
    dot<B extends string, const K extends readonly Shared<A, B>[]>(
      y: Tensor<B>,
      ...over: K
    ): Tensor<Exclude<A | B, K[number]>>;
  }
  interface AnyTensor {
    dot(y: AnyTensor, ...over: readonly string[]): AnyTensor;
  }
}

export const dot = defineOp<{ over: readonly string[]; spread?: true }>({
  name: "dot",
  mergesAxes: true,
  infer([left, right], { over }) {
    const [x, y] = [left as Value, right as Value];
    requireKind("dot", x, ["float", "int", "uint"], "left");
    requireKind("dot", y, [dtypes[x.dtype].kind], "right", [["left", x]]);
    for (const name of over) {
      const lacking = [x, y].findIndex((side) => !side.axes.some((axis) => axis.name === name));
      if (lacking < 0) continue;
      throw shapeError(
        "AXIS_MISSING",
        `dot over '${name}': the ${lacking === 0 ? "left" : "right"} operand has no such axis`,
        [
          ["left", x],
          ["right", y],
        ],
        undefined,
        { axis: name },
      );
    }
    requireAxes("dot", x, over);
    for (const { name, size } of y.axes) {
      const own = x.axes.find((axis) => axis.name === name)?.size;
      if (own === undefined || own === size) continue;
      const role = over.includes(name) ? `dot over '${name}'` : `dot batched over '${name}'`;
      throw shapeError(
        "SIZE_MISMATCH",
        `${role}: ${own} on the left, ${size} on the right`,
        [
          ["left", x],
          ["right", y],
        ],
        sizeHint(name, own, size),
        {
          axis: name,
          left: own,
          right: size,
        },
      );
    }
    const kept = x.axes.filter(({ name }) => !over.includes(name));
    const added = y.axes.filter(({ name }) => !x.axes.some((axis) => axis.name === name));
    return [{ dtype: x.dtype, axes: [...kept, ...added] }];
  },
  lower(e, [left, right], { over, spread = false }) {
    const x = left as Ssa;
    const y = e.convert(right as Ssa, x.dtype);
    // Batched axes stand as in the larger operand, such as a cache, which then need not be brought into another order.
    const [larger, smaller] = elementsOf(y.dims) > elementsOf(x.dims) ? [y, x] : [x, y];
    const batch = larger.dims
      .map(({ name }) => name)
      .filter((name) => !over.includes(name) && smaller.dims.some((axis) => axis.name === name));
    const [first, second] = y.weight && !x.weight ? [y, x] : [x, y];
    return [e.dotGeneral(first, second, batch, over, { spread })];
  },
  flops([left, right], { over }) {
    const axes = new Map([...(left as Value).axes, ...(right as Value).axes].map((axis) => [axis.name, axis]));
    // One multiplication and one addition for each pair that meets.
    return elementsOf([...axes.values()]) * (over.length === 0 ? 1 : 2);
  },
});

// Implementation

method("dot", function (y, ...over) {
  const [left, right] = [splitFactor(this, over), splitFactor(y, over)];
  const isSpread = this.axes.some((axis) => over.includes(axis.name) && partsOf(axis) !== undefined);
  const product = applyOne(dot, [left.rest, right.rest], isSpread ? { over, spread: true } : { over });
  const factors = [left.factor, right.factor].filter((each) => each !== undefined);
  return factors.reduce((all, factor) => all.mul(factor.cast(all.dtype)), product);
});

/**
 * A narrow matrix that is multiplied row by row, such as one of eight-bit numbers with a scale for each row, and the
 * scale: it is the same for all that is summed, so it is applied to the sum, where there is less to multiply.
 */
function splitFactor(x: Value, over: readonly string[]): { rest: Value; factor?: AnyTensor } {
  const product = meaningOf(x);
  if (product?.kind !== "product" || typeof product.and === "number") return { rest: x };
  const factor = untyped(product.and);
  const from = meaningOf(product.of);
  const isNarrow = from?.kind === "conversion" && dtypes[from.of.dtype].bits <= 8;
  if (!isNarrow || over.some((name) => factor.names.includes(name))) return { rest: x };
  return { rest: product.of, factor };
}
