/** A model on a worker: its weights, and the programs compiled for it so far. */
import { lower, type Program, type Signature, type Target } from "../../compiler/index.ts";
import { type Activation, full, type Graph, type StorageOf, trace } from "../../dsl/index.ts";
import type { ModelConfig } from "../../models/index.ts";
import { type DeviceBuffer, type Executable, type Worker, WorkerError } from "../../runtime-bridge/index.ts";
import { cacheTooLarge } from "./cache-size.ts";
import { type FrequencyInput, frequencyInputs } from "./frequency-inputs.ts";
import type { UnloadedModel } from "./model-files.ts";
import {
  cacheAxes,
  cacheBytes,
  loweringFor,
  type StepOutputs,
  traceAdopt,
  traceRestore,
  traceStep,
} from "./step-program.ts";
import type { DeviceWeights } from "./weights.ts";

// Public API

/** Which step program. */
export interface StepKind {
  /** Rows. Default: 1. */
  readonly batch?: number;
  readonly pos: number;
  readonly capacity: number;
  readonly outputs: StepOutputs;
  /** Whether every named value comes back. Default: no. */
  readonly activations?: boolean;
}

/** A compiled step. */
export interface StepProgram {
  readonly executable: Executable;
  readonly signature: Signature;
  /** Its text, which the worker was given. */
  readonly program: Program;
  /** What is known of the results called `activations.NAME`. */
  readonly activations: readonly Activation[];
  /** The position of a result. */
  resultIndex(name: string): number;
}

/** What copies a text into a row of several, or back. */
export type CopyProgram = Pick<StepProgram, "executable" | "signature">;

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
  /** The arguments that hold rotary frequencies, in their order. */
  readonly frequencyNames: readonly string[];
  readonly #files: UnloadedModel;
  readonly #target: Target;
  readonly #weights: DeviceWeights;
  readonly #storageOf: StorageOf;
  readonly #onCompile: ((event: CompileEvent) => void) | undefined;
  readonly #steps = new Map<string, Promise<StepProgram>>();
  readonly #zeros = new Map<string, Promise<Executable>>();
  readonly #copies = new Map<string, Promise<CopyProgram>>();

  constructor(
    worker: Worker,
    files: UnloadedModel,
    target: Target,
    weights: DeviceWeights,
    storageOf: StorageOf,
    onCompile?: (event: CompileEvent) => void,
  ) {
    this.worker = worker;
    this.config = files.config;
    this.cacheNames = Array.from({ length: files.config.layers }, (_, n) => [`caches.${n}.k`, `caches.${n}.v`]).flat();
    this.#files = files;
    this.frequencyNames = this.frequencyInputs(1).map(({ name }) => name);
    this.#target = target;
    this.#weights = weights;
    this.#storageOf = storageOf;
    this.#onCompile = onCompile;
  }

  /** The program of that kind, compiled when it is first asked for. */
  step(kind: StepKind): Promise<StepProgram> {
    const key = `${kind.batch ?? 1} ${kind.pos} ${kind.capacity} ${kind.outputs}${kind.activations ? " activations" : ""}`;
    const known = this.#steps.get(key) ?? this.#compile(kind);
    this.#steps.set(key, known);
    // A compilation that failed may be tried again.
    known.catch(() => this.#steps.delete(key));
    return known;
  }

  /** Whether some layer keeps less than everything. */
  hasRings(capacity: number): boolean {
    const { architecture } = this.#files;
    const sizes = { batch: 1, capacity };
    return cacheAxes(architecture, this.config, sizes).some(({ k }) => k.at(-1)?.size !== capacity);
  }

  /** The arguments of a step that hold rotary frequencies, for a row that will be `length` positions long. */
  frequencyInputs(length: number): readonly FrequencyInput[] {
    return frequencyInputs(this.#files.architecture.frequencies?.(this.config, length) ?? {});
  }

  /** The same as one list, all sets one after the other: rows of which it is equal are read alike. */
  frequencies(length: number): Float32Array {
    const inputs = this.frequencyInputs(length);
    const [only] = inputs;
    if (inputs.length === 1 && only !== undefined) return only.values;
    return Float32Array.from(inputs.flatMap(({ values }) => [...values]));
  }

  /** How many of `count` positions after `length`, at least one, a row is read with the same rotary frequencies. */
  steadyPositions(length: number, count: number): number {
    const first = this.frequencies(length + 1);
    const isOther = (of: Float32Array) => of.some((each, pair) => each !== first[pair]);
    for (let n = 1; n < count; n++) if (isOther(this.frequencies(length + n + 1))) return n;
    return count;
  }

  /** The buffer of an argument called `weights.PATH`. */
  weight(name: string): DeviceBuffer {
    const found = this.#weights.get(name.replace(/^weights\./, ""));
    if (found === undefined) throw new Error(`the program wants '${name}', which is neither an input nor a weight`);
    return found;
  }

  /** The program that copies one text's caches into a row of a batch's (`traceAdopt`). */
  adopt(sizes: { readonly rows: number; readonly capacity: number }): Promise<CopyProgram> {
    return this.#copy("adopt", sizes);
  }

  /** The program that copies a row of several into one text's caches (`traceRestore`). */
  restore(sizes: { readonly rows: number; readonly capacity: number }): Promise<CopyProgram> {
    return this.#copy("restore", sizes);
  }

  /**
   * Fresh caches of zeros for `batch` rows, one unless told otherwise, in the order of `cacheNames`.
   *
   * @throws InputError when the devices have no room for them
   */
  async emptyCaches(
    capacity: number,
    { batch = 1, ...options }: { readonly batch?: number; readonly signal?: AbortSignal | undefined } = {},
  ): Promise<readonly DeviceBuffer[]> {
    const key = `${batch} ${capacity}`;
    const known = this.#zeros.get(key) ?? this.worker.compile(this.#lower(this.#traceZeros(batch, capacity)), options);
    this.#zeros.set(key, known);
    known.catch(() => this.#zeros.delete(key));
    try {
      const { results } = await this.worker.execute(await known, [], options);
      return results;
    } catch (error) {
      // What was not known before (./cache-size.ts): a worker refuses what its host has no memory for.
      if (error instanceof WorkerError && error.metadata.wanted !== undefined && error.metadata.found !== undefined) {
        const wanted = cacheBytes(this.#files.architecture, this.config, { batch, capacity }, this.#target);
        throw cacheTooLarge(capacity, wanted, Number(error.metadata.found), error);
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
    const graph = traceStep(architecture, this.config, this.#target, sizes, kind.outputs, this.#storageOf, kind);
    const program = this.#lower(graph);
    const executable = await this.worker.compile(program);
    this.#onCompile?.({
      kind,
      done: { seconds: (performance.now() - started) / 1000, fromCache: executable.fromCache },
    });
    const { signature } = program;
    const indices = new Map(signature.results.map(({ name }, n) => [name, n]));
    const { activations } = graph;
    return { executable, signature, program, activations, resultIndex: (name) => indices.get(name) as number };
  }

  #copy(way: keyof typeof copies, sizes: { readonly rows: number; readonly capacity: number }): Promise<CopyProgram> {
    const key = `${way} ${sizes.rows} ${sizes.capacity}`;
    const known = this.#copies.get(key) ?? this.#compileCopy(way, sizes);
    this.#copies.set(key, known);
    known.catch(() => this.#copies.delete(key));
    return known;
  }

  async #compileCopy(
    way: keyof typeof copies,
    { rows, capacity }: { readonly rows: number; readonly capacity: number },
  ): Promise<CopyProgram> {
    const sizes = { batch: rows, capacity };
    const program = this.#lower(copies[way](this.#files.architecture, this.config, this.#target, sizes));
    return { executable: await this.worker.compile(program), signature: program.signature };
  }

  #lower(graph: Graph): Program {
    return lower(graph, loweringFor(this.#target, this.#files.architecture));
  }

  #traceZeros(batch: number, capacity: number): Graph {
    const axes = cacheAxes(this.#files.architecture, this.config, { batch, capacity });
    return trace("empty_caches", () => ({
      caches: axes.map(({ k, v }) => ({
        k: full(0, this.#target.cache, ...k),
        v: full(0, this.#target.cache, ...v),
      })),
    }));
  }
}

// Implementation

const copies = { adopt: traceAdopt, restore: traceRestore };
