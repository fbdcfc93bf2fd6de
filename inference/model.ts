/** A model, ready to run: what `loadModel` gives. */
import type { Target } from "../compiler/index.ts";
import { InputError, RuntimeFailure } from "../dsl/index.ts";
import type { Architecture, ModelConfig } from "../models/index.ts";
import type { LoadProgress, Worker } from "../runtime-bridge/index.ts";
import { Answer, type Piece, requirePrompt } from "./answers/answer.ts";
import { HarmonyReader } from "./answers/answer-reader.ts";
import { chatOf, harmonyChat, renderChat } from "./answers/chat-prompt.ts";
import { generateTokens, type Summary } from "./answers/generate.ts";
import { type BatchEvent, type BatchPrompt, type BatchSummary, generateBatch } from "./answers/generate-batch.ts";
import type { ChatOptions, GenerateOneOptions, Prompt } from "./answers/prompt.ts";
import { rowCapacity } from "./batching/chunk-grid.ts";
import { Engine } from "./batching/engine.ts";
import { type EngineOptions, planLane, settleEngine } from "./batching/engine-options.ts";
import { openLane } from "./batching/lane.ts";
import { generationPlans, logitsPlans, type Plan, type Replay, withBundle } from "./debugging/nan-bundle.ts";
import type { Harmony, ReasoningEffort } from "./harmony/index.ts";
import { capacityFor, chunksOf, largestChunk } from "./programs/buckets.ts";
import { type CacheSize, fittingCache, freeBytes } from "./programs/cache-size.ts";
import { type HeldWeight, heldWeights } from "./programs/held-weights.ts";
import { requireMesh } from "./programs/mesh-check.ts";
import type { ConfigValues, UnloadedModel } from "./programs/model-files.ts";
import { type CompileEvent, ModelPrograms } from "./programs/model-programs.ts";
import { openUnloaded } from "./programs/open-unloaded.ts";
import { cacheBytes } from "./programs/step-program.ts";
import { type TargetWords, targetOf } from "./programs/target-words.ts";
import { loadWeights, planWeights } from "./programs/weights.ts";
import { Batch } from "./steps/batch.ts";
import { logitsChunk, Sequence, type TracedChunk } from "./steps/sequence.ts";
import type { Tokenizer } from "./text/tokenizer.ts";

// Public API

/** How to load a model. */
export interface LoadModelOptions extends TargetWords {
  /** Where it runs. */
  readonly worker: Worker;
  /** How many positions a text may have. Default: what the model was made for. */
  readonly context?: number;
  /** Stands in for the built-in architecture. */
  readonly architecture?: Architecture;
  /** Of weights that the architecture declares untrained and the checkpoint lacks: other seeds, other numbers. Default: 0. */
  readonly untrainedSeed?: number;
  /**
   * Draws every weight at random, with this seed, and reads no checkpoint: the model is a configuration
   * (`configuredModel`). Without it the weights are a checkpoint's.
   */
  readonly randomWeights?: number;
  readonly onLoad?: (progress: LoadProgress) => void;
  readonly onCompile?: (event: CompileEvent) => void;
  /** Told of each cache before it is allocated. */
  readonly onCache?: (size: CacheSize) => void;
  readonly signal?: AbortSignal;
}

/** How the weights were loaded, for whoever has to load them again. */
type LoadedFrom = Pick<Replay, "plan" | "seed">;

/**
 * Opens a model and loads its weights onto the worker.
 *
 * @param model  a Hugging Face folder or a .gguf file; with `randomWeights` a config.json, a folder that holds one, what
 * it holds, or the name of a published model
 * @throws InputError that names the file and what is wrong with it; nothing stays loaded then
 */
export async function loadModel(model: string | ConfigValues, options: LoadModelOptions): Promise<Model> {
  const { worker, onLoad, onCompile, signal } = options;
  const target = targetOf(options);
  const files = await openUnloaded(model, options);
  if (options.mesh !== undefined) requireMesh(files, target);
  const context = checkedContext(options.context, files.config);
  const plan = planWeights(files, target);
  const seed = options.randomWeights ?? options.untrainedSeed ?? 0;
  const weights = await loadWeights(worker, files, plan, {
    ...(onLoad === undefined ? {} : { onProgress: onLoad }),
    ...(signal === undefined ? {} : { signal }),
    seed,
  });
  const programs = new ModelPrograms(worker, files, target, weights, plan.storageOf, onCompile);
  const loaded = { plan, seed };
  const untrained = plan.feeds.flatMap(({ path, source }) => (source.kind === "drawn" ? [path] : []));
  return new Model(files, programs, target, context, { untrained, loaded, onCache: options.onCache });
}

export class Model implements AsyncDisposable {
  readonly config: ModelConfig;
  readonly tokenizer: Tokenizer | undefined;
  /** How many positions a text may have. */
  readonly context: number;
  /** The weights that were drawn at random, by their path in the model: the checkpoint has none. */
  readonly untrained: readonly string[];
  readonly #files: UnloadedModel;
  readonly #programs: ModelPrograms;
  readonly #target: Target;
  readonly #onCache: ((size: CacheSize) => void) | undefined;
  readonly #loaded: LoadedFrom | undefined;

  constructor(
    files: UnloadedModel,
    programs: ModelPrograms,
    target: Target,
    context: number,
    more: {
      readonly untrained?: readonly string[];
      /** Without it, failures leave no bundle. */
      readonly loaded?: LoadedFrom;
      readonly onCache?: LoadModelOptions["onCache"] | undefined;
    } = {},
  ) {
    this.config = files.config;
    this.tokenizer = files.tokenizer;
    this.context = context;
    this.untrained = more.untrained ?? [];
    this.#files = files;
    this.#programs = programs;
    this.#target = target;
    this.#onCache = more.onCache;
    this.#loaded = more.loaded;
  }

  /** Whether the model knows chats: it has a template, or speaks Harmony. */
  get hasChatTemplate(): boolean {
    return this.#files.chatTemplate !== undefined || this.harmony !== undefined;
  }

  /** Of a GPT-OSS with its own tokens: the format in which it chats. */
  get harmony(): Harmony | undefined {
    return this.#files.harmony;
  }

  /**
   * The token ids of a prompt. A text is taken as it is; messages go through Harmony or the model's chat template.
   *
   * @throws InputError when the model has no tokenizer or no template, or an id is not of the vocabulary
   */
  encode(prompt: Prompt, { reasoning }: Pick<ChatOptions, "reasoning"> = {}): readonly number[] {
    const chat = chatOf(prompt);
    const { harmony } = this;
    if (reasoning !== undefined && (chat === undefined || harmony === undefined)) {
      throw this.#noReasoning(chat !== undefined);
    }
    if (typeof prompt === "string") return this.#needTokenizer().encode(prompt);
    if (chat === undefined) return this.#checked((prompt as { readonly tokens: readonly number[] }).tokens);
    if (harmony !== undefined) return harmony.renderForCompletion(harmonyChat(chat, { reasoning }));
    const template = this.#files.chatTemplate;
    if (template === undefined) {
      throw new InputError("CHAT_TEMPLATE_MISSING", "the model has no chat template; give it a plain text instead");
    }
    const text = renderChat(template, chat);
    // The template spells special tokens out, the first one included.
    return this.#needTokenizer().encode(text, { parseSpecial: true, addSpecial: false });
  }

  /**
   * Generates an answer; the generator's return value tells how it went. Leaving the loop early frees everything.
   *
   * @throws InputError for a prompt that is empty or longer than the context, or an option out of range
   */
  async *generate(
    prompt: Prompt,
    { reasoning, cache, ...options }: GenerateOneOptions = {},
  ): AsyncGenerator<Piece, Summary> {
    const { tokens, ...own } = this.#prepare(prompt, reasoning);
    let room = 0;
    const answer = generateTokens(
      {
        prompt: tokens,
        ...own,
        context: this.context,
        vocabulary: this.config.vocab,
        tokenizer: this.tokenizer,
        openSequence: async (total, outputs) => {
          const capacity = capacityFor(tokens.length, total);
          room = capacity;
          const open = async () => {
            // First the cache: whether there is room for it shows at once.
            const sequence = await this.#open(capacity, options.signal);
            try {
              await this.#compile([tokens.length], { rows: 1, capacity, outputs }, options.signal);
            } catch (error) {
              await sequence.close();
              throw error;
            }
            return { sequence, capacity };
          };
          if (cache === undefined) return (await open()).sequence;
          return await cache.lend({ owner: this, prompt: tokens, room: total }, open);
        },
      },
      options,
    );
    const taken: number[] = [];
    return yield* this.#explained(
      answer,
      options.signal,
      ({ token }) => void taken.push(token),
      () => ({ plans: generationPlans(tokens, taken), capacity: room }),
    );
  }

  /**
   * Answers several prompts at once, and tells what happens as it does: pieces of all of them mixed, each with the
   * `index` of its prompt. The generator's return value tells how it went. Leaving the loop early frees everything.
   *
   * Options hold for each prompt: so many tokens each. The choices for the prompt at `index` are those that `generate`
   * makes with the seed in its summary, `seedOf(seed, index)`, whoever its neighbours are. How many are answered at once
   * depends on the memory that is free; `onCache` of `loadModel` tells.
   *
   * @throws InputError for an option out of range, or when not even one row fits into memory; a prompt that cannot be
   * taken is an event of kind `refused`, and the others are answered
   */
  async *generateAll(
    prompts: readonly Prompt[],
    { reasoning, ...options }: ChatOptions = {},
  ): AsyncGenerator<BatchEvent, BatchSummary> {
    const { signal } = options;
    // An option's fault, and no prompt's.
    if (reasoning !== undefined && this.harmony === undefined) throw this.#noReasoning(true);
    const prepared = prompts.map((prompt) => this.#prepareOrRefuse(prompt, reasoning));
    let room = 0;
    const answers = generateBatch(
      {
        prompts: prepared,
        stopIds: this.#files.stopIds,
        context: this.context,
        vocabulary: this.config.vocab,
        tokenizer: this.tokenizer,
        openBatch: async (answers, outputs) => {
          const capacity = capacityForAll(answers);
          room = capacity;
          const size = await this.#sizeCache(answers.length, capacity);
          const sizes = { rows: size.rows, capacity };
          const batch = await Batch.open(this.#programs, sizes, signal === undefined ? {} : { signal });
          try {
            const lengths = answers.map(({ prompt }) => prompt.length);
            await this.#compile(lengths, { ...sizes, outputs }, signal);
          } catch (error) {
            await batch.close();
            throw error;
          }
          return { batch, size };
        },
      },
      options,
    );
    const taken = prompts.map((): number[] => []);
    return yield* this.#explained(
      answers,
      signal,
      (event) => void (event.kind === "piece" && taken[event.index]?.push(event.piece.token)),
      // The text that failed is run again without its neighbours.
      ({ fields: { prompt: index } }) => {
        const { tokens } = prepared[index as number] as Exclude<(typeof prepared)[number], InputError>;
        return { plans: generationPlans(tokens, taken[index as number] as number[]), capacity: room };
      },
    );
  }

  /**
   * Opens an engine that answers any number of requests at once, as they come: `engine.generate` has the words and the
   * meaning of `generate`. Close it before the model. Its caches take what `options.cacheBytes` says at most; `onCache`
   * of `loadModel` is told of each.
   *
   * @throws InputError for an option out of range
   */
  async serve(options: EngineOptions = {}): Promise<Engine> {
    const settings = settleEngine(options, {
      platform: this.#target.platform,
      free: await freeBytes(this.#programs.worker),
    });
    const programs = this.#programs;
    // What was said would have to be computed with frequencies that it was not said with.
    const isFixed = ({ prompt, room }: Answer) =>
      programs.frequencies(prompt.length).join() !== programs.frequencies(prompt.length + room).join();
    return new Engine({
      settings,
      prepare: (prompt, { reasoning, ...options }) => {
        const { tokens, ...own } = this.#prepare(prompt, reasoning);
        const { context, tokenizer } = this;
        return new Answer({ ...own, context, tokenizer, vocabulary: this.config.vocab }, tokens, options);
      },
      capacityOf: (answer) => rowCapacity(answer, isFixed(answer)),
      largestCapacityOf: ({ prompt, room }) => capacityFor(prompt.length, prompt.length + room),
      familyOf: ({ prompt }) => programs.frequencies(prompt.length).join(),
      spareOf: (capacity) => (programs.hasRings(capacity) ? largestChunk : capacity),
      planLane: (capacity) => planLane(capacity, this.#rowBytes(capacity), settings),
      openLane: async (capacity, { rows, places, bytes }) => {
        this.#onCache?.({ rows, positions: capacity, bytes });
        return await openLane(programs, { rows, capacity, grid: settings.grid, places });
      },
      explain: async (failure, { prompt, tokens }, capacity) => {
        const replay = this.#replay(capacity, undefined);
        return replay === undefined ? failure : await withBundle(failure, replay, generationPlans(prompt, tokens));
      },
    });
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
    requirePrompt(this.#checked(tokens), this.context);
    // The last call may write a whole chunk after the last token.
    await using sequence = await this.#open(capacityFor(0, tokens.length + logitsChunk), signal);
    yield* sequence.allLogits(tokens, { step, signal });
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
    requirePrompt(this.#checked(tokens), this.context);
    await using sequence = await this.#open(capacityFor(0, tokens.length + logitsChunk), signal);
    yield* sequence.allActivations(tokens, { step, signal });
  }

  /**
   * The failure that logits of `logits` are no numbers, with the value that was the first to be none, and a bundle from
   * which it can be reproduced without tsxla (docs/debugging.md). Never rejects.
   *
   * @param options  as `logits` was called
   */
  async explain(
    failure: RuntimeFailure,
    tokens: readonly number[],
    { step = false, signal }: { readonly step?: boolean; readonly signal?: AbortSignal } = {},
  ): Promise<RuntimeFailure> {
    const replay = this.#replay(capacityFor(0, tokens.length + logitsChunk), signal);
    return replay === undefined ? failure : await withBundle(failure, replay, logitsPlans(tokens, { step }));
  }

  /** Bytes of the cache of a text of so many tokens. */
  cacheBytes(tokens: number): number {
    return this.#rowBytes(capacityFor(tokens, tokens));
  }

  /** The weights as the devices hold them, each read when it is asked for. */
  get weights(): readonly HeldWeight[] {
    return this.#loaded === undefined ? [] : heldWeights(this.#programs, this.#loaded.plan);
  }

  /** Frees the weights. The worker goes on. */
  async close(): Promise<void> {
    await this.#programs.release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  // Implementation

  #replay(capacity: number, signal: AbortSignal | undefined): Replay | undefined {
    return this.#loaded && { ...this.#loaded, programs: this.#programs, files: this.#files, capacity, signal };
  }

  /**
   * Walks a generation. When its logits are no numbers, runs the text that failed again to tell more.
   *
   * @param plansOf  what was called for that text
   */
  async *#explained<T, R>(
    run: AsyncGenerator<T, R>,
    signal: AbortSignal | undefined,
    onEvent: (event: T) => void,
    plansOf: (failure: RuntimeFailure) => { readonly plans: readonly Plan[]; readonly capacity: number },
  ): AsyncGenerator<T, R> {
    try {
      for (;;) {
        const next = await run.next();
        if (next.done === true) return next.value;
        onEvent(next.value);
        yield next.value;
      }
    } catch (error) {
      if (!(error instanceof RuntimeFailure) || error.code !== "LOGITS_INVALID") throw error;
      const { plans, capacity } = plansOf(error);
      const replay = this.#replay(capacity, signal);
      throw replay === undefined ? error : await withBundle(error, replay, plans);
    } finally {
      // Whoever leaves the loop early leaves this one, too.
      await run.return(undefined as R);
    }
  }

  /** Compiles everything that answers need before their first token, so that none has to wait in the middle. */
  async #compile(
    promptTokens: readonly number[],
    { rows, ...decode }: { readonly rows: number; readonly capacity: number; readonly outputs: "last" | "chosen" },
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const chunks = new Set(promptTokens.flatMap((count) => chunksOf(count).map(({ bucket }) => bucket)));
    for (const pos of chunks) {
      signal?.throwIfAborted();
      await this.#programs.step({ pos, capacity: decode.capacity, outputs: "last" });
    }
    signal?.throwIfAborted();
    await this.#programs.step({ batch: rows, pos: 1, ...decode });
  }

  /** Decides how many texts are under way at once, and says so. */
  async #sizeCache(texts: number, positions: number): Promise<CacheSize> {
    const free = await freeBytes(this.#programs.worker);
    const size = fittingCache(texts, { positions, rowBytes: this.#rowBytes(positions), free });
    this.#onCache?.(size);
    return size;
  }

  #rowBytes(capacity: number): number {
    return cacheBytes(this.#files.architecture, this.config, { batch: 1, capacity }, this.#target);
  }

  /** The tokens of a prompt, what ends its answer, and what reads it. */
  #prepare(prompt: Prompt, reasoning: ReasoningEffort | undefined) {
    const tokens = this.encode(prompt, { reasoning });
    const { stopIds, harmony } = this.#files;
    if (harmony === undefined || chatOf(prompt) === undefined) return { tokens, stopIds };
    // `<|end|>` ends a message, and the next one may follow.
    const others = [...stopIds].filter((id) => id !== harmony.tokens.end);
    return {
      tokens,
      stopIds: new Set([...others, ...harmony.stopTokens]),
      reader: () => new HarmonyReader(harmony),
    };
  }

  #noReasoning(isChat: boolean): InputError {
    const why = isChat ? "the model does not speak Harmony" : "the prompt is no chat";
    return new InputError("OPTION", `reasoning is for chats with a GPT-OSS: ${why}`, { option: "reasoning" });
  }

  #prepareOrRefuse(prompt: Prompt, reasoning: ReasoningEffort | undefined): BatchPrompt | InputError {
    try {
      return this.#prepare(prompt, reasoning);
    } catch (error) {
      if (error instanceof InputError) return error;
      throw error;
    }
  }

  async #open(capacity: number, signal: AbortSignal | undefined): Promise<Sequence> {
    await this.#sizeCache(1, capacity);
    return await Sequence.open(this.#programs, capacity, signal === undefined ? {} : { signal });
  }

  #needTokenizer(): Tokenizer {
    if (this.tokenizer !== undefined) return this.tokenizer;
    throw new InputError(
      "TOKENIZER_MISSING",
      "the model's files have no tokenizer (tokenizer.json); only token ids can be given",
    );
  }

  #checked(tokens: readonly number[]): readonly number[] {
    const { vocab } = this.config;
    const at = tokens.findIndex((id) => !Number.isInteger(id) || id < 0 || id >= vocab);
    if (at < 0) return tokens;
    throw new InputError(
      "TOKEN_UNKNOWN",
      `token ${at} is ${tokens[at]}, and the vocabulary has ids 0 to ${vocab - 1}`,
      {
        index: at,
        found: tokens[at],
        vocabulary: vocab,
      },
    );
  }
}

// Implementation

/** Rows share their programs, so the longest decides. */
function capacityForAll(answers: readonly Answer[]): number {
  const each = answers.map(({ prompt, room }) => capacityFor(prompt.length, prompt.length + room));
  return each.reduce((largest, one) => Math.max(largest, one), 0);
}

function checkedContext(context: number | undefined, config: ModelConfig): number {
  if (context === undefined) return config.context;
  // More than the model was made for is the caller's risk: some rope scalings are meant for it.
  if (Number.isSafeInteger(context) && context >= 1 && context <= 2 ** 24) return context;
  throw new InputError("OPTION", `context is ${context}, and it is a whole number from 1 to ${2 ** 24}`, {
    option: "context",
    found: context,
  });
}
