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
import { type BufferMaker, DeviceBuffer } from "./device-buffer.ts";
import { toWire } from "./element-type.ts";
import { toSessionError } from "./errors.ts";
import type { Executable } from "./executable.ts";
import type { HostTensor } from "./host-tensor.ts";
import type { CallOptions } from "./link/call-options.ts";
import type { Link, SessionStream, WithoutOrdinal } from "./link/link.ts";
import { StepAnswers, type StepResult } from "./step-answers.ts";
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
  readonly fetch?: readonly number[] | undefined;
}

export class Session implements AsyncDisposable {
  readonly #link: Link;
  readonly #owner: BufferMaker;
  readonly #stream: SessionStream;
  /** In order of sending, which is the order of the answers. */
  readonly #waiting = new Map<number, StepAnswers>();
  /** Weights that calls use: while they do, their handles must be held, or they would be freed. */
  readonly #held: CallWiring[] = [];
  readonly #ended: Promise<void>;
  #sequence = 0;
  #failure: { readonly error: unknown } | undefined;
  /** Resolves when the connection takes more; undefined while it does. */
  #draining: Promise<void> | undefined;
  /** The bytes of the answers that came and were not taken. */
  #unread = 0;
  /** How many reads wait for an answer. */
  #readers = 0;

  /** Made by `Worker.session()`. */
  constructor(link: Link, owner: BufferMaker, onEnd: () => void) {
    this.#link = link;
    this.#owner = owner;
    this.#stream = link.openSession();
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
          link
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
   * await that one. The promise also waits while the connection takes no more. What went wrong with a store that is
   * not awaited shows at the next step.
   */
  store(slot: number, value: DeviceBuffer | HostTensor, options: CallOptions = {}): Promise<void> {
    return mayBeIgnored(this.#store(slot, value, options));
  }

  async #store(slot: number, value: DeviceBuffer | HostTensor, options: CallOptions): Promise<void> {
    this.#check(options.signal);
    let buffer = value instanceof DeviceBuffer ? value : undefined;
    if (!(value instanceof DeviceBuffer) && value.data.byteLength > inlineBytes) {
      buffer = await this.#owner.upload(value, options);
      this.#check(options.signal);
    }
    if (buffer) {
      const bufferId = buffer.idFor(this.#owner);
      buffer.consume("taken over by a session");
      await this.#write({ store: { slot, value: { bufferId } } });
    } else {
      const tensor = value as HostTensor;
      const sent = { tensor: { type: toWire(tensor), data: tensor.data } };
      await this.#write({ store: { slot, value: sent } });
    }
  }

  /** Wires a call. */
  define(wiring: CallWiring): SessionCall {
    this.#check(undefined);
    const { executable } = wiring;
    requireCount(executable, "argument", wiring.arguments.length, executable.arguments.length);
    requireCount(executable, "result", wiring.results.length, executable.results.length);
    const number = this.#held.length;
    const sources = wiring.arguments.map((source) =>
      source instanceof DeviceBuffer ? { bufferId: source.idFor(this.#owner) } : source,
    );
    const results = wiring.results.map((slot) => ({ slot }));
    this.#held.push(wiring);
    void this.#write({ define: { call: number, executableId: executable.id, arguments: sources, results } });
    return { number, wiring };
  }

  /**
   * Runs a call once.
   *
   * @throws WorkerError when the step was refused, which changes nothing, or failed. A signal only ends the waiting: what
   * was sent runs. A deadline that passes ends the session. A step that is not awaited fails in silence: steps may be
   * sent ahead, and the first that is awaited shows the failure.
   */
  step(call: SessionCall, inputs: readonly HostTensor[] = [], options: StepOptions = {}): Promise<StepResult> {
    return mayBeIgnored(this.#step(call, inputs, options));
  }

  async #step(call: SessionCall, inputs: readonly HostTensor[], options: StepOptions): Promise<StepResult> {
    const answers = this.#send(call, inputs, 1, options);
    try {
      return (await this.#whileReading(() => answers.next())) as StepResult;
    } finally {
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
    // No generator: `return` of a generator that was never read runs none of its code, so it could not drop the answers.
    const iterator: AsyncIterator<StepResult, undefined> = {
      next: async () => {
        try {
          const value = await this.#whileReading(() => answers.next());
          // A reader that counts may stop at the last answer, without asking for the end.
          if (value === undefined || value.iteration === options.repeat - 1) answers.drop();
          return value === undefined ? { done: true, value } : { done: false, value };
        } catch (error) {
          answers.drop();
          throw error;
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
    void this.#write({ fetch: { sequence, slot } });
    try {
      return (await this.#whileReading(() => answers.next()))!.tensors[0]!;
    } finally {
      answers.drop();
    }
  }

  /** Ends the session once what was sent is answered; its slots are released. Never rejects. */
  async close(): Promise<void> {
    if (!this.#failure) this.#stream.end();
    const timer = setTimeout(() => this.#stream.cancel(), closeMs);
    // Answers that are not read must not hold up the end.
    await this.#whileReading(() => this.#ended);
    clearTimeout(timer);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  // Implementation

  #send(call: SessionCall, inputs: readonly HostTensor[], repeat: number, options: StepOptions): StepAnswers {
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
    void this.#write({ step });
    return answers;
  }

  #await(sequence: number, count: number, { signal, deadlineMs = stepMs }: CallOptions): StepAnswers {
    const answers = new StepAnswers(count, signal, (bytes) => this.#consumed(bytes));
    answers.startClock(deadlineMs, () => {
      this.#fail(
        new RuntimeFailure("DEADLINE_EXCEEDED", `a step of a session was not answered within ${deadlineMs / 1000} s`, {
          deadlineMs,
        }),
      );
      this.#stream.cancel();
    });
    this.#waiting.set(sequence, answers);
    return answers;
  }

  /** Sends at once; the promise waits while the connection takes no more. */
  #write(request: WithoutOrdinal<SessionRequest>): Promise<void> {
    if (this.#stream.write(request)) return done;
    // One listener for all that wait: Node warns of more than ten, and hundreds of steps may be sent ahead.
    this.#draining ??= new Promise<void>((resolve) => {
      this.#stream.once("drain", resolve);
      this.#ended.then(resolve);
    }).then(() => {
      this.#draining = undefined;
    });
    return this.#draining;
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
    const answers = this.#waiting.get(response.sequence);
    if (response.error) {
      const error = toSessionError(response.error);
      // A store or a define has no number to be answered by. What was sent after it rests on it: the session is void.
      if (response.sequence === 0) {
        this.#fail(error);
        this.#stream.cancel();
        return;
      }
      this.#waiting.delete(response.sequence);
      answers?.fail(error);
      return;
    }
    if (!answers) return;
    if (answers.isLast(response.iteration)) this.#waiting.delete(response.sequence);
    const tensors = response.tensors.map(readTensor);
    const bytes = tensors.reduce((sum, { data }) => sum + data.byteLength, 0);
    this.#unread += bytes;
    const { iteration, executeSeconds } = response;
    answers.push({ iteration, tensors, executeSeconds, elapsedSeconds: answers.elapsed() }, bytes);
    // Much is unread and there is no reader: let the worker wait.
    if (this.#unread > unreadBytes && this.#readers === 0) this.#stream.pause();
  }

  #consumed(bytes: number): void {
    this.#unread -= bytes;
    if (this.#unread <= unreadBytes && this.#stream.isPaused()) this.#stream.resume();
  }

  /** Keeps the stream flowing while `read` waits: answers share it, so earlier ones must be taken in before a later one. */
  async #whileReading<T>(read: () => Promise<T>): Promise<T> {
    this.#readers += 1;
    if (this.#stream.isPaused()) this.#stream.resume();
    try {
      return await read();
    } finally {
      this.#readers -= 1;
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    for (const answers of this.#waiting.values()) answers.fail(this.#failure.error);
    this.#waiting.clear();
  }

  #check(signal: AbortSignal | undefined): void {
    if (this.#failure) throw this.#failure.error;
    this.#link.check(signal);
  }
}

// Implementation

const stepMs = 10 * 60_000;
const closeMs = 10_000;
const unreadBytes = 64 * 1024 * 1024;
/** Above this a value is uploaded in pieces, so that a step on the same stream need not wait behind it. */
const inlineBytes = 1024 * 1024;
const done = Promise.resolve();

/** The same promise; if it rejects and is not awaited, Node does not count it as an unhandled rejection. */
function mayBeIgnored<T>(work: Promise<T>): Promise<T> {
  work.catch(() => {});
  return work;
}

function requireCount(executable: Executable, what: string, found: number, wanted: number): void {
  if (found === wanted) return;
  const name = executable.name ?? executable.id;
  throw new InputError("ARGUMENT_MISMATCH", `'${name}' has ${wanted} ${what}s; ${found} are wired`, {
    name,
    what,
    found,
    wanted,
  });
}
