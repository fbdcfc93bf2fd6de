/**
 * The binder for mixtures: a body for one entry, meaning the weighted sum over the chosen.
 *
 * Not here: faster ways to run the same meaning. This is the scan over all entries, which is exact for any number of
 * tokens and copies one entry at a time.
 */
import type { Axis } from "./axes.ts";
import { requireAxis } from "./op.ts";
import { whileLoop } from "./ops/control.ts";
import { full } from "./ops/iota.ts";
import type { Tensor } from "./tensor.ts";
import { flatten, unflatten, type Without } from "./tree.ts";

// Public API

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
  body: (entry: Without<W, E>) => Tensor<R>,
): Tensor<R> {
  const flat = flatten(entries);
  requireAxis("forChosen", over, flat);
  const ids = choice.ids as unknown as Tensor<string>;
  const weights = choice.weights as unknown as Tensor<string>;
  const entryAt = (index: Tensor<never>) =>
    unflatten(
      entries,
      flat.map(([, each]) => each.at(over.name, index as never)),
    ) as Without<W, E>;
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
    start,
    ({ index }) => index.lt(over.size),
    ({ index, total }) => ({ index: index.add(1), total: total.add(contribution(index) as never) }),
  );
  return end.total as unknown as Tensor<R>;
}
