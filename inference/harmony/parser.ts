/**
 * Reads what a model says, token by token.
 *
 * Never throws on a token, whatever it is. Text is never lost: it is content, or the header of a message. A special
 * token is never text. What was malformed is reported, and the next token that makes sense is the way back.
 * Source of the well-formed part: openai/harmony, src/encoding.rs (`StreamableParser`).
 */

import type { StreamingDecoder } from "../text/streaming-decoder.ts";
import type { Format, FormatTokens } from "./format.ts";
import type { Role } from "./messages.ts";
import { type Author, type HeaderPart, type MessageHeader, parseHeader, parseHeadless } from "./parse-header.ts";

// Public API

/** Where a parser begins. */
export interface ParserOptions {
  /** The role that the prompt ended with: `assistant` after `<|start|>assistant`. Absent: a message begins. */
  readonly role?: Role | undefined;
}

/** A message that was read. It can be rendered again. */
export interface ParsedMessage extends MessageHeader {
  readonly content: string;
  /** The text of its header, special tokens left out. */
  readonly header: string;
  /** The token that ended it. Absent: the text broke off, or the next message began. */
  readonly end?: "end" | "return" | "call" | "endOfText";
}

/** What was malformed, and where: the number of the token, from 0. */
export interface Problem {
  readonly code: ProblemCode;
  /** A sentence for people. */
  readonly text: string;
  readonly position: number;
}

/**
 * - `role`: a header names none, or one that there is not
 * - `channel`: none after `<|channel|>`, or a second one
 * - `header`: words of a header that mean nothing
 * - `start`: something outside of any message
 * - `message`: a message that ended without `<|message|>`; its text is its content
 * - `end`: a message began before the last one had ended
 * - `token`: a special token that means nothing where it is, or an id that is none
 */
export type ProblemCode = "role" | "channel" | "header" | "start" | "message" | "end" | "token";

/** What a token brought about. */
export type ParserEvent =
  | { readonly kind: "header"; readonly header: MessageHeader }
  | { readonly kind: "delta"; readonly text: string; readonly header: MessageHeader }
  | { readonly kind: "message"; readonly message: ParsedMessage }
  | { readonly kind: "problem"; readonly problem: Problem };

/** All of a completion. */
export interface Parsed {
  readonly messages: readonly ParsedMessage[];
  readonly problems: readonly Problem[];
}

/** A longer header is none: its text is content, so that a model that forgot `<|message|>` is still heard. */
export const HEADER_LIMIT = 256;

/** Feed it ids with `push`; call `end` when there are no more. */
export class Parser {
  readonly #tokens: FormatTokens;
  readonly #specials: ReadonlyMap<number, string>;
  readonly #decoder: StreamingDecoder;
  readonly #messages: ParsedMessage[] = [];
  readonly #problems: Problem[] = [];
  #events: ParserEvent[] = [];
  #state: State;
  #position = -1;

  /** @param specials  the spellings of the special tokens, by id */
  constructor({ tokenizer, tokens, specials }: Format, { role }: ParserOptions = {}) {
    this.#tokens = tokens;
    this.#specials = specials;
    this.#decoder = tokenizer.decoder({ continues: true });
    this.#state =
      role === undefined
        ? { kind: "between", blank: "" }
        : newHeader(role === "tool" ? { role, name: role } : { role });
  }

  /** The messages that are complete. */
  get messages(): readonly ParsedMessage[] {
    return this.#messages;
  }

  /** What was malformed so far. */
  get problems(): readonly Problem[] {
    return this.#problems;
  }

  /** The message under way, once its header is complete. */
  get current(): (MessageHeader & { readonly content: string }) | undefined {
    const state = this.#state;
    return state.kind === "content" ? { ...state.header, content: state.content } : undefined;
  }

  /** Takes a token, or several, and tells what they brought about. Text that follows text is joined. */
  push(ids: number | Iterable<number>): ParserEvent[] {
    for (const id of typeof ids === "number" ? [ids] : ids) {
      this.#position++;
      this.#take(id);
    }
    return this.#told();
  }

  /** Completes the message under way: nothing follows. */
  end(): ParserEvent[] {
    this.#position++;
    this.#flush();
    if (this.#state.kind === "header") {
      // A model that was asked and said nothing has begun no message.
      const nothing = isBlank(this.#state) && (this.#state.author !== undefined || this.#state.implicit);
      if (!nothing) this.#report("message", "the text ended before <|message|>");
      if (isBlank(this.#state)) this.#state = { kind: "between", blank: "" };
    }
    this.#finish(undefined);
    return this.#told();
  }

  // Implementation

  #told(): ParserEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  #take(id: number): void {
    const special = this.#specials.get(id);
    if (special === undefined) {
      this.#takeText(this.#textOf(id));
      return;
    }
    // No character goes on across a special token.
    this.#flush();
    const { start, message, channel, constrain, end, call, endOfText } = this.#tokens;
    if (id === start) this.#begin();
    else if (id === channel) this.#mark("channel", special);
    else if (id === constrain) this.#mark("constrain", special);
    else if (id === message) this.#beginContent(special);
    else if (id === end) this.#stop("end", special);
    else if (id === this.#tokens.return) this.#stop("return", special);
    else if (id === call) this.#stop("call", special);
    else if (id === endOfText) this.#stop("endOfText", special);
    else this.#report("token", `${special} means nothing here`);
  }

  /** The text that an ordinary token completes. */
  #textOf(id: number): string {
    try {
      return this.#decoder.push(id);
    } catch {
      // The only error there is: no such token.
      this.#report("token", `${id} is no token`);
      return `${this.#decoder.flush()}\uFFFD`;
    }
  }

  #flush(): void {
    this.#takeText(this.#decoder.flush(), 0);
  }

  #takeText(text: string, tokens = 1): void {
    if (this.#state.kind === "between") {
      if (tokens === 0 && text === "") return;
      const { blank } = this.#state;
      this.#state = newHeader(undefined);
      this.#state.implicit = true;
      this.#append(this.#state, blank + text, tokens);
    } else if (this.#state.kind === "header") this.#append(this.#state, text, tokens);
    else if (text !== "") {
      this.#state.content += text;
      this.#tell(text, this.#state.header);
    }
  }

  #append(state: HeaderState, text: string, tokens: number): void {
    const last = state.parts.at(-1)!;
    last.text += text;
    state.length += tokens;
    if (state.implicit && last.text.trim() !== "") {
      this.#report("start", "text outside of a message");
      state.implicit = false;
    }
    if (state.length > HEADER_LIMIT) {
      this.#report("message", `no <|message|> within ${HEADER_LIMIT} tokens`);
      this.#openHeadless(state);
    }
  }

  #begin(): void {
    const state = this.#state;
    let blank = "";
    if (state.kind === "between") blank = state.blank;
    else if (state.kind === "header" && isBlank(state)) {
      blank = sourceOf(state.parts);
      if (!state.implicit) this.#report("start", "<|start|> twice");
    } else {
      if (state.kind === "header") this.#report("message", "<|start|> before <|message|>");
      else this.#report("end", "<|start|> within a message");
      this.#finish(undefined);
    }
    this.#state = newHeader(undefined);
    this.#state.parts[0]!.text = blank;
  }

  #mark(marker: "channel" | "constrain", spelling: string): void {
    let state = this.#state;
    if (state.kind === "content") {
      if (marker === "constrain") {
        this.#report("token", `${spelling} means nothing within a message`);
        return;
      }
      // A channel stands in headers only: the model went on to its next message.
      const { role, name } = state.header;
      this.#report("end", `${spelling} within a message`);
      this.#finish(undefined);
      this.#state = state = newHeader(name === undefined ? { role } : { role, name });
    } else if (state.kind === "between") {
      this.#report("start", `${spelling} outside of a message`);
      const { blank } = state;
      this.#state = state = newHeader({ role: "assistant" });
      state.parts[0]!.text = blank;
    } else if (state.implicit) {
      this.#report("start", `${spelling} outside of a message`);
      state.implicit = false;
      state.author = { role: "assistant" };
    }
    state.parts.push({ marker, text: "" });
  }

  #beginContent(spelling: string): void {
    const state = this.#state;
    if (state.kind === "content") {
      this.#report("token", `${spelling} means nothing within a message`);
      return;
    }
    let parts: HeaderPart[] = [];
    if (state.kind === "between" || state.implicit) this.#report("start", `${spelling} outside of a message`);
    if (state.kind === "header") parts = state.parts;
    else if (state.blank !== "") parts = [{ marker: undefined, text: state.blank }];
    const author = state.kind === "header" ? state.author : undefined;
    const header = parseHeader(parts, author, (code, text) => this.#report(code, text));
    this.#open(header, sourceOf(parts));
  }

  #stop(how: NonNullable<ParsedMessage["end"]>, spelling: string): void {
    const state = this.#state;
    if (state.kind === "content") {
      if (how === "endOfText") this.#report("token", `${spelling} within a message`);
      this.#finish(how);
    } else if (state.kind === "header" && !isBlank(state)) {
      this.#report("message", `${spelling} before <|message|>`);
      this.#finish(how);
    } else {
      const blank = state.kind === "header" ? sourceOf(state.parts) : state.blank;
      // A text may end after its last message.
      if (how !== "endOfText" || state.kind === "header") this.#report("start", `${spelling} outside of a message`);
      this.#state = { kind: "between", blank };
    }
  }

  #open(header: MessageHeader, source: string): ContentState {
    const state: ContentState = { kind: "content", header, source, content: "" };
    this.#state = state;
    this.#events.push({ kind: "header", header });
    return state;
  }

  /** Takes a header for a message without `<|message|>`, the last of several for one that goes on. */
  #openHeadless(state: HeaderState): void {
    const found = parseHeadless(state.parts, state.author);
    for (const [at, { header, source, content }] of found.entries()) {
      const opened = this.#open(header, source);
      opened.content = content;
      if (content !== "") this.#tell(content, header);
      if (at < found.length - 1) this.#finish(undefined);
    }
  }

  /** Completes the message under way, if there is one. */
  #finish(how: ParsedMessage["end"]): void {
    if (this.#state.kind === "header") this.#openHeadless(this.#state);
    const state = this.#state;
    this.#state = { kind: "between", blank: "" };
    if (state.kind !== "content") return;
    const { header, source, content } = state;
    const message = { ...header, content, header: source, ...(how === undefined ? {} : { end: how }) };
    this.#messages.push(message);
    this.#events.push({ kind: "message", message });
  }

  #tell(text: string, header: MessageHeader): void {
    const last = this.#events.at(-1);
    if (last?.kind === "delta") this.#events[this.#events.length - 1] = { ...last, text: last.text + text };
    else this.#events.push({ kind: "delta", text, header });
  }

  #report(code: ProblemCode, text: string): void {
    const problem = { code, text, position: this.#position };
    this.#problems.push(problem);
    this.#events.push({ kind: "problem", problem });
  }
}

// Implementation

type State = BetweenState | HeaderState | ContentState;

interface BetweenState {
  readonly kind: "between";
  /** White space after the last message, which goes to the next one's header. */
  readonly blank: string;
}

interface HeaderState {
  readonly kind: "header";
  author: Author | undefined;
  readonly parts: { readonly marker: HeaderPart["marker"]; text: string }[];
  /** How many ordinary tokens it has. */
  length: number;
  /** Whether it began without `<|start|>`, which has not been reported. */
  implicit: boolean;
}

interface ContentState {
  readonly kind: "content";
  readonly header: MessageHeader;
  /** The header's text. */
  readonly source: string;
  content: string;
}

const newHeader = (author: Author | undefined): HeaderState => ({
  kind: "header",
  author,
  parts: [{ marker: undefined, text: "" }],
  length: 0,
  implicit: false,
});

const sourceOf = (parts: readonly HeaderPart[]): string => parts.map(({ text }) => text).join("");

const isBlank = ({ parts }: HeaderState): boolean => parts.length === 1 && parts[0]!.text.trim() === "";
