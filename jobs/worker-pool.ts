/** A job's workers, together: those that were named, and those that names turn out to stand for. */
import { setMaxListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { RuntimeFailure } from "../dsl/index.ts";
import { JobWorker, type WorkerPlans } from "./job-worker.ts";
import type { NamedWorkers, WorkerSource } from "./worker-sources.ts";

// Public API

/** How often a name is looked up anew. */
const lookUpMs = 10_000;

export class WorkerPool {
  readonly #workers = new Map<string, JobWorker>();
  readonly #lives = new Map<string, { readonly life: Promise<void>; readonly leave: AbortController }>();
  readonly #plans: WorkerPlans;
  readonly #names = new Map<NamedWorkers, NameState>();
  readonly #patienceMs: number;

  /** @param patienceMs  how long a job goes on without a single worker */
  constructor(plans: WorkerPlans, patienceMs: number) {
    this.#plans = plans;
    this.#patienceMs = patienceMs;
  }

  get workers(): readonly JobWorker[] {
    return [...this.#workers.values()];
  }

  /**
   * Lets all workers live until the signal is aborted.
   *
   * @throws RuntimeFailure, or the one error that all have in common, when none is left that may come back; never returns
   */
  async run(sources: readonly WorkerSource[], names: readonly NamedWorkers[], signal: AbortSignal): Promise<void> {
    for (const source of sources) this.#add(source, signal);
    for (const each of names) {
      this.#names.set(each, { failingSince: undefined, reason: undefined });
      void this.#follow(each, signal);
    }
    while (!signal.aborted) {
      await sleep(lookMs, undefined, { signal }).catch(() => {});
      if (!signal.aborted && this.#isHopeless()) throw this.#hopeless();
    }
  }

  /** Resolves when all have ended, which they do once the signal is aborted. */
  async ended(): Promise<void> {
    await Promise.all([...this.#lives.values()].map(({ life }) => life));
  }

  // Implementation

  #add(source: WorkerSource, signal: AbortSignal): void {
    const worker = new JobWorker(source, this.#plans);
    const leave = new AbortController();
    this.#plans.agreement.expect(source.name);
    this.#workers.set(source.name, worker);
    const either = AbortSignal.any([signal, leave.signal]);
    // A model is compiled in many calls at once, and each listens.
    setMaxListeners(0, either);
    this.#lives.set(source.name, { life: worker.live(either), leave });
  }

  /** Adds whom a name stands for, and lets go of those that it does not stand for any more and that are lost. */
  async #follow(named: NamedWorkers, signal: AbortSignal): Promise<void> {
    const state = this.#names.get(named) as NameState;
    let own = new Set<string>();
    while (!signal.aborted) {
      try {
        const found = await named.find();
        if (signal.aborted) return;
        state.failingSince = undefined;
        for (const source of found) {
          const known = this.#workers.get(source.name);
          // One that had left may come back under its old number.
          if (known === undefined || (known.state === "gone" && !own.has(source.name))) this.#add(source, signal);
        }
        const names = new Set(found.map(({ name }) => name));
        for (const name of own) {
          const worker = this.#workers.get(name);
          if (names.has(name) || worker === undefined) continue;
          if (worker.state === "lost") {
            this.#lives.get(name)?.leave.abort();
            worker.leave(
              new RuntimeFailure("WORKER_LEFT", `${named.name} does not stand for ${name} any more`, { name }),
            );
          } else if (worker.state !== "gone") names.add(name);
        }
        own = names;
      } catch (error) {
        state.failingSince ??= performance.now();
        state.reason = error;
      }
      await sleep(lookUpMs, undefined, { signal }).catch(() => {});
    }
  }

  #isHopeless(): boolean {
    const since = performance.now() - this.#patienceMs;
    const isOut = (failingSince: number | undefined) => failingSince !== undefined && failingSince < since;
    const areOut = this.workers.every(
      ({ state, failingSince }) =>
        state === "gone" || (state !== "ready" && state !== "loading" && isOut(failingSince)),
    );
    // A name that was found stands for the workers it had; one that was never found has as long as a worker.
    const names = [...this.#names.values()];
    return areOut && (this.workers.length > 0 || names.every(({ failingSince }) => isOut(failingSince)));
  }

  #hopeless(): unknown {
    const reasons = [
      ...this.workers.map(({ name, reason }) => ({ name, reason })),
      ...[...this.#names].flatMap(([{ name }, { reason }]) => (reason === undefined ? [] : [{ name, reason }])),
    ];
    const [only] = reasons;
    // The same model is wrong for all of them, so it is the model.
    const texts = new Set(reasons.map(({ reason }) => textOf(reason)));
    if (texts.size === 1 && this.workers.every(({ state }) => state === "gone")) return only?.reason;
    const lines = reasons.map(({ name, reason }) => `  ${name}  ${textOf(reason).split("\n").join("\n    ")}`);
    return new RuntimeFailure(
      "JOB_NO_WORKERS",
      `no worker is left\n${lines.join("\n")}\n  what the output holds is whole; the same command goes on from there`,
      { workers: reasons.map(({ name, reason }) => ({ name, reason: textOf(reason) })) },
    );
  }
}

// Implementation

const lookMs = 250;

interface NameState {
  failingSince: number | undefined;
  reason: unknown;
}

const textOf = (reason: unknown): string => (reason instanceof Error ? reason.message : String(reason));
