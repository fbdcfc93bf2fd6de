/**
 * The binder for mixtures: a body for one entry, meaning the weighted sum over the chosen.
 *
 * How it runs follows from how many tokens there are: a loop over the chosen for few, tokens sorted by entry in tiles
 * where that is less work, a scan over all entries otherwise. All are exact, and none gathers entries: one entry at a
 * time is picked, and of a packed matrix the packed entry.
 */
import { type Axis, axis } from "./axes.ts";
import { difference, requireAxis, requireKind } from "./checks.ts";
import type { Ssa } from "./emitter.ts";
import { apply, type Scope, traceInner } from "./graph.ts";
import { defineOp } from "./op.ts";
import { whileLoop } from "./ops/control.ts";
import { full, iota } from "./ops/iota.ts";
import { cut, type Parts, partsOf, startsOf } from "./parts.ts";
import { type Body, pickEarly, traceBody } from "./replay.ts";
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
  const ids = choice.ids as unknown as Tensor<string>;
  const weights = choice.weights as unknown as Tensor<string>;
  requireChoice(choice.along, ids, weights);

  const parts = partsOf(over);
  const { scope, result } = traceInner("function", () => {
    const at = (index: Tensor<never>) =>
      unflatten(
        entries,
        flat.map(([, each]) =>
          pickEarly(each, over.name, (x) => x.at(over.name, index as never) as unknown as Tensor<string>),
        ),
      ) as Without<W, E>;
    const run: EntryBody = (index) => {
      const result = body(at(index)) as unknown as Tensor<string>;
      requireTokens(result, weights, choice.along);
      return result;
    };
    const tokens = ids.axes.filter(({ name }) => name !== choice.along.name);
    const mixture = { over, along: choice.along, tokens, ids, weights, run };
    return parts === undefined ? pickStrategy(tokens, choice.along, over)(mixture) : scanParts(mixture, parts);
  });
  apply(compositeOp, [...scope.captured.keys()], {}, [scope]);
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

/** The body for the entry of that number. */
type EntryBody = (index: Tensor<never>) => Tensor<string>;

interface Mixture {
  readonly over: Axis;
  readonly along: Axis;
  /** The axes of a token. */
  readonly tokens: readonly Axis[];
  readonly ids: Tensor<string>;
  readonly weights: Tensor<string>;
  readonly run: EntryBody;
}

const countOf = (axes: readonly Axis[]): number => axes.reduce((all, { size }) => all * size, 1);

/** By work: a loop touches as many entries as were chosen, a scan all of them with every token. */
function pickStrategy(tokens: readonly Axis[], along: Axis, over: Axis): (mixture: Mixture) => Tensor<string> {
  const chosen = countOf(tokens) * along.size;
  if (countOf(tokens) === 1) return loopOverChosen;
  if (chosen < over.size) return loopOverPairs;
  // Tiles waste at most one tile of padding for each entry, a scan runs every token through every entry.
  const tiles = Math.ceil(chosen / tileTokens) + over.size;
  return tiles * tileTokens < countOf(tokens) * over.size ? sortedTiles : scanAll;
}

/** How many tokens of one entry run together when tokens are sorted. */
const tileTokens = 32;

/** One token: its choices in turn. */
function loopOverChosen({ along, tokens, ids, weights, run }: Mixture): Tensor<string> {
  const scalar = (x: Tensor<string>, at: Tensor<never>) =>
    tokens.reduce(
      (rest, { name }) => rest.at(name, 0) as unknown as Tensor<string>,
      x.at(along.name, at as never) as unknown as Tensor<string>,
    );
  return accumulate(along.size, (n) => {
    const result = run(scalar(ids, n) as unknown as Tensor<never>);
    return result.mul(scalar(weights, n).cast(result.dtype) as never);
  });
}

/** Few tokens: every (token, choice) in turn, the body for that token alone. */
function loopOverPairs(mixture: Mixture): Tensor<string> {
  const { along, tokens, ids, weights, run } = mixture;
  const token = axis("token", countOf(tokens));
  const body = bodyByToken(run, tokens);
  if (body === undefined) return scanAll(mixture);
  const [flatIds, flatWeights] = [ids, weights].map((x) => mergeTokens(x, tokens, token)) as [
    Tensor<string>,
    Tensor<string>,
  ];
  const inputs = new Map(
    body.uses.filter((each) => hasTokens(each, tokens)).map((each) => [each, mergeTokens(each, tokens, token)]),
  );
  const one = (n: Tensor<never>) => {
    const at = n.div(along.size) as unknown as Tensor<never>;
    const choice = n.rem(along.size) as unknown as Tensor<never>;
    const pick = (x: Tensor<string>) => x.slice("token", at as never, 1);
    const id = pick(flatIds)
      .at("token", 0)
      .at(along.name as never, choice as never);
    const own = new Map([...inputs].map(([use, flat]) => [use, pick(flat)]));
    own.set(body.index, id as unknown as Tensor<string>);
    const result = body.replay(own);
    const weight = pick(flatWeights).at(along.name, choice as never) as unknown as Tensor<string>;
    return { at, row: result.mul(weight.cast(result.dtype) as never) as Tensor<string> };
  };
  const shape = traceBody(() => one(full(0, "i32") as Tensor<never>).row).result;
  const room = full(
    0,
    shape.dtype,
    ...shape.axes.map((each) => (each.name === "token" ? token : each)),
  ) as Tensor<string>;
  const state = { index: full(0, "i32") as Tensor<never>, total: room };
  const end = whileLoop(
    state,
    ({ index }) => index.lt(token.size * along.size),
    ({ index, total }) => {
      const { at, row } = one(index);
      const sum = total.slice("token", at as never, 1).add(row as never);
      return { index: index.add(1), total: total.update("token", at as never, sum) };
    },
  );
  return splitTokens(end.total, tokens);
}

/** Many tokens: sorted by entry, in tiles of tokens of one entry. */
function sortedTiles(mixture: Mixture): Tensor<string> {
  const { over, along, tokens, ids, weights, run } = mixture;
  const token = axis("token", countOf(tokens));
  const pair = axis("pair", token.size * along.size);
  const tile = axis("token", tileTokens);
  const body = bodyByToken(run, tokens);
  if (body === undefined) return scanAll(mixture);
  const flat = (x: Tensor<string>) =>
    mergeTokens(x, tokens, token).merge(["token", along.name] as never, pair as never) as unknown as Tensor<"pair">;
  const sorted = flat(ids).sort("pair");
  const order = sorted.ids;
  const inputs = new Map(
    body.uses.filter((each) => hasTokens(each, tokens)).map((each) => [each, mergeTokens(each, tokens, token)]),
  );

  // Where each entry's tokens start, and at which tile: an entry's last tile may be part empty.
  const entry = iota(over) as unknown as Tensor<"entry">;
  const counts = sorted.values
    .broadcast(over as never)
    .eq(entry as never)
    .cast("i32")
    .sum("pair") as unknown as Tensor<string>;
  const starts = counts.cumSum(over.name).sub(counts as never);
  const tilesOf = counts.add(tileTokens - 1).div(tileTokens);
  const firstTile = tilesOf.cumSum(over.name).sub(tilesOf as never);
  const total = tilesOf.sum(over.name) as unknown as Tensor<never>;

  const one = (n: Tensor<never>) => {
    // The entry of this tile is the last whose first tile is not behind it; entries without tokens have no tile.
    const isBefore = firstTile.le(n as never).and(tilesOf.gt(0));
    const id = (iota(over) as unknown as Tensor<string>)
      .where(isBefore as never, 0)
      .maxOver(over.name) as unknown as Tensor<never>;
    const at = (x: Tensor<string>) => x.at(over.name, id as never) as unknown as Tensor<never>;
    const offset = n.sub(at(firstTile)).mul(tileTokens) as unknown as Tensor<never>;
    const within = (iota(tile) as Tensor<"token">).add(offset as never);
    const isReal = within.lt(at(counts) as never);
    const place = within.add(at(starts) as never).min(pair.size - 1);
    const pairs = order.take("pair", place) as unknown as Tensor<"token">;
    const rows = pairs.div(along.size);
    const own = new Map(
      [...inputs].map(([use, all]) => [
        use,
        (all as Tensor<"token">).rename("token", "row").take("row", rows) as unknown as Tensor<string>,
      ]),
    );
    own.set(body.index, id as unknown as Tensor<string>);
    const result = body.replay(own);
    const weight = flat(weights).take("pair", pairs) as unknown as Tensor<"token">;
    // Not a weight of 0: an entry may be infinite for a token that did not choose it.
    const values = result.mul(weight.cast(result.dtype) as never).where(isReal as never, 0) as Tensor<string>;
    return { rows, values };
  };
  const shape = traceBody(() => one(full(0, "i32") as Tensor<never>).values).result;
  const room = full(
    0,
    shape.dtype,
    ...shape.axes.map((each) => (each.name === "token" ? token : each)),
  ) as Tensor<string>;
  const state = { index: full(0, "i32") as Tensor<never>, sum: room };
  const end = whileLoop(
    state,
    ({ index }) => index.lt(total as never),
    ({ index, sum }) => {
      const { rows, values } = one(index);
      return { index: index.add(1), sum: sum.addAt("token", rows, values as never) };
    },
    // Each entry that was chosen has at most one tile that is not full.
    Math.floor(pair.size / tileTokens) + Math.min(over.size, pair.size),
  );
  return splitTokens(end.sum, tokens);
}

/** Every entry with every token: the weight is 0 where an entry was not chosen. */
function scanAll({ over, along, ids, weights, run }: Mixture): Tensor<string> {
  return accumulate(over.size, (index) => {
    const chosen = ids.eq(index as never);
    const share = weights.where(chosen, 0).sum(along.name) as unknown as Tensor<string>;
    const result = run(index);
    // Masked as well, since an entry that nobody chose may be infinite or NaN.
    return result.mul(share.cast(result.dtype)).where(chosen.any(along.name), 0) as Tensor<string>;
  });
}

/**
 * Entries that lie in parts: the first of every part at once, then the second of every part, and so on, so that each
 * device runs its own. The parts' sums are added once, in f32, after the loop.
 */
function scanParts(mixture: Mixture, parts: Parts): Tensor<string> {
  const { over, along, ids, weights, run } = mixture;
  const { part, within } = parts;
  const starts = startsOf(parts);
  const first = full(0, "i32") as unknown as Tensor<string>;
  const body = traceBody(() => run(first as unknown as Tensor<never>));
  // What a loop inside the body uses of its surroundings cannot be exchanged.
  if (body.mentions(new Set([part.name]))) return scanAll(mixture);
  const entries = body.uses.filter(({ names }) => names.includes(over.name));
  const inParts = entries.map((each) => [each, cut(each, parts)] as const);
  const spread = (x: Tensor<string>) => x.broadcast(part as never) as Tensor<string>;
  const sums = accumulate(within.size, (index) => {
    const own = new Map([...inParts, [first, index as unknown as Tensor<string>]]);
    const chosen = spread(ids).eq(starts.add(index as never) as never) as unknown as Tensor<string>;
    const share = spread(weights)
      .where(chosen as never, 0)
      .sum(along.name) as unknown as Tensor<string>;
    const made = body.replay(own, part);
    // Devices add their sums up in f32, so each keeps its own in f32.
    const result = (made.names.includes(part.name) ? made : spread(made)).cast("f32");
    return result.mul(share as never).where(chosen.any(along.name) as never, 0) as Tensor<string>;
  });
  const { dtype } = body.result;
  const sum = sums.sum(part.name) as unknown as Tensor<string>;
  return dtype === "f32" ? sum : (sum.roundTo(dtype).cast(dtype) as Tensor<string>);
}

/** The sum of `term(0)` … `term(count - 1)`. */
function accumulate(count: number, term: (index: Tensor<never>) => Tensor<string>): Tensor<string> {
  const shape = traceBody(() => term(full(0, "i32") as Tensor<never>)).result;
  const state = {
    index: full(0, "i32") as Tensor<never>,
    total: full(0, shape.dtype, ...shape.axes) as Tensor<string>,
  };
  const end = whileLoop(
    state,
    ({ index }) => index.lt(count),
    ({ index, total }) => ({ index: index.add(1), total: total.add(term(index) as never) }),
  );
  return end.total;
}

/** The body with the entry's number and the tokens left open; undefined where it names a token's axis. */
function bodyByToken(run: EntryBody, tokens: readonly Axis[]): (Body & { readonly index: Tensor<string> }) | undefined {
  const index = full(0, "i32") as unknown as Tensor<string>;
  const body = traceBody(() => run(index as unknown as Tensor<never>));
  return body.mentions(new Set(tokens.map(({ name }) => name))) ? undefined : { ...body, index };
}

function hasTokens(x: Tensor<string>, tokens: readonly Axis[]): boolean {
  return tokens.some(({ name }) => x.names.includes(name));
}

/** Tokens' axes as the one axis `token`; what lacks some of them is repeated. */
function mergeTokens(x: Tensor<string>, tokens: readonly Axis[], token: Axis): Tensor<string> {
  const lacking = tokens.filter(({ name }) => !x.names.includes(name));
  const whole = x.broadcast(...(lacking as never[])) as Tensor<string>;
  return whole.merge(tokens.map(({ name }) => name) as never, token as never) as unknown as Tensor<string>;
}

function splitTokens(x: Tensor<string>, tokens: readonly Axis[]): Tensor<string> {
  return x.split("token", tokens as never) as unknown as Tensor<string>;
}

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
