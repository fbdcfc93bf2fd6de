/**
 * A worker's life in a job: reached, checked, loaded, used; when it is lost, all of it again, a while later.
 */
import { setMaxListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { InputError, RuntimeFailure } from "../dsl/index.ts";
import type { EngineOptions } from "../inference/batching/engine-options.ts";
import { type LoadModelOptions, loadModel } from "../inference/load-model.ts";
import type { Model } from "../inference/model.ts";
import { type Worker, WorkerError } from "../runtime-bridge/index.ts";
import { type Answerer, openAnswerer } from "./answerer.ts";
import { backoffMs } from "./backoff.ts";
import type { Agreement } from "./worker-agreement.ts";
import { identify, type ModelPlace, systemFingerprint } from "./worker-identity.ts";
import type { WorkerSource } from "./worker-sources.ts";

// Public API

/** Where a worker is in its life. `gone` is for good: its `reason` says why. */
export type WorkerState = "starting" | "checking" | "loading" | "ready" | "lost" | "gone";

/** What a worker is told once. */
export interface WorkerPlans {
  readonly model: ModelPlace;
  readonly load: Omit<LoadModelOptions, "worker" | "signal" | "randomWeights">;
  readonly engine: EngineOptions;
  readonly agreement: Agreement;
  /** Uses a worker that is ready. Rejects when it is lost; resolves when there is nothing left to do. */
  serve(ready: ReadyWorker): Promise<void>;
  onState(worker: JobWorker): void;
}

/** A worker with its model. */
export interface ReadyWorker {
  readonly name: string;
  readonly answerer: Answerer;
  readonly model: Model;
  readonly fingerprint: string;
  /** Rejects when it is not there any more, or is another process than before. */
  check(): Promise<void>;
}

export class JobWorker {
  readonly name: string;
  state: WorkerState = "starting";
  /** Why it was lost, or is gone. */
  reason: unknown;
  /** Since when it has not been ready, in `performance.now()`; absent before the first failure. */
  failingSince: number | undefined;
  /** How often it was lost after it had been ready. */
  losses = 0;
  readonly #source: WorkerSource;
  readonly #plans: WorkerPlans;

  constructor(source: WorkerSource, plans: WorkerPlans) {
    this.name = source.name;
    this.#source = source;
    this.#plans = plans;
  }

  /** Lives until the signal is aborted, or it is gone. Never rejects. */
  async live(signal: AbortSignal): Promise<void> {
    for (let tries = 0; !signal.aborted; ) {
      try {
        this.#become("starting");
        await this.#once(signal, () => {
          tries = 0;
        });
        return;
      } catch (error) {
        if (signal.aborted) return;
        this.reason = error;
        this.#plans.agreement.absent(this.name);
        if (isForGood(error)) {
          this.#become("gone");
          return;
        }
        this.failingSince ??= performance.now();
        if (this.state !== "lost") this.#become("lost");
      }
      tries += 1;
      await sleep(backoffMs(tries), undefined, { signal }).catch(() => {});
    }
  }

  /** It is not wanted any more. */
  leave(reason: unknown): void {
    this.reason = reason;
    this.#become("gone");
  }

  // Implementation

  async #once(signal: AbortSignal, onReady: () => void): Promise<void> {
    const { model: place, load, engine, agreement } = this.#plans;
    const worker = await this.#source.open(signal);
    let model: Model | undefined;
    let answerer: Answerer | undefined;
    try {
      this.#become("checking");
      const { processId } = await worker.info({ signal });
      const identity = await identify(worker, place.path, signal);
      const agreed = agreement.accept({
        name: this.name,
        identity,
        fingerprint: () => systemFingerprint(worker, place, identity),
      });
      // Others may take a while to say what they are; what is set aside needs not be loaded to the end.
      const refusal = new AbortController();
      agreed.catch((error: unknown) => refusal.abort(error));
      const either = AbortSignal.any([signal, refusal.signal]);
      setMaxListeners(0, either);
      this.#become("loading");
      model = await loadModel(place.path, { ...load, worker, signal: either });
      const fingerprint = await agreed;
      answerer = await openAnswerer(model, engine);
      this.failingSince = undefined;
      this.reason = undefined;
      onReady();
      this.#become("ready");
      const check = () => stillThere(worker, processId);
      await this.#plans.serve({ name: this.name, answerer, model, fingerprint, check });
    } catch (error) {
      // Told before what is left of it is let go of, which may take a while.
      if (this.state === "ready") {
        this.losses += 1;
        this.reason = error;
        this.#become("lost");
      }
      throw error;
    } finally {
      await letGo(worker, async () => {
        // What is lost cannot be freed, and need not be.
        await answerer?.close().catch(() => {});
        await model?.close().catch(() => {});
        await worker.close();
      });
    }
  }

  #become(state: WorkerState): void {
    this.state = state;
    this.#plans.onState(this);
  }
}

// Implementation

const checkMs = 60_000;

/** How long a worker may take to be closed. One that hangs never would. */
const closeMs = 10_000;

async function letGo(worker: Worker, close: () => Promise<void>): Promise<void> {
  const over = new AbortController();
  const closed = close().then(() => true);
  const isClosed = await Promise.race([closed, sleep(closeMs, false, { signal: over.signal }).catch(() => false)]);
  over.abort();
  if (isClosed) return;
  closed.catch(() => {});
  // One of this machine would go on and hold its memory.
  for (const { processId } of worker.hosts) {
    if (processId !== undefined) process.kill(processId, "SIGKILL");
  }
}

async function stillThere(worker: Worker, before: number): Promise<void> {
  const { processId } = await worker.info({ deadlineMs: checkMs });
  if (processId === before) return;
  throw new RuntimeFailure(
    "WORKER_LOST",
    `the worker at ${worker.address} was started again: it has forgotten the model`,
    {
      address: worker.address,
      before,
      now: processId,
    },
  );
}

/** Whether trying again would give the same. */
function isForGood(error: unknown): boolean {
  if (error instanceof InputError) return true;
  if (error instanceof WorkerError) return error.reason === "PATH_NOT_FOUND" || hopeless.has(error.status);
  return error instanceof RuntimeFailure && ["GROUP_MISMATCH", "GROUP_INVALID", "SETUP_MISSING"].includes(error.code);
}

const hopeless = new Set(["UNAUTHENTICATED", "PERMISSION_DENIED", "INVALID_ARGUMENT", "UNIMPLEMENTED"]);
