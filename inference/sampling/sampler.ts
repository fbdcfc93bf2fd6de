/**
 * Chooses the next token from logits.
 *
 * In this order: the mask; bias and penalties (./penalties.ts); temperature, top-k, top-p and min-p (./selection.ts).
 * Log-probabilities are of the model's own distribution, before all of these, as OpenAI's API and vLLM's default
 * (`logprobs_mode` `raw_logprobs`) have them. What each option means: docs/sampling.md.
 */

import { InputError, RuntimeFailure } from "../../dsl/errors.ts";
import { boundOthers, type Candidates, candidatesMayDo, othersAreOut } from "./candidates.ts";
import { choiceDiffers, isAmongFirst } from "./choose-on-device.ts";
import { type Distribution, Selection } from "./distribution.ts";
import { largestLogit, leadOf } from "./largest-logit.ts";
import { Penalties } from "./penalties.ts";
import { freshSeed, uniform } from "./random.ts";
import { type ResolvedSampling, resolveSampling, type SamplingOptions } from "./sampling-options.ts";
import { type Allowed, nothingAllowed } from "./token-mask.ts";

// Public API

/** A token and the natural logarithm of its probability in the model's own distribution: the softmax of the logits. */
export interface TokenLogprob {
  readonly token: number;
  readonly logprob: number;
}

/** A chosen token. */
export interface Sampled {
  readonly id: number;
  /** As of `TokenLogprob`: before temperature, penalties and bias, and before anything was left out. */
  readonly logprob: number;
  /** The `logprobs` most likely tokens, descending, of equally likely ones the lower ids first; whether chosen or not. */
  readonly topLogprobs?: readonly TokenLogprob[];
}

/** What a sampler goes on from. */
export interface SampledText {
  readonly prompt?: readonly number[];
  readonly answer?: readonly number[];
}

/** What is said of one position. */
export interface SampledPosition {
  /** The position in the sequence, for error messages; the number of samples so far when absent. */
  readonly position?: number;
  /** The tokens that may be chosen. Default: all. */
  readonly allowed?: Allowed | undefined;
  /** Tokens that may not be chosen, whatever `allowed` says. */
  readonly forbidden?: ReadonlySet<number> | undefined;
}

/**
 * Whether `count` candidates can be enough to choose the very token that the whole vocabulary would give: greedy choice,
 * a `topK` of at most `count`, or `minP` without `topP`; and `logprobs` of at most `count`.
 *
 * @throws InputError (`SAMPLING_OPTION`) when an option is out of range
 */
export function canSampleFromCandidates(options: SamplingOptions, count: number): boolean {
  return candidatesMayDo(resolveSampling(options), count);
}

/**
 * Chooses tokens, one per call. One sampler serves one sequence: it counts the random numbers that it has used, and the
 * tokens that it has chosen are the answer that penalties look at.
 */
export class Sampler {
  /** What reproduces the choices. */
  readonly seed: bigint;
  readonly #options: ResolvedSampling;
  readonly #penalties: Penalties;
  readonly #selection = new Selection();
  #drawn: number;
  #lead: number | undefined;

  /**
   * @param given.prompt  what the answer goes on from; the repetition penalty looks at it
   * @param given.answer  the first tokens of the answer, of a sampler that takes it up in the middle
   * @throws InputError (`SAMPLING_OPTION`) naming the option, what was found and what was wanted
   */
  constructor(options: SamplingOptions = {}, { prompt = [], answer = [] }: SampledText = {}) {
    this.#options = resolveSampling(options);
    this.#penalties = new Penalties(this.#options, prompt);
    for (const id of answer) this.#penalties.add(id);
    this.#drawn = answer.length;
    this.seed = this.#options.seed ?? freshSeed();
  }

  /** How far the next best logit lay behind the last choice, as it was moved; undefined unless the choice is greedy. */
  get lead(): number | undefined {
    return this.#lead;
  }

  /**
   * The next token, from the logits of the whole vocabulary. `-Infinity` forbids a token.
   *
   * @param logits  one per token id; read only
   * @throws RuntimeFailure (`LOGITS_INVALID`) when a logit is NaN or +Infinity, or all are -Infinity
   * @throws RuntimeFailure (`MASK_EMPTY`) when no token is allowed
   * @throws InputError (`SAMPLING_OPTION`) when `logitBias` names a token that there is not
   */
  sample(logits: Float32Array, at: SampledPosition = {}): Sampled {
    const best = largestLogit(logits, at.position ?? this.#drawn);
    const max = logits[best]!;
    let sum = 0;
    for (let id = 0; id < logits.length; id++) sum += Math.exp(logits[id]! - max);
    const logSum = Math.log(sum);
    const logprobOf = (logit: number) => logit - max - logSum;
    const { logprobs, greedy } = this.#options;
    const top = logprobs === undefined ? undefined : likeliest(this.#selection.load(logits), logprobs, logprobOf);
    const plain =
      greedy && at.allowed === undefined && at.forbidden === undefined && this.#penalties.touched.size === 0;
    const id = plain ? best : this.#choose(this.#load(logits, at), at);
    if (plain) this.#lead = leadOf(logits, best);
    return this.#take(id, logprobOf(logits[id]!), top);
  }

  /**
   * The token that `sample` would choose from the whole vocabulary, or `undefined` when the candidates do not show which
   * one that is, because of bias, penalties or a mask; `sample` is to be called then. No random number is used for that.
   *
   * @throws InputError (`CANDIDATES_INSUFFICIENT`) when `canSampleFromCandidates` is false
   * @throws InputError, RuntimeFailure as `sample` does
   */
  sampleFromCandidates(candidates: Candidates, at: SampledPosition = {}): Sampled | undefined {
    const { ids, values, logSumExp } = candidates;
    this.#checkCandidates(candidates, at.position ?? this.#drawn);
    const selection = this.#selection.loadSparse(ids, values);
    largestLogit(selection.values, at.position ?? this.#drawn, selection.length);
    const logits = new Map(Array.from(selection.ids.subarray(0, ids.length), (id, n) => [id, selection.values[n]!]));
    const { touched } = this.#penalties;
    for (let n = 0; n < selection.length; n++) {
      const id = selection.ids[n]!;
      if (touched.has(id)) selection.values[n] = this.#penalties.apply(id, selection.values[n]!);
    }
    restrict(selection, at);
    const others = boundOthers(candidates, this.#penalties, at.allowed);
    if (!othersAreOut(others, selection, this.#options, this.#penalties)) return undefined;
    const id = this.#choose(selection, at);
    const logprobOf = (logit: number) => logit - logSumExp;
    const { logprobs } = this.#options;
    const top = logprobs === undefined ? undefined : likeliest(selection.loadSparse(ids, values), logprobs, logprobOf);
    return this.#take(id, logprobOf(logits.get(id)!), top);
  }

  /**
   * Takes a token that was drawn from the candidates elsewhere, by temperature among the `topK` first.
   *
   * @throws RuntimeFailure (`CHOICE_DIFFERS`) when it is none of those
   * @throws InputError, RuntimeFailure as `sampleFromCandidates` does
   */
  accept(candidates: Candidates, id: number, at: SampledPosition = {}): Sampled {
    const { ids, values, logSumExp } = candidates;
    const position = at.position ?? this.#drawn;
    this.#checkCandidates(candidates, position);
    largestLogit(values, position);
    const { topK, logprobs } = this.#options;
    if (!isAmongFirst(candidates, topK, id)) throw choiceDiffers(id, `one of the ${topK} first`, position);
    const logprobOf = (logit: number) => logit - logSumExp;
    const logit = values[Array.prototype.indexOf.call(ids, id)] as number;
    const selection = this.#selection.loadSparse(ids, values);
    return this.#take(
      id,
      logprobOf(logit),
      logprobs === undefined ? undefined : likeliest(selection, logprobs, logprobOf),
    );
  }

  /** What `sample` would choose from: every token that is left, with its probability. Allocates; uses no random number. */
  distribution(logits: Float32Array, at: SampledPosition = {}): Distribution {
    const position = at.position ?? this.#drawn;
    largestLogit(logits, position);
    const selection = this.#load(logits, at);
    const best = this.#best(selection, at);
    if (this.#options.greedy) {
      return { ids: Int32Array.of(selection.ids[best]!), probabilities: Float64Array.of(1) };
    }
    return selection.filter(this.#options, selection.values[best]!).distribution();
  }

  // Implementation

  /** All tokens that may be chosen, bias and penalties included. */
  #load(logits: Float32Array, at: SampledPosition): Selection {
    for (const id of this.#options.logitBias.keys()) requireToken(id, logits.length);
    const selection = this.#selection.load(logits);
    for (const id of this.#penalties.touched.keys()) {
      if (id < logits.length) selection.values[id] = this.#penalties.apply(id, logits[id]!);
    }
    return restrict(selection, at);
  }

  #choose(selection: Selection, at: SampledPosition): number {
    const best = this.#best(selection, at);
    if (this.#options.greedy) {
      this.#lead = leadOf(selection.values, best, selection.length);
      return selection.ids[best]!;
    }
    return selection.filter(this.#options, selection.values[best]!).pick(uniform(this.seed, this.#drawn));
  }

  /** The place of the largest logit that may be chosen. */
  #best(selection: Selection, at: SampledPosition): number {
    const position = at.position ?? this.#drawn;
    if (selection.length === 0) throw nothingAllowed(position, at);
    return largestLogit(selection.values, position, selection.length);
  }

  /** One random number is counted for each token, used or not. */
  #take(id: number, logprob: number, topLogprobs: readonly TokenLogprob[] | undefined): Sampled {
    this.#drawn++;
    this.#penalties.add(id);
    return { id, logprob, ...(topLogprobs === undefined ? {} : { topLogprobs }) };
  }

  #checkCandidates({ ids, values, logSumExp }: Candidates, position: number): void {
    if (ids.length !== values.length) {
      throw new InputError("CANDIDATES_INVALID", `sampling: ${ids.length} candidate ids, ${values.length} logits`, {
        ids: ids.length,
        values: values.length,
      });
    }
    if (!candidatesMayDo(this.#options, ids.length)) {
      const { topK, logprobs = 0 } = this.#options;
      const few = topK === 0 ? "greedy choice, a topK or a minP" : `a topK of at most that, not ${topK}`;
      const wanted = logprobs > ids.length ? `logprobs of at most that, not ${logprobs}` : few;
      throw new InputError(
        "CANDIDATES_INSUFFICIENT",
        `sampling: from ${ids.length} candidates only with ${wanted}; otherwise fetch all logits`,
        { count: ids.length, topK, logprobs },
      );
    }
    if (!Number.isFinite(logSumExp)) {
      throw new RuntimeFailure("LOGITS_INVALID", `log-sum-exp of the logits at position ${position} is ${logSumExp}`, {
        position,
        logSumExp,
      });
    }
  }
}

/** Refuses a bias for a token that there is not. */
export function requireToken(id: number, vocabulary: number): void {
  if (id < vocabulary) return;
  throw new InputError(
    "SAMPLING_OPTION",
    `sampling: logitBias names token ${id}, and the vocabulary has ids 0 to ${vocabulary - 1}`,
    { key: "logitBias", found: id, vocabulary },
  );
}

// Implementation

function restrict(selection: Selection, { allowed, forbidden }: SampledPosition): Selection {
  if (allowed === undefined && forbidden === undefined) return selection;
  return selection.restrict((id) => allowed?.has(id) !== false && forbidden?.has(id) !== true);
}

function likeliest(selection: Selection, count: number, logprobOf: (logit: number) => number): readonly TokenLogprob[] {
  if (count === 0) return [];
  const { ids, values, length } = selection.keepLargest(count);
  const order = Array.from({ length }, (_, n) => n).sort((a, b) => values[b]! - values[a]! || ids[a]! - ids[b]!);
  return order.map((n) => ({ token: ids[n]!, logprob: logprobOf(values[n]!) }));
}
