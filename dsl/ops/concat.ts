/** Joining along an axis, padding it, turning it round. */
import { axisOf, difference, requireAxes, requireHeld } from "../checks.ts";
import type { Ssa } from "../emitter.ts";
import { applyOne, type Value } from "../graph.ts";
import { defineOp } from "../op.ts";
import { shapeError } from "../shape-error.ts";
import { method } from "../tensor.ts";
import { resize } from "./slice.ts";

// Public API

declare module "../tensor.ts" {
  interface Tensor<in out A extends string> {
    /** Itself, then `tails`, along an axis; all other axes are equal. */
    concat(along: A, ...tails: readonly Tensor<A>[]): Tensor<A>;
    /** `low` copies of `filler` before and `high` after, along an axis. */
    pad(along: A, low: number, high: number, filler?: number): Tensor<A>;
    /** The other way round along axes. */
    reverse(...along: readonly A[]): Tensor<A>;
  }
  interface AnyTensor {
    concat(along: string, ...tails: readonly AnyTensor[]): AnyTensor;
    pad(along: string, low: number, high: number, filler?: number): AnyTensor;
    reverse(...along: readonly string[]): AnyTensor;
  }
}

export const concat = defineOp<{ along: string }>({
  name: "concat",
  infer(inputs, { along }) {
    const [first, ...rest] = inputs as readonly [Value, ...Value[]];
    axisOf("concat", first, along, "head");
    for (const tail of rest) {
      const reason = difference(along, ["head", first], ["tail", tail]);
      if (reason === undefined) continue;
      throw shapeError(
        "SIZE_MISMATCH",
        `concat along '${along}': ${reason}`,
        [
          ["head", first],
          ["tail", tail],
        ],
        tail.dtype !== first.dtype ? `tail.cast("${first.dtype}")` : undefined,
        { axis: along },
      );
    }
    const size = inputs.reduce((all, each) => all + axisOf("concat", each, along).size, 0);
    return [{ dtype: first.dtype, axes: resize(first.axes, along, size) }];
  },
  lower(e, inputs, { along }) {
    const [first, ...rest] = inputs as readonly [Ssa, ...Ssa[]];
    const arranged = rest.map((tail) => {
      const own = tail.dims.find(({ name }) => name === along)?.size ?? 1;
      return e.arrange(tail, resize(first.dims, along, own));
    });
    return [e.concatenate([first, ...arranged], along)];
  },
  flops: () => 0,
});

export const pad = defineOp<{ along: string; low: number; high: number; filler: number }>({
  name: "pad",
  infer([input], { along, low, high, filler }) {
    const x = input as Value;
    const { size } = axisOf("pad", x, along);
    requireHeld("pad", x, filler, ["operand", "filler"]);
    if (![low, high].every((count) => Number.isInteger(count) && count >= 0)) {
      throw shapeError(
        "INDEX_RANGE",
        `pad along '${along}': ${low} before and ${high} after, and both are whole numbers from 0`,
        [["operand", x]],
        undefined,
        { axis: along, low, high },
      );
    }
    return [{ dtype: x.dtype, axes: resize(x.axes, along, low + size + high) }];
  },
  lower: (e, [x], { along, low, high, filler }) => [
    e.pad(x as Ssa, e.constant(filler, (x as Ssa).dtype), along, low, high),
  ],
  flops: () => 0,
});

export const reverse = defineOp<{ along: readonly string[] }>({
  name: "reverse",
  infer([x], { along }) {
    requireAxes("reverse", x as Value, along);
    return [x as Value];
  },
  lower: (e, [x], { along }) => [e.reverse(x as Ssa, along)],
  flops: () => 0,
});

// Implementation

method("concat", function (along, ...tails) {
  return tails.length === 0 ? this : applyOne(concat, [this, ...tails], { along });
});
method("pad", function (along, low, high, filler = 0) {
  return applyOne(pad, [this], { along, low, high, filler });
});
method("reverse", function (...along) {
  return along.length === 0 ? this : applyOne(reverse, [this], { along });
});
