/** What a model that speaks Harmony says beside its answer, shown to whoever sits at a terminal, and to nobody else. */
import type { ParserEvent } from "../../inference/harmony/index.ts";
import type { Summary } from "../../inference/index.ts";

// Public API

/** Writes thoughts dimmed, each on lines of its own. */
export class Thoughts {
  readonly #stream: NodeJS.WriteStream;
  readonly #shown: boolean;
  #open = false;

  /** @param shown  default: whether the stream is a terminal */
  constructor(stream: NodeJS.WriteStream, shown = stream.isTTY === true) {
    this.#stream = stream;
    this.#shown = shown;
  }

  /** Takes what came with a token. */
  show(events: readonly ParserEvent[]): void {
    if (!this.#shown) return;
    for (const event of events) {
      if (event.kind === "delta" && isThought(event.header)) this.#write(event.text);
      else if (event.kind !== "problem") this.close();
    }
  }

  /** Ends the line. */
  close(): void {
    if (this.#open) this.#stream.write("\x1b[0m\n");
    this.#open = false;
  }

  #write(text: string): void {
    if (!this.#open) this.#stream.write("\x1b[2m");
    this.#open = true;
    this.#stream.write(text);
  }
}

/** Says why there is no answer. */
export function withoutAnswer({ finishReason, answerTokens, messages = [] }: Summary): string {
  const call = messages.find(({ recipient }) => recipient !== undefined);
  if (call !== undefined) return `no answer: the model calls ${call.recipient}`;
  if (finishReason === "stop") return "no answer: the model said nothing in its final channel";
  const more = finishReason === "length" ? "; --max-tokens gives it more" : "";
  return `no answer yet: the model was thinking for all of its ${answerTokens} tokens${more}`;
}

// Implementation

/** What is for nobody to read but the model itself, or for a tool. */
function isThought({ channel, recipient }: { readonly channel?: string; readonly recipient?: string }): boolean {
  return channel === "analysis" || recipient !== undefined;
}
