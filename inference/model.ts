/** A model, ready to run: what `loadModel` gives. */
import type { RuntimeFailure } from "../dsl/index.ts";
import type { ModelConfig } from "../models/index.ts";
import { type Piece, requirePrompt } from "./answers/answer.ts";
import { generate } from "./answers/generate.ts";
import type { ChatOptions, GenerateOneOptions, Prompt } from "./answers/prompt.ts";
import { encodePrompt, requireTokens } from "./answers/prompt-tokens.ts";
import type { Summary } from "./answers/summary.ts";
import type { BatchEvent, BatchSummary } from "./batching/answer-list.ts";
import type { Engine } from "./batching/engine.ts";
import type { EngineOptions } from "./batching/engine-options.ts";
import { generateAll } from "./batching/generate-all.ts";
import { openEngine } from "./batching/open-engine.ts";
import { explainLogits } from "./debugging/explain-logits.ts";
import { logitsPlans } from "./debugging/nan-bundle.ts";
import type { Harmony } from "./harmony/index.ts";
import { capacityFor } from "./programs/buckets.ts";
import { type HeldWeight, heldWeights } from "./programs/held-weights.ts";
import { type LoadedModel, rowBytes } from "./programs/loaded-model.ts";
import { openText } from "./steps/open-text.ts";
import { logitsChunk, type Sequence, type TracedChunk } from "./steps/sequence.ts";
import type { Tokenizer } from "./text/tokenizer.ts";

// Public API

export class Model implements AsyncDisposable {
  readonly config: ModelConfig;
  readonly tokenizer: Tokenizer | undefined;
  /** How many positions a text may have. */
  readonly context: number;
  /** The weights that were drawn at random, by their path in the model: the checkpoint has none. */
  readonly untrained: readonly string[];
  readonly #model: LoadedModel;

  /** Made by `loadModel`. */
  constructor(model: LoadedModel) {
    this.config = model.files.config;
    this.tokenizer = model.files.tokenizer;
    this.context = model.context;
    const feeds = model.loaded?.plan.feeds ?? [];
    this.untrained = feeds.flatMap(({ path, source }) => (source.kind === "drawn" ? [path] : []));
    this.#model = model;
  }

  /** Whether the model knows chats: it has a template, or speaks Harmony. */
  get hasChatTemplate(): boolean {
    return this.#model.files.chatTemplate !== undefined || this.harmony !== undefined;
  }

  /** Of a GPT-OSS with its own tokens: the format in which it chats. */
  get harmony(): Harmony | undefined {
    return this.#model.files.harmony;
  }

  /**
   * The token ids of a prompt. A text is encoded unchanged; messages go through Harmony or the model's chat template.
   *
   * @throws InputError when the model has no tokenizer or no template, or an id is outside the vocabulary
   */
  encode(prompt: Prompt, { reasoning }: Pick<ChatOptions, "reasoning"> = {}): readonly number[] {
    return encodePrompt(this.#model.files, prompt, reasoning);
  }

  /**
   * Generates an answer; the generator's return value is its summary. Leaving the loop early frees everything.
   *
   * @throws InputError for a prompt that is empty or longer than the context, or an option out of range
   */
  generate(prompt: Prompt, options: GenerateOneOptions = {}): AsyncGenerator<Piece, Summary> {
    return generate(this.#model, prompt, options);
  }

  /**
   * Answers several prompts at once. Yields events as they happen: the pieces of all answers mixed, each with the `index`
   * of its prompt. The generator's return value is a summary. Leaving the loop early frees everything.
   *
   * Options hold for each prompt: so many tokens each. The choices for the prompt at `index` are those that `generate`
   * makes with the seed in its summary, `seedOf(seed, index)`, whichever prompts are beside it. How many are answered at
   * once depends on the memory that is free; `onCache` of `loadModel` is called with it.
   *
   * @throws InputError for an option out of range, or when not even one row fits into memory; a prompt that the model
   * refuses is an event of kind `refused`, and the others are answered
   */
  generateAll(prompts: readonly Prompt[], options: ChatOptions = {}): AsyncGenerator<BatchEvent, BatchSummary> {
    return generateAll(this.#model, prompts, options);
  }

  /**
   * Opens an engine that answers any number of requests at once, as they come: `engine.generate` takes what `generate`
   * takes. Close it before the model. Its caches take at most `options.cacheBytes`; `onCache` of `loadModel` is called
   * with the size of each.
   *
   * @throws InputError for an option out of range
   */
  serve(options: EngineOptions = {}): Promise<Engine> {
    return openEngine(this.#model, options);
  }

  /**
   * The logits after every token, in chunks of whole rows, row-major over the vocabulary.
   *
   * Rotary frequencies that depend on how long a row is are those of all `tokens`.
   *
   * @param step  feeds one token at a time through the cache, otherwise chunks; both give the same numbers
   * @throws InputError for an id outside the vocabulary, or more tokens than the context holds
   */
  async *logits(
    tokens: readonly number[],
    { step = false, signal }: { readonly step?: boolean; readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<Float32Array> {
    await using text = await this.#openWhole(tokens, signal);
    yield* text.allLogits(tokens, { step, signal });
  }

  /**
   * The logits after every token, with every named value of the model on the way (dsl/activations.ts).
   *
   * @param step  feeds one token at a time through the cache, otherwise chunks
   * @throws InputError as `logits` does
   */
  async *trace(
    tokens: readonly number[],
    { step = false, signal }: { readonly step?: boolean; readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<TracedChunk> {
    await using text = await this.#openWhole(tokens, signal);
    yield* text.allActivations(tokens, { step, signal });
  }

  /**
   * The failure that logits of `logits` are NaN or infinite, with the first invalid value of the model, and a bundle that
   * reproduces it without tsxla (docs/debugging.md). Never rejects.
   *
   * @param options  as `logits` was called
   */
  async explain(
    failure: RuntimeFailure,
    tokens: readonly number[],
    { step = false, signal }: { readonly step?: boolean; readonly signal?: AbortSignal } = {},
  ): Promise<RuntimeFailure> {
    const capacity = wholeCapacity(tokens);
    return await explainLogits(this.#model, failure, { plans: logitsPlans(tokens, { step }), capacity, signal });
  }

  /** Bytes of the cache of a text of so many tokens. */
  cacheBytes(tokens: number): number {
    return rowBytes(this.#model, capacityFor(tokens, tokens));
  }

  /** The weights as the devices hold them, each read when it is asked for. */
  get weights(): readonly HeldWeight[] {
    const { programs, loaded } = this.#model;
    return loaded === undefined ? [] : heldWeights(programs, loaded.plan);
  }

  /** Frees the weights. The worker goes on. */
  async close(): Promise<void> {
    await this.#model.programs.release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  // Implementation

  /** Opens a text for logits after every one of these tokens. */
  async #openWhole(tokens: readonly number[], signal: AbortSignal | undefined): Promise<Sequence> {
    requirePrompt(requireTokens(this.#model.files, tokens), this.context);
    return await openText(this.#model, wholeCapacity(tokens), signal);
  }
}

// Implementation

/** The last call may write a whole chunk after the last token. */
function wholeCapacity(tokens: readonly number[]): number {
  return capacityFor(0, tokens.length + logitsChunk);
}
