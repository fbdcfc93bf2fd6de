/**
 * Gives a job's requests to workers that have room, and takes them back when a worker is lost.
 *
 * A request that was running when workers died is suspected of it. After the second time it runs alone, so that the
 * third death is its own, and its neighbours never pay for it; then it is set aside.
 */
import { InputError, RuntimeFailure, TsxlaError } from "../dsl/index.ts";
import type { Answered } from "../openai/job-types.ts";
import { isWorkerGone, WorkerError } from "../runtime-bridge/index.ts";
import { answerAll, unlessAborted } from "./answer-request.ts";
import { type Attempt, deathsAtMost, failuresAtMost, isSuspect, type JobItem } from "./attempt.ts";
import { backoffMs } from "./backoff.ts";
import type { ReadyWorker } from "./job-worker.ts";
import { fits, WorkerSlot } from "./worker-slot.ts";

// Public API

/** What becomes of requests. */
export interface DispatchEvents {
  onAnswer(item: JobItem, answers: readonly Answered[]): void;
  /** It will have no answer. */
  onFailure(item: JobItem, error: TsxlaError): void;
  /** It will be tried again. */
  onRetry(item: JobItem, error: unknown): void;
  onToken(worker: string): void;
}

/** What one worker does. */
export interface WorkerLoad {
  readonly rows: number;
  readonly running: number;
}

/** How many requests may be set aside before the first is answered: then it is not the requests. */
export const setAsideAtFirst = 3;

export class Dispatcher {
  readonly #next: (worker: ReadyWorker) => Promise<JobItem | undefined>;
  readonly #events: DispatchEvents;
  readonly #slots = new Map<string, WorkerSlot>();
  /** To be tried again, in the order in which they come back. */
  readonly #retries: Attempt[] = [];
  #nextItem: JobItem | undefined;
  #hasEnded = false;
  #wakeLoop: () => void = () => {};
  #isOver = false;
  #hasAnswered = false;
  #setAside = 0;
  #failure: RuntimeFailure | undefined;

  /** @param next  the next request, as the model of a worker reads it; nothing at the end */
  constructor(next: (worker: ReadyWorker) => Promise<JobItem | undefined>, events: DispatchEvents) {
    this.#next = next;
    this.#events = events;
  }

  /** What each ready worker does. */
  get loads(): ReadonlyMap<string, WorkerLoad> {
    return new Map([...this.#slots].map(([name, { rows, running }]) => [name, { rows, running: running.size }]));
  }

  get running(): number {
    return [...this.#slots.values()].reduce((all, { running }) => all + running.size, 0);
  }

  /** Requests that wait to be tried again. */
  get waiting(): number {
    return this.#retries.length;
  }

  /**
   * Uses a worker.
   *
   * @returns when everything is done
   * @throws what the worker was lost with
   */
  serve(worker: ReadyWorker): Promise<void> {
    const slot = new WorkerSlot(worker);
    if (this.#isOver) slot.close();
    this.#slots.set(worker.name, slot);
    this.#wakeLoop();
    const timer = setInterval(() => void this.#check(slot), checkEveryMs).unref();
    return slot.ended.finally(() => clearInterval(timer));
  }

  /** Runs until every request is done. @throws the signal's reason, or what the input could not be read for */
  async run(signal: AbortSignal): Promise<void> {
    const abort = () => this.#wakeLoop();
    signal.addEventListener("abort", abort);
    try {
      for (;;) {
        const woken = new Promise<void>((resolve) => {
          this.#wakeLoop = resolve;
        });
        let looked = performance.now();
        while (!signal.aborted && this.#failure === undefined && (await this.#startNext())) looked = performance.now();
        signal.throwIfAborted();
        if (this.#failure !== undefined) throw this.#failure;
        if (this.#hasEnded && this.#nextItem === undefined && this.#retries.length === 0 && this.running === 0) return;
        const timer = this.#timer(looked);
        await woken;
        clearTimeout(timer);
      }
    } finally {
      signal.removeEventListener("abort", abort);
      this.#isOver = true;
      for (const slot of this.#slots.values()) slot.close();
    }
  }

  // Implementation

  /** Starts one request. @returns whether there may be more */
  async #startNext(): Promise<boolean> {
    if (this.#startSuspect()) return true;
    const slot = this.#roomiest();
    if (slot === undefined) return false;
    const due = this.#retries.findIndex((each) => !isSuspect(each) && each.notBefore <= performance.now());
    if (due >= 0) {
      const [attempt] = this.#retries.splice(due, 1) as [Attempt];
      const room = this.#roomiest(attempt.item, attempt.failedOn) ?? slot;
      if (!fits(room, attempt.item)) {
        this.#retries.unshift(attempt);
        return false;
      }
      this.#start(room, attempt);
      return true;
    }
    if (this.#nextItem === undefined && !this.#hasEnded) {
      this.#nextItem = await this.#next(slot.worker);
      this.#hasEnded = this.#nextItem === undefined;
      // It may have been lost meanwhile.
      return true;
    }
    const item = this.#nextItem;
    if (item === undefined) return false;
    const room = this.#roomiest(item);
    if (room === undefined || !fits(room, item)) return false;
    this.#nextItem = undefined;
    this.#start(room, { item, deaths: 0, failures: 0, notBefore: 0, failedOn: undefined });
    return true;
  }

  /** Starts one that has to run alone, or keeps a worker free for it. @returns whether one was started */
  #startSuspect(): boolean {
    const due = this.#retries.findIndex((each) => isSuspect(each) && each.notBefore <= performance.now());
    for (const slot of this.#slots.values()) if (!slot.isAlone) slot.isReserved = false;
    if (due < 0) return false;
    const free = [...this.#slots.values()].filter(({ isAlone }) => !isAlone);
    const [first] = free.toSorted((a, b) => a.running.size - b.running.size);
    if (first === undefined) return false;
    first.isReserved = true;
    if (first.running.size > 0) return false;
    const [attempt] = this.#retries.splice(due, 1) as [Attempt];
    first.isAlone = true;
    this.#start(first, attempt);
    return true;
  }

  /** The worker with most room, not the one that failed last where there is another. */
  #roomiest(item?: JobItem, not?: string): WorkerSlot | undefined {
    const free = [...this.#slots.values()].filter((slot) => !slot.isReserved && slot.room > 0);
    const wanted = item === undefined ? free : free.filter((slot) => fits(slot, item));
    const others = wanted.filter(({ worker }) => worker.name !== not);
    return (others.length > 0 ? others : wanted).toSorted((a, b) => b.room / b.rows - a.room / a.rows)[0];
  }

  #start(slot: WorkerSlot, attempt: Attempt): void {
    slot.running.add(attempt);
    void this.#attempt(slot, attempt).finally(() => {
      slot.running.delete(attempt);
      if (slot.running.size === 0) slot.isAlone = false;
      this.#wakeLoop();
    });
  }

  /** Never rejects. */
  async #attempt(slot: WorkerSlot, attempt: Attempt): Promise<void> {
    const { item } = attempt;
    const { worker } = slot;
    try {
      const onToken = () => this.#events.onToken(worker.name);
      const run = answerAll(item.request.asks, worker, { signal: slot.signal, rows: slot.rows, onToken });
      // Of a worker that hangs nobody waits for what it frees.
      const answers = await unlessAborted(run, slot.signal);
      if (this.#isOver) return;
      this.#events.onAnswer(item, answers);
      this.#hasAnswered = true;
    } catch (thrown) {
      const error = slot.loss ?? firstError(thrown);
      if (this.#isOver) return;
      if (slot.loss === undefined && isOwnFault(error)) {
        this.#events.onFailure(item, error);
        return;
      }
      // Whether the request failed or its worker is gone, the worker tells.
      const forgot = error instanceof WorkerError && error.status === "NOT_FOUND";
      const isLost = slot.loss !== undefined || isWorkerGone(error) || forgot || !(await this.#check(slot));
      if (isLost) this.#dropWorker(slot, error);
      if (this.#isOver) return;
      // Of a worker that had forgotten its model before, no request is to blame.
      if (isLost && !forgot) attempt.deaths += 1;
      if (!isLost) attempt.failures += 1;
      this.#retryLater(attempt, worker.name, error);
    }
  }

  #retryLater(attempt: Attempt, name: string, error: unknown): void {
    const { item, deaths, failures } = attempt;
    const why = error instanceof Error ? error.message : String(error);
    if (deaths >= deathsAtMost) {
      const text = `the request was set aside: it was running when ${deaths} workers died, the last time alone; ${why}`;
      this.#giveUp(item, new RuntimeFailure("workers_lost", text, { deaths }));
      return;
    }
    if (failures >= failuresAtMost) {
      const text = `the request was set aside: it failed ${failures} times; ${why}`;
      this.#giveUp(item, new RuntimeFailure("request_failed", text, { failures }));
      return;
    }
    attempt.failedOn = name;
    attempt.notBefore = performance.now() + backoffMs(deaths + failures);
    this.#retries.push(attempt);
    this.#events.onRetry(item, error);
  }

  /** Where nothing is ever answered, requests are not to blame, and are not told as done. */
  #giveUp(item: JobItem, error: RuntimeFailure): void {
    this.#setAside += 1;
    if (this.#hasAnswered || this.#setAside < setAsideAtFirst) {
      this.#events.onFailure(item, error);
      return;
    }
    this.#failure = new RuntimeFailure(
      "JOB_FAILING",
      `${this.#setAside} requests failed before one was answered, so something else is wrong; the last: ${error.message}`,
      { cause: error.code },
      { cause: error },
    );
    this.#wakeLoop();
  }

  /** @returns whether the worker is there */
  async #check(slot: WorkerSlot): Promise<boolean> {
    try {
      slot.checking ??= slot.worker.check();
      await slot.checking;
      return slot.loss === undefined;
    } catch (error) {
      this.#dropWorker(slot, error);
      return false;
    } finally {
      slot.checking = undefined;
    }
  }

  #dropWorker(slot: WorkerSlot, error: unknown): void {
    if (slot.loss !== undefined) return;
    if (this.#slots.get(slot.worker.name) === slot) this.#slots.delete(slot.worker.name);
    slot.lose(error);
    this.#wakeLoop();
  }

  /** Wakes when the next one is due. What was due when it was looked at waits for room, and whoever makes room wakes. */
  #timer(looked: number): NodeJS.Timeout | undefined {
    const times = this.#retries.map(({ notBefore }) => notBefore).filter((time) => time > looked);
    if (times.length === 0) return undefined;
    return setTimeout(() => this.#wakeLoop(), Math.max(0, Math.min(...times) - performance.now()) + 1);
  }
}

// Implementation

const checkEveryMs = 5_000;

/** Whether it is the request that is wrong, so that no other worker would do better. */
function isOwnFault(error: unknown): error is TsxlaError {
  if (error instanceof WorkerError || isWorkerGone(error)) return false;
  return error instanceof InputError || error instanceof TsxlaError;
}

/** Of an error and one that came up while cleaning up after it, the first: the other is its consequence. */
function firstError(thrown: unknown): unknown {
  const { name, suppressed } = (thrown ?? {}) as { name?: unknown; suppressed?: unknown };
  return name === "SuppressedError" ? firstError(suppressed) : thrown;
}
