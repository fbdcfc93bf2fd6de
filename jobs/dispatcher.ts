/**
 * Gives a job's requests to workers that have room, and takes them back when a worker is lost.
 *
 * A request that was running when workers died is suspected of it. After the second time it runs alone, so that the
 * third death is its own, and its neighbours never pay for it; then it is set aside.
 */
import { setMaxListeners } from "node:events";
import { InputError, RuntimeFailure, TsxlaError } from "../dsl/index.ts";
import type { Answered, Ask, JobRequest } from "../openai/job-types.ts";
import { WorkerError } from "../runtime-bridge/index.ts";
import { backoffMs } from "./backoff.ts";
import type { ReadyWorker } from "./job-worker.ts";

// Public API

/** A request under way. */
export interface JobItem {
  readonly number: number;
  readonly key: string;
  readonly request: JobRequest;
}

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

/** How many deaths of workers a request may be part of. */
export const deathsAtMost = 3;
/** How often a request may fail on workers that live. */
export const failuresAtMost = 5;
/** How many requests may be set aside before the first is answered: then it is not the requests. */
export const setAsideAtFirst = 3;

export class Dispatcher {
  readonly #next: (worker: ReadyWorker) => Promise<JobItem | undefined>;
  readonly #events: DispatchEvents;
  readonly #seats = new Map<string, Seat>();
  /** To be tried again, in the order in which they come back. */
  readonly #again: Attempt[] = [];
  #read: JobItem | undefined;
  #hasEnded = false;
  #wake: () => void = () => {};
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
    return new Map([...this.#seats].map(([name, { rows, running }]) => [name, { rows, running: running.size }]));
  }

  get running(): number {
    return [...this.#seats.values()].reduce((all, { running }) => all + running.size, 0);
  }

  /** Requests that wait to be tried again. */
  get waiting(): number {
    return this.#again.length;
  }

  /**
   * Uses a worker.
   *
   * @returns when everything is done
   * @throws what the worker was lost with
   */
  serve(worker: ReadyWorker): Promise<void> {
    const seat = new Seat(worker);
    if (this.#isOver) seat.close();
    this.#seats.set(worker.name, seat);
    this.#wake();
    const timer = setInterval(() => void this.#check(seat), checkEveryMs).unref();
    return seat.ended.finally(() => clearInterval(timer));
  }

  /** Runs until every request is done. @throws the signal's reason, or what the input could not be read for */
  async run(signal: AbortSignal): Promise<void> {
    const abort = () => this.#wake();
    signal.addEventListener("abort", abort);
    try {
      for (;;) {
        const woken = new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        let looked = performance.now();
        while (!signal.aborted && this.#failure === undefined && (await this.#giveOne())) looked = performance.now();
        signal.throwIfAborted();
        if (this.#failure !== undefined) throw this.#failure;
        if (this.#hasEnded && this.#read === undefined && this.#again.length === 0 && this.running === 0) return;
        const timer = this.#timer(looked);
        await woken;
        clearTimeout(timer);
      }
    } finally {
      signal.removeEventListener("abort", abort);
      this.#isOver = true;
      for (const seat of this.#seats.values()) seat.close();
    }
  }

  // Implementation

  /** Starts one request. @returns whether there may be more */
  async #giveOne(): Promise<boolean> {
    if (this.#giveSuspect()) return true;
    const seat = this.#roomiest();
    if (seat === undefined) return false;
    const due = this.#again.findIndex((each) => !isSuspect(each) && each.notBefore <= performance.now());
    if (due >= 0) {
      const [attempt] = this.#again.splice(due, 1) as [Attempt];
      const room = this.#roomiest(attempt.item, attempt.failedOn) ?? seat;
      if (!fits(room, attempt.item)) {
        this.#again.unshift(attempt);
        return false;
      }
      this.#start(room, attempt);
      return true;
    }
    if (this.#read === undefined && !this.#hasEnded) {
      this.#read = await this.#next(seat.worker);
      this.#hasEnded = this.#read === undefined;
      // It may have been lost meanwhile.
      return true;
    }
    const item = this.#read;
    if (item === undefined) return false;
    const room = this.#roomiest(item);
    if (room === undefined || !fits(room, item)) return false;
    this.#read = undefined;
    this.#start(room, { item, deaths: 0, failures: 0, notBefore: 0, failedOn: undefined });
    return true;
  }

  /** Starts one that has to run alone, or keeps a worker free for it. @returns whether one was started */
  #giveSuspect(): boolean {
    const due = this.#again.findIndex((each) => isSuspect(each) && each.notBefore <= performance.now());
    for (const seat of this.#seats.values()) if (!seat.isAlone) seat.isReserved = false;
    if (due < 0) return false;
    const free = [...this.#seats.values()].filter(({ isAlone }) => !isAlone);
    const [first] = free.toSorted((a, b) => a.running.size - b.running.size);
    if (first === undefined) return false;
    first.isReserved = true;
    if (first.running.size > 0) return false;
    const [attempt] = this.#again.splice(due, 1) as [Attempt];
    first.isAlone = true;
    this.#start(first, attempt);
    return true;
  }

  /** The worker with most room, not the one that failed last where there is another. */
  #roomiest(item?: JobItem, not?: string): Seat | undefined {
    const free = [...this.#seats.values()].filter((seat) => !seat.isReserved && seat.room > 0);
    const wanted = item === undefined ? free : free.filter((seat) => fits(seat, item));
    const others = wanted.filter(({ worker }) => worker.name !== not);
    return (others.length > 0 ? others : wanted).toSorted((a, b) => b.room / b.rows - a.room / a.rows)[0];
  }

  #start(seat: Seat, attempt: Attempt): void {
    seat.running.add(attempt);
    void this.#attempt(seat, attempt).finally(() => {
      seat.running.delete(attempt);
      if (seat.running.size === 0) seat.isAlone = false;
      this.#wake();
    });
  }

  /** Never rejects. */
  async #attempt(seat: Seat, attempt: Attempt): Promise<void> {
    const { item } = attempt;
    const { worker } = seat;
    try {
      const onToken = () => this.#events.onToken(worker.name);
      const run = answerAll(item.request.asks, worker, { signal: seat.signal, rows: seat.rows, onToken });
      // Of a worker that hangs nobody waits for what it frees.
      const answers = await unlessAborted(run, seat.signal);
      if (this.#isOver) return;
      this.#events.onAnswer(item, answers);
      this.#hasAnswered = true;
    } catch (thrown) {
      const error = seat.loss ?? firstError(thrown);
      if (this.#isOver) return;
      if (seat.loss === undefined && isOwnFault(error)) {
        this.#events.onFailure(item, error);
        return;
      }
      // Whether the request failed or its worker is gone, the worker tells.
      const forgot = error instanceof WorkerError && error.status === "NOT_FOUND";
      const isLost = seat.loss !== undefined || isLoss(error) || forgot || !(await this.#check(seat));
      if (isLost) this.#lose(seat, error);
      if (this.#isOver) return;
      // Of a worker that had forgotten its model before, no request is to blame.
      if (isLost && !forgot) attempt.deaths += 1;
      if (!isLost) attempt.failures += 1;
      this.#tryAgain(attempt, worker.name, error);
    }
  }

  #tryAgain(attempt: Attempt, name: string, error: unknown): void {
    const { item, deaths, failures } = attempt;
    const why = error instanceof Error ? error.message : String(error);
    if (deaths >= deathsAtMost) {
      const text = `the request was set aside: it was running when ${deaths} workers died, the last time alone; ${why}`;
      this.#putAside(item, new RuntimeFailure("workers_lost", text, { deaths }));
      return;
    }
    if (failures >= failuresAtMost) {
      const text = `the request was set aside: it failed ${failures} times; ${why}`;
      this.#putAside(item, new RuntimeFailure("request_failed", text, { failures }));
      return;
    }
    attempt.failedOn = name;
    attempt.notBefore = performance.now() + backoffMs(deaths + failures);
    this.#again.push(attempt);
    this.#events.onRetry(item, error);
  }

  /** Where nothing is ever answered, requests are not to blame, and are not told as done. */
  #putAside(item: JobItem, error: RuntimeFailure): void {
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
    this.#wake();
  }

  /** @returns whether the worker is there */
  async #check(seat: Seat): Promise<boolean> {
    try {
      seat.checking ??= seat.worker.check();
      await seat.checking;
      return seat.loss === undefined;
    } catch (error) {
      this.#lose(seat, error);
      return false;
    } finally {
      seat.checking = undefined;
    }
  }

  #lose(seat: Seat, error: unknown): void {
    if (seat.loss !== undefined) return;
    if (this.#seats.get(seat.worker.name) === seat) this.#seats.delete(seat.worker.name);
    seat.lose(error);
    this.#wake();
  }

  /** Wakes when the next one is due. What was due when it was looked at waits for room, and whoever makes room wakes. */
  #timer(looked: number): NodeJS.Timeout | undefined {
    const times = this.#again.map(({ notBefore }) => notBefore).filter((time) => time > looked);
    if (times.length === 0) return undefined;
    return setTimeout(() => this.#wake(), Math.max(0, Math.min(...times) - performance.now()) + 1);
  }
}

// Implementation

const checkEveryMs = 5_000;

/** A request and its misfortunes. */
interface Attempt {
  readonly item: JobItem;
  /** Workers that died while it ran there. */
  deaths: number;
  /** Failures on workers that live. */
  failures: number;
  notBefore: number;
  failedOn: string | undefined;
}

const isSuspect = ({ deaths }: Attempt): boolean => deaths >= deathsAtMost - 1;

/** A worker while it is used. */
class Seat {
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
const fits = (seat: Seat, { request: { asks } }: JobItem): boolean =>
  seat.room >= asks.length || seat.running.size === 0;

/** The answers to all that a request asks, as many at the same time as there are rows. */
async function answerAll(
  asks: readonly Ask[],
  { answerer }: ReadyWorker,
  { signal, rows, onToken }: { readonly signal: AbortSignal; readonly rows: number; readonly onToken: () => void },
): Promise<readonly Answered[]> {
  // Not `AbortSignal.any`, of which something would stay with the worker's signal for each request.
  const own = new AbortController();
  const abort = () => own.abort(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  setMaxListeners(0, own.signal);
  const answers: Answered[] = [];
  const left = [...asks.entries()];
  const line = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const [index, { prompt, options }] = next;
      const run = answerer.generate(prompt, { ...options, signal: own.signal });
      const pieces: Answered["pieces"][number][] = [];
      for (;;) {
        const event = await run.next();
        if (event.done === true) {
          answers[index] = { pieces, summary: event.value };
          break;
        }
        pieces.push(event.value);
        onToken();
      }
    }
  };
  const lines = Array.from({ length: Math.min(rows, asks.length) }, line);
  try {
    await Promise.all(lines);
  } catch (error) {
    own.abort(error);
    await Promise.allSettled(lines);
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
  return answers;
}

/** What some work gives, or the signal's reason. Not `Promise.race`, by which a long life would hold on to every answer. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) abort();
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

/** Whether it is the request that is wrong, so that no other worker would do better. */
function isOwnFault(error: unknown): error is TsxlaError {
  if (error instanceof WorkerError || isLoss(error)) return false;
  return error instanceof InputError || (error instanceof TsxlaError && error.code !== "WORKER_UNREACHABLE");
}

function isLoss(error: unknown): boolean {
  return error instanceof RuntimeFailure && ["WORKER_LOST", "WORKER_CLOSED"].includes(error.code);
}

/** Of an error and one that came up while cleaning up after it, the first: the other is its consequence. */
function firstError(thrown: unknown): unknown {
  const { name, suppressed } = (thrown ?? {}) as { name?: unknown; suppressed?: unknown };
  return name === "SuppressedError" ? firstError(suppressed) : thrown;
}
