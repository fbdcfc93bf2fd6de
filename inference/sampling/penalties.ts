/**
 * What moves single logits before a choice: bias, then the penalties for what was said already.
 *
 * Each step is done in f32 and in this order, as the sources do it on f32 tensors, so that numbers agree to the bit:
 * logit bias is added (transformers `SequenceBiasLogitsProcessor`; OpenAI's `logit_bias`), the repetition penalty divides
 * or multiplies (transformers `RepetitionPenaltyLogitsProcessor`; arXiv:1909.05858, prompt included), the frequency and
 * then the presence penalty is taken away (OpenAI's; of the answer's tokens alone). vLLM has the same order: logits
 * processors in v1/sample/sampler.py, then model_executor/layers/utils.py `apply_penalties`.
 */
import type { ResolvedSampling } from "./sampling-options.ts";

// Public API

/** The tokens of one sequence, and what they do to its logits. */
export class Penalties {
  readonly #options: ResolvedSampling;
  /** How often the answer holds each token; 0 for those that only the prompt or a bias names. */
  readonly #counts = new Map<number, number>();
  /** Tokens that the repetition penalty meets; empty without one. */
  readonly #repeated = new Set<number>();

  /** @param prompt  met by the repetition penalty */
  constructor(options: ResolvedSampling, prompt: Iterable<number>) {
    this.#options = options;
    for (const id of options.logitBias.keys()) this.#counts.set(id, 0);
    if (options.repetitionPenalty === 1) return;
    for (const id of prompt) this.#touch(id, 0);
  }

  /** Adds a token to the answer. */
  add(id: number): void {
    const { presencePenalty, frequencyPenalty, repetitionPenalty } = this.#options;
    if (presencePenalty !== 0 || frequencyPenalty !== 0 || repetitionPenalty !== 1) this.#touch(id, 1);
  }

  /** The tokens whose logits move; of all others `apply` gives back what it is given. */
  get touched(): ReadonlyMap<number, unknown> {
    return this.#counts;
  }

  /** The logit of a token that is touched. Grows with `logit`, whatever the token. */
  apply(id: number, logit: number): number {
    const { presencePenalty, frequencyPenalty, repetitionPenalty, logitBias } = this.#options;
    let value = logit + Math.fround(logitBias.get(id) ?? 0);
    if (this.#repeated.has(id)) {
      const penalty = Math.fround(repetitionPenalty);
      value = Math.fround(value);
      value = value < 0 ? value * penalty : value / penalty;
    }
    const count = this.#counts.get(id) ?? 0;
    if (count > 0) {
      value = Math.fround(value) - Math.fround(Math.fround(frequencyPenalty) * count);
      value = Math.fround(value) - Math.fround(presencePenalty);
    }
    // A logit at the end of what f32 holds stays a number: infinities mean something else.
    if (Number.isFinite(logit)) value = Math.max(-largestFloat, Math.min(largestFloat, value));
    return Math.fround(value);
  }

  // Implementation

  #touch(id: number, times: number): void {
    this.#counts.set(id, (this.#counts.get(id) ?? 0) + times);
    if (this.#options.repetitionPenalty !== 1) this.#repeated.add(id);
  }
}

// Implementation

const largestFloat = 3.4028234663852886e38;
