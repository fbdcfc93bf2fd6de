/** A conversation: what was said, what is said next, and how it is printed. */
import { InputError } from "../../dsl/index.ts";
import type { MessageHeader, ParserEvent } from "../../inference/harmony/index.ts";
import {
  type ChatMessage,
  type GenerateOneOptions,
  type Model,
  PromptCache,
  type Summary,
} from "../../inference/index.ts";
import { Thoughts, withoutAnswer } from "./thoughts.ts";

// Public API

/** How it goes. */
export interface ConversationOptions {
  readonly system?: string | undefined;
  readonly generate: GenerateOneOptions;
}

export class Conversation implements AsyncDisposable {
  readonly #model: Model;
  readonly #options: ConversationOptions;
  readonly #cache = new PromptCache();
  #messages: ChatMessage[];

  /** @throws InputError when the model does not know chats */
  constructor(model: Model, options: ConversationOptions) {
    if (!model.hasChatTemplate) {
      throw new InputError(
        "CHAT_TEMPLATE_MISSING",
        "the model has no chat template; tsxla generate --raw continues texts",
      );
    }
    this.#model = model;
    this.#options = options;
    this.#messages = this.#beginning();
    // What is wrong with the options shows before the first question.
    model.encode([...this.#messages, { role: "user", content: "" }], { reasoning: options.generate.reasoning });
  }

  /** What was said, in the form in which it is given to the model. */
  get messages(): readonly ChatMessage[] {
    return this.#messages;
  }

  /** Forgets what was said. */
  reset(): void {
    this.#messages = this.#beginning();
  }

  /**
   * Asks, and prints the answer as it comes: the answer on stdout; thoughts dimmed, for people at a terminal.
   *
   * What was said until an interruption stays in the history. A question that cannot be asked, or that nothing was said
   * to, does not.
   */
  async ask(question: string, signal: AbortSignal): Promise<void> {
    const asked = [...this.#messages, { role: "user", content: question }];
    const said = new Said();
    const thoughts = new Thoughts(process.stdout.isTTY === true ? process.stdout : process.stderr);
    let summary: Summary | undefined;
    try {
      const { generate } = this.#options;
      const answer = this.#model.generate(asked, { ...generate, cache: this.#cache, signal });
      for (;;) {
        const next = await answer.next();
        if (next.done === true) {
          summary = next.value;
          break;
        }
        said.take(next.value.text, next.value.events);
        thoughts.show(next.value.events ?? []);
        process.stdout.write(next.value.text);
      }
    } catch (error) {
      if (error instanceof InputError) {
        process.stderr.write(`tsxla: ${error.message}\n`);
        return;
      }
      if (!signal.aborted) throw error;
    } finally {
      thoughts.close();
    }
    if (said.text !== "" && !said.text.endsWith("\n")) process.stdout.write("\n");
    const answer = said.messages();
    if (answer.length > 0) this.#messages = [...asked, ...answer];
    this.#tell(said.text, summary);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cache.close();
  }

  // Implementation

  #beginning(): ChatMessage[] {
    const { system } = this.#options;
    return system === undefined ? [] : [{ role: "system", content: system }];
  }

  /** Says what the answer itself does not show. */
  #tell(text: string, summary: Summary | undefined): void {
    const tell = (sentence: string) => process.stderr.write(`(${sentence})\n`);
    if (summary === undefined) tell("interrupted");
    else if (text === "" && summary.messages !== undefined) tell(withoutAnswer(summary));
    else if (summary.finishReason === "length")
      tell(`cut off after ${summary.answerTokens} tokens; --max-tokens gives more`);
    else if (summary.finishReason === "context") tell("the context is full; /reset begins anew");
  }
}

// Implementation

/** What was said so far, in whichever form the model says it. */
class Said {
  text = "";
  readonly #complete: ChatMessage[] = [];
  #header: MessageHeader | undefined;
  #content = "";
  #isHarmony = false;

  take(text: string, events: readonly ParserEvent[] | undefined): void {
    this.text += text;
    if (events === undefined) return;
    this.#isHarmony = true;
    for (const event of events) {
      if (event.kind === "header") [this.#header, this.#content] = [event.header, ""];
      else if (event.kind === "delta") this.#content += event.text;
      else if (event.kind === "message") {
        this.#complete.push(asMessage(event.message, event.message.content));
        this.#header = undefined;
      }
    }
  }

  /** The one under way too, as far as it came. */
  messages(): ChatMessage[] {
    if (!this.#isHarmony) return this.text === "" ? [] : [{ role: "assistant", content: this.text }];
    if (this.#header === undefined || this.#content === "") return this.#complete;
    return [...this.#complete, asMessage(this.#header, this.#content)];
  }
}

/** A message of the model, without what only a parser knows of it. */
function asMessage({ role, name, recipient, channel, contentType }: MessageHeader, content: string): ChatMessage {
  // What has neither is taken for an answer, as it was shown.
  const shown = channel ?? (recipient === undefined ? "final" : undefined);
  const header = { name, recipient, channel: shown, contentType };
  return { role, ...Object.fromEntries(Object.entries(header).filter(([, value]) => value !== undefined)), content };
}
