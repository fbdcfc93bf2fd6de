/** One request of an engine: its answer, where it stands, and who reads it. */
import type { Answer, Piece } from "../answers/answer.ts";
import { RunningAnswer } from "../answers/running-answer.ts";
import type { Summary } from "../answers/summary.ts";
import type { NextLogits } from "../steps/step-call.ts";
import type { Held, Prefixed } from "./prefix-index.ts";
import type { Schedulable } from "./scheduler.ts";

// Public API

/** Which row an answer needs. */
export interface RowNeeds {
  /** How many positions the row has in which the answer goes on now; at least one more than are held. */
  readonly capacity: number;
  /** How many positions it may need in the end. */
  readonly largest: number;
  /** Prompts of one family may share their beginnings: they are computed alike but for their tokens. */
  readonly family: string;
}

/** What a request writes its answer to. */
export interface AnswerSink {
  /** Adds a piece. After the end it does nothing. */
  push(piece: Piece): void;
  finish(summary: Summary): void;
  fail(error: unknown): void;
}

export class Request extends RunningAnswer implements Schedulable, Prefixed {
  readonly family: string;
  readonly sink: AnswerSink;
  /** What is held of its prompt. */
  held: Held | undefined;
  /** After how many positions of the prompt a snapshot is taken. */
  keepAt: number | undefined;
  /** The place of the snapshot that was taken. */
  kept: number | undefined;
  /** Called when it has ended. */
  onEnd: (() => void) | undefined;
  #capacity: number;
  #tokens: readonly number[];
  #hasRow = false;
  #hasEnded = false;

  constructor(answer: Answer, { capacity, family }: RowNeeds, sink: AnswerSink) {
    super(answer);
    this.family = family;
    this.sink = sink;
    this.#capacity = capacity;
    this.#tokens = answer.prompt;
  }

  /** How many positions its row has. */
  get capacity(): number {
    return this.#capacity;
  }

  /** The tokens to prefill: the prompt, and those of the answer that were chosen before it came to this lane. */
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

  /** Whether nothing more comes, for whatever reason. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  override get wantsMore(): boolean {
    return this.#hasRow && !this.#hasEnded && super.wantsMore;
  }

  /** Takes the steps of its row from now on. */
  enterRow(): void {
    this.#hasRow = true;
  }

  /** Goes on in a longer row, where everything so far is prefilled. */
  grow(capacity: number): void {
    this.#hasRow = false;
    this.#capacity = capacity;
    this.#tokens = [...this.answer.prompt, ...this.answer.tokens];
    this.held = undefined;
    this.keepAt = undefined;
    this.kept = undefined;
  }

  /** Chooses the next token, and writes its piece. */
  override async take(next: NextLogits): Promise<Piece> {
    this.endPrefill();
    const piece = await super.take(await this.#asAlone(next));
    this.sink.push(piece);
    return piece;
  }

  /** Notes that nothing more comes. */
  end(): void {
    this.#hasEnded = true;
    this.onEnd?.();
    this.onEnd = undefined;
  }

  // Implementation

  /** What it would be given alone: candidates and all logits lead to the same token, but not to the same last digits. */
  async #asAlone(next: NextLogits): Promise<NextLogits> {
    const { wanted, deviceChoice } = this.answer;
    if (wanted === "full" && next.kind === "candidates" && next.all !== undefined) {
      return { kind: "full", logits: await next.all() };
    }
    if (deviceChoice !== undefined) return next;
    // The device chose for a row that it was not asked to choose for.
    const { chosen: _, ...others } = next;
    return others;
  }
}
