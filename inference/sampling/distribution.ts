/**
 * Cuts a distribution down to what options leave, and picks from it.
 *
 * No sort: a radix selection over the bits of the floats finds the k-th largest logit, or the logit at which the
 * probability mass is reached, in two passes. What is kept stays in the order of the ids, so the same set gives the same
 * token however it was found.
 *
 * Memory is allocated once, for the largest vocabulary seen; a step allocates nothing that grows with it.
 * Arithmetic is in f64. `Math.exp` is the only function that an engine may round its own way; V8's is the same on all
 * its platforms, so a seed reproduces its tokens wherever Node runs.
 *
 * Source: transformers, generation/logits_process.py (`TemperatureLogitsWarper`, `TopKLogitsWarper`, `TopPLogitsWarper`,
 * `MinPLogitsWarper`), in this order.
 */
import type { ResolvedSampling } from "./sampling-options.ts";

// Public API

/** Tokens that may be chosen, and how likely each is to be. */
export interface Distribution {
  /** Ascending. */
  readonly ids: Int32Array;
  /** Sum to 1. */
  readonly probabilities: Float64Array;
}

/** Tokens that may still be chosen: ids ascending, their logits, and their weights exp((logit - max) / temperature). */
export class Selection {
  length = 0;
  ids = new Int32Array(0);
  values = new Float32Array(0);
  /** The bits of `values`. */
  #bits = new Uint32Array(0);
  #weights = new Float64Array(0);
  #histogram: Float64Array | undefined;

  /** All logits of a vocabulary. */
  load(logits: Float32Array): this {
    this.#reserve(logits.length);
    const { ids, values } = this;
    values.set(logits);
    for (let at = 0; at < logits.length; at++) ids[at] = at;
    return this;
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

  /** Leaves the tokens that `keeps` says. */
  restrict(keeps: (id: number) => boolean): this {
    this.#keepWhere((at) => keeps(this.ids[at]!));
    return this;
  }

  /** Leaves the `count` largest logits, of equal ones the lower ids. */
  keepLargest(count: number): this {
    if (count < this.length) this.#keepAbove(count, undefined);
    return this;
  }

  /** Leaves the tokens that the options allow. `max` is the largest logit. */
  filter({ temperature, topK, topP, minP }: ResolvedSampling, max: number): this {
    if (topK > 0) this.keepLargest(topK);
    const { values, length } = this;
    const weights = this.#weights;
    let total = 0;
    for (let at = 0; at < length; at++) {
      // Equal logits first: 0 / temperature is 0, while a tiny temperature could make a difference infinite.
      const weight = values[at] === max ? 1 : Math.exp((values[at]! - max) / temperature);
      weights[at] = weight;
      total += weight;
    }
    if (topP < 1) this.#keepAbove(topP * total, weights);
    if (minP > 0) this.#keepWhere((at) => weights[at]! >= minP);
    return this;
  }

  /** The token at which the running sum of the weights passes `draw`, in [0, 1), of their total. */
  pick(draw: number): number {
    const { length } = this;
    const weights = this.#weights;
    let total = 0;
    for (let at = 0; at < length; at++) total += weights[at]!;
    const target = draw * total;
    let sum = 0;
    let last = 0;
    for (let at = 0; at < length; at++) {
      const weight = weights[at]!;
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

  // Implementation

  #reserve(length: number): void {
    this.length = length;
    if (length <= this.ids.length) return;
    this.ids = new Int32Array(length);
    this.values = new Float32Array(length);
    this.#bits = new Uint32Array(this.values.buffer);
    this.#weights = new Float64Array(length);
  }

  /**
   * Keeps the largest logits until the sum of their amounts, 1 each when absent, reaches `target`; of equal logits, which
   * have equal amounts, the lower ids. Keeps all when rounding leaves the sum below the target.
   *
   * The bits of a float, with the sign folded in, sort as the floats do. One pass adds the amounts by the upper 16 bits
   * and finds the bucket where the target is reached; a second does so by the lower 16 within that bucket.
   */
  #keepAbove(target: number, amounts: Float64Array | undefined): void {
    if (this.length <= fewTokens) {
      this.#keepAboveOfFew(target, amounts);
      return;
    }
    this.#histogram ??= new Float64Array(HALF);
    const histogram = this.#histogram.fill(0);
    const { length } = this;
    const bits = this.#bits;
    for (let at = 0; at < length; at++) histogram[keyOf(bits[at]!) >>> 16]! += amounts === undefined ? 1 : amounts[at]!;
    const upper = reach(histogram, target);
    if (upper.bucket < 0) return;
    histogram.fill(0);
    for (let at = 0; at < length; at++) {
      const key = keyOf(bits[at]!);
      if (key >>> 16 === upper.bucket) histogram[key & 0xffff]! += amounts === undefined ? 1 : amounts[at]!;
    }
    const lower = reach(histogram, target - upper.above);
    const bucket = Math.max(lower.bucket, 0);
    const threshold = upper.bucket * HALF + bucket;
    let missing = lower.bucket < 0 ? Number.POSITIVE_INFINITY : target - upper.above - lower.above;
    this.#keepWhere((at) => {
      const key = keyOf(bits[at]!);
      if (key !== threshold) return key > threshold;
      if (missing <= 0) return false;
      missing -= amounts === undefined ? 1 : amounts[at]!;
      return true;
    });
  }

  /** As `#keepAbove`, by a sort: clearing and walking the buckets takes longer than that. */
  #keepAboveOfFew(target: number, amounts: Float64Array | undefined): void {
    const keys = Array.from(this.#bits.subarray(0, this.length), keyOf);
    const order = Array.from(keys.keys()).sort((a, b) => keys[b]! - keys[a]!);
    let sum = 0;
    const kept = new Set<number>();
    for (const at of order) {
      if (sum >= target) break;
      sum += amounts === undefined ? 1 : amounts[at]!;
      kept.add(at);
    }
    this.#keepWhere((at) => kept.has(at));
  }

  #keepWhere(keeps: (at: number) => boolean): void {
    const { ids, values, length } = this;
    const weights = this.#weights;
    let kept = 0;
    for (let at = 0; at < length; at++) {
      if (!keeps(at)) continue;
      ids[kept] = ids[at]!;
      values[kept] = values[at]!;
      weights[kept] = weights[at]!;
      kept++;
    }
    this.length = kept;
  }
}

// Implementation

const HALF = 1 << 16;

/** Up to how many tokens are sorted: as many as candidates are, several times over. */
const fewTokens = 512;

/** An unsigned integer that orders as the float of these bits does; -0 as 0. */
function keyOf(bits: number): number {
  if (bits < 0x8000_0000) return bits + 0x8000_0000;
  return bits === 0x8000_0000 ? bits : 0xffff_ffff - bits;
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
