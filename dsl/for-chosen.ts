/**
 * The binder for mixtures: a body for one entry, meaning the weighted sum over the chosen.
 *
 * Not here: faster ways to run the same meaning. This is the scan over all entries, which is exact for any number of
 * tokens and copies one entry at a time.
 */
import type { Axis } from "./axes.ts";
import { difference, requireAxis, requireKind } from "./checks.ts";
import { traceInner } from "./graph.ts";
import { whileLoop } from "./ops/control.ts";
import { full } from "./ops/iota.ts";
import { shapeError } from "./shape-error.ts";
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
  const [ids, weights] = [choice.ids, choice.weights] as unknown as [Tensor<string>, Tensor<string>];
  requireAxis("forChosen", over, flat);
  requireChoice(choice.along, ids, weights);
  const entryAt = (index: Tensor<never>) =>
    unflatten(
      entries,
      flat.map(([, each]) => each.at(over.name, index as never)),
    ) as Without<W, E>;
  // Traced aside to learn what the body returns: the sum needs a place before the first entry runs.
  const { result: one } = traceInner("region", () => body(entryAt(full(0, "i32"))) as unknown as Tensor<string>);
  requireTokens(one, weights, choice.along);
  const end = whileLoop(
    { index: full(0, "i32") as Tensor<never>, total: full(0, one.dtype, ...one.axes) as Tensor<string> },
    ({ index }) => index.lt(over.size),
    ({ index, total }) => {
      const chosen = ids.eq(index as never);
      const share = weights.where(chosen, 0).sum(choice.along.name) as unknown as Tensor<string>;
      const result = body(entryAt(index)) as unknown as Tensor<string>;
      // Masked as well, since an entry that nobody chose may be infinite or NaN.
      const counted = result.mul(share.cast(result.dtype)).where(chosen.any(choice.along.name), 0);
      return { index: index.add(1), total: total.add(counted) };
    },
  );
  return end.total as unknown as Tensor<R>;
}

// Implementation

function requireChoice(along: Axis, ids: Tensor<string>, weights: Tensor<string>): void {
  requireKind("forChosen", ids, ["int", "uint"], "ids");
  requireKind("forChosen", weights, ["float"], "weights", [["ids", ids]]);
  requireAxis("forChosen", along, [
    ["ids", ids],
    ["weights", weights],
  ]);
  const reason = difference("", ["ids", { ...ids, dtype: weights.dtype }], ["weights", weights]);
  if (reason === undefined) return;
  throw shapeError("SIZE_MISMATCH", `forChosen: every id has one weight, but ${reason}`, [
    ["ids", ids],
    ["weights", weights],
  ]);
}

/** Refuses a result that is the same for all tokens, though each token chose for itself. */
function requireTokens(result: Tensor<string>, weights: Tensor<string>, along: Axis): void {
  for (const { name } of weights.axes) {
    if (name === along.name || result.names.includes(name)) continue;
    throw shapeError(
      "AXIS_MISSING",
      `forChosen: the body's result lacks axis '${name}', by which the choice differs`,
      [
        ["result", result],
        ["weights", weights],
      ],
      undefined,
      { axis: name },
    );
  }
}
