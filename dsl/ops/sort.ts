/** Order along an axis. Ties keep their order, so the lower position wins; NaN counts as largest. */
import { type Axis, axis } from "../axes.ts";
import { axisOf, requireFresh } from "../checks.ts";
import type { Emitter, Ssa } from "../emitter.ts";
import { apply, type Value } from "../graph.ts";
import { defineOp, type Op } from "../op.ts";
import { cut, type Parts, partsOf, startsOf } from "../parts.ts";
import { shapeError } from "../shape-error.ts";
import { type AnyTensor, method } from "../tensor.ts";
import { resize } from "./slice.ts";
import { wholeAlong } from "./whole.ts";

// Public API

declare module "../tensor.ts" {
  interface Tensor<in out A extends string> {
    /** The `into.size` largest entries along `over`, largest first, and where they were, as i32. */
    topK<K extends A, N extends string>(over: K, into: Axis<N>): Record<"values" | "ids", Tensor<Exclude<A, K> | N>>;
    /** All entries in order along `over`, and where they were, as i32. Smallest first unless `descending`. */
    sort(over: A, how?: { readonly descending?: boolean }): Record<"values" | "ids", Tensor<A>>;
  }
  interface AnyTensor {
    topK(over: string, into: Axis): Record<"values" | "ids", AnyTensor>;
    sort(over: string, how?: { readonly descending?: boolean }): Record<"values" | "ids", AnyTensor>;
  }
}

export const topK = defineOp<{ over: string; into: Axis }>({
  name: "topK",
  infer([input], { over, into }) {
    const x = input as Value;
    const { size } = axisOf("topK", x, over);
    if (into.size > size) {
      throw shapeError(
        "INDEX_RANGE",
        `topK over '${over}': ${into.size} of ${size} entries`,
        [["operand", x]],
        undefined,
        { axis: over, wanted: into.size, size },
      );
    }
    const rest = x.axes.filter(({ name }) => name !== over);
    requireFresh("topK", x, into, rest);
    const axes = [...rest, into];
    return [
      { dtype: x.dtype, axes },
      { dtype: "i32", axes },
    ];
  },
  // A stable sort cut short. XLA knows this form and runs its selection instead where it has one.
  lower(e, [input], { over, into }) {
    const sorted = sortBoth(e, input as Ssa, over, true);
    return sorted.map((each) => {
      const cut = e.slice(each, over, 0, into.size);
      return e.relabel(
        cut,
        resize(cut.dims, over, into.size).map((axis) => (axis.name === over ? into : axis)),
      );
    });
  },
});

export const sort = defineOp<{ over: string; descending: boolean }>({
  name: "sort",
  infer([input], { over }) {
    const x = input as Value;
    axisOf("sort", x, over);
    return [x, { dtype: "i32", axes: x.axes }];
  },
  lower: (e, [x], { over, descending }) => sortBoth(e, x as Ssa, over, descending),
});

// Implementation

method("topK", function (over, into) {
  const along = axisOf("topK", this, over);
  const parts = partsOf(along);
  const isWorth = parts !== undefined && into.size <= parts.within.size && along.size >= worthParts;
  if (isWorth) return topKInParts(this, over, into, parts);
  return applyBoth(topK, parts === undefined ? this : wholeAlong(this, over), { over, into });
});
method("sort", function (over, { descending = false } = {}) {
  const isSpread = partsOf(axisOf("sort", this, over)) !== undefined;
  return applyBoth(sort, isSpread ? wholeAlong(this, over) : this, { over, descending });
});

function applyBoth(op: Op, x: AnyTensor, attributes: object): Record<"values" | "ids", AnyTensor> {
  const [values, ids] = apply(op, [x], attributes) as readonly [AnyTensor, AnyTensor];
  return { values, ids };
}

/** Fewer entries, such as a router's, are brought together sooner than searched apart. */
const worthParts = 1024;

/** The largest of each part, and of those the largest. Of equal entries the lower part wins, as the lower position does. */
function topKInParts(x: AnyTensor, over: string, into: Axis, parts: Parts) {
  const of = axis(`${into.name}Of${parts.part.name}`, into.size);
  const all = axis(`${parts.part.name}s`, parts.part.size * into.size);
  const { values, ids: local } = applyBoth(topK, cut(x, parts), { over, into: of });
  const ids = local.add(startsOf(parts));
  const merge = (each: AnyTensor) => wholeAlong(each.merge([parts.part.name, of.name], all), all.name);
  const best = applyBoth(topK, merge(values), { over: all.name, into });
  return { values: best.values, ids: merge(ids).take(all.name, best.ids) };
}

/** Sorted along `over`, which moves innermost: the form that back ends know. */
function sortBoth(e: Emitter, input: Ssa, over: string, descending: boolean): readonly Ssa[] {
  const axis = input.dims.find(({ name }) => name === over) as Axis;
  const x = e.arrange(input, [...input.dims.filter(({ name }) => name !== over), axis]);
  return e.sort(x, [e.iota("i32", x.dims, over)], over, descending);
}
