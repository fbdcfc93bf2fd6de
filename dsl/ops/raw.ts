/** The way out: any StableHLO operation that the language has no word for. */
import type { Axis } from "../axes.ts";
import type { DType } from "../dtype.ts";
import type { Ssa } from "../emitter.ts";
import { apply, type Value } from "../graph.ts";
import { defineOp } from "../op.ts";
import type { Tensor } from "../tensor.ts";

// Public API

/**
 * Writes an operation in MLIR's generic form. The operands' dimensions stand in the order that `order` gives them.
 *
 * @param name        with its dialect: `stablehlo.clamp`, `chlo.erf`
 * @param operands    each with its axes, outermost first
 * @param properties  the text between `<{` and `}>`; empty for none
 * @param result      element type and axes, outermost first
 */
export function stablehlo<const P extends readonly Axis[]>(
  name: string,
  operands: readonly { readonly value: Value; readonly order: readonly Axis[] }[],
  properties: string,
  result: { readonly dtype: DType; readonly axes: P },
): Tensor<P[number]["name"]> {
  const attributes = { name, properties, orders: operands.map(({ order }) => order), result };
  return apply(
    raw,
    operands.map(({ value }) => value),
    attributes,
  )[0] as never;
}

export const raw = defineOp<{
  name: string;
  properties: string;
  orders: readonly (readonly Axis[])[];
  result: { readonly dtype: DType; readonly axes: readonly Axis[] };
}>({
  name: "stablehlo",
  infer: (_, { result }) => [result],
  lower(e, inputs, { name, properties, orders, result }) {
    const given = inputs.map((input, n) => e.arrange(input as Ssa, orders[n] as readonly Axis[]));
    return e.raw(name, given, properties, [{ dtype: result.dtype, dims: result.axes }]);
  },
});
