/** A worker that answers requests of a job: what runs on it, and what may start. */
import { setMaxListeners } from "node:events";
import type { Attempt, JobItem } from "./attempt.ts";
import type { ReadyWorker } from "./job-worker.ts";

// Public API

/** One worker, from when it is ready until it is lost or the job is over. */
export class WorkerSlot {
  readonly worker: ReadyWorker;
  readonly rows: number;
  readonly running = new Set<Attempt>();
  readonly ended: Promise<void>;
  /** Whether nothing else may start here. */
  isReserved = false;
  isAlone = false;
  loss: unknown;
  checking: Promise<void> | undefined;
  readonly #abandon = new AbortController();
  #resolve: () => void = () => {};
  #reject: (error: unknown) => void = () => {};

  constructor(worker: ReadyWorker) {
    this.worker = worker;
    this.rows = worker.answerer.rows;
    this.ended = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Each answer under way listens.
    setMaxListeners(0, this.signal);
  }

  get signal(): AbortSignal {
    return this.#abandon.signal;
  }

  /** Rows that are free. */
  get room(): number {
    const taken = [...this.running].reduce((all, { item }) => all + item.request.asks.length, 0);
    return this.isAlone ? 0 : Math.max(0, this.rows - taken);
  }

  lose(error: unknown): void {
    this.loss = error;
    this.#abandon.abort(error);
    this.#reject(error);
  }

  close(): void {
    this.#abandon.abort(new DOMException("the job is over", "AbortError"));
    this.#resolve();
  }
}

/** A request of more answers than a worker has rows has it for itself. */
export const fits = (slot: WorkerSlot, { request: { asks } }: JobItem): boolean =>
  slot.room >= asks.length || slot.running.size === 0;
