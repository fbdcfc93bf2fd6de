/** Events that one side writes at any time and the other reads one by one. */

// Public API

export class EventQueue<E> {
  readonly #events: E[] = [];
  #failure: { readonly error: unknown } | undefined;
  #wake: (() => void) | undefined;

  push(event: E): void {
    this.#events.push(event);
    this.#wake?.();
  }

  /** Ends it with an error. The first one counts. @param now  instead of the events that are unread */
  fail(error: unknown, { now = false }: { readonly now?: boolean } = {}): void {
    if (now) this.#events.length = 0;
    this.#failure ??= { error };
    this.#wake?.();
  }

  /** The next event, as soon as there is one. @throws the error that ended it */
  async next(): Promise<E> {
    while (this.#events.length === 0 && this.#failure === undefined) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const event = this.#events.shift();
    if (event === undefined) throw this.#failure?.error;
    return event;
  }
}
