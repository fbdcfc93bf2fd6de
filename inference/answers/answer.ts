/** One answer under way: what its tokens become, and when it is over. */

import { InputError } from "../../dsl/index.ts";
import type { ParsedMessage, ParserEvent } from "../harmony/index.ts";
import { choiceDiffers, chooseHere, type DeviceChoice, deviceKey } from "../sampling/choose-on-device.ts";
import { type Sampled, type SampledPosition, Sampler, type TokenLogprob } from "../sampling/sampler.ts";
import { type Allowed, readAllowed } from "../sampling/token-mask.ts";
import type { NextLogits, Wanted } from "../steps/step-call.ts";
import { StopStrings } from "../text/stop-strings.ts";
import { type AnswerInputs, type AnswerSettings, type GenerateOptions, resolveOptions } from "./answer-options.ts";
import { type AnswerReader, type ReadText, TextReader } from "./answer-reader.ts";

// Public API

/** One token of an answer. */
export interface Piece {
  /** What became certain with it; may be empty, or more than the token's own text. */
  readonly text: string;
  readonly token: number;
  /** The logarithm of its probability in the model's own distribution, before anything was moved or left out. */
  readonly logprob: number;
  /** The most likely tokens in its place, the likeliest first, when `logprobs` asked for them. */
  readonly topLogprobs?: readonly TokenLogprob[];
  /** Of a chat with a model that speaks Harmony: all that came with it, thoughts too; `text` is of the final answer. */
  readonly events?: readonly ParserEvent[];
}

/** Why an answer ended: a stop token or string, the token budget, or the end of the context. */
export type FinishReason = "stop" | "length" | "context";

/** A token of a greedy answer that another one nearly was. */
export interface NearTie {
  /** Which token of the answer, from 0. */
  readonly index: number;
  /** How far the second largest logit lay behind. */
  readonly margin: number;
}

/** Logits so close may change places where sums are rounded otherwise: by another size of batch, another device. */
export const nearTieMargin = 1e-4;

export class Answer {
  readonly prompt: readonly number[];
  /** How many tokens it may have. */
  readonly room: number;
  /** What the sampler needs of each position. */
  readonly wanted: Wanted;
  /** How the device may choose its tokens; undefined where it may not. */
  readonly deviceChoice: DeviceChoice | undefined;
  readonly #settings: AnswerSettings;
  readonly #reader: AnswerReader;
  readonly #stops: StopStrings;
  readonly #sampler: Sampler;
  /** Why it ends when its room is used up. */
  readonly #limit: FinishReason;
  readonly #tokens: number[] = [];
  readonly #nearTies: NearTie[] = [];
  #finished: FinishReason | undefined;

  /** @throws InputError for a prompt that is empty or longer than the context, or an option out of range */
  constructor(given: AnswerInputs, prompt: readonly number[], options: GenerateOptions) {
    const settings = resolveOptions(options, given);
    this.#settings = settings;
    this.#stops = new StopStrings(settings.stops);
    this.#sampler = new Sampler(settings.sampling, { prompt });
    this.wanted = settings.wanted;
    requirePrompt(prompt, given.context);
    this.prompt = prompt;
    this.room = Math.min(settings.budget, given.context - prompt.length);
    this.#reader = given.reader?.() ?? new TextReader(given.tokenizer);
    this.#limit = this.room < settings.budget ? "context" : "length";
    if (this.room === 0) this.#finished = this.#limit;
    this.deviceChoice = settings.deviceChoice && { ...settings.deviceChoice, key: deviceKey(this.#sampler.seed) };
  }

  /** How many tokens it has. */
  get count(): number {
    return this.#tokens.length;
  }

  /** Why it is over; undefined while it isn't. */
  get finished(): FinishReason | undefined {
    return this.#finished;
  }

  /** What was said so far, of a model that speaks Harmony. */
  get messages(): readonly ParsedMessage[] | undefined {
    return this.#reader.messages;
  }

  /** The tokens of a greedy answer whose two largest logits lay within 1e-4. */
  get nearTies(): readonly NearTie[] {
    return this.#nearTies;
  }

  /** What was chosen so far. */
  get tokens(): readonly number[] {
    return this.#tokens;
  }

  /** What reproduces its choices. */
  get seed(): bigint {
    return this.#sampler.seed;
  }

  /** How many tokens it asks a call for; undefined for as many as help. */
  get stepsPerCall(): number | undefined {
    return this.#settings.stepsPerCall;
  }

  /**
   * Chooses the next token.
   *
   * @param next  the logits after everything so far, and the device's choice if it made one
   * @throws RuntimeFailure when they are not numbers, a mask allows nothing, or the device's choice is not to be
   */
  async take(next: NextLogits): Promise<Piece> {
    const { id: token, ...logprobs } = await this.#choose(next);
    const { stopIds, minTokens } = this.#settings;
    const margin = this.#sampler.lead;
    if (margin !== undefined && margin <= nearTieMargin) this.#nearTies.push({ index: this.count, margin });
    this.#tokens.push(token);
    const isStop = stopIds.has(token);
    const read = this.#reader.read(token, isStop);
    const { text, stopped } = this.#search(read.text, this.count > minTokens);
    if (isStop || stopped) this.#finished = "stop";
    else if (this.count === this.room) this.#finished = this.#limit;
    const rest: ReadText = this.#finished === undefined ? { text: "" } : this.#flush(stopped);
    const events = read.events === undefined ? {} : { events: [...read.events, ...(rest.events ?? [])] };
    return { text: text + rest.text, token, ...logprobs, ...events };
  }

  // Implementation

  async #choose(next: NextLogits): Promise<Sampled> {
    const { stopIds, minTokens } = this.#settings;
    const at = {
      position: this.prompt.length + this.count,
      allowed: await this.#askMask(),
      forbidden: this.count < minTokens && stopIds.size > 0 ? stopIds : undefined,
    };
    const { deviceChoice } = this;
    if (deviceChoice !== undefined && deviceChoice.temperature > 0 && next.kind === "candidates") {
      // A prefill draws nothing, and what a step would have drawn is known here.
      const id = next.chosen ?? chooseHere(next, deviceChoice, at.position - 1);
      return this.#sampler.accept(next, id, at);
    }
    const sampled = await this.#sample(next, at);
    if (next.chosen === undefined || next.chosen === sampled.id) return sampled;
    throw choiceDiffers(next.chosen, `${sampled.id}`, at.position);
  }

  async #sample(next: NextLogits, at: SampledPosition): Promise<Sampled> {
    if (next.kind === "full") return this.#sampler.sample(next.logits, at);
    const sampled = this.#sampler.sampleFromCandidates(next, at);
    if (sampled !== undefined) return sampled;
    if (next.all !== undefined) return this.#sampler.sample(await next.all(), at);
    throw new InputError(
      "CANDIDATES_INSUFFICIENT",
      "sampling: the candidates do not tell what to choose, and are all there is",
    );
  }

  async #askMask(): Promise<Allowed | undefined> {
    const { mask } = this.#settings;
    return mask === undefined ? undefined : readAllowed(await mask({ prompt: this.prompt, tokens: this.#tokens }));
  }

  /** Text of the least number of tokens is not searched. Source: vLLM, v1/engine/detokenizer.py. */
  #search(text: string, isSearched: boolean): { readonly text: string; readonly stopped: boolean } {
    return isSearched ? this.#stops.push(text) : { text, stopped: false };
  }

  /** @param met  whether a stop string ended it: what follows is no part of the text */
  #flush(met: boolean): ReadText {
    const read = this.#reader.flush();
    if (met) return { ...read, text: "" };
    const { text, stopped } = this.#search(read.text, this.count > this.#settings.minTokens);
    return { ...read, text: stopped ? text : text + this.#stops.flush() };
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
