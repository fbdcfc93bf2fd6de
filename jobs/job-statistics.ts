/** What a job has done so far, how fast, and how long the rest takes. */

import type { Answered } from "../openai/job-types.ts";
import { tiesOf } from "../openai/response-usage.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { JobWorker, WorkerState } from "./job-worker.ts";

// Public API

/** Lines of the input, by what became of them. */
export interface JobCounts {
  /** All that hold a request. */
  readonly total: number;
  /** Answered by this run and those before. */
  readonly answered: number;
  /** Refused, or set aside, by this run and those before. */
  readonly failed: number;
  /** Of the last two what the output held already. */
  readonly resumed: number;
  readonly left: number;
}

/** A job under way. */
export interface JobProgress extends JobCounts {
  readonly running: number;
  /** Waiting to be tried again. */
  readonly retrying: number;
  readonly retries: number;
  readonly answerTokens: number;
  /** Of the last seconds. */
  readonly tokensPerSecond: number;
  /** Since the first worker was ready. */
  readonly seconds: number;
  /** Of what is left; absent before anything is done. */
  readonly secondsLeft: number | undefined;
  readonly workers: readonly WorkerProgress[];
}

/** One worker of it. */
export interface WorkerProgress {
  readonly name: string;
  readonly state: WorkerState;
  readonly rows: number;
  readonly running: number;
  readonly tokens: number;
  readonly tokensPerSecond: number;
  /** How often it was lost. */
  readonly losses: number;
}

/** A job that is done. Of tokens, times and retries, what this run did. */
export interface JobSummary extends JobCounts {
  readonly promptTokens: number;
  /** How many of them a cache held already. */
  readonly reusedTokens: number;
  readonly answerTokens: number;
  readonly seconds: number;
  readonly tokensPerSecond: number;
  readonly retries: number;
  /** How often a worker was lost. */
  readonly workersLost: number;
  /** Workers that were not used, or not to the end, and why. */
  readonly workersGone: readonly { readonly name: string; readonly reason: string }[];
  /** Greedy answers of which a token was nearly another one: another worker may have chosen that. */
  readonly nearTies: readonly RequestTies[];
}

/** The near ties of a request. */
export interface RequestTies {
  readonly customId: string;
  readonly ties: readonly { readonly choice: number; readonly index: number; readonly margin: number }[];
}

export class JobStatistics {
  retries = 0;
  readonly #lines: number;
  readonly #resumed: number;
  #answered: number;
  #failed: number;
  #doneHere = 0;
  #promptTokens = 0;
  #reusedTokens = 0;
  #answerTokens = 0;
  #begun: number | undefined;
  readonly #nearTies: RequestTies[] = [];
  readonly #all = new Rate();
  readonly #rates = new Map<string, Rate>();

  /** @param before  what the output held already */
  constructor(before: { readonly lines: number; readonly answered: number; readonly failed: number }) {
    this.#lines = before.lines;
    this.#answered = before.answered;
    this.#failed = before.failed;
    this.#resumed = before.answered + before.failed;
  }

  get counts(): JobCounts {
    const [total, answered, failed] = [this.#lines, this.#answered, this.#failed];
    return { total, answered, failed, resumed: this.#resumed, left: total - answered - failed };
  }

  /** A worker is ready: from the first one on, time counts. */
  begin(): void {
    this.#begun ??= performance.now();
  }

  token(worker: string): void {
    const rate = this.#rates.get(worker) ?? new Rate();
    this.#rates.set(worker, rate);
    rate.count();
    this.#all.count();
  }

  /** @returns the tokens of its answers */
  answered(customId: string, answers: readonly Answered[]): number {
    this.#answered += 1;
    this.#doneHere += 1;
    let tokens = 0;
    for (const { summary } of answers) {
      this.#promptTokens += summary.promptTokens;
      this.#reusedTokens += summary.reusedTokens;
      tokens += summary.answerTokens;
    }
    this.#answerTokens += tokens;
    const ties = tiesOf(answers);
    if (ties.length > 0) this.#nearTies.push({ customId, ties });
    return tokens;
  }

  failed(): void {
    this.#failed += 1;
    this.#doneHere += 1;
  }

  progress(workers: readonly JobWorker[], dispatcher: Pick<Dispatcher, "loads" | "running" | "waiting">): JobProgress {
    const { loads, running, waiting } = dispatcher;
    const seconds = this.#seconds();
    return {
      ...this.counts,
      running,
      retrying: waiting,
      retries: this.retries,
      answerTokens: this.#all.total,
      tokensPerSecond: this.#all.perSecond(),
      seconds,
      secondsLeft: this.#doneHere === 0 ? undefined : (this.counts.left / this.#doneHere) * seconds,
      workers: workers.map(({ name, state, losses }) => ({
        name,
        state,
        rows: loads.get(name)?.rows ?? 0,
        running: loads.get(name)?.running ?? 0,
        tokens: this.#rates.get(name)?.total ?? 0,
        tokensPerSecond: this.#rates.get(name)?.perSecond() ?? 0,
        losses,
      })),
    };
  }

  summary(workers: readonly JobWorker[]): JobSummary {
    const seconds = this.#seconds();
    return {
      ...this.counts,
      promptTokens: this.#promptTokens,
      reusedTokens: this.#reusedTokens,
      answerTokens: this.#answerTokens,
      seconds,
      tokensPerSecond: seconds === 0 ? 0 : this.#answerTokens / seconds,
      retries: this.retries,
      workersLost: workers.reduce((all, { losses }) => all + losses, 0),
      workersGone: workers.flatMap(({ name, state, reason }) =>
        state === "gone" ? [{ name, reason: reason instanceof Error ? reason.message : String(reason) }] : [],
      ),
      nearTies: this.#nearTies,
    };
  }

  // Implementation

  #seconds(): number {
    return this.#begun === undefined ? 0 : (performance.now() - this.#begun) / 1000;
  }
}

// Implementation

const windowSeconds = 10;

/** Counts, by the second, of the last ones. */
class Rate {
  total = 0;
  readonly #started = performance.now();
  readonly #seconds = new Float64Array(windowSeconds);
  readonly #counts = new Float64Array(windowSeconds);

  count(): void {
    this.total += 1;
    const now = Math.floor(performance.now() / 1000);
    const at = now % windowSeconds;
    if (this.#seconds[at] !== now) this.#counts[at] = 0;
    this.#seconds[at] = now;
    this.#counts[at] = (this.#counts[at] as number) + 1;
  }

  perSecond(): number {
    const now = performance.now() / 1000;
    const recent = this.#counts.reduce(
      (all, count, at) => ((this.#seconds[at] as number) > now - windowSeconds ? all + count : all),
      0,
    );
    return recent / Math.max(1, Math.min(windowSeconds, now - this.#started / 1000));
  }
}
