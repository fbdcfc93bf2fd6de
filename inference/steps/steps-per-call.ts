/**
 * How many steps the next call makes: 1, 2, 4, 8, so that the first tokens come at once, and no more than help.
 *
 * What steps in one call save is the way to the worker; what they cost is that those after the end of an answer are run
 * for nothing, and that whoever waits for the worker waits for them. So where nothing else is asked for, a call grows
 * only as long as the way takes more than a small share of its time.
 */
import type { CallTimes } from "./choosing-steps.ts";

// Public API

/** Without another number, a call makes no more steps than this. */
export const defaultStepsPerCall = 8;

/** A call makes no more steps than this, whatever is asked for: a ring has room for more. */
export const mostStepsPerCall = 256;

export class StepsPerCall {
  readonly #limit: number;
  /** Whether the limit is wanted, or only allowed. */
  readonly #isAsked: boolean;
  #size = 0;
  #way = Number.POSITIVE_INFINITY;
  #step = 0;

  /** @param asked  how many steps, once it has grown so far; undefined for as many as help */
  constructor(asked: number | undefined) {
    this.#limit = asked ?? defaultStepsPerCall;
    this.#isAsked = asked !== undefined;
  }

  /** Of the next call. @param room  how many it may make at most, at least 1 */
  next(room: number): number {
    const grown = Math.min(Math.max(1, 2 * this.#size), this.#limit);
    this.#size = this.#isAsked || this.#size < this.#worthwhile() ? grown : this.#size;
    return Math.min(this.#size, room);
  }

  /** Notes how long a call took. */
  note({ stepSeconds, waySeconds }: CallTimes): void {
    // What else kept this process, or the worker, is no part of the way; the shortest has the least of it.
    this.#way = Math.min(this.#way, waySeconds);
    this.#step = stepSeconds;
  }

  // Implementation

  /** With how many steps the way is a small share. */
  #worthwhile(): number {
    return this.#way === Number.POSITIVE_INFINITY ? 1 : this.#way / (smallShare * this.#step);
  }
}

// Implementation

const smallShare = 1 / 20;
