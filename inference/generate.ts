/** The generation loop: logits in, tokens out, text as soon as it is certain. */
import { InputError } from "../dsl/index.ts";
import { candidateCount } from "./programs.ts";
import { canSampleFromCandidates, Sampler, type SamplingOptions } from "./sampler.ts";
import type { NextLogits, Sequence, Wanted } from "./sequence.ts";
import { StopStrings } from "./stop-strings.ts";
import type { Tokenizer } from "./tokenizer.ts";

// Public API

/** How to generate. The defaults are greedy. */
export interface GenerateOptions extends SamplingOptions {
  /** How many tokens at most. Default: 256. */
  readonly maxTokens?: number;
  /** Strings that end the text; they are not part of it. */
  readonly stop?: readonly string[];
  /** Ends the iteration with its reason. */
  readonly signal?: AbortSignal;
}

/** One token of an answer. */
export interface Piece {
  /** What became certain with it; may be empty, or more than the token's own text. */
  readonly text: string;
  readonly token: number;
  /** The logarithm of its probability, before anything was filtered. */
  readonly logprob: number;
}

/** Why an answer ended: a stop token or string, the token budget, or the end of the context. */
export type FinishReason = "stop" | "length" | "context";

/** How an answer went. Times in seconds. */
export interface Summary {
  readonly finishReason: FinishReason;
  readonly promptTokens: number;
  readonly answerTokens: number;
  readonly prefillSeconds: number;
  readonly decodeSeconds: number;
  /** What reproduces the choices. */
  readonly seed: number | bigint;
}

/** What the loop needs. */
export interface GenerationInputs {
  readonly prompt: readonly number[];
  readonly stopIds: ReadonlySet<number>;
  /** Positions that the model was made for, or fewer. */
  readonly context: number;
  readonly tokenizer: Tokenizer | undefined;
  /** Opens a sequence with room for so many tokens in all. */
  openSequence(tokens: number): Promise<Sequence>;
}

export const defaultMaxTokens = 256;

/**
 * Generates an answer, token by token; the generator's return value tells how it went. Leaving the loop early, by
 * `break` or by an error, frees everything.
 *
 * @throws InputError for a prompt that is empty or longer than the context, or an option out of range
 * @throws RuntimeFailure when the model's logits are not numbers
 */
export async function* generateTokens(
  given: GenerationInputs,
  options: GenerateOptions = {},
): AsyncGenerator<Piece, Summary> {
  const { prompt, context, stopIds, tokenizer } = given;
  const budget = checkedBudget(options.maxTokens);
  const stops = new StopStrings(checkedStops(options.stop, tokenizer));
  const sampling = samplingOf(options);
  const sampler = new Sampler(sampling);
  requirePrompt(prompt, context);
  const room = Math.min(budget, context - prompt.length);
  const wanted: Wanted = canSampleFromCandidates(sampling, candidateCount) ? "candidates" : "full";
  const decoder = tokenizer?.decoder({ skipSpecial: true, continues: true });

  await using sequence = await given.openSequence(prompt.length + room);
  const started = performance.now();
  let next = await sequence.prefill(prompt, wanted, options.signal);
  const decodeStarted = performance.now();
  let finishReason: FinishReason = room < budget ? "context" : "length";
  let count = 0;
  while (count < room) {
    options.signal?.throwIfAborted();
    const { id: token, logprob } = choose(sampler, next, prompt.length + count);
    count++;
    if (stopIds.has(token)) {
      yield { text: (decoder?.flush() ?? "") + stops.flush(), token, logprob };
      finishReason = "stop";
      break;
    }
    const { text, stopped } = stops.push(decoder?.push(token) ?? "");
    const isLast = stopped || count === room;
    const rest = isLast && !stopped ? stops.push(decoder?.flush() ?? "").text + stops.flush() : "";
    // The next step is under way while the caller looks at this token.
    const ahead = isLast ? undefined : sequence.step(token, wanted, options.signal);
    ahead?.catch(() => {});
    yield { text: text + rest, token, logprob };
    if (stopped) finishReason = "stop";
    if (ahead === undefined) break;
    next = await ahead;
  }
  return {
    finishReason,
    promptTokens: prompt.length,
    answerTokens: count,
    prefillSeconds: (decodeStarted - started) / 1000,
    decodeSeconds: (performance.now() - decodeStarted) / 1000,
    seed: sampler.seed,
  };
}

/** Refuses a prompt with no tokens, or with more than the context holds. */
export function requirePrompt(prompt: readonly number[], context: number): void {
  if (prompt.length === 0) {
    throw new InputError("PROMPT_EMPTY", "the prompt has no tokens, and a model needs at least one to start from");
  }
  if (prompt.length > context) {
    throw new InputError(
      "PROMPT_TOO_LONG",
      `the prompt has ${prompt.length} tokens, and the context holds ${context}`,
      {
        found: prompt.length,
        wanted: context,
      },
    );
  }
}

// Implementation

function choose(sampler: Sampler, next: NextLogits, position: number) {
  return next.kind === "full"
    ? sampler.sample(next.logits, { position })
    : sampler.sampleFromCandidates(next, { position });
}

/** The sampler's part of the options. Greedy unless told otherwise. */
function samplingOf({ temperature = 0, topK, topP, minP, seed }: GenerateOptions): SamplingOptions {
  const given = Object.entries({ topK, topP, minP, seed }).filter(([, value]) => value !== undefined);
  return { temperature, ...Object.fromEntries(given) };
}

function checkedBudget(maxTokens = defaultMaxTokens): number {
  if (Number.isSafeInteger(maxTokens) && maxTokens >= 1) return maxTokens;
  throw new InputError("OPTION", `maxTokens is ${maxTokens}, and it is a whole number from 1`, {
    option: "maxTokens",
    found: maxTokens,
  });
}

function checkedStops(stop: readonly string[] = [], tokenizer: Tokenizer | undefined): readonly string[] {
  if (stop.includes(""))
    throw new InputError("OPTION", "stop holds an empty string, which would end every text at once", {
      option: "stop",
    });
  if (stop.length > 0 && tokenizer === undefined) {
    throw new InputError("OPTION", "stop needs a tokenizer, and the model's folder has none", { option: "stop" });
  }
  return stop;
}
