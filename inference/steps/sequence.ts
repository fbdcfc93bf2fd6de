/**
 * One text under way: its cache on the devices, and the programs that extend it.
 *
 * The engine knows token ids only. Caches live in the slots of a worker's session and are updated in place; a step sends
 * a token and gets back what was asked for.
 */
import type { ProgramValue } from "../../compiler/index.ts";
import type { Activation } from "../../dsl/index.ts";
import {
  type HostTensor,
  type Session,
  type SessionCall,
  type StepResult,
  toFloat32Array,
} from "../../runtime-bridge/index.ts";
import { chunksOf, largestChunk } from "../programs/buckets.ts";
import type { ModelPrograms, StepKind, StepProgram } from "../programs/model-programs.ts";
import { greedyChoice } from "../sampling/choose-on-device.ts";
import {
  type ChoosingCalls,
  defineChoosing,
  type StepsUnderWay,
  sendSteps,
  steadySteps,
  type TextStepsOptions,
} from "./choosing-steps.ts";
import {
  activationSlots,
  type ChoosingRow,
  defineStep,
  type NextLogits,
  readLogits,
  stepInputs,
  stepTensors,
  type Wanted,
  wantedResults,
} from "./step-call.ts";

// Public API

/** A text on one worker. Close it to free its cache. */
export class Sequence implements AsyncDisposable {
  readonly #programs: ModelPrograms;
  readonly #session: Session;
  readonly #capacity: number;
  readonly #calls = new Map<StepProgram, SessionCall>();
  #choosing: ChoosingCalls | undefined;
  #length = 0;
  /** The position after the last one that was ever written, padding included. */
  #written = 0;

  private constructor(programs: ModelPrograms, session: Session, capacity: number) {
    this.#programs = programs;
    this.#session = session;
    this.#capacity = capacity;
  }

  /**
   * Opens an empty text with room for `capacity` positions.
   *
   * @param options.session  whose first slots its cache takes, and which is closed with it. Default: one of its own
   */
  static async open(
    programs: ModelPrograms,
    capacity: number,
    { session, ...options }: { readonly signal?: AbortSignal | undefined; readonly session?: Session | undefined } = {},
  ): Promise<Sequence> {
    const buffers = await programs.emptyCaches(capacity, options);
    const own = session ?? programs.worker.session();
    const sequence = new Sequence(programs, own, capacity);
    for (const [slot, buffer] of buffers.entries()) await own.store(slot, buffer);
    return sequence;
  }

  /** How many positions are held. */
  get length(): number {
    return this.#length;
  }

  /** Begins another text in the same memory: what is held there already is seen by nobody. */
  restart(): void {
    this.#length = 0;
  }

  /** Goes on from what was copied into its cache: so many positions are held. */
  resume(length: number): void {
    this.#length = length;
    this.#written = length;
  }

  /** Forgets everything, numbers that are none included: those would reach through any mask. */
  async clear(): Promise<void> {
    const buffers = await this.#programs.emptyCaches(this.#capacity);
    for (const [slot, buffer] of buffers.entries()) await this.#session.store(slot, buffer);
    this.resume(0);
  }

  /**
   * Goes back to the first `length` positions. Not where a layer with a window has written over what it would see from
   * there: `false` then, and nothing is changed.
   */
  rewind(length: number): boolean {
    const spare = this.#programs.hasRings(this.#capacity) ? largestChunk : this.#capacity;
    if (length > this.#length || this.#written > length + spare) return false;
    this.#length = length;
    return true;
  }

  /**
   * Appends a prompt, in chunks, and gives the logits after its last token.
   *
   * @param tokens  at least one
   */
  async prefill(tokens: readonly number[], wanted: Wanted, signal?: AbortSignal): Promise<NextLogits> {
    const total = this.#length + tokens.length;
    let result: StepResult | undefined;
    for (const { start, length, bucket } of chunksOf(tokens.length)) {
      const chunk = tokens.slice(start, start + length);
      const isLast = start + length === tokens.length;
      const kind = { pos: bucket, outputs: "last" } as const;
      ({ result } = await this.#run(kind, chunk, total, isLast ? wanted : undefined, signal));
    }
    return this.#onlyRow(result as StepResult, wanted, signal);
  }

  /**
   * Appends one chunk of a prompt, padded to `bucket`, and gives the logits after it where they are wanted.
   *
   * @param total  how long the prompt is
   */
  async append(
    tokens: readonly number[],
    { bucket, total }: { readonly bucket: number; readonly total: number },
    wanted: Wanted | undefined,
  ): Promise<NextLogits | undefined> {
    const { result } = await this.#run({ pos: bucket, outputs: "last" }, tokens, total, wanted, undefined);
    return wanted === undefined ? undefined : this.#onlyRow(result, wanted, undefined);
  }

  /** Appends one token and gives the logits after it. */
  async step(token: number, wanted: Wanted, signal?: AbortSignal): Promise<NextLogits> {
    const { result } = await this.#run({ pos: 1, outputs: "last" }, [token], this.#length + 1, wanted, signal);
    return this.#onlyRow(result, wanted, signal);
  }

  /**
   * Appends a token and, in the same call, those that the device chooses after it; resolves when all of it is sent. The
   * text is as long as its reader has read: whoever stops goes on from there, and what was written beyond is seen by
   * nobody.
   */
  async steps(
    token: number,
    { choice = greedyChoice, count, ...options }: TextStepsOptions,
  ): Promise<StepsUnderWay<NextLogits>> {
    const program = await this.#programs.step({ pos: 1, outputs: "chosen", capacity: this.#capacity });
    const slots = { firstSlot: 0, logitsSlot: this.#logitsSlot };
    this.#choosing ??= defineChoosing(this.#session, this.#programs, program, slots);
    const start = this.#length;
    const rows: readonly ChoosingRow[] = [{ tokens: [token], start, total: start + 1, choice }];
    const fitting = Math.max(1, Math.min(count, this.#capacity - start, largestChunk));
    const steps = steadySteps(this.#programs, rows, fitting);
    this.#written = Math.max(this.#written, start + steps);
    const sent = sendSteps(this.#session, this.#programs, this.#choosing, rows, { ...options, count: steps });
    return sent.map(([next], n) => {
      this.#length = start + n + 1;
      return next as NextLogits;
    });
  }

  /**
   * Appends tokens and gives the logits after every one of them, row-major: a chunk at a time, or a token at a time.
   *
   * One program serves both. In f32 the order of adding moves SmolLM2's logits by 1e-4, and a platform chooses it by the
   * sizes of the matrices; so two programs would give two answers to whoever compares logits.
   */
  async *allLogits(
    tokens: readonly number[],
    { step, signal }: { readonly step: boolean; readonly signal: AbortSignal | undefined },
  ): AsyncGenerator<Float32Array> {
    const total = this.#length + tokens.length;
    const taken = step ? 1 : logitsChunk;
    for (let start = 0; start < tokens.length; start += taken) {
      const chunk = tokens.slice(start, start + taken);
      const { result } = await this.#run({ pos: logitsChunk, outputs: "all" }, chunk, total, "full", signal);
      yield toFloat32Array(result.tensors[0] as HostTensor).subarray(0, chunk.length * this.#programs.config.vocab);
    }
  }

  /**
   * Like `allLogits`, with every named value of the model: the same program with more results.
   *
   * What a compiler fuses depends on what it must return, so numbers differ from those of `allLogits` in the last digits.
   */
  async *allActivations(
    tokens: readonly number[],
    { step, signal }: { readonly step: boolean; readonly signal: AbortSignal | undefined },
  ): AsyncGenerator<TracedChunk> {
    const total = this.#length + tokens.length;
    const taken = step ? 1 : logitsChunk;
    for (let start = 0; start < tokens.length; start += taken) {
      const chunk = tokens.slice(start, start + taken);
      const kind = { pos: logitsChunk, outputs: "all", activations: true } as const;
      const { result, program } = await this.#run(kind, chunk, total, "full", signal);
      const logits = toFloat32Array(result.tensors[0] as HostTensor);
      yield {
        start,
        length: chunk.length,
        logits: logits.subarray(0, chunk.length * this.#programs.config.vocab),
        activations: await this.#fetchActivations(program, chunk.length, signal),
      };
    }
  }

  /** Makes one call, and gives its logits: after the last token, or after all of them, as its kind says. */
  async run({ kind, tokens, total }: PlannedCall, signal?: AbortSignal): Promise<{ readonly logits: Float32Array }> {
    const { result } = await this.#run(kind, tokens, total, "full", signal);
    return { logits: realRows(result, kind, tokens.length, this.#programs.config.vocab) };
  }

  /** Makes one call with its named values. */
  async runTraced({ kind, tokens, total }: PlannedCall, signal?: AbortSignal) {
    const { program } = await this.#run({ ...kind, activations: true }, tokens, total, undefined, signal);
    return { program, activations: await this.#fetchActivations(program, tokens.length, signal) };
  }

  /** What a call would be given now, by argument, weights left out. */
  async inputsOf({ kind, tokens, total }: PlannedCall): Promise<ReadonlyMap<string, HostTensor>> {
    const sent = stepTensors(this.#programs, [{ tokens, start: this.#length, total }], kind.pos);
    const names = stepInputs(this.#programs);
    const given = new Map(sent.map((tensor, n) => [names[n] as string, tensor]));
    for (const [slot, name] of this.#programs.cacheNames.entries()) given.set(name, await this.#session.fetch(slot));
    return given;
  }

  async close(): Promise<void> {
    await this.#session.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  // Implementation

  /** @param total  how long the row will be, which some rotary frequencies depend on */
  async #run(
    kind: Omit<StepKind, "batch" | "capacity">,
    tokens: readonly number[],
    total: number,
    wanted: Wanted | undefined,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly result: StepResult; readonly program: StepProgram }> {
    const program = await this.#programs.step({ ...kind, capacity: this.#capacity });
    const call = this.#calls.get(program) ?? this.#define(program);
    const inputs = stepTensors(this.#programs, [{ tokens, start: this.#length, total }], kind.pos);
    const fetch = wantedResults(program, wanted);
    this.#written = Math.max(this.#written, this.#length + kind.pos);
    const result = await this.#session.step(call, inputs, { fetch, signal });
    this.#length += tokens.length;
    return { result, program };
  }

  /** The values that the last call left, those of padding cut off. */
  async #fetchActivations(
    program: StepProgram,
    length: number,
    signal: AbortSignal | undefined,
  ): Promise<readonly TracedValue[]> {
    const slots = activationSlots(this.#programs, program);
    const values: TracedValue[] = [];
    for (const activation of program.activations) {
      const name = `activations.${activation.name}`;
      const { axes } = program.signature.results[program.resultIndex(name)] as ProgramValue;
      const tensor = await this.#session.fetch(slots.get(name) as number, { signal });
      values.push({ activation, axes, tensor: cut(tensor, axes.indexOf("pos"), length) });
    }
    return values;
  }

  #define(program: StepProgram): SessionCall {
    const call = defineStep(this.#session, this.#programs, program, { firstSlot: 0, logitsSlot: this.#logitsSlot });
    this.#calls.set(program, call);
    return call;
  }

  /** After the caches of a batch, which may share the session. */
  get #logitsSlot(): number {
    return 2 * this.#programs.cacheNames.length;
  }

  #onlyRow(result: StepResult, wanted: Wanted, signal: AbortSignal | undefined): NextLogits {
    const fetchAll = () => this.#session.fetch(this.#logitsSlot, { signal });
    return readLogits(result, wanted, { rows: 1, fetchAll })[0] as NextLogits;
  }
}

/** How many positions get their logits in one call: few, since each has a vocabulary of them. */
export const logitsChunk = 16;

/** A call of a text. */
export interface PlannedCall {
  readonly kind: Pick<StepKind, "pos" | "outputs">;
  readonly tokens: readonly number[];
  /** How long the row will be, which some rotary frequencies depend on. */
  readonly total: number;
}

/** A named value of one call. */
export interface TracedValue {
  readonly activation: Activation;
  /** Axis names, outermost first: `batch` and `pos` where it has them, then the others. */
  readonly axes: readonly string[];
  readonly tensor: HostTensor;
}

/** What some tokens in a row gave. */
export interface TracedChunk {
  /** Where the tokens stand among those given. */
  readonly start: number;
  readonly length: number;
  /** After each of them, row-major over the vocabulary. */
  readonly logits: Float32Array;
  readonly activations: readonly TracedValue[];
}

// Implementation

/** The first entries of an axis before which all others are of size 1. */
function cut(tensor: HostTensor, axis: number, length: number): HostTensor {
  if (axis < 0) return tensor;
  const bytes = tensor.data.byteLength / (tensor.shape[axis] as number);
  const shape = tensor.shape.with(axis, length);
  return { ...tensor, shape, data: tensor.data.subarray(0, bytes * length) };
}

/** Logits without those of padding. */
function realRows(
  { tensors }: StepResult,
  { outputs }: Pick<StepKind, "outputs">,
  tokens: number,
  vocab: number,
): Float32Array {
  const logits = toFloat32Array(tensors[0] as HostTensor);
  return outputs === "all" ? logits.subarray(0, tokens * vocab) : logits;
}
