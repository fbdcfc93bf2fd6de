/** A model on a worker: its weights, and the programs compiled for it so far. */
import { lower, type Signature, type Target } from "../compiler/index.ts";
import { full, type Graph, InputError, type StorageOf, trace } from "../dsl/index.ts";
import type { ModelConfig } from "../models/index.ts";
import { type DeviceBuffer, type Executable, type Worker, WorkerError } from "../runtime-bridge/index.ts";
import type { ModelFiles } from "./model-files.ts";
import { cacheAxes, cacheBytes, lowerStep, type StepOutputs } from "./programs.ts";
import type { DeviceWeights } from "./weights.ts";

// Public API

/** Which step program. */
export interface StepKind {
  readonly pos: number;
  readonly capacity: number;
  readonly outputs: StepOutputs;
}

/** A compiled step. */
export interface StepProgram {
  readonly executable: Executable;
  readonly signature: Signature;
  /** The position of a result. */
  resultIndex(name: string): number;
}

/** A compilation that has begun or ended. */
export interface CompileEvent {
  readonly kind: StepKind;
  /** Absent when it has only begun. */
  readonly done?: { readonly seconds: number; readonly fromCache: boolean };
}

export class ModelPrograms {
  readonly worker: Worker;
  readonly config: ModelConfig;
  /** The cache tensors, in the order of their slots. */
  readonly cacheNames: readonly string[];
  readonly #files: ModelFiles;
  readonly #target: Target;
  readonly #weights: DeviceWeights;
  readonly #storageOf: StorageOf;
  readonly #onCompile: ((event: CompileEvent) => void) | undefined;
  readonly #steps = new Map<string, Promise<StepProgram>>();
  readonly #zeros = new Map<number, Promise<Executable>>();
  #memoryBytes: Promise<number> | undefined;

  constructor(
    worker: Worker,
    files: ModelFiles,
    target: Target,
    weights: DeviceWeights,
    storageOf: StorageOf,
    onCompile?: (event: CompileEvent) => void,
  ) {
    this.worker = worker;
    this.config = files.config;
    this.cacheNames = Array.from({ length: files.config.layers }, (_, n) => [`caches.${n}.k`, `caches.${n}.v`]).flat();
    this.#files = files;
    this.#target = target;
    this.#weights = weights;
    this.#storageOf = storageOf;
    this.#onCompile = onCompile;
  }

  /** The program of that kind, compiled when it is first asked for. */
  step(kind: StepKind): Promise<StepProgram> {
    const key = `${kind.pos} ${kind.capacity} ${kind.outputs}`;
    const known = this.#steps.get(key) ?? this.#compile(kind);
    this.#steps.set(key, known);
    // A compilation that failed may be tried again.
    known.catch(() => this.#steps.delete(key));
    return known;
  }

  /** Rotary frequencies for a row that will be `length` positions long. */
  frequencies(length: number): Float32Array {
    return this.#files.architecture.frequencies(this.config, length);
  }

  /** The buffer of an argument called `weights.PATH`. */
  weight(name: string): DeviceBuffer {
    const found = this.#weights.get(name.replace(/^weights\./, ""));
    if (found === undefined) throw new Error(`the program wants '${name}', which is neither an input nor a weight`);
    return found;
  }

  /**
   * Fresh caches of zeros for one row, in the order of `cacheNames`.
   *
   * @throws InputError when the devices have no room for them
   */
  async emptyCaches(
    capacity: number,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<readonly DeviceBuffer[]> {
    const known = this.#zeros.get(capacity) ?? this.worker.compile(lower(this.#traceZeros(capacity)), options);
    this.#zeros.set(capacity, known);
    known.catch(() => this.#zeros.delete(capacity));
    try {
      await this.#requireRoom(capacity);
      const { results } = await this.worker.execute(await known, [], options);
      return results;
    } catch (error) {
      // A CPU's memory is known to the worker alone, which refuses before it allocates.
      if (error instanceof WorkerError && error.metadata.wanted !== undefined && error.metadata.found !== undefined) {
        throw this.#tooLarge(capacity, Number(error.metadata.found), error);
      }
      throw error;
    }
  }

  /** Frees the weights. Never rejects: what keeps a worker from freeing them is its end, and they end with it. */
  async release(): Promise<void> {
    await this.worker.release(this.#weights.values()).catch(() => {});
  }

  // Implementation

  async #compile(kind: StepKind): Promise<StepProgram> {
    this.#onCompile?.({ kind });
    const started = performance.now();
    const { architecture } = this.#files;
    const sizes = { batch: 1, ...kind };
    const program = lowerStep(architecture, this.config, this.#target, sizes, kind.outputs, this.#storageOf);
    const executable = await this.worker.compile(program);
    this.#onCompile?.({
      kind,
      done: { seconds: (performance.now() - started) / 1000, fromCache: executable.fromCache },
    });
    const { signature } = program;
    const indices = new Map(signature.results.map(({ name }, n) => [name, n]));
    return { executable, signature, resultIndex: (name) => indices.get(name) as number };
  }

  /** Where devices say how much memory they have, a cache beyond it is refused before any of it is made. */
  async #requireRoom(capacity: number): Promise<void> {
    this.#memoryBytes ??= this.worker
      .info()
      .then(({ devices }) => Math.min(...devices.map((each) => each.memoryBytes)));
    const memory = await this.#memoryBytes;
    if (memory > 0 && this.#cacheBytes(capacity) > memory) {
      throw this.#tooLarge(capacity, memory);
    }
  }

  #cacheBytes(capacity: number): number {
    return cacheBytes(this.#files.architecture, this.config, { batch: 1, capacity }, this.#target);
  }

  #tooLarge(capacity: number, found: number, cause?: unknown): InputError {
    const wanted = this.#cacheBytes(capacity);
    const gigabytes = (count: number) => `${(count / 1e9).toFixed(1)} GB`;
    return new InputError(
      "CACHE_TOO_LARGE",
      `a cache of ${capacity} positions takes ${gigabytes(wanted)}, and the worker has ${gigabytes(found)}; a shorter prompt, a smaller token budget or a smaller context needs less`,
      { positions: capacity, wanted, found },
      { cause },
    );
  }

  #traceZeros(capacity: number): Graph {
    const axes = cacheAxes(this.#files.architecture, this.config, { batch: 1, capacity });
    return trace("empty_caches", () => ({
      caches: axes.map(({ k, v }) => ({
        k: full(0, this.#target.cache, ...k),
        v: full(0, this.#target.cache, ...v),
      })),
    }));
  }
}
