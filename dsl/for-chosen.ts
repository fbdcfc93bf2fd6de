/**
 * The binder for mixtures: a body for one entry, meaning the weighted sum over the chosen.
 *
 * Not here: faster ways to run the same meaning. This is the scan over all entries, which is exact for any number of
 * tokens and copies one entry at a time.
 */
import type { Axis } from "./axes.ts";
import { shapeError } from "./op.ts";
import { whileLoop } from "./ops/control.ts";
import { full } from "./ops/iota.ts";
import type { Tensor } from "./tensor.ts";
import { flatten, type Tree, unflatten } from "./tree.ts";

// Public API

/** A record of tensors as its body sees it for one entry of axis `E`: the axis is gone. */
export type One<W, E extends string> = {
  readonly [K in keyof W]: W[K] extends Tensor<infer A> ? Tensor<Exclude<A, E>> : never;
};

/** Which entries were chosen along an axis `C`, and how much each counts. */
export interface Choice<C extends string, P extends string> {
  readonly along: Axis<C>;
  readonly ids: Tensor<P | C>;
  readonly weights: Tensor<P | C>;
}

/**
 * Runs `body` for the chosen entries of `over` and adds the results up, weighted.
 *
 * `body` is traced for one entry: its tensors have no axis `over`. The meaning is the sum over `choice` of
 * weights · body(entry ids). Entries are never gathered.
 *
 * @throws ShapeError when an entry lacks the axis or the choice's ids and weights differ
 */
export function forChosen<E extends string, C extends string, P extends string, W extends object, R extends string>(
  over: Axis<E>,
  choice: Choice<C, P>,
  entries: W,
  body: (entry: One<W, E>) => Tensor<R>,
): Tensor<R> {
  const flat = flatten(entries);
  for (const [path, each] of flat) {
    if (each.axes.some(({ name, size }) => name === over.name && size === over.size)) continue;
    throw shapeError(
      "AXIS_MISSING",
      `forChosen over '${over.name}': '${path}' has no axis '${over.name}' of ${over.size}`,
      [[path, each]],
      undefined,
      { axis: over.name },
    );
  }
  const ids = choice.ids as unknown as Tensor<string>;
  const weights = choice.weights as unknown as Tensor<string>;
  const entryAt = (index: Tensor<never>) =>
    unflatten(
      entries,
      flat.map(([, each]) => each.at(over.name, index as never)),
    ) as One<W, E>;
  /** What this entry counts for each token: the weight where it was chosen, 0 elsewhere. */
  const share = (index: Tensor<never>) =>
    weights.where(ids.eq(index as never), 0).sum(choice.along.name) as unknown as Tensor<string>;
  const contribution = (index: Tensor<never>) => {
    const result = body(entryAt(index)) as unknown as Tensor<string>;
    return result.mul(share(index).cast(result.dtype) as never);
  };
  const first = full(0, "i32") as Tensor<never>;
  const start = { index: first.add(1), total: contribution(first) };
  const end = whileLoop(
    start as unknown as Tree,
    (state) => (state as unknown as typeof start).index.lt(over.size),
    (state) => {
      const { index, total } = state as unknown as typeof start;
      return { index: index.add(1), total: total.add(contribution(index) as never) } as unknown as Tree;
    },
  ) as unknown as typeof start;
  return end.total as unknown as Tensor<R>;
}
