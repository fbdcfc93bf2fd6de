/**
 * Many steps over state that stays on the devices, through one stream.
 *
 * Weights, caches and feedback are wired once, by slots; a step sends only its inputs and gets only what it asks for.
 * Steps may be sent before earlier ones are answered: answers come in order. What a step's program does to the slots
 * happens on the worker in the order of sending, so nothing needs to be awaited but results.
 */
import { status } from "@grpc/grpc-js";
import { InputError, RuntimeFailure } from "../dsl/errors.ts";
import type { SessionRequest, SessionResponse } from "../proto/generated/worker.ts";
import type { CallOptions } from "./connection.ts";
import { type BufferOwner, DeviceBuffer } from "./device-buffer.ts";
import { toWire } from "./element-type.ts";
import { toSessionError } from "./errors.ts";
import type { Executable } from "./executable.ts";
import type { HostTensor } from "./host-tensor.ts";
import type { Link, SessionStream } from "./link.ts";
import { readTensor } from "./wire.ts";

// Public API

/** Where an argument of a session's call comes from: a weight, a slot, or the n-th tensor of each step. */
export type CallArgument = DeviceBuffer | { readonly slot: number } | { readonly input: number };

/** How a call is wired. */
export interface CallWiring {
  readonly executable: Executable;
  readonly arguments: readonly CallArgument[];
  /** For each result the slot that keeps it; `undefined` drops it once it is sent. */
  readonly results: readonly (number | undefined)[];
}

/** A wired call of one session. */
export interface SessionCall {
  readonly number: number;
  readonly wiring: CallWiring;
}

/** What a step takes besides its inputs. Default deadline: 10 minutes. */
export interface StepOptions extends CallOptions {
  /** The indices of the results to send. Default: none. */
  readonly fetch?: readonly number[];
}

/** What one run of a call gives. */
export interface StepResult {
  /** Which run of the step, from 0. */
  readonly iteration: number;
  /** The results asked for, in that order. */
  readonly tensors: readonly HostTensor[];
  /** The time on the device. */
  readonly executeSeconds: number;
  /** From the sending of the step, or the answer before this one, until it was here. */
  readonly elapsedSeconds: number;
}

/** What a session needs of its worker. */
export interface SessionOwner extends BufferOwner {
  upload(tensor: HostTensor, options?: CallOptions): Promise<DeviceBuffer>;
}

export class Session implements AsyncDisposable {
  readonly #connection: Link;
  readonly #owner: SessionOwner;
  readonly #stream: SessionStream;
  /** In order of sending, which is the order of the answers. */
  readonly #waiting = new Map<number, Waiter>();
  /** Weights that calls use: a handle that nobody else holds must not be freed while they do. */
  readonly #held: CallWiring[] = [];
  readonly #ended: Promise<void>;
  #sequence = 0;
  #failure: { readonly error: unknown } | undefined;
  #unread = 0;
  #impatient = 0;

  /** Made by `Worker.session()`. */
  constructor(connection: Link, owner: SessionOwner, onEnd: () => void) {
    this.#connection = connection;
    this.#owner = owner;
    this.#stream = connection.openSession();
    this.#ended = new Promise((resolve) => {
      this.#stream.on("data", (response: SessionResponse) => this.#receive(response));
      // Not `end`, which a broken stream has too, before its error.
      this.#stream.on("status", ({ code }: { readonly code: number }) => {
        if (code !== status.OK) return;
        this.#fail(new RuntimeFailure("SESSION_ENDED", "the session has ended"));
        resolve();
      });
      this.#stream.on("error", (error: unknown) => {
        // What failed first is known already: this is only the end of the stream that it cancelled.
        if (this.#failure) resolve();
        else
          connection
            .explain(error)
            .then((explained) => this.#fail(explained))
            .then(resolve);
      });
    });
    this.#ended.then(onEnd);
  }

  /**
   * Puts a value into a slot. A buffer becomes the session's and can't be used otherwise from then on.
   *
   * What is sent after the call finds the slot filled, except after a tensor of more than 1 MiB, which travels first:
   * await that one. The promise also waits while the connection takes no more. What went wrong with a store that nobody
   * awaits shows at the next step.
   */
  store(slot: number, value: DeviceBuffer | HostTensor, options: CallOptions = {}): Promise<void> {
    return mayGoUnheard(this.#store(slot, value, options));
  }

  async #store(slot: number, value: DeviceBuffer | HostTensor, options: CallOptions): Promise<void> {
    this.#check(options.signal);
    let buffer = value instanceof DeviceBuffer ? value : undefined;
    if (!buffer && value instanceof DeviceBuffer === false && value.data.byteLength > inlineBytes) {
      buffer = await this.#owner.upload(value, options);
      this.#check(options.signal);
    }
    if (buffer) {
      const bufferId = buffer.idFor(this.#owner);
      buffer.consume("taken over by a session");
      await this.#write({ launch: 0, store: { slot, value: { bufferId } } });
    } else {
      const tensor = value as HostTensor;
      const sent = { tensor: { type: toWire(tensor), data: tensor.data } };
      await this.#write({ launch: 0, store: { slot, value: sent } });
    }
  }

  /** Wires a call. */
  define(wiring: CallWiring): SessionCall {
    this.#check(undefined);
    const { executable } = wiring;
    count(executable, "argument", wiring.arguments.length, executable.arguments.length);
    count(executable, "result", wiring.results.length, executable.results.length);
    const number = this.#held.length;
    const sources = wiring.arguments.map((source) =>
      source instanceof DeviceBuffer ? { bufferId: source.idFor(this.#owner) } : source,
    );
    const results = wiring.results.map((slot) => ({ slot }));
    this.#held.push(wiring);
    void this.#write({ launch: 0, define: { call: number, executableId: executable.id, arguments: sources, results } });
    return { number, wiring };
  }

  /**
   * Runs a call once.
   *
   * @throws WorkerError when the step was refused, which changes nothing, or failed. A signal only ends the waiting: what
   * was sent runs. A deadline that passes ends the session. A step that nobody awaits fails in silence: steps may be sent
   * ahead, and the first that is awaited tells.
   */
  step(call: SessionCall, inputs: readonly HostTensor[] = [], options: StepOptions = {}): Promise<StepResult> {
    return mayGoUnheard(this.#step(call, inputs, options));
  }

  async #step(call: SessionCall, inputs: readonly HostTensor[], options: StepOptions): Promise<StepResult> {
    const answers = this.#send(call, inputs, 1, options);
    this.#hurry(1);
    try {
      return (await answers.next()) as StepResult;
    } finally {
      this.#hurry(-1);
      answers.drop();
    }
  }

  /** Runs a call `repeat` times with the same inputs, and gives what each run sends as it comes: once, to one reader. */
  steps(
    call: SessionCall,
    inputs: readonly HostTensor[],
    options: StepOptions & { readonly repeat: number },
  ): AsyncIterable<StepResult> {
    if (!Number.isInteger(options.repeat) || options.repeat < 1) {
      throw new InputError("REPEAT_INVALID", `a call runs at least once; repeat is ${options.repeat}`, {
        repeat: options.repeat,
      });
    }
    const answers = this.#send(call, inputs, options.repeat, options);
    // No generator: one that nobody has begun to read would not hear that nobody will.
    const iterator: AsyncIterator<StepResult, undefined> = {
      next: async () => {
        this.#hurry(1);
        try {
          const value = await answers.next();
          // Whoever counts may not ask for more than there is.
          if (value === undefined || value.iteration === options.repeat - 1) answers.drop();
          return value === undefined ? { done: true, value } : { done: false, value };
        } catch (error) {
          answers.drop();
          throw error;
        } finally {
          this.#hurry(-1);
        }
      },
      return: async () => {
        answers.drop();
        return { done: true, value: undefined };
      },
    };
    return { [Symbol.asyncIterator]: () => iterator };
  }

  /** Gives the contents of a slot, which stays. */
  async fetch(slot: number, options: CallOptions = {}): Promise<HostTensor> {
    this.#check(options.signal);
    const sequence = ++this.#sequence;
    const answers = this.#await(sequence, 1, options);
    void this.#write({ launch: 0, fetch: { sequence, slot } });
    this.#hurry(1);
    try {
      return (await answers.next())!.tensors[0]!;
    } finally {
      this.#hurry(-1);
      answers.drop();
    }
  }

  /** Ends the session once what was sent is answered; its slots are released. Never rejects. */
  async close(): Promise<void> {
    if (!this.#failure) this.#stream.end();
    // Unread answers must not hold up the end.
    this.#hurry(1);
    const timer = setTimeout(() => this.#stream.cancel(), closeMs);
    await this.#ended;
    clearTimeout(timer);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  // Implementation

  #send(call: SessionCall, inputs: readonly HostTensor[], repeat: number, options: StepOptions): Waiter {
    this.#check(options.signal);
    if (this.#held[call.number] !== call.wiring) {
      throw new InputError("CALL_NOT_FOUND", `call ${call.number} was defined in another session`, {
        call: call.number,
      });
    }
    const sequence = ++this.#sequence;
    const answers = this.#await(sequence, repeat, options);
    const tensors = inputs.map((tensor) => ({ type: toWire(tensor), data: tensor.data }));
    const step = { sequence, call: call.number, inputs: tensors, repeat, fetch: options.fetch ?? [] };
    void this.#write({ launch: 0, step });
    return answers;
  }

  #await(sequence: number, count: number, { signal, deadlineMs = stepMs }: CallOptions): Waiter {
    const waiter = new Waiter(count, signal, (bytes) => this.#consumed(bytes));
    waiter.startClock(deadlineMs, () => {
      this.#fail(
        new RuntimeFailure("DEADLINE_EXCEEDED", `a step of a session was not answered within ${deadlineMs / 1000} s`, {
          deadlineMs,
        }),
      );
      this.#stream.cancel();
    });
    this.#waiting.set(sequence, waiter);
    return waiter;
  }

  /** Sends at once; the promise is for whoever wants to wait while the connection takes no more. */
  #write(request: SessionRequest): Promise<void> {
    if (this.#stream.write(request)) return done;
    return new Promise((resolve) => {
      this.#stream.once("drain", resolve);
      this.#ended.then(resolve);
    });
  }

  #receive(response: SessionResponse): void {
    try {
      this.#answer(response);
    } catch (error) {
      this.#fail(error);
      this.#stream.cancel();
    }
  }

  #answer(response: SessionResponse): void {
    const waiter = this.#waiting.get(response.sequence);
    if (response.error) {
      const error = toSessionError(response.error);
      // A store or a define has no number to be answered by. What was sent after it rests on it: the session is void.
      if (response.sequence === 0) {
        this.#fail(error);
        this.#stream.cancel();
        return;
      }
      this.#waiting.delete(response.sequence);
      waiter?.fail(error);
      return;
    }
    if (!waiter) return;
    if (waiter.isLast(response.iteration)) this.#waiting.delete(response.sequence);
    const tensors = response.tensors.map(readTensor);
    const bytes = tensors.reduce((sum, { data }) => sum + data.byteLength, 0);
    this.#unread += bytes;
    const { iteration, executeSeconds } = response;
    waiter.push({ iteration, tensors, executeSeconds, elapsedSeconds: waiter.elapsed() }, bytes);
    // Nobody is waiting for anything and much lies unread: let the worker wait.
    if (this.#unread > unreadBytes && this.#impatient === 0) this.#stream.pause();
  }

  #consumed(bytes: number): void {
    this.#unread -= bytes;
    if (this.#unread <= unreadBytes && this.#stream.isPaused()) this.#stream.resume();
  }

  /** Answers share one stream: while somebody waits for a later one, earlier ones must be taken in. */
  #hurry(by: 1 | -1): void {
    this.#impatient += by;
    if (this.#impatient > 0 && this.#stream.isPaused()) this.#stream.resume();
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    for (const waiter of this.#waiting.values()) waiter.fail(this.#failure.error);
    this.#waiting.clear();
  }

  #check(signal: AbortSignal | undefined): void {
    if (this.#failure) throw this.#failure.error;
    this.#connection.check(signal);
  }
}

// Implementation

const stepMs = 10 * 60_000;
const closeMs = 10_000;
const unreadBytes = 64 * 1024 * 1024;
/** Above this a value is uploaded in pieces, so that a step on the same stream need not wait behind it. */
const inlineBytes = 1024 * 1024;
const done = Promise.resolve();

/** Rejects for whoever listens, and is no unhandled rejection for Node when nobody does. */
function mayGoUnheard<T>(work: Promise<T>): Promise<T> {
  work.catch(() => {});
  return work;
}

/** The answers to one request: those that came, and who waits for the next. */
class Waiter {
  readonly #count: number;
  readonly #onTaken: (bytes: number) => void;
  readonly #signal: AbortSignal | undefined;
  readonly #came: { readonly result: StepResult; readonly bytes: number }[] = [];
  #received = 0;
  #taken = 0;
  #since = performance.now();
  #failure: { readonly error: unknown } | undefined;
  #wake: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  readonly #abort = (): void => this.fail(this.#signal?.reason);

  constructor(count: number, signal: AbortSignal | undefined, onTaken: (bytes: number) => void) {
    this.#count = count;
    this.#onTaken = onTaken;
    this.#signal = signal;
    signal?.addEventListener("abort", this.#abort, { once: true });
  }

  startClock(deadlineMs: number, onLate: () => void): void {
    // The clock watches the worker, not the reader: it restarts with each answer and stops with the last.
    if (Number.isFinite(deadlineMs)) this.#timer = setTimeout(onLate, deadlineMs);
  }

  isLast(iteration: number): boolean {
    return iteration + 1 >= this.#count;
  }

  /** Seconds since this was last asked, or since the request was sent. */
  elapsed(): number {
    const before = this.#since;
    this.#since = performance.now();
    return (this.#since - before) / 1000;
  }

  push(result: StepResult, bytes: number): void {
    this.#received += 1;
    if (this.#received === this.#count) clearTimeout(this.#timer);
    else this.#timer?.refresh();
    if (this.#failure) {
      // Nobody reads on.
      this.#onTaken(bytes);
      return;
    }
    this.#came.push({ result, bytes });
    this.#wake?.();
  }

  fail(error: unknown): void {
    this.#failure ??= { error };
    clearTimeout(this.#timer);
    this.#wake?.();
  }

  /** The next answer; undefined after the last. */
  async next(): Promise<StepResult | undefined> {
    if (this.#taken === this.#count) return undefined;
    while (this.#came.length === 0) {
      if (this.#failure) throw this.#failure.error;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
    const { result, bytes } = this.#came.shift()!;
    this.#taken += 1;
    this.#onTaken(bytes);
    return result;
  }

  /** Nobody will read what is left. */
  drop(): void {
    this.#signal?.removeEventListener("abort", this.#abort);
    this.#failure ??= { error: new RuntimeFailure("NOT_READ", "the answers to this step are no longer read") };
    for (const { bytes } of this.#came.splice(0)) this.#onTaken(bytes);
  }
}

function count(executable: Executable, what: string, found: number, wanted: number): void {
  if (found === wanted) return;
  const name = executable.name ?? executable.id;
  throw new InputError("ARGUMENT_MISMATCH", `'${name}' has ${wanted} ${what}s; ${found} are wired`, {
    name,
    what,
    found,
    wanted,
  });
}
