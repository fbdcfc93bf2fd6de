/**
 * Renders a model's own chat template: Jinja that turns messages into the text the model was trained on.
 *
 * Rendering is `@huggingface/jinja`'s; the variables and functions are those of transformers, so that a template sees
 * what its author saw. The text holds special tokens by their spelling: encode it with
 * `{ parseSpecial: true, addSpecial: false }`.
 *
 * Source: transformers, utils/chat_template_utils.py (`_compile_jinja_template`, `render_jinja_template`).
 * Not here: Harmony, which is rendered in code.
 */

import { Environment, Interpreter, parse, tokenize } from "@huggingface/jinja";
import { z } from "zod";
import { InputError } from "../../dsl/errors.ts";
import { describe, parseInput } from "../../models/parse-input.ts";

// Public API

/** A turn of the conversation. Templates read further fields, such as `tool_calls`. */
export interface ChatMessage {
  readonly role: string;
  readonly content?: unknown;
  readonly [field: string]: unknown;
}

/** Special tokens as templates name them. */
export interface ChatTemplateTokens {
  readonly bosToken?: string | undefined;
  readonly eosToken?: string | undefined;
}

/** What a rendering may be told. Anything else is passed to the template under its own name. */
export interface RenderOptions {
  /** Whether the text ends with the beginning of the assistant's answer. Default `false`. */
  readonly addGenerationPrompt?: boolean;
  /** Functions that the model may call, as the template wants them. */
  readonly tools?: readonly unknown[];
  /** What `strftime_now` takes for now, in the time zone of this machine. */
  readonly now?: Date;
  readonly [variable: string]: unknown;
}

/** A chat template, parsed once. */
export class ChatTemplate {
  /** The template's text. */
  readonly source: string;
  readonly #program: ReturnType<typeof parse>;
  readonly #tokens: ChatTemplateTokens;

  private constructor(source: string, program: ReturnType<typeof parse>, tokens: ChatTemplateTokens) {
    this.source = source;
    this.#program = program;
    this.#tokens = tokens;
  }

  /** @throws InputError (`CHAT_TEMPLATE_INVALID`) when the text is not a template, with the parser's reason */
  static parse(source: string, tokens: ChatTemplateTokens = {}): ChatTemplate {
    try {
      // transformers sets both. The library itself drops one newline at the end, as Jinja does.
      return new ChatTemplate(source, parse(tokenize(source, { lstrip_blocks: true, trim_blocks: true })), tokens);
    } catch (cause) {
      throw new InputError("CHAT_TEMPLATE_INVALID", `chat template: ${reasonOf(cause)}`, {}, { cause });
    }
  }

  /**
   * The text for `messages`.
   *
   * @throws InputError `CHAT_TEMPLATE_REFUSED` with the template's own sentence, when it calls `raise_exception`;
   *   `CHAT_TEMPLATE_FAILED` when it cannot be rendered; `CHAT_MESSAGES_INVALID` when a message has no role
   */
  render(messages: readonly ChatMessage[], options: RenderOptions = {}): string {
    parseInput(messagesSchema, messages, { code: "CHAT_MESSAGES_INVALID", what: "chat" });
    const { addGenerationPrompt = false, now, ...variables } = options;
    const environment = new Environment();
    const { bosToken, eosToken } = this.#tokens;
    const all: Record<string, unknown> = {
      ...constants,
      raise_exception: (sentence: unknown) => {
        throw new TemplateRefusal(String(sentence));
      },
      strftime_now: (format: unknown) => formatTime(now ?? new Date(), String(format)),
      range: boundedRange,
      // transformers passes these two always, as None when they are absent.
      tools: null,
      documents: null,
      ...(bosToken === undefined ? {} : { bos_token: bosToken }),
      ...(eosToken === undefined ? {} : { eos_token: eosToken }),
      ...variables,
      messages,
      add_generation_prompt: addGenerationPrompt,
    };
    try {
      for (const [name, value] of Object.entries(all)) environment.set(name, value);
      return String(new Interpreter(environment).run(this.#program).value);
    } catch (cause) {
      if (cause instanceof TemplateRefusal) {
        const { message: sentence } = cause;
        throw new InputError("CHAT_TEMPLATE_REFUSED", `the chat template refuses these messages: ${sentence}`, {
          sentence,
        });
      }
      throw new InputError(
        "CHAT_TEMPLATE_FAILED",
        `the chat template cannot be rendered: ${reasonOf(cause)}`,
        {},
        { cause },
      );
    }
  }
}

/** Where a model's template may be. */
export interface ChatTemplateSources {
  /** The text of `chat_template.jinja`, which wins. */
  readonly jinjaFile?: string | undefined;
  /** The parsed `tokenizer_config.json`: `chat_template` is a text, or a list of named ones. */
  readonly tokenizerConfig?: unknown;
  /** The metadata of a GGUF file: `tokenizer.chat_template`, and `tokenizer.chat_template.NAME` for named ones. */
  readonly ggufMetadata?: Readonly<Record<string, unknown>> | undefined;
}

/**
 * The text of the model's chat template; `undefined` when the model has none.
 *
 * @param name  which of several, such as `tool_use`; without it the one called `default`, or the only one
 * @throws InputError (`CHAT_TEMPLATE_UNKNOWN`) when there are templates but not that one, naming those there are
 */
export function findChatTemplate(sources: ChatTemplateSources, name?: string): string | undefined {
  const { jinjaFile, tokenizerConfig, ggufMetadata } = sources;
  const origin = (what: string) => ({ code: "CHAT_TEMPLATE_INVALID", what });
  const named = new Map<string, string>();
  for (const [key, value] of Object.entries(ggufMetadata ?? {})) {
    const match = /^tokenizer\.chat_template(?:\.(.+))?$/.exec(key);
    if (match !== null) {
      named.set(match[1] ?? "default", parseInput(templateText, { [key]: value }, origin("GGUF"))[key]!);
    }
  }
  if (tokenizerConfig !== undefined) {
    const { chat_template: found } = parseInput(configSchema, tokenizerConfig, origin("tokenizer_config.json"));
    if (typeof found === "string") named.set("default", found);
    else for (const { name: called, template } of found ?? []) named.set(called, template);
  }
  if (jinjaFile !== undefined) named.set("default", jinjaFile);
  if (named.size === 0) return undefined;

  const wanted = name ?? (named.size === 1 ? [...named.keys()][0]! : "default");
  const template = named.get(wanted);
  if (template !== undefined) return template;
  const known = [...named.keys()];
  throw new InputError(
    "CHAT_TEMPLATE_UNKNOWN",
    `the model has no chat template called ${describe(wanted)}; it has: ${known.join(", ")}`,
    { name: wanted, known },
  );
}

// Implementation

const messagesSchema = z.array(z.looseObject({ role: z.string("a role") }, "a message"), "a list of messages");
const templateText = z.record(z.string(), z.string("a template"));
const configSchema = z.looseObject({
  chat_template: z
    .union(
      [z.string(), z.array(z.object({ name: z.string(), template: z.string() }))],
      "a template, or a list of named ones",
    )
    .nullish(),
});

class TemplateRefusal extends Error {}

/** Jinja's own names, which the library's `Template` sets but its `Environment` does not. */
const constants = { true: true, false: false, none: null, True: true, False: false, None: null };

const RANGE_LIMIT = 100_000;

/** Jinja's `range`, which the library builds as a list: bounded, so that a template can't take the memory of the machine. */
function boundedRange(first: number, end?: number, step = 1): number[] {
  const [start, stop] = end === undefined ? [0, first] : [first, end];
  const count = Math.max(0, Math.ceil((stop - start) / step));
  if (!(count <= RANGE_LIMIT)) throw new Error(`range() of more than ${RANGE_LIMIT} numbers`);
  return Array.from({ length: count }, (_, at) => start + at * step);
}

const MONTHS = "January February March April May June July August September October November December".split(" ");
const DAYS = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".split(" ");

/** `strftime` of C in English, the parts that templates use. The library's own follows the locale of the machine. */
function formatTime(time: Date, format: string): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  const parts: Record<string, string> = {
    Y: String(time.getFullYear()),
    y: two(time.getFullYear() % 100),
    m: two(time.getMonth() + 1),
    B: MONTHS[time.getMonth()]!,
    b: MONTHS[time.getMonth()]!.slice(0, 3),
    d: two(time.getDate()),
    e: String(time.getDate()).padStart(2, " "),
    A: DAYS[time.getDay()]!,
    a: DAYS[time.getDay()]!.slice(0, 3),
    H: two(time.getHours()),
    I: two(time.getHours() % 12 || 12),
    M: two(time.getMinutes()),
    S: two(time.getSeconds()),
    p: time.getHours() < 12 ? "AM" : "PM",
    "%": "%",
  };
  return format.replace(/%(-?)([A-Za-z%])/g, (whole, dash: string, letter: string) => {
    const part = parts[letter];
    if (part === undefined) return whole;
    return dash === "" ? part : part.replace(/^[0 ]+(?=.)/, "");
  });
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
