/** What an answer's tokens say: text, for most models; messages with channels, for those that speak Harmony. */
import type { Harmony, ParsedMessage, Parser, ParserEvent } from "../harmony/index.ts";
import type { StreamingDecoder } from "../text/streaming-decoder.ts";
import type { Tokenizer } from "../text/tokenizer.ts";

// Public API

/** What became certain. */
export interface ReadText {
  /** Of the answer that people are meant to read. */
  readonly text: string;
  /** All that was said, thoughts and calls of tools too, where the model speaks Harmony. */
  readonly events?: readonly ParserEvent[];
}

/** Reads one answer. */
export interface AnswerReader {
  /** @param isStop  whether the token ends the answer */
  read(token: number, isStop: boolean): ReadText;
  /** What was held back, at the end. */
  flush(): ReadText;
  /** The messages that are complete, where the model speaks Harmony. */
  readonly messages?: readonly ParsedMessage[];
}

/** Text as it is; none without a tokenizer. */
export class TextReader implements AnswerReader {
  readonly #decoder: StreamingDecoder | undefined;

  constructor(tokenizer: Tokenizer | undefined) {
    this.#decoder = tokenizer?.decoder({ skipSpecial: true, continues: true });
  }

  read(token: number, isStop: boolean): ReadText {
    return { text: isStop ? "" : (this.#decoder?.push(token) ?? "") };
  }

  flush(): ReadText {
    return { text: this.#decoder?.flush() ?? "" };
  }
}

/** What is said after `<|start|>assistant`; its text is that of the channel `final`. */
export class HarmonyReader implements AnswerReader {
  readonly #parser: Parser;
  readonly #ends: ReadonlySet<number | undefined>;

  constructor(harmony: Harmony) {
    this.#parser = harmony.parser({ role: "assistant" });
    this.#ends = new Set([...harmony.stopTokens, harmony.tokens.endOfText]);
  }

  get messages(): readonly ParsedMessage[] {
    return this.#parser.messages;
  }

  read(token: number, isStop: boolean): ReadText {
    // Stop tokens that a caller made up have no text.
    return told(isStop && !this.#ends.has(token) ? [] : this.#parser.push(token));
  }

  flush(): ReadText {
    return told(this.#parser.end());
  }
}

/** Whether people are meant to read what stands in a channel: a model that forgets channels is still heard. */
export function isAnswer({ channel, recipient }: { readonly channel?: string; readonly recipient?: string }): boolean {
  return channel === "final" || (channel === undefined && recipient === undefined);
}

// Implementation

function told(events: readonly ParserEvent[]): ReadText {
  const text = events.map((event) => (event.kind === "delta" && isAnswer(event.header) ? event.text : "")).join("");
  return { text, events };
}
