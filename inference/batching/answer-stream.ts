/** What a request's caller reads: pieces as they come, then how it went, or why it ended. */
import type { Piece } from "../answers/answer.ts";
import type { Summary } from "../answers/summary.ts";

// Public API

/**
 * The generator of one answer, written by the engine. Unlike a generator function's it is under way before the first
 * `next`, and `return` before the first `next` ends it, too.
 */
export class AnswerStream implements AsyncGenerator<Piece, Summary> {
  readonly #pieces: Piece[] = [];
  readonly #readers: Reader[] = [];
  readonly #onLeave: () => void;
  #end: { readonly summary: Summary } | { readonly error: unknown } | "read" | undefined;

  /** @param onLeave  the reader wants no more */
  constructor(onLeave: () => void) {
    this.#onLeave = onLeave;
  }

  /** Adds a piece. After the end: nothing. */
  push(piece: Piece): void {
    if (this.#end !== undefined) return;
    this.#pieces.push(piece);
    this.#serve();
  }

  /** Ends it well. */
  finish(summary: Summary): void {
    this.#end ??= { summary };
    this.#serve();
  }

  /** Ends it with an error. @param now  instead of what lies unread */
  fail(error: unknown, { now = false }: { readonly now?: boolean } = {}): void {
    if (this.#end !== undefined) return;
    if (now) this.#pieces.length = 0;
    this.#end = { error };
    this.#serve();
  }

  next(): Promise<IteratorResult<Piece, Summary>> {
    return new Promise((resolve, reject) => {
      this.#readers.push({ resolve, reject });
      this.#serve();
    });
  }

  async return(value: Summary | PromiseLike<Summary>): Promise<IteratorResult<Piece, Summary>> {
    this.#leave();
    return { done: true, value: await value };
  }

  async throw(error: unknown): Promise<IteratorResult<Piece, Summary>> {
    this.#leave();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#leave();
  }

  // Implementation

  #leave(): void {
    const isOver = this.#end !== undefined;
    this.#pieces.length = 0;
    this.#end = "read";
    if (!isOver) this.#onLeave();
    this.#serve();
  }

  #serve(): void {
    while (this.#readers.length > 0) {
      const piece = this.#pieces.shift();
      if (piece === undefined && this.#end === undefined) return;
      const reader = this.#readers.shift() as Reader;
      if (piece !== undefined) {
        reader.resolve({ done: false, value: piece });
        continue;
      }
      const end = this.#end;
      // As of any generator: after its end there is nothing.
      this.#end = "read";
      if (end === "read" || end === undefined) reader.resolve({ done: true, value: undefined as never });
      else if ("error" in end) reader.reject(end.error);
      else reader.resolve({ done: true, value: end.summary });
    }
  }
}

// Implementation

/** Who waits for what comes next. */
interface Reader {
  resolve(result: IteratorResult<Piece, Summary>): void;
  reject(error: unknown): void;
}
