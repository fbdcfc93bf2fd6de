/**
 * The answers to one request of a session: those that came and are not taken yet, and the reader of the next one.
 */
import { RuntimeFailure } from "../dsl/errors.ts";
import type { HostTensor } from "./host-tensor.ts";

// Public API

/** What one run of a call gives. */
export interface StepResult {
  /** Which run of the step, from 0. */
  readonly iteration: number;
  /** The results asked for, in that order. */
  readonly tensors: readonly HostTensor[];
  /** The time on the device. */
  readonly executeSeconds: number;
  /** From the sending of the step, or the answer before this one, until it was here. */
  readonly elapsedSeconds: number;
}

export class StepAnswers {
  readonly #count: number;
  readonly #onTaken: (bytes: number) => void;
  readonly #signal: AbortSignal | undefined;
  readonly #came: { readonly result: StepResult; readonly bytes: number }[] = [];
  #received = 0;
  #taken = 0;
  #since = performance.now();
  #failure: { readonly error: unknown } | undefined;
  #wake: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  readonly #abort = (): void => this.fail(this.#signal?.reason);

  /**
   * @param count  how many answers there will be
   * @param signal  ends the reading with its reason
   * @param onTaken  gets the size of each answer that takes no memory here any more
   */
  constructor(count: number, signal: AbortSignal | undefined, onTaken: (bytes: number) => void) {
    this.#count = count;
    this.#onTaken = onTaken;
    this.#signal = signal;
    signal?.addEventListener("abort", this.#abort, { once: true });
  }

  startClock(deadlineMs: number, onLate: () => void): void {
    // The clock watches the worker, not the reader: it restarts with each answer and stops with the last.
    if (Number.isFinite(deadlineMs)) this.#timer = setTimeout(onLate, deadlineMs);
  }

  isLast(iteration: number): boolean {
    return iteration + 1 >= this.#count;
  }

  /** Seconds since this was last asked, or since the request was sent. */
  elapsed(): number {
    const before = this.#since;
    this.#since = performance.now();
    return (this.#since - before) / 1000;
  }

  push(result: StepResult, bytes: number): void {
    this.#received += 1;
    if (this.#received === this.#count) clearTimeout(this.#timer);
    else this.#timer?.refresh();
    if (this.#failure) {
      // There is no reader any more.
      this.#onTaken(bytes);
      return;
    }
    this.#came.push({ result, bytes });
    this.#wake?.();
  }

  fail(error: unknown): void {
    this.#failure ??= { error };
    clearTimeout(this.#timer);
    this.#wake?.();
  }

  /** The next answer; undefined after the last. */
  async next(): Promise<StepResult | undefined> {
    if (this.#taken === this.#count) return undefined;
    while (this.#came.length === 0) {
      if (this.#failure) throw this.#failure.error;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
    const { result, bytes } = this.#came.shift()!;
    this.#taken += 1;
    this.#onTaken(bytes);
    return result;
  }

  /** Ends the reading: the answers that are left are dropped, also those that are still to come. */
  drop(): void {
    this.#signal?.removeEventListener("abort", this.#abort);
    this.#failure ??= { error: new RuntimeFailure("NOT_READ", "the answers to this step are no longer read") };
    for (const { bytes } of this.#came.splice(0)) this.#onTaken(bytes);
  }
}
