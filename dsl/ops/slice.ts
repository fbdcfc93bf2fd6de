/** Windows along an axis, at a place known while tracing or computed by the program. */
import { type Axis, elementsOf } from "../axes.ts";
import { axisOf, difference, requireKind } from "../checks.ts";
import type { Emitter, Ssa } from "../emitter.ts";
import { applyOne, tensorOf, type Value } from "../graph.ts";
import { defineOp } from "../op.ts";
import { shapeError } from "../shape-error.ts";
import { method } from "../tensor.ts";

// Public API

declare module "../tensor.ts" {
  interface Tensor<in out A extends string> {
    /**
     * Keeps `size` positions from `start`, and the axis. The start may differ along the other axes.
     *
     * A computed start is clamped so that the window lies inside.
     */
    slice<K extends A>(along: K, start: number | Within<Exclude<A, K>>, size: number): Tensor<A>;
    /** Keeps every `step`-th position, from `start`. */
    stride<K extends A>(along: K, start: number, step: number): Tensor<A>;
    /**
     * A copy with `value` written at `start`: the same axes, shorter along `along`. The start may differ along the other
     * axes. A computed start is clamped so that the window lies inside.
     */
    update<K extends A>(along: K, start: number | Within<Exclude<A, K>>, value: Tensor<A>): Tensor<A>;
    /**
     * A copy with the rows of `value` added at positions along an axis. Equal positions add up; one outside is dropped.
     *
     * @param positions  integers over an axis of the same name, as long as `value` is along it
     */
    addAt<K extends A>(along: K, positions: Tensor<K>, value: Tensor<A>): Tensor<A>;
  }
  interface AnyTensor {
    slice(along: string, start: number | Within<string>, size: number): AnyTensor;
    stride(along: string, start: number, step: number): AnyTensor;
    update(along: string, start: number | Within<string>, value: AnyTensor): AnyTensor;
    addAt(along: string, positions: AnyTensor, value: AnyTensor): AnyTensor;
  }
}

export const slice = defineOp<{ along: string; start: number; limit: number; step: number }>({
  name: "slice",
  touches: "part",
  infer([input], { along, start, limit, step }) {
    const x = input as Value;
    const { size } = axisOf("slice", x, along);
    const whole = [start, limit, step].every(Number.isInteger);
    if (!whole || start < 0 || limit > size || start >= limit || step < 1) {
      const what = step === 1 ? `a window of ${limit - start}` : `steps of ${step}`;
      throw shapeError(
        "INDEX_RANGE",
        `slice over '${along}': ${what} from ${start}, in an axis of ${size}`,
        [["operand", x]],
        undefined,
        { axis: along, start, limit, step, size },
      );
    }
    return [{ dtype: x.dtype, axes: resize(x.axes, along, Math.ceil((limit - start) / step)) }];
  },
  lower: (e, [x], { along, start, limit, step }) => [e.slice(x as Ssa, along, start, limit, step)],
  flops: () => 0,
});

export const sliceAt = defineOp<{ along: string; size: number }>({
  name: "slice",
  touches: "part",
  infer([input, start], { along, size }) {
    const x = input as Value;
    requireWindow("slice", x, along, size);
    requireStarts("slice", x, start as Value, along);
    return [{ dtype: x.dtype, axes: resize(x.axes, along, size) }];
  },
  lower(e, [input, start], { along, size }) {
    const [x, starts] = [input as Ssa, start as Ssa];
    const one = asScalar(e, starts);
    if (one !== undefined) return [e.dynamicSlice(x, one, along, size)];
    return [
      e.gatherWindow(x, clampStarts(e, starts, x, along, size), size, {
        along,
        batch: starts.dims.map(({ name }) => name),
      }),
    ];
  },
  flops: () => 0,
});

export const update = defineOp<{ along: string }>({
  name: "update",
  touches: "update",
  infer([input, value, start], { along }) {
    const x = input as Value;
    requireUpdate(x, value as Value, along);
    requireStarts("update", x, start as Value, along);
    return [x];
  },
  lower: (e, [x, value, starts], { along }) => [lowerUpdate(e, x as Ssa, value as Ssa, starts as Ssa, along)],
  flops: () => 0,
});

export const updateAt = defineOp<{ along: string; start: number }>({
  name: "update",
  touches: "update",
  infer([x, value], { along }) {
    requireUpdate(x as Value, value as Value, along);
    return [x as Value];
  },
  lower: (e, [x, value], { along, start }) => [lowerUpdate(e, x as Ssa, value as Ssa, e.constant(start, "i32"), along)],
  flops: () => 0,
});

export const addAt = defineOp<{ along: string }>({
  name: "addAt",
  touches: "add",
  infer([input, at, added], { along }) {
    const [x, positions, value] = [input as Value, at as Value, added as Value];
    axisOf("addAt", x, along);
    requireKind("addAt", positions, ["int", "uint"], "positions");
    const { size } = axisOf("addAt", positions, along, "positions");
    const wanted = resize(x.axes, along, size);
    const fits =
      positions.axes.length === 1 &&
      value.dtype === x.dtype &&
      value.axes.length === wanted.length &&
      wanted.every((axis) => value.axes.some((other) => other.name === axis.name && other.size === axis.size));
    if (!fits) {
      throw shapeError(
        "SIZE_MISMATCH",
        `addAt over '${along}': the value has a row of the operand for each position`,
        [
          ["operand", x],
          ["positions", positions],
          ["value", value],
        ],
        value.dtype !== x.dtype ? `value.cast("${x.dtype}")` : undefined,
        { axis: along },
      );
    }
    return [x];
  },
  lower: (e, [x, positions, value], { along }) => [e.scatterAdd(x as Ssa, positions as Ssa, value as Ssa, along)],
  flops: ([, , value]) => elementsOf((value as Value).axes),
});

/** The same axes with another size for one of them. */
export function resize(axes: readonly Axis[], along: string, size: number): Axis[] {
  return axes.map((axis) => (axis.name === along ? { name: along, size } : axis));
}

// Implementation

method("slice", function (along, start, size) {
  if (typeof start !== "number") return applyOne(sliceAt, [this, tensorOf(start)], { along, size });
  return applyOne(slice, [this], { along, start, limit: start + size, step: 1 });
});
method("stride", function (along, start, step) {
  return applyOne(slice, [this], { along, start, limit: axisOf("stride", this, along).size, step });
});
method("update", function (along, start, value) {
  if (typeof start !== "number") return applyOne(update, [this, value, tensorOf(start)], { along });
  const { size } = axisOf("update", this, along);
  const length = axisOf("update", value, along, "value").size;
  if (!Number.isInteger(start) || start < 0 || start + length > size) {
    throw shapeError(
      "INDEX_RANGE",
      `update over '${along}': a window of ${length} from ${start}, in an axis of ${size}`,
      [
        ["operand", this],
        ["value", value],
      ],
      undefined,
      { axis: along, start, length, size },
    );
  }
  return applyOne(updateAt, [this, value], { along, start });
});

method("addAt", function (along, positions, value) {
  return applyOne(addAt, [this, positions, value], { along });
});

function requireUpdate(x: Value, value: Value, along: string): void {
  axisOf("update", x, along);
  const size = axisOf("update", value, along, "value").size;
  requireWindow("update", x, along, size);
  const reason = difference(along, ["operand", x], ["value", value]);
  if (reason === undefined) return;
  throw shapeError(
    "SIZE_MISMATCH",
    `update over '${along}': the value fits no window of the operand: ${reason}`,
    [
      ["operand", x],
      ["value", value],
    ],
    value.dtype !== x.dtype ? `value.cast("${x.dtype}")` : undefined,
    { axis: along },
  );
}

function lowerUpdate(e: Emitter, x: Ssa, written: Ssa, starts: Ssa, along: string): Ssa {
  const order = x.dims.map(({ name }) => written.dims.find((axis) => axis.name === name) as Axis);
  const value = e.arrange(written, order);
  const one = asScalar(e, starts);
  if (one !== undefined) return e.dynamicUpdateSlice(x, value, one, along);
  const size = order.find(({ name }) => name === along)?.size ?? 1;
  const batch = starts.dims.map(({ name }) => name);
  return e.scatterWindow(x, clampStarts(e, starts, x, along, size), value, { along, batch });
}

function requireWindow(op: string, x: Value, along: string, size: number): void {
  const own = axisOf(op, x, along).size;
  if (Number.isInteger(size) && size >= 1 && size <= own) return;
  throw shapeError(
    "INDEX_RANGE",
    `${op} over '${along}': a window of ${size} in an axis of ${own}`,
    [["operand", x]],
    undefined,
    { axis: along, size, own },
  );
}

function requireStarts(op: string, x: Value, start: Value, along: string): void {
  requireKind(op, start, ["int", "uint"], "start", [["operand", x]]);
  for (const { name, size } of start.axes) {
    const own = x.axes.find((axis) => axis.name === name);
    const reason =
      name === along
        ? "a window has one start along its axis"
        : own === undefined
          ? `the start has axis '${name}', which the operand lacks`
          : own.size !== size
            ? `axis '${name}' has ${own.size} in the operand, ${size} in the start`
            : undefined;
    if (reason === undefined) continue;
    throw shapeError(
      own === undefined || name === along ? "AXIS_EXTRA" : "SIZE_MISMATCH",
      `${op} over '${along}': ${reason}`,
      [
        ["operand", x],
        ["start", start],
      ],
      undefined,
      { axis: name },
    );
  }
}

/** A start that is one number: a scalar, or axes of size 1. */
function asScalar(e: Emitter, starts: Ssa): Ssa | undefined {
  return starts.dims.every(({ size }) => size === 1) ? e.reshape(starts, []) : undefined;
}

function clampStarts(e: Emitter, starts: Ssa, x: Ssa, along: string, size: number): Ssa {
  const own = x.dims.find(({ name }) => name === along)?.size ?? size;
  const bound = (value: number) => e.arrange(e.constant(value, starts.dtype), starts.dims);
  return e.binary("minimum", e.binary("maximum", starts, bound(0)), bound(own - size));
}
