/** Windows along an axis, at a place known while tracing or computed by the program. */
import type { Axis } from "../axes.ts";
import { axisOf, difference, requireKind } from "../checks.ts";
import type { Emitter, Ssa } from "../emitter.ts";
import { apply, type Value } from "../graph.ts";
import { defineOp } from "../op.ts";
import { shapeError } from "../shape-error.ts";
import { method, type Tensor, type Within } from "../tensor.ts";

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
  infer([input, written, start], { along }) {
    const [x, value] = [input as Value, written as Value];
    axisOf("update", x, along);
    const size = axisOf("update", value, along, "value").size;
    requireWindow("update", x, along, size);
    const reason = difference(along, ["operand", x], ["value", value]);
    if (reason !== undefined) {
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
    requireStarts("update", x, start as Value, along);
    return [x];
  },
  lower(e, [input, written, start], { along }) {
    const [x, starts] = [input as Ssa, start as Ssa];
    const order = x.dims.map(({ name }) => (written as Ssa).dims.find((axis) => axis.name === name) as Axis);
    const value = e.arrange(written as Ssa, order);
    const one = asScalar(e, starts);
    if (one !== undefined) return [e.dynamicUpdateSlice(x, value, one, along)];
    const size = order.find(({ name }) => name === along)?.size ?? 1;
    return [
      e.scatterWindow(x, clampStarts(e, starts, x, along, size), value, {
        along,
        batch: starts.dims.map(({ name }) => name),
      }),
    ];
  },
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
  flops: ([, , value]) => (value as Value).axes.reduce((all, { size }) => all * size, 1),
});

/** The same axes with another size for one of them. */
export function resize(axes: readonly Axis[], along: string, size: number): Axis[] {
  return axes.map((axis) => (axis.name === along ? { name: along, size } : axis));
}

// Implementation

method("slice", function (this: Tensor<string>, along: string, start: number | Within<string>, size: number) {
  if (typeof start !== "number") return apply(sliceAt, [this, start as Tensor<string>], { along, size })[0];
  return apply(slice, [this], { along, start, limit: start + size, step: 1 })[0];
});
method("stride", function (this: Tensor<string>, along: string, start: number, step: number) {
  return apply(slice, [this], { along, start, limit: axisOf("stride", this, along).size, step })[0];
});
method("update", function (this: Tensor<string>, along: string, start: number | Within<string>, value: Tensor<string>) {
  if (typeof start !== "number") return apply(update, [this, value, start as Tensor<string>], { along })[0];
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
  return apply(updateAt, [this, value], { along, start })[0];
});

method("addAt", function (this: Tensor<string>, along: string, positions: Tensor<string>, value: Tensor<string>) {
  return apply(addAt, [this, positions, value], { along })[0];
});

export const updateAt = defineOp<{ along: string; start: number }>({
  name: "update",
  touches: "update",
  infer: (inputs, { along }, scopes) => {
    const x = inputs[0] as Value;
    // Only the start is known already; everything else is the other rule's.
    return update.infer([...inputs, { ...x, axes: [], dtype: "i32" }], { along } as never, scopes);
  },
  lower: (e, [x, value], { along, start }) =>
    update.lower(e, [x as Ssa, value as Ssa, e.constant(start, "i32")], { along } as never, []),
  flops: () => 0,
});

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
