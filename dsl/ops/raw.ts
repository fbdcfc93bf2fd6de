/** The way out: any StableHLO operation that the language has no word for. */
import { type Axis, formatAxes } from "../axes.ts";
import { axisOf } from "../checks.ts";
import type { DType } from "../dtype.ts";
import type { Ssa } from "../emitter.ts";
import { applyOne, type Value } from "../graph.ts";
import { defineOp } from "../op.ts";
import { shapeError } from "../shape-error.ts";
import type { Tensor } from "../tensor.ts";

// Public API

/**
 * Writes an operation in MLIR's generic form. The operands' dimensions stand in the order that `order` gives them.
 *
 * What is known here is the result's type only: the worker checks the rest, and its errors name the line of this call.
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
  const given = operands.map(({ value }) => value);
  // The result has the axes that it was declared with.
  return applyOne(raw, given, attributes) as unknown as Tensor<P[number]["name"]>;
}

export const raw = defineOp<{
  name: string;
  properties: string;
  orders: readonly (readonly Axis[])[];
  result: { readonly dtype: DType; readonly axes: readonly Axis[] };
}>({
  name: "stablehlo",
  infer(inputs, { name, orders, result }) {
    inputs.forEach((input, n) => {
      const order = orders[n] as readonly Axis[];
      const same =
        order.length === input.axes.length && order.every((axis) => axisOf(name, input, axis.name).size === axis.size);
      if (same) return;
      throw shapeError(
        "SIZE_MISMATCH",
        `${name}: operand ${n} is given in the order ${formatAxes(order)}, which are not its axes`,
        [["operand", input]],
        undefined,
        { operand: n },
      );
    });
    return [result];
  },
  lower(e, inputs, { name, properties, orders, result }) {
    const given = inputs.map((input, n) => e.arrange(input as Ssa, orders[n] as readonly Axis[]));
    return e.raw(name, given, properties, [{ dtype: result.dtype, dims: result.axes }]);
  },
});
