/** Buffers on their way to be released: those that are let go in the same turn of Node's loop go in one call. */
export class ReleaseQueue {
  readonly #release: (bufferIds: readonly string[]) => Promise<void>;
  #bufferIds: string[] = [];
  #sending: Promise<void> | undefined;

  /** @param release  tells the worker to forget buffers */
  constructor(release: (bufferIds: readonly string[]) => Promise<void>) {
    this.#release = release;
  }

  /** Releases a buffer at the end of this turn. */
  add(bufferId: string): void {
    this.#bufferIds.push(bufferId);
    // A failure here is that of a worker that is gone, and its memory with it.
    this.#sending ??= new Promise((resolve) => setImmediate(resolve)).then(() => this.flush()).catch(() => {});
  }

  /** Releases what waits now. */
  async flush(): Promise<void> {
    this.#sending = undefined;
    const bufferIds = this.#bufferIds;
    if (bufferIds.length === 0) return;
    this.#bufferIds = [];
    await this.#release(bufferIds);
  }
}
