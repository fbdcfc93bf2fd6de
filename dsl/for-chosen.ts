/**
 * The binder for mixtures: a body for one entry, meaning the weighted sum over the chosen.
 *
 * How it runs follows from how many tokens there are: a loop over the chosen for few, tokens sorted by entry in tiles
 * where that is less work, a scan over all entries otherwise. All are exact, and none gathers entries: one entry at a
 * time is picked, and of a packed matrix the packed entry.
 */
import { type Axis, axis, elementsOf } from "./axes.ts";
import { difference, requireAxis, requireKind } from "./checks.ts";
import type { Ssa } from "./emitter.ts";
import { apply, type Scope, traceInner, untyped } from "./graph.ts";
import { defineOp } from "./op.ts";
import { loop } from "./ops/control.ts";
import { untypedFull, untypedIota } from "./ops/iota.ts";
import { cut, type Parts, partsOf, startsOf } from "./parts.ts";
import { type Body, pickEarly, traceBody } from "./replay.ts";
import { shapeError } from "./shape-error.ts";
import type { AnyTensor, Tensor } from "./tensor.ts";
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
 * weights · body(entry ids). In the text it is a composite, `tsxla.for_chosen`, so that a kernel can stand in for it.
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
  const { along } = choice;
  const [ids, weights] = [untyped(choice.ids), untyped(choice.weights)];
  requireChoice(along, ids, weights);

  const parts = partsOf(over);
  const { scope, result } = traceInner("function", () => {
    // Picking drops the axis `over` of every entry.
    const at = (index: AnyTensor) =>
      unflatten(
        entries,
        flat.map(([, each]) => pickEarly(untyped(each), over.name, (x) => x.at(over.name, index))),
      ) as Without<W, E>;
    const run: EntryBody = (index) => {
      const result = untyped(body(at(index)));
      requireTokens(result, weights, along);
      return result;
    };
    const tokens = ids.axes.filter(({ name }) => name !== along.name);
    const mixture = { over, along, tokens, ids, weights, run };
    return parts === undefined ? pickStrategy(tokens, along, over)(mixture) : scanParts(mixture, parts);
  });
  apply(compositeOp, [...scope.captured.keys()], {}, [scope]);
  // The sum of what the body returns has the same axes.
  return result as unknown as Tensor<R>;
}

export const compositeOp = defineOp({
  name: "forChosen",
  runs: "body",
  infer: (_, __, scopes) => (scopes[0] as Scope).results,
  lower: (e, inputs, _, [scope]) =>
    e.composite("tsxla.for_chosen", inputs as readonly Ssa[], {}, (inner, given) =>
      inner.inline(scope as Scope, given),
    ),
});

// Implementation

/** A choice, by names of axes. */
interface AnyChoice {
  readonly along: Axis;
  readonly ids: AnyTensor;
  readonly weights: AnyTensor;
}

/** The body for the entry of that number. */
type EntryBody = (index: AnyTensor) => AnyTensor;

interface Mixture extends AnyChoice {
  readonly over: Axis;
  /** The axes of a token. */
  readonly tokens: readonly Axis[];
  readonly run: EntryBody;
}

/** By work: a loop touches as many entries as were chosen, a scan all of them with every token. */
function pickStrategy(tokens: readonly Axis[], along: Axis, over: Axis): (mixture: Mixture) => AnyTensor {
  const chosen = elementsOf(tokens) * along.size;
  if (elementsOf(tokens) === 1) return loopOverChosen;
  if (chosen < over.size) return loopOverPairs;
  // Tiles waste at most one tile of padding for each entry, a scan runs every token through every entry.
  const tiles = Math.ceil(chosen / tileTokens) + over.size;
  return tiles * tileTokens < elementsOf(tokens) * over.size ? sortedTiles : scanAll;
}

/** How many tokens of one entry run together when tokens are sorted. */
const tileTokens = 32;

/** One token: its choices in turn. */
function loopOverChosen({ along, tokens, ids, weights, run }: Mixture): AnyTensor {
  const scalar = (x: AnyTensor, at: AnyTensor) =>
    tokens.reduce((rest, { name }) => rest.at(name, 0), x.at(along.name, at));
  return accumulate(along.size, (n) => {
    const result = run(scalar(ids, n));
    return result.mul(scalar(weights, n).cast(result.dtype));
  });
}

/** Few tokens: every (token, choice) in turn, the body for that token alone. */
function loopOverPairs(mixture: Mixture): AnyTensor {
  const { along, tokens, ids, weights, run } = mixture;
  const token = axis("token", elementsOf(tokens));
  const body = bodyByToken(run, tokens);
  if (body === undefined) return scanAll(mixture);
  const [flatIds, flatWeights] = [mergeTokens(ids, tokens, token), mergeTokens(weights, tokens, token)];
  const inputs = new Map(
    body.uses.filter((each) => hasTokens(each, tokens)).map((each) => [each, mergeTokens(each, tokens, token)]),
  );
  const one = (n: AnyTensor) => {
    const at = n.div(along.size);
    const choice = n.rem(along.size);
    const pick = (x: AnyTensor) => x.slice("token", at, 1);
    const id = pick(flatIds).at("token", 0).at(along.name, choice);
    const own = new Map([...inputs].map(([use, flat]) => [use, pick(flat)]));
    own.set(body.index, id);
    const result = body.replay(own);
    const weight = pick(flatWeights).at(along.name, choice);
    return { at, row: result.mul(weight.cast(result.dtype)) };
  };
  const total = roomFor(token, () => one(zero()).row);
  const end = loop(
    "forChosen",
    { index: zero(), total },
    ({ index }) => index.lt(token.size * along.size),
    ({ index, total }) => {
      const { at, row } = one(index);
      const sum = total.slice("token", at, 1).add(row);
      return { index: index.add(1), total: total.update("token", at, sum) };
    },
  );
  return end.total.split("token", tokens);
}

/** Many tokens: sorted by entry, in tiles of tokens of one entry. */
function sortedTiles(mixture: Mixture): AnyTensor {
  const { over, along, tokens, ids, weights, run } = mixture;
  const token = axis("token", elementsOf(tokens));
  const pair = axis("pair", token.size * along.size);
  const tile = axis("token", tileTokens);
  const body = bodyByToken(run, tokens);
  if (body === undefined) return scanAll(mixture);
  const flat = (x: AnyTensor) => mergeTokens(x, tokens, token).merge(["token", along.name], pair);
  const { values: sorted, ids: order } = flat(ids).sort("pair");
  const inputs = new Map(
    body.uses.filter((each) => hasTokens(each, tokens)).map((each) => [each, mergeTokens(each, tokens, token)]),
  );

  // Where each entry's tokens start, and at which tile: an entry's last tile may be part empty.
  const entry = untypedIota(over);
  const counts = sorted.broadcast(over).eq(entry).cast("i32").sum("pair");
  const starts = counts.cumSum(over.name).sub(counts);
  const tilesOf = counts.add(tileTokens - 1).div(tileTokens);
  const firstTile = tilesOf.cumSum(over.name).sub(tilesOf);
  const tileCount = tilesOf.sum(over.name);

  const one = (n: AnyTensor) => {
    // The entry of this tile is the last whose first tile is not behind it; entries without tokens have no tile.
    const isBefore = firstTile.le(n).and(tilesOf.gt(0));
    const id = untypedIota(over).where(isBefore, 0).maxOver(over.name);
    const at = (x: AnyTensor) => x.at(over.name, id);
    const offset = n.sub(at(firstTile)).mul(tileTokens);
    const within = untypedIota(tile).add(offset);
    const isReal = within.lt(at(counts));
    const place = within.add(at(starts)).min(pair.size - 1);
    const pairs = order.take("pair", place);
    const rows = pairs.div(along.size);
    const own = new Map([...inputs].map(([use, all]) => [use, all.rename("token", "row").take("row", rows)]));
    own.set(body.index, id);
    const result = body.replay(own);
    const weight = flat(weights).take("pair", pairs);
    // Not a weight of 0: an entry may be infinite for a token that did not choose it.
    return { rows, values: result.mul(weight.cast(result.dtype)).where(isReal, 0) };
  };
  const sum = roomFor(token, () => one(zero()).values);
  const end = loop(
    "forChosen",
    { index: zero(), sum },
    ({ index }) => index.lt(tileCount),
    ({ index, sum }) => {
      const { rows, values } = one(index);
      return { index: index.add(1), sum: sum.addAt("token", rows, values) };
    },
    // Each entry that was chosen has at most one tile that is not full.
    Math.floor(pair.size / tileTokens) + Math.min(over.size, pair.size),
  );
  return end.sum.split("token", tokens);
}

/** Every entry with every token: the weight is 0 where an entry was not chosen. */
function scanAll({ over, along, ids, weights, run }: Mixture): AnyTensor {
  return accumulate(over.size, (index) => {
    const chosen = ids.eq(index);
    const share = weights.where(chosen, 0).sum(along.name);
    const result = run(index);
    // Masked as well, since an entry that nobody chose may be infinite or NaN.
    return result.mul(share.cast(result.dtype)).where(chosen.any(along.name), 0);
  });
}

/**
 * Entries that lie in parts: the first of every part at once, then the second of every part, and so on, so that each
 * device runs its own. The parts' sums are added once, in f32, after the loop.
 */
function scanParts(mixture: Mixture, parts: Parts): AnyTensor {
  const { over, along, ids, weights, run } = mixture;
  const { part, within } = parts;
  const starts = startsOf(parts);
  const first = zero();
  const body = traceBody(() => run(first));
  // What a loop inside the body uses of its surroundings cannot be exchanged.
  if (body.mentions(new Set([part.name]))) return scanAll(mixture);
  const entries = body.uses.filter(({ names }) => names.includes(over.name));
  const inParts = entries.map((each) => [each, cut(each, parts)] as const);
  const spread = (x: AnyTensor) => x.broadcast(part);
  const sums = accumulate(within.size, (index) => {
    const own = new Map<AnyTensor, AnyTensor>([...inParts, [first, index]]);
    const chosen = spread(ids).eq(starts.add(index));
    const share = spread(weights).where(chosen, 0).sum(along.name);
    const made = body.replay(own, part);
    // Devices add their sums up in f32, so each keeps its own in f32.
    const result = (made.names.includes(part.name) ? made : spread(made)).cast("f32");
    return result.mul(share).where(chosen.any(along.name), 0);
  });
  const { dtype } = body.result;
  const sum = sums.sum(part.name);
  return dtype === "f32" ? sum : sum.roundTo(dtype).cast(dtype);
}

/** The sum of `term(0)` … `term(count - 1)`. */
function accumulate(count: number, term: (index: AnyTensor) => AnyTensor): AnyTensor {
  const { dtype, axes } = traceBody(() => term(zero())).result;
  const end = loop(
    "forChosen",
    { index: zero(), total: untypedFull(0, dtype, axes) },
    ({ index }) => index.lt(count),
    ({ index, total }) => ({ index: index.add(1), total: total.add(term(index)) }),
  );
  return end.total;
}

const zero = () => untypedFull(0, "i32");

/** Zeros for the results of all tokens, of which `one` makes some. */
function roomFor(token: Axis, one: () => AnyTensor): AnyTensor {
  const { dtype, axes } = traceBody(one).result;
  return untypedFull(
    0,
    dtype,
    axes.map((each) => (each.name === token.name ? token : each)),
  );
}

/** The body with the entry's number and the tokens left open; undefined where it names a token's axis. */
function bodyByToken(run: EntryBody, tokens: readonly Axis[]): (Body & { readonly index: AnyTensor }) | undefined {
  const index = zero();
  const body = traceBody(() => run(index));
  return body.mentions(new Set(tokens.map(({ name }) => name))) ? undefined : { ...body, index };
}

function hasTokens(x: AnyTensor, tokens: readonly Axis[]): boolean {
  return tokens.some(({ name }) => x.names.includes(name));
}

/** Tokens' axes as the one axis `token`; what lacks some of them is repeated. */
function mergeTokens(x: AnyTensor, tokens: readonly Axis[], token: Axis): AnyTensor {
  const lacking = tokens.filter(({ name }) => !x.names.includes(name));
  return x.broadcast(...lacking).merge(
    tokens.map(({ name }) => name),
    token,
  );
}

function requireChoice(along: Axis, ids: AnyTensor, weights: AnyTensor): void {
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
function requireTokens(result: AnyTensor, weights: AnyTensor, along: Axis): void {
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
