/**
 * The order of one tensor's axes in terms of another's.
 *
 * Two programs keep one value in different orders, split or flattened: queries are [pos, kvHead, group, dim] here and
 * [batch, pos, embed] there. An axis that both name is the same axis. Others are told by size: an axis of the other is
 * one of ours, or several of them in a row. Where that leaves a choice, the order in which ours stand decides.
 */

// Public API

/** What is known of a tensor's axes. */
export interface AxesOf {
  readonly axes: readonly string[] | undefined;
  readonly shape: readonly number[];
}

/** For each element of the other tensor, in order, where it is in ours; or why there is no such order. */
export type Alignment = { readonly places: (n: number) => number } | { readonly reason: string };

/** Finds ours in the other's order. */
export function align(ours: AxesOf, other: AxesOf): Alignment {
  const from = named(ours);
  const to = named(other);
  // Of nothing, any order is right.
  if ([ours, other].every(({ shape }) => shape.includes(0))) return { places: (n) => n };
  for (const order of permutations(from)) {
    if (fits(order, to)) return { places: placesOf(from, order) };
  }
  return { reason: `${textOf(ours)} here and ${textOf(other)} there` };
}

// Implementation

type Axes = readonly { readonly name: string | undefined; readonly size: number }[];

/** An axis of one entry changes no order, and is left out. */
function named({ axes, shape }: AxesOf): Axes {
  return shape.map((size, n) => ({ name: axes?.[n], size })).filter(({ size }) => size !== 1);
}

/** Whether axes in this order are the other's, where one of those may be several of ours. */
function fits(order: Axes, to: Axes): boolean {
  const ours = new Set(order.flatMap(({ name }) => name ?? []));
  const theirs = new Set(to.flatMap(({ name }) => name ?? []));
  let next = 0;
  for (const { name, size } of to) {
    if (name !== undefined && ours.has(name)) {
      if (order[next]?.name !== name || order[next]?.size !== size) return false;
      next++;
      continue;
    }
    let held = 1;
    while (held < size && next < order.length) {
      const own = order[next] as Axes[number];
      if (own.name !== undefined && theirs.has(own.name)) return false;
      held *= own.size;
      next++;
    }
    if (held !== size) return false;
  }
  return next === order.length;
}

/** All orders, that in which they stand first. */
function* permutations(axes: Axes): Generator<Axes> {
  if (axes.length <= 1) yield axes;
  else {
    for (const [n, first] of axes.entries()) {
      for (const rest of permutations(axes.toSpliced(n, 1))) yield [first, ...rest];
    }
  }
}

function placesOf(from: Axes, order: Axes): (n: number) => number {
  if (order.every((axis, n) => axis === from[n])) return (n) => n;
  const strides = new Map<Axes[number], number>();
  let stride = 1;
  for (const axis of [...from].reverse()) {
    strides.set(axis, stride);
    stride *= axis.size;
  }
  const steps = order.map((axis) => ({ size: axis.size, stride: strides.get(axis) as number })).reverse();
  return (n) => {
    let [rest, place] = [n, 0];
    for (const { size, stride: step } of steps) {
      place += (rest % size) * step;
      rest = Math.floor(rest / size);
    }
    return place;
  };
}

function textOf({ axes, shape }: AxesOf): string {
  return `[${shape.map((size, n) => (axes?.[n] === undefined ? size : `${axes[n]} ${size}`)).join(", ")}]`;
}
