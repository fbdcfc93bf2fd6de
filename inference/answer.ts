/** One answer under way: what its tokens become, and when it is over. */
import { InputError } from "../dsl/index.ts";
import { candidateCount } from "./programs.ts";
import { canSampleFromCandidates, Sampler, type SamplingOptions } from "./sampler.ts";
import type { NextLogits, Wanted } from "./step-call.ts";
import { StopStrings } from "./stop-strings.ts";
import type { StreamingDecoder } from "./streaming-decoder.ts";
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

/** What a model's files say about answers. */
export interface AnswerInputs {
  readonly stopIds: ReadonlySet<number>;
  /** Positions that the model was made for, or fewer. */
  readonly context: number;
  readonly tokenizer: Tokenizer | undefined;
}

export const defaultMaxTokens = 256;

export class Answer {
  readonly prompt: readonly number[];
  /** How many tokens it may have. */
  readonly room: number;
  /** What the sampler needs of each position. */
  readonly wanted: Wanted;
  readonly #stopIds: ReadonlySet<number>;
  readonly #decoder: StreamingDecoder | undefined;
  readonly #stops: StopStrings;
  readonly #sampler: Sampler;
  /** Why it ends when its room is used up. */
  readonly #limit: FinishReason;
  #count = 0;
  #finished: FinishReason | undefined;

  /** @throws InputError for a prompt that is empty or longer than the context, or an option out of range */
  constructor(given: AnswerInputs, prompt: readonly number[], options: GenerateOptions) {
    const { budget, stops, sampler, wanted } = settled(options, given.tokenizer);
    this.#stops = new StopStrings(stops);
    this.#sampler = sampler;
    this.wanted = wanted;
    requirePrompt(prompt, given.context);
    this.prompt = prompt;
    this.room = Math.min(budget, given.context - prompt.length);
    this.#stopIds = given.stopIds;
    this.#decoder = given.tokenizer?.decoder({ skipSpecial: true, continues: true });
    this.#limit = this.room < budget ? "context" : "length";
    if (this.room === 0) this.#finished = this.#limit;
  }

  /** How many tokens it has. */
  get count(): number {
    return this.#count;
  }

  /** Why it is over; undefined while it isn't. */
  get finished(): FinishReason | undefined {
    return this.#finished;
  }

  /** What reproduces its choices. */
  get seed(): bigint {
    return this.#sampler.seed;
  }

  /**
   * Chooses the next token.
   *
   * @param next  the logits after everything so far
   * @throws RuntimeFailure when they are not numbers
   */
  take(next: NextLogits): Piece {
    const at = { position: this.prompt.length + this.#count };
    const { id: token, logprob } =
      next.kind === "full" ? this.#sampler.sample(next.logits, at) : this.#sampler.sampleFromCandidates(next, at);
    this.#count++;
    const isStop = this.#stopIds.has(token);
    const { text, stopped } = this.#stops.push(isStop ? "" : (this.#decoder?.push(token) ?? ""));
    if (isStop || stopped) this.#finished = "stop";
    else if (this.#count === this.room) this.#finished = this.#limit;
    const rest = this.#finished !== undefined && !stopped ? this.#flush() : "";
    return { text: text + rest, token, logprob };
  }

  #flush(): string {
    const { text, stopped } = this.#stops.push(this.#decoder?.flush() ?? "");
    return stopped ? text : text + this.#stops.flush();
  }
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

/**
 * What options mean for any prompt: what the sampler needs of each position, and the seed, a fresh one without any.
 *
 * @throws InputError for an option out of range
 */
export function checkOptions(
  options: GenerateOptions,
  tokenizer: Tokenizer | undefined,
): { readonly wanted: Wanted; readonly seed: bigint } {
  const { wanted, sampler } = settled(options, tokenizer);
  return { wanted, seed: sampler.seed };
}

// Implementation

/** Options, checked. Greedy unless told otherwise. */
function settled({ temperature = 0, topK, topP, minP, seed, maxTokens, stop }: GenerateOptions, tokenizer?: Tokenizer) {
  const given = Object.entries({ topK, topP, minP, seed }).filter(([, value]) => value !== undefined);
  const sampling: SamplingOptions = { temperature, ...Object.fromEntries(given) };
  const wanted: Wanted = canSampleFromCandidates(sampling, candidateCount) ? "candidates" : "full";
  const budget = checkedBudget(maxTokens);
  return { budget, stops: checkedStops(stop, tokenizer), sampler: new Sampler(sampling), wanted };
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
