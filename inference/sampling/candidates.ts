/**
 * When the largest logits of a position are enough to choose what the whole vocabulary would give.
 *
 * The tokens that are not among them, the others, have at most the smallest candidate's logit, and of equal ones higher
 * ids. Bias and penalties may lift some of them, but by how much is known: what they do grows with the logit. So there is
 * a logit that none of the others exceeds, and a choice is certain when no other token can have a part in it. Nothing is
 * estimated: where this does not show it, all logits are needed.
 */

import type { Selection } from "./distribution.ts";
import type { Penalties } from "./penalties.ts";
import type { ResolvedSampling } from "./sampling-options.ts";
import type { Allowed } from "./token-mask.ts";

// Public API

/** The largest logits of a position, when the whole vocabulary was not fetched. */
export interface Candidates {
  /** Token ids, each once, in any order. */
  readonly ids: ArrayLike<number>;
  /** Their logits. Every other token's is smaller, or equal to the smallest of these with a higher id. */
  readonly values: ArrayLike<number>;
  /** log Σ exp over the logits of the whole vocabulary. */
  readonly logSumExp: number;
}

/** Whether `count` candidates can be enough for these options. Which bias, penalties and masks move is seen later. */
export function candidatesMayDo(options: ResolvedSampling, count: number): boolean {
  const { greedy, topK, topP, minP, logprobs = 0 } = options;
  return count > 0 && logprobs <= count && (greedy || (topK > 0 && topK <= count) || (minP > 0 && topP === 1));
}

/** What may lie outside of the candidates. */
export interface Others {
  /** No other token's logit exceeds this, bias and penalties included; undefined when there is none. */
  readonly bound: number | undefined;
  /** Whether a candidate that nothing moves comes before the others also where its logit is `bound`. */
  readonly losesTies: boolean;
}

/**
 * @param candidates  as the device gave them
 * @param allowed  what a mask allows; undefined for everything
 */
export function boundOthers(candidates: Candidates, penalties: Penalties, allowed: Allowed | undefined): Others {
  const known = new Set(Array.from(candidates.ids));
  const least = Array.from(candidates.values).reduce((min, value) => Math.min(min, value), Number.POSITIVE_INFINITY);
  const { touched } = penalties;
  let moved = Number.NEGATIVE_INFINITY;
  let unmoved = allowed?.listed === undefined;
  let any = unmoved;
  for (const id of allowed?.listed ?? touched.keys()) {
    if (known.has(id) || allowed?.has(id) === false) continue;
    any = true;
    if (touched.has(id)) moved = Math.max(moved, penalties.apply(id, least));
    else unmoved = true;
  }
  if (!any) return { bound: undefined, losesTies: true };
  return { bound: Math.max(moved, unmoved ? least : Number.NEGATIVE_INFINITY), losesTies: moved < least };
}

/**
 * Whether none of the others can be chosen, nor change what is.
 *
 * @param selection  the candidates that are allowed, bias and penalties included
 */
export function othersAreOut(
  { bound, losesTies }: Others,
  selection: Selection,
  options: ResolvedSampling,
  penalties: Penalties,
): boolean {
  if (bound === undefined) return true;
  const { greedy, topK, temperature, minP, topP } = options;
  const wanted = greedy ? 1 : topK;
  let ahead = 0;
  let max = Number.NEGATIVE_INFINITY;
  for (let at = 0; at < selection.length; at++) {
    const value = selection.values[at]!;
    max = Math.max(max, value);
    if (value > bound || (value === bound && losesTies && !penalties.touched.has(selection.ids[at]!))) ahead++;
  }
  if (wanted > 0 && ahead >= wanted) return true;
  // The margin is for an exponential that is rounded.
  return !greedy && topP === 1 && minP > 0 && bound < max && Math.exp((bound - max) / temperature) < minP * (1 - 1e-9);
}
