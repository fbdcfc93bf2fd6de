/** What may be said about how to choose tokens, and what it means when nothing is said. */
import { z } from "zod";
import { parseInput } from "../../models/parse-input.ts";

// Public API

/** How to choose. Without any option: from the whole distribution, as the model has it. See docs/sampling.md. */
export interface SamplingOptions {
  /** Divides the logits. 0 is greedy: the largest logit, the lower id of equal ones. Default 1. */
  readonly temperature?: number | undefined;
  /** Keeps the `topK` largest logits, of equal ones the lower ids. 0 keeps all. Default 0. */
  readonly topK?: number | undefined;
  /** Keeps the smallest set of the most likely tokens whose probability is at least `topP`. 1 keeps all. Default 1. */
  readonly topP?: number | undefined;
  /** Keeps tokens at least `minP` times as likely as the most likely one. 0 keeps all. Default 0. */
  readonly minP?: number | undefined;
  /** Taken once from the logit of every token that the answer holds. -2 to 2; negative ones favour them. Default 0. */
  readonly presencePenalty?: number | undefined;
  /** Taken from a token's logit as often as the answer holds it. -2 to 2. Default 0. */
  readonly frequencyPenalty?: number | undefined;
  /** Divides the logit of every token of the prompt and the answer, or multiplies it where negative. Default 1. */
  readonly repetitionPenalty?: number | undefined;
  /** Added to the logits of these token ids, -100 to 100. */
  readonly logitBias?: Readonly<Record<number, number>> | undefined;
  /** How many of the most likely tokens to tell with each chosen one, with their log-probabilities. Default: none. */
  readonly logprobs?: number | undefined;
  /** 0 to 2^64 - 1. Without one, a fresh seed is drawn; `Sampler.seed` tells it. */
  readonly seed?: number | bigint | undefined;
}

/** Options with their defaults, checked. */
export interface ResolvedSampling {
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly minP: number;
  readonly presencePenalty: number;
  readonly frequencyPenalty: number;
  readonly repetitionPenalty: number;
  readonly logitBias: ReadonlyMap<number, number>;
  readonly logprobs: number | undefined;
  readonly seed: bigint | undefined;
  /** The largest logit is taken, by whatever option. */
  readonly greedy: boolean;
}

/** Checks options. @throws InputError (`SAMPLING_OPTION`) naming the option, what was found and what was wanted */
export function resolveSampling(options: SamplingOptions): ResolvedSampling {
  return parseInput(schema, options, { code: "SAMPLING_OPTION", what: "sampling" });
}

// Implementation

const between = (low: number, high: number) => {
  const wanted = `a number from ${low} to ${high}`;
  return z.number(wanted).min(low, wanted).max(high, wanted);
};

const count = z.int("a whole number of at least 0").nonnegative("a whole number of at least 0");

const SHARE = "a number above 0, at most 1";
const SEED = "a whole number from 0 to 2^64 - 1";
/** Any that is neither 0 nor infinite in f32, in which logits are penalized. */
const FACTOR = "a number from 1e-6 to 1e6";

const schema = z
  .strictObject({
    temperature: z.number("a number of at least 0").nonnegative("a number of at least 0").default(1),
    topK: count.default(0),
    topP: z.number(SHARE).positive(SHARE).max(1, SHARE).default(1),
    minP: between(0, 1).default(0),
    presencePenalty: between(-2, 2).default(0),
    frequencyPenalty: between(-2, 2).default(0),
    repetitionPenalty: z.number(FACTOR).min(1e-6, FACTOR).max(1e6, FACTOR).default(1),
    logitBias: z
      .record(z.string().regex(/^(0|[1-9]\d*)$/, "a token id"), between(-100, 100))
      .default({})
      .transform((biases) => new Map(Object.entries(biases).map(([id, bias]) => [Number(id), bias]))),
    logprobs: count.optional(),
    seed: z
      .union(
        [
          z.int(SEED).nonnegative(SEED),
          z
            .bigint(SEED)
            .min(0n, SEED)
            .max(2n ** 64n - 1n, SEED),
        ],
        SEED,
      )
      .transform((seed) => BigInt(seed))
      .optional(),
  })
  .transform(
    (options): ResolvedSampling => ({
      ...options,
      logprobs: options.logprobs,
      seed: options.seed,
      // One token is left either way.
      greedy: options.temperature === 0 || options.topK === 1,
    }),
  );
