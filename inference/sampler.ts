/**
 * Chooses the next token from logits.
 *
 * Temperature, then top-k, top-p and min-p, in the order of transformers' logits processors. No sort: a radix selection
 * over the bits of the floats finds the k-th largest logit, or the logit at which the probability mass is reached, in
 * two passes. What is kept stays in the order of the ids, so the same set gives the same token however it was found.
 *
 * Scratch is allocated once, for the largest vocabulary seen; a step allocates nothing that grows with it.
 * Arithmetic is in f64. `Math.exp` is the only function that an engine may round its own way; V8's is the same on all
 * its platforms, so a seed reproduces its tokens wherever Node runs.
 *
 * Source: transformers, generation/logits_process.py (`TemperatureLogitsWarper`, `TopKLogitsWarper`, `TopPLogitsWarper`,
 * `MinPLogitsWarper`). Not here: penalties, logit bias, grammars.
 */

import { z } from "zod";
import { InputError, RuntimeFailure } from "../dsl/errors.ts";
import { parseInput } from "./parse-input.ts";
import { freshSeed, uniform } from "./random.ts";

// Public API

/** How to choose. Without any option: from the whole distribution, as the model has it. */
export interface SamplingOptions {
  /** Divides the logits. 0 is greedy: the largest logit, the lower id of equal ones. Default 1. */
  readonly temperature?: number | undefined;
  /** Keeps the `topK` largest logits, of equal ones the lower ids. 0 keeps all. Default 0. */
  readonly topK?: number | undefined;
  /** Keeps the smallest set of the most likely tokens whose probability is at least `topP`. 1 keeps all. Default 1. */
  readonly topP?: number | undefined;
  /** Keeps tokens at least `minP` times as likely as the most likely one. 0 keeps all. Default 0. */
  readonly minP?: number | undefined;
  /** 0 to 2^64 - 1. Without one, a fresh seed is drawn; `Sampler.seed` tells it. */
  readonly seed?: number | bigint | undefined;
}

/** A chosen token. */
export interface Sampled {
  readonly id: number;
  /**
   * Natural logarithm of the token's probability in the model's own distribution: the softmax of the logits as given,
   * before temperature and before anything was left out.
   */
  readonly logprob: number;
}

/** The largest logits of a position, when the whole vocabulary was not fetched. */
export interface Candidates {
  /** Token ids, each once, in any order. */
  readonly ids: ArrayLike<number>;
  /** Their logits. */
  readonly values: ArrayLike<number>;
  /** log Σ exp over the logits of the whole vocabulary. */
  readonly logSumExp: number;
}

/** Where logits come from, for error messages. */
export interface SampledPosition {
  /** The position in the sequence; the number of samples so far when absent. */
  readonly position?: number;
}

/** Tokens that may be chosen, and how likely each is to be. */
export interface Distribution {
  /** Ascending. */
  readonly ids: Int32Array;
  /** Sum to 1. */
  readonly probabilities: Float64Array;
}

/**
 * Whether `count` candidates are enough to choose the very token that the whole vocabulary would give: greedy choice, or
 * a `topK` of at most `count`.
 *
 * @throws InputError (`SAMPLING_OPTION`) when an option is out of range
 */
export function canSampleFromCandidates(options: SamplingOptions, count: number): boolean {
  return suffices(resolve(options), count);
}

/** Chooses tokens, one per call. One sampler serves one sequence: it counts the random numbers that it has used. */
export class Sampler {
  /** What reproduces the choices. */
  readonly seed: bigint;
  readonly #options: Resolved;
  readonly #scratch = new Scratch();
  #drawn = 0;

  /** @throws InputError (`SAMPLING_OPTION`) naming the option, what was found and what was wanted */
  constructor(options: SamplingOptions = {}) {
    this.#options = resolve(options);
    this.seed = this.#options.seed ?? freshSeed();
  }

  /**
   * The next token, from the logits of the whole vocabulary. `-Infinity` forbids a token.
   *
   * @param logits  one per token id; read only
   * @throws RuntimeFailure (`LOGITS_INVALID`) when a logit is NaN or +Infinity, or all are -Infinity
   */
  sample(logits: Float32Array, at: SampledPosition = {}): Sampled {
    const position = at.position ?? this.#drawn;
    const best = largest(logits, position);
    const max = logits[best]!;
    const draw = uniform(this.seed, this.#drawn++);
    let id = best;
    if (!this.#options.greedy) {
      this.#scratch.load(logits);
      id = this.#scratch.filter(this.#options, max).pick(draw);
    }
    let sum = 0;
    for (let at = 0; at < logits.length; at++) sum += Math.exp(logits[at]! - max);
    return { id, logprob: logits[id]! - max - Math.log(sum) };
  }

  /**
   * The token that `sample` would choose from the whole vocabulary.
   *
   * @throws InputError (`CANDIDATES_INSUFFICIENT`) when `canSampleFromCandidates` is false
   * @throws RuntimeFailure (`LOGITS_INVALID`) as `sample` does
   */
  sampleFromCandidates(candidates: Candidates, at: SampledPosition = {}): Sampled {
    const { ids, values, logSumExp } = candidates;
    const { greedy, topK } = this.#options;
    const position = at.position ?? this.#drawn;
    if (ids.length !== values.length) {
      throw new InputError("CANDIDATES_INVALID", `sampling: ${ids.length} candidate ids, ${values.length} logits`, {
        ids: ids.length,
        values: values.length,
      });
    }
    if (!suffices(this.#options, ids.length)) {
      const wanted = topK === 0 ? "greedy choice or a topK" : `a topK of at most that, not ${topK}`;
      throw new InputError(
        "CANDIDATES_INSUFFICIENT",
        `sampling: from ${ids.length} candidates only with ${wanted}; otherwise fetch all logits`,
        { count: ids.length, topK },
      );
    }
    if (!Number.isFinite(logSumExp)) {
      throw new RuntimeFailure("LOGITS_INVALID", `log-sum-exp of the logits at position ${position} is ${logSumExp}`, {
        position,
        logSumExp,
      });
    }
    const scratch = this.#scratch.loadSparse(ids, values);
    const best = largest(scratch.values, position, scratch.length);
    const max = scratch.values[best]!;
    const draw = uniform(this.seed, this.#drawn++);
    if (greedy) return { id: scratch.ids[best]!, logprob: max - logSumExp };
    const id = scratch.filter(this.#options, max).pick(draw);
    return { id, logprob: scratch.valueOf(id) - logSumExp };
  }

  /** What `sample` would choose from: every token that is left, with its probability. Allocates; uses no random number. */
  distribution(logits: Float32Array, at: SampledPosition = {}): Distribution {
    const best = largest(logits, at.position ?? this.#drawn);
    if (this.#options.greedy) return { ids: Int32Array.of(best), probabilities: Float64Array.of(1) };
    this.#scratch.load(logits);
    return this.#scratch.filter(this.#options, logits[best]!).distribution();
  }
}

// Implementation

/** Options with their defaults, checked. */
interface Resolved {
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly minP: number;
  readonly seed: bigint | undefined;
  readonly greedy: boolean;
}

const SEEDS = "a whole number from 0 to 2^64 - 1";

const optionsSchema = z
  .strictObject({
    temperature: z.number("a number of at least 0").nonnegative("a number of at least 0").default(1),
    topK: z.int("a whole number of at least 0").nonnegative("a whole number of at least 0").default(0),
    topP: z
      .number("a number above 0, at most 1")
      .positive("a number above 0, at most 1")
      .max(1, "a number above 0, at most 1")
      .default(1),
    minP: z.number("a number from 0 to 1").min(0, "a number from 0 to 1").max(1, "a number from 0 to 1").default(0),
    seed: z
      .union(
        [
          z.int(SEEDS).nonnegative(SEEDS),
          z
            .bigint(SEEDS)
            .min(0n, SEEDS)
            .max(2n ** 64n - 1n, SEEDS),
        ],
        SEEDS,
      )
      .transform((seed) => BigInt(seed))
      .optional(),
  })
  .transform(
    (options): Resolved => ({
      ...options,
      seed: options.seed,
      // One token is left either way.
      greedy: options.temperature === 0 || options.topK === 1,
    }),
  );

function resolve(options: SamplingOptions): Resolved {
  return parseInput(optionsSchema, options, { code: "SAMPLING_OPTION", what: "sampling" });
}

function suffices({ greedy, topK }: Resolved, count: number): boolean {
  return count > 0 && (greedy || (topK > 0 && topK <= count));
}

/** Where the largest of the first `count` logits is; the first of equal ones. */
function largest(logits: ArrayLike<number>, position: number, count = logits.length): number {
  let best = -1;
  let max = Number.NEGATIVE_INFINITY;
  let sound = true;
  for (let at = 0; at < count; at++) {
    const value = logits[at]!;
    if (value > max) {
      max = value;
      best = at;
    } else if (Number.isNaN(value)) sound = false;
  }
  if (sound && best >= 0 && max < Number.POSITIVE_INFINITY) return best;
  throw unsound(logits, position, count);
}

function unsound(logits: ArrayLike<number>, position: number, count: number): Error {
  if (count === 0) return new InputError("LOGITS_EMPTY", `sampling: no logits at position ${position}`, { position });
  const all = Array.from({ length: count }, (_, at) => logits[at]!);
  const nan = all.filter((value) => Number.isNaN(value)).length;
  const infinite = all.filter((value) => value === Number.POSITIVE_INFINITY).length;
  const of = `of the ${count} logits at position ${position}`;
  const fields = { position, count, nan, infinite };
  if (nan > 0) {
    const first = all.findIndex((value) => Number.isNaN(value));
    return new RuntimeFailure("LOGITS_INVALID", `${nan} ${of} are NaN, the first at ${first}`, { ...fields, first });
  }
  if (infinite > 0) {
    const first = all.indexOf(Number.POSITIVE_INFINITY);
    return new RuntimeFailure("LOGITS_INVALID", `${infinite} ${of} are +Infinity, the first at ${first}`, {
      ...fields,
      first,
    });
  }
  return new RuntimeFailure("LOGITS_INVALID", `all ${of} are -Infinity: no token is allowed`, fields);
}

const HALF = 1 << 16;

/** Tokens that may still be chosen: ids ascending, their logits, and their weights exp((logit - max) / temperature). */
class Scratch {
  length = 0;
  ids = new Int32Array(0);
  values = new Float32Array(0);
  /** The bits of `values`. */
  #bits = new Uint32Array(0);
  #weights = new Float64Array(0);
  readonly #histogram = new Float64Array(HALF);

  /** All logits of a vocabulary. */
  load(logits: Float32Array): void {
    this.#reserve(logits.length);
    this.values.set(logits);
    for (let at = 0; at < logits.length; at++) this.ids[at] = at;
  }

  /** Some tokens, in any order. */
  loadSparse(ids: ArrayLike<number>, values: ArrayLike<number>): this {
    this.#reserve(ids.length);
    // Sorted by id through the weights' memory, which is not in use yet: the place in the list.
    const order = this.#weights.subarray(0, ids.length);
    for (let at = 0; at < ids.length; at++) order[at] = at;
    order.sort((a, b) => ids[a]! - ids[b]!);
    for (let at = 0; at < ids.length; at++) {
      this.ids[at] = ids[order[at]!]!;
      this.values[at] = values[order[at]!]!;
    }
    return this;
  }

  /** Leaves the tokens that the options allow. `max` is the largest logit. */
  filter({ temperature, topK, topP, minP }: Resolved, max: number): this {
    if (topK > 0 && topK < this.length) this.#keepAbove(topK, undefined);
    let total = 0;
    for (let at = 0; at < this.length; at++) {
      // Equal logits first: 0 / temperature is 0, while a tiny temperature could make a difference infinite.
      const weight = this.values[at] === max ? 1 : Math.exp((this.values[at]! - max) / temperature);
      this.#weights[at] = weight;
      total += weight;
    }
    if (topP < 1) this.#keepAbove(topP * total, this.#weights);
    if (minP > 0) this.#keepWhere((at) => this.#weights[at]! >= minP);
    return this;
  }

  /** The token at which the running sum of the weights passes `draw`, in [0, 1), of their total. */
  pick(draw: number): number {
    let total = 0;
    for (let at = 0; at < this.length; at++) total += this.#weights[at]!;
    const target = draw * total;
    let sum = 0;
    let last = 0;
    for (let at = 0; at < this.length; at++) {
      const weight = this.#weights[at]!;
      if (weight === 0) continue;
      last = at;
      sum += weight;
      if (sum > target) break;
    }
    return this.ids[last]!;
  }

  distribution(): Distribution {
    let total = 0;
    for (let at = 0; at < this.length; at++) total += this.#weights[at]!;
    return {
      ids: this.ids.slice(0, this.length),
      probabilities: this.#weights.slice(0, this.length).map((weight) => weight / total),
    };
  }

  valueOf(id: number): number {
    return this.values[this.ids.subarray(0, this.length).indexOf(id)]!;
  }

  #reserve(length: number): void {
    this.length = length;
    if (length <= this.ids.length) return;
    this.ids = new Int32Array(length);
    this.values = new Float32Array(length);
    this.#bits = new Uint32Array(this.values.buffer);
    this.#weights = new Float64Array(length);
  }

  /**
   * Keeps the largest logits until the sum of their amounts, 1 each when absent, reaches `target`; of equal logits, which have equal amounts,
   * the lower ids. Keeps all when rounding leaves the sum below the target.
   *
   * The bits of a float, with the sign folded in, sort as the floats do. One pass adds the amounts by the upper 16 bits
   * and finds the bucket where the target is reached; a second does so by the lower 16 within that bucket.
   */
  #keepAbove(target: number, amounts: Float64Array | undefined): void {
    const histogram = this.#histogram.fill(0);
    for (let at = 0; at < this.length; at++)
      histogram[this.#key(at) >>> 16]! += amounts === undefined ? 1 : amounts[at]!;
    const upper = reach(histogram, target);
    if (upper.bucket < 0) return;
    histogram.fill(0);
    for (let at = 0; at < this.length; at++) {
      const key = this.#key(at);
      if (key >>> 16 === upper.bucket) histogram[key & 0xffff]! += amounts === undefined ? 1 : amounts[at]!;
    }
    const lower = reach(histogram, target - upper.above);
    const bucket = Math.max(lower.bucket, 0);
    const threshold = upper.bucket * HALF + bucket;
    let missing = lower.bucket < 0 ? Number.POSITIVE_INFINITY : target - upper.above - lower.above;
    this.#keepWhere((at) => {
      const key = this.#key(at);
      if (key !== threshold) return key > threshold;
      if (missing <= 0) return false;
      missing -= amounts === undefined ? 1 : amounts[at]!;
      return true;
    });
  }

  #keepWhere(keeps: (at: number) => boolean): void {
    let kept = 0;
    for (let at = 0; at < this.length; at++) {
      if (!keeps(at)) continue;
      this.ids[kept] = this.ids[at]!;
      this.values[kept] = this.values[at]!;
      this.#weights[kept] = this.#weights[at]!;
      kept++;
    }
    this.length = kept;
  }

  /** An unsigned integer that orders as the float does; -0 as 0. */
  #key(at: number): number {
    const bits = this.#bits[at]!;
    if (bits < 0x8000_0000) return bits + 0x8000_0000;
    return bits === 0x8000_0000 ? bits : 0xffff_ffff - bits;
  }
}

/** The highest bucket down to which the amounts sum to `target`, and the sum above it; -1 when they don't. */
function reach(histogram: Float64Array, target: number): { readonly bucket: number; readonly above: number } {
  let above = 0;
  for (let bucket = HALF - 1; bucket >= 0; bucket--) {
    const amount = histogram[bucket]!;
    if (amount > 0 && above + amount >= target) return { bucket, above };
    above += amount;
  }
  return { bucket: -1, above };
}
