/** Changes of names and of how flat axes are: no element moves in meaning, and none need move in memory. */
import { type Axis, elementsOf, type NameOf } from "../axes.ts";
import { axisOf, requireAxes, requireFresh } from "../checks.ts";
import type { Ssa } from "../emitter.ts";
import { applyOne, type Value } from "../graph.ts";
import { defineOp } from "../op.ts";
import { shapeError } from "../shape-error.ts";
import { type Fresh, method } from "../tensor.ts";

// Public API

declare module "../tensor.ts" {
  interface Tensor<in out A extends string> {
    /** The same tensor with one axis called otherwise: keys and queries of one chunk, `k.rename("pos", "key")`. */
    rename<K extends A, N extends string>(from: K, to: Fresh<N, A>): Tensor<Exclude<A, K> | N>;
    /** A flat axis as several, the first outermost. */
    split<K extends A, const P extends readonly Axis[]>(from: K, into: P): Tensor<Exclude<A, K> | NameOf<P[number]>>;
    /** Several axes as a flat one, the first outermost. */
    merge<const K extends readonly A[], N extends string>(from: K, into: Axis<N>): Tensor<Exclude<A, K[number]> | N>;
  }
  interface AnyTensor {
    rename(from: string, to: string): AnyTensor;
    split(from: string, into: readonly Axis[]): AnyTensor;
    merge(from: readonly string[], into: Axis): AnyTensor;
  }
}

export const rename = defineOp<{ from: string; to: string }>({
  name: "rename",
  touches: "view",
  infer([input], { from, to }) {
    const x = input as Value;
    const { size } = axisOf("rename", x, from);
    if (from !== to) requireFresh("rename", x, { name: to, size });
    return [{ dtype: x.dtype, axes: renamed(x.axes, from, to) }];
  },
  lower: (e, [x], { from, to }) => [e.relabel(x as Ssa, renamed((x as Ssa).dims, from, to))],
  flops: () => 0,
});

export const split = defineOp<{ from: string; into: readonly Axis[] }>({
  name: "split",
  touches: "view",
  infer([input], { from, into }) {
    const x = input as Value;
    const { size } = axisOf("split", x, from);
    requireProduct("split", x, from, size, into);
    const rest = x.axes.filter(({ name }) => name !== from);
    into.forEach((added, index) => void requireFresh("split", x, added, [...rest, ...into.slice(0, index)]));
    return [{ dtype: x.dtype, axes: x.axes.flatMap((axis) => (axis.name === from ? into : [axis])) }];
  },
  lower(e, [input], { from, into }) {
    const x = input as Ssa;
    return [
      e.reshape(
        x,
        x.dims.flatMap((axis) => (axis.name === from ? into : [axis])),
      ),
    ];
  },
  flops: () => 0,
});

export const merge = defineOp<{ from: readonly string[]; into: Axis }>({
  name: "merge",
  touches: "view",
  infer([input], { from, into }) {
    const x = input as Value;
    requireAxes("merge", x, from);
    const parts = from.map((name) => axisOf("merge", x, name));
    requireProduct("merge", x, into.name, into.size, parts);
    const rest = x.axes.filter(({ name }) => !from.includes(name));
    requireFresh("merge", x, into, rest);
    // The merged axis comes up where the last of its parts did.
    const last = Math.max(...parts.map((part) => x.axes.indexOf(part)));
    const isKept = ({ name }: Axis) => !from.includes(name);
    return [
      { dtype: x.dtype, axes: [...x.axes.slice(0, last).filter(isKept), into, ...x.axes.slice(last).filter(isKept)] },
    ];
  },
  lower(e, [input], { from, into }) {
    const x = input as Ssa;
    const parts = from.map((name) => x.dims.find((axis) => axis.name === name) as Axis);
    // The merged axis stands where the last of its parts stood; the parts move beside it in the order asked for.
    const last = Math.max(...parts.map((part) => x.dims.indexOf(part)));
    const isPart = (axis: Axis) => from.includes(axis.name);
    const before = x.dims.slice(0, last).filter((axis) => !isPart(axis));
    const after = x.dims.slice(last + 1).filter((axis) => !isPart(axis));
    return [e.reshape(e.arrange(x, [...before, ...parts, ...after]), [...before, into, ...after])];
  },
  flops: () => 0,
});

// Implementation

method("rename", function (from, to) {
  return applyOne(rename, [this], { from, to });
});
method("split", function (from, into) {
  return applyOne(split, [this], { from, into });
});
method("merge", function (from, into) {
  return applyOne(merge, [this], { from, into });
});

function renamed(axes: readonly Axis[], from: string, to: string): Axis[] {
  return axes.map((axis) => (axis.name === from ? { name: to, size: axis.size } : axis));
}

function requireProduct(op: string, x: Value, flat: string, size: number, parts: readonly Axis[]): void {
  const product = elementsOf(parts);
  if (product === size && parts.length > 0) return;
  const written = parts.map(({ name, size: own }) => `${name} ${own}`).join(" × ");
  throw shapeError(
    "SIZE_MISMATCH",
    `${op}: '${flat}' has ${size}, and ${written || "nothing"} makes ${product}`,
    [["operand", x]],
    undefined,
    { axis: flat, size, product },
  );
}
