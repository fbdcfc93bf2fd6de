/** The line of requests that wait for a row: how long it may be, and who gets the next place in it. */
import { RuntimeFailure } from "../../dsl/index.ts";

// Public API

/** How many requests have a row, and how many wait for one. */
export interface Requests {
  readonly running: number;
  readonly waiting: number;
}

export class WaitingLine {
  readonly #rows: number;
  readonly #queue: number;
  readonly #onFreed: () => void;
  /** Callers of `ready` that wait for a place. */
  readonly #callers: (() => void)[] = [];
  /** Places that callers of `ready` were given and have not used yet. */
  readonly #promised = new Set<object>();

  /** @param onFreed  called when a place is free again that was promised and not used */
  constructor({ rows, queue }: { readonly rows: number; readonly queue: number }, onFreed: () => void) {
    this.#rows = rows;
    this.#queue = queue;
    this.#onFreed = onFreed;
  }

  /** How many more requests may come. Requests for which there are free rows do not count as waiting. */
  free({ running, waiting }: Requests): number {
    return Math.max(0, this.#rows - running) + this.#queue - waiting - this.#promised.size;
  }

  /** @throws RuntimeFailure (`QUEUE_FULL`) when no place is free */
  requireFree(requests: Requests): void {
    if (this.free(requests) > 0) return;
    const { running, waiting } = requests;
    throw new RuntimeFailure(
      "QUEUE_FULL",
      `${running} requests run and ${waiting} wait, and the engine's queue holds ${this.#queue}; ` +
        "`await engine.ready()` before each, or give `serve` a longer `queue`",
      { running, waiting, queue: this.#queue },
    );
  }

  /** Keeps a place for a caller that uses it at once. */
  promise(): void {
    const place = {};
    this.#promised.add(place);
    // A caller that does not use it at once has lost it.
    setImmediate(() => {
      if (this.#promised.delete(place)) this.#onFreed();
    });
  }

  /** Uses a promised place, if there is one. */
  usePromised(): void {
    const [place] = this.#promised;
    if (place !== undefined) this.#promised.delete(place);
  }

  /** Resolves when a place may be free. */
  turn(): Promise<void> {
    return new Promise((resolve) => this.#callers.push(resolve));
  }

  /** Lets in as many waiting callers as there are free places. */
  admitCallers(requests: Requests): void {
    for (let free = this.free(requests); free > 0 && this.#callers.length > 0; free--) this.#callers.shift()?.();
  }

  /** Lets all waiting callers go: the engine has ended. */
  releaseCallers(): void {
    for (const caller of this.#callers.splice(0)) caller();
  }
}
