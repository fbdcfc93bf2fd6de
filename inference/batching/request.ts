/** One request of an engine: its answer, where it stands, and who reads it. */
import type { Answer } from "../answers/answer.ts";
import { summarize } from "../answers/generate.ts";
import type { NextLogits, Wanted } from "../steps/step-call.ts";
import type { AnswerStream } from "./answer-stream.ts";
import type { Held, Prefixed } from "./prefix-index.ts";
import type { Schedulable } from "./scheduler.ts";

// Public API

export class Request implements Schedulable, Prefixed {
  readonly answer: Answer;
  readonly family: string;
  readonly stream: AnswerStream;
  /** The last token chosen. */
  token = -1;
  /** What is held of its prompt. */
  held: Held | undefined;
  /** How much of the prompt was held already. */
  reused = 0;
  /** After how many positions of the prompt a snapshot is taken. */
  keepAt: number | undefined;
  /** The place of the snapshot that was taken. */
  kept: number | undefined;
  /** Whether it is over, for whatever reason. */
  over = false;
  /** Called when it is. */
  onOver: (() => void) | undefined;
  #capacity: number;
  #tokens: readonly number[];
  #begun = 0;
  #prefilled = 0;

  constructor(answer: Answer, capacity: number, family: string, stream: AnswerStream) {
    this.answer = answer;
    this.family = family;
    this.stream = stream;
    this.#capacity = capacity;
    this.#tokens = answer.prompt;
  }

  /** How many positions its row has. */
  get capacity(): number {
    return this.#capacity;
  }

  /** What is prefilled: the prompt, and what was said before it came to this lane. */
  get tokens(): readonly number[] {
    return this.#tokens;
  }

  get promptTokens(): number {
    return this.#tokens.length;
  }

  /** Whether its row has no place for the next step. */
  get hasOutgrown(): boolean {
    return this.answer.prompt.length + this.answer.count > this.#capacity;
  }

  get wanted(): Wanted {
    return this.answer.wanted;
  }

  /** Notes when its prompt's turn came. */
  begin(): void {
    if (this.#begun === 0) this.#begun = performance.now();
  }

  /** Goes on in a longer row, where all that was said is prefilled. */
  grow(capacity: number): void {
    this.#capacity = capacity;
    this.#tokens = [...this.answer.prompt, ...this.answer.tokens];
    this.held = undefined;
    this.keepAt = undefined;
    this.kept = undefined;
  }

  /** Chooses the next token, and tells it. Whether the answer is complete. */
  async take(next: NextLogits): Promise<boolean> {
    if (this.#prefilled === 0) this.#prefilled = performance.now();
    const piece = await this.answer.take(await this.#own(next));
    this.token = piece.token;
    this.stream.push(piece);
    return this.answer.finished !== undefined;
  }

  /** Notes that nothing more comes. */
  end(): void {
    this.over = true;
    this.onOver?.();
    this.onOver = undefined;
  }

  /** Tells how it went. */
  finish(): void {
    const now = performance.now();
    this.stream.finish(
      summarize(this.answer, {
        reusedTokens: this.reused,
        prefillSeconds: (this.#prefilled - this.#begun) / 1000,
        decodeSeconds: this.#prefilled === 0 ? 0 : (now - this.#prefilled) / 1000,
      }),
    );
  }

  // Implementation

  /** What it would be given alone: candidates and all logits say the same token, but not the same last digits. */
  async #own(next: NextLogits): Promise<NextLogits> {
    if (this.wanted === "full" && next.kind === "candidates" && next.all !== undefined) {
      return { kind: "full", logits: await next.all() };
    }
    if (this.answer.deviceChoice !== undefined) return next;
    // The device chose for a row that it had no say in.
    const { chosen: _, ...others } = next;
    return others;
  }
}
