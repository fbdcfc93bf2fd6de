/**
 * Axes in parts: what a search along a whole axis does when the axis is spread over several devices.
 *
 * A lookup or a selection along a split axis needs all of it in one place, so a partitioner would bring the whole table to every
 * device. Done part by part, each device searches its own and only results travel. The meaning is the same, and so is
 * every number.
 */
import { type Axis, axis } from "./axes.ts";
import { partCount } from "./graph.ts";
import { untypedIota } from "./ops/iota.ts";
import type { AnyTensor } from "./tensor.ts";

// Public API

/** An axis as parts that lie one after the other. */
export interface Parts {
  /** Which part; its name is that of the axis with `Part` behind it. */
  readonly part: Axis;
  /** Within a part, under the axis's own name. */
  readonly within: Axis;
}

/** In how many equal parts the program being traced has an axis; undefined for one that is whole. */
export function partsOf(of: Axis): Parts | undefined {
  const { name, size } = of;
  const count = partCount(of);
  if (count === 1 || size % count !== 0) return undefined;
  return { part: axis(`${name}${suffix}`, count), within: axis(name, size / count) };
}

/** The name of the axis whose parts an axis counts; undefined for an axis that counts none. */
export function cutAxis(name: string): string | undefined {
  return name.endsWith(suffix) ? name.slice(0, -suffix.length) : undefined;
}

/** The tensor with the axis cut into its parts. */
export function cut(x: AnyTensor, { part, within }: Parts): AnyTensor {
  return x.split(within.name, [part, within]);
}

/** Where along the whole axis each part begins, i32. */
export function startsOf({ part, within }: Parts): AnyTensor {
  return untypedIota(part).mul(within.size);
}

// Implementation

const suffix = "Part";
