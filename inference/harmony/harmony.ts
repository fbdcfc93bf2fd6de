/** Harmony over a tokenizer: conversations to ids, ids to messages. */

import type { Tokenizer } from "../text/tokenizer.ts";
import { type Format, type FormatTokens, formatOf } from "./format.ts";
import { keptIndices } from "./history.ts";
import type { Message, Role } from "./messages.ts";
import { loadO200kHarmony } from "./o200k.ts";
import { type Parsed, Parser, type ParserOptions } from "./parser.ts";
import { declaresFunctions, Renderer } from "./render.ts";

// Public API

/** How a conversation is rendered. */
export interface RenderOptions {
  /** Whether thoughts that led to an answer already given are left out. Default `true`. */
  readonly dropAnalysis?: boolean;
}

/** How a conversation is rendered for the model to go on. */
export interface CompletionOptions extends RenderOptions {
  /** Whose turn it is. Default `assistant`. */
  readonly role?: Role;
}

/** Renders and parses; holds no state between calls. */
export class Harmony {
  readonly tokenizer: Tokenizer;
  readonly tokens: FormatTokens;
  readonly #format: Format;
  readonly #renderer: Renderer;

  /** @throws InputError (`HARMONY_TOKENS_MISSING`) when the tokenizer lacks a token of the format */
  constructor(tokenizer: Tokenizer) {
    this.tokenizer = tokenizer;
    this.#format = formatOf(tokenizer);
    this.tokens = this.#format.tokens;
    this.#renderer = new Renderer(this.#format);
  }

  /** The tokens after which the model waits: `<|return|>` when it is done, `<|call|>` when it wants a tool's answer. */
  get stopTokens(): readonly number[] {
    return [this.tokens.return, this.tokens.call];
  }

  /**
   * A conversation as the model sees it later: every message ends with `<|end|>`, or `<|call|>` where it calls a tool.
   *
   * @throws InputError (`HARMONY_MESSAGE`) naming the message and its field
   */
  render(messages: readonly Message[], { dropAnalysis = true }: RenderOptions = {}): number[] {
    const ids: number[] = [];
    const hasFunctions = declaresFunctions(messages);
    const kept = dropAnalysis ? keptIndices(messages) : messages.keys();
    for (const at of kept) this.#renderer.message(messages[at]!, ids, { hasFunctions, at });
    return ids;
  }

  /** A conversation and the beginning of the next message: what is given to the model. */
  renderForCompletion(
    messages: readonly Message[],
    { role = "assistant", ...options }: CompletionOptions = {},
  ): number[] {
    const ids = this.render(messages, options);
    ids.push(this.tokens.start);
    this.#renderer.text(role, ids);
    return ids;
  }

  /** A conversation to train on: a final answer at its end ends with `<|return|>`, as the model shall end it. */
  renderForTraining(messages: readonly Message[], options: RenderOptions = {}): number[] {
    const ids = this.render(messages, options);
    const last = messages.at(-1);
    if (last?.role === "assistant" && last.channel === "final") ids[ids.length - 1] = this.tokens.return;
    return ids;
  }

  /** One message. @param hasFunctions  whether the conversation declares functions, which a system message then says */
  renderMessage(message: Message, { hasFunctions = false }: { readonly hasFunctions?: boolean } = {}): number[] {
    const ids: number[] = [];
    this.#renderer.message(message, ids, { hasFunctions });
    return ids;
  }

  /** A parser for what the model says, token by token. */
  parser(options: ParserOptions = {}): Parser {
    return new Parser(this.#format, options);
  }

  /** The messages of a whole completion, and what was malformed in it. Never throws, whatever the ids. */
  parse(ids: Iterable<number>, options: ParserOptions = {}): Parsed {
    const parser = this.parser(options);
    parser.push(ids);
    parser.end();
    return { messages: parser.messages, problems: parser.problems };
  }
}

let loading: Promise<Harmony> | undefined;

/**
 * Harmony over o200k_harmony, the encoding of GPT-OSS; read once.
 *
 * @param ranks  the bytes of o200k_base.tiktoken. Default: those of the package `gpt-tokenizer`
 */
export function loadHarmony({ ranks }: { readonly ranks?: Uint8Array } = {}): Promise<Harmony> {
  if (ranks !== undefined) return loadO200kHarmony(ranks).then((tokenizer) => new Harmony(tokenizer));
  loading ??= loadO200kHarmony().then((tokenizer) => new Harmony(tokenizer));
  return loading;
}
