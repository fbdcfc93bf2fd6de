/**
 * Several steps in one call: the device chooses each token and gives it to the next step, and what each step gives comes
 * back as it is there. The way to the worker is paid once for all of them.
 *
 * The first step is sent its tokens and where they stand; the others find in slots what the one before has left there.
 * So nothing depends on how an earlier call ended, and on a mesh each value lies where the program that made it put it.
 */
import {
  type HostTensor,
  type Session,
  type SessionCall,
  type StepResult,
  toInt32Array,
} from "../../runtime-bridge/index.ts";
import type { ModelPrograms, StepProgram } from "../programs/model-programs.ts";
import type { DeviceChoice } from "../sampling/choose-on-device.ts";
import {
  type ChoosingRow,
  choosingTensors,
  defineStep,
  type NextLogits,
  readLogits,
  type StepSlots,
  type Wanted,
  wantedResults,
} from "./step-call.ts";

// Public API

/** What steps in one call are asked for. */
export interface StepsOptions {
  /** How many at most: fewer where a cache ends, or where rotary frequencies change with the length of a row. */
  readonly count: number;
  readonly wanted: Wanted;
  readonly signal?: AbortSignal | undefined;
}

/** Of one text: greedy unless told otherwise. */
export interface TextStepsOptions extends StepsOptions {
  readonly choice?: DeviceChoice | undefined;
}

/** A program that chooses, in a session. */
export interface ChoosingCalls {
  readonly program: StepProgram;
  readonly first: SessionCall;
  readonly others: SessionCall;
  readonly logitsSlot: number;
}

/** Wires a program that chooses. */
export function defineChoosing(
  session: Session,
  programs: ModelPrograms,
  program: StepProgram,
  slots: Omit<StepSlots, "isFed">,
): ChoosingCalls {
  return {
    program,
    first: defineStep(session, programs, program, slots),
    others: defineStep(session, programs, program, { ...slots, isFed: true }),
    logitsSlot: slots.logitsSlot,
  };
}

/**
 * How many steps a call can make: until the first of these rows would read its positions with other rotary frequencies.
 *
 * @param count  at least 1
 */
export function steadySteps(programs: ModelPrograms, rows: readonly ChoosingRow[], count: number): number {
  return rows.reduce((fewest, { start }) => programs.steadyPositions(start, fewest), count);
}

/**
 * Sends steps, and gives each row's logits and the token that was chosen from them, as they come.
 *
 * @param rows  of one token each; what they are told of their length holds for every step
 */
export function sendSteps(
  session: Session,
  programs: ModelPrograms,
  { program, first, others, logitsSlot }: ChoosingCalls,
  rows: readonly ChoosingRow[],
  { count, wanted, signal }: StepsOptions,
): StepsUnderWay<readonly NextLogits[]> {
  const fetch = [...wantedResults(program, wanted), program.resultIndex("next.tokens")];
  const send = (call: SessionCall, repeat: number) =>
    session
      .steps(call, choosingTensors(programs, rows, call === others), { fetch, signal, repeat })
      [Symbol.asyncIterator]();
  const sources = [send(first, 1), ...(count > 1 ? [send(others, count - 1)] : [])];
  const fetchAll = () => session.fetch(logitsSlot, { signal });
  return new StepsUnderWay(count, sources, (result, n) => {
    const chosen = toInt32Array(result.tensors.at(-1) as HostTensor);
    // The slot holds what the last step left there.
    const logits = readLogits(result, wanted, { rows: rows.length, fetchAll: n === count - 1 ? fetchAll : undefined });
    return logits.map((each, row) => ({ ...each, chosen: chosen[row] as number }));
  });
}

/** What steps of one call give, in their order, to one reader, who may stop at any time: the others are run unread. */
export class StepsUnderWay<T> implements AsyncIterable<T> {
  /** How many there are. */
  readonly count: number;
  readonly #sources: readonly AsyncIterator<StepResult>[];
  readonly #read: (result: StepResult, n: number) => T;
  readonly #onFailure: (error: unknown) => void;
  #taken = 0;
  #times: CallTimes | undefined;

  constructor(
    count: number,
    sources: readonly AsyncIterator<StepResult>[],
    read: (result: StepResult, n: number) => T,
    onFailure: (error: unknown) => void = () => {},
  ) {
    this.count = count;
    this.#sources = sources;
    this.#read = read;
    this.#onFailure = onFailure;
  }

  /** How many were read. */
  get taken(): number {
    return this.#taken;
  }

  /** How long it took; known with the first step. */
  get times(): CallTimes | undefined {
    return this.#times;
  }

  /**
   * The same steps, told otherwise to the one reader.
   *
   * @param onFailure  told of an error that the reader is told, too
   */
  map<U>(tell: (value: T, n: number) => U, onFailure = this.#onFailure): StepsUnderWay<U> {
    return new StepsUnderWay(this.count, this.#sources, (result, n) => tell(this.#read(result, n), n), onFailure);
  }

  async next(): Promise<IteratorResult<T, undefined>> {
    const n = this.#taken;
    if (n >= this.count) return { done: true, value: undefined };
    try {
      const { value } = await (this.#sources[n === 0 ? 0 : 1] as AsyncIterator<StepResult>).next();
      const result = value as StepResult;
      this.#taken = n + 1;
      if (n === 0) {
        const { elapsedSeconds, executeSeconds } = result;
        this.#times = { stepSeconds: executeSeconds, waySeconds: Math.max(0, elapsedSeconds - executeSeconds) };
      }
      return { done: false, value: this.#read(result, n) };
    } catch (error) {
      await this.return();
      this.#onFailure(error);
      throw error;
    }
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    for (const source of this.#sources) await source.return?.();
    this.#taken = this.count;
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): AsyncIterator<T> {
    return this;
  }
}

/** Of one call. */
export interface CallTimes {
  /** A step on the device. */
  readonly stepSeconds: number;
  /** To the worker and back. */
  readonly waySeconds: number;
}
