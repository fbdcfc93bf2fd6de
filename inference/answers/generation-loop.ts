/**
 * The generation loop, which every answer goes through: send a call of steps, deal the logits of each step to the answers,
 * and go on until each answer has its last token.
 *
 * `generate` runs it over a text of its own (./text-steps.ts). An engine runs one for each lane
 * (../batching/engine-loop.ts), and `generateAll` is an engine with one lane. They differ in who prefills, and in who
 * reads the pieces; how many steps a call makes, what its answers ask for and when it ends are decided here.
 */
import type { DeviceChoice } from "../sampling/choose-on-device.ts";
import type { StepsUnderWay } from "../steps/choosing-steps.ts";
import type { NextLogits, Wanted } from "../steps/step-call.ts";
import { StepsPerCall } from "../steps/steps-per-call.ts";
import type { Answer } from "./answer.ts";

// Public API

/** What the loop asks of an answer. */
export interface LoopAnswer {
  readonly answer: Pick<Answer, "wanted" | "deviceChoice" | "stepsPerCall" | "room" | "count">;
  /** Its last token, after which the next step comes. */
  readonly token: number;
  /** Whether it takes the logits of another step. */
  readonly wantsMore: boolean;
}

/** What a row is given: its last token, and how the device may choose the next one, if it may. */
export interface RowStep {
  readonly token: number;
  readonly choice: DeviceChoice | undefined;
}

/** What a call asks for. */
export interface SendOptions {
  readonly wanted: Wanted;
  /** How many steps at most. */
  readonly count: number;
  readonly signal: AbortSignal | undefined;
}

/** Where logits come from: a text, or the rows of a lane. */
export interface StepSource {
  /** Sends a step after the last token of each row, and the steps after those that the device chooses. */
  send(rows: ReadonlyMap<number, RowStep>, options: SendOptions): Promise<SentSteps>;
}

/** The steps of one call, as they come: for each row its logits. */
export type SentSteps = Pick<
  StepsUnderWay<ReadonlyMap<number, NextLogits>>,
  "count" | "taken" | "times" | "next" | "return"
>;

/** Sends calls to one source. Close it to leave the last one unread. */
export class GenerationLoop<A extends LoopAnswer> implements AsyncDisposable {
  readonly #source: StepSource;
  readonly #size: StepsPerCall;
  #last: StepCall<A> | undefined;

  /** @param stepsPerCall  how many steps calls grow to; undefined for as many as save time */
  constructor(source: StepSource, stepsPerCall: number | undefined) {
    this.#source = source;
    this.#size = new StepsPerCall(stepsPerCall);
  }

  /**
   * Sends a call for answers by their rows: it runs from now on, also while nobody reads it.
   *
   * @param options.most  how many steps it may make
   */
  send(
    rows: ReadonlyMap<number, A>,
    { most = Number.POSITIVE_INFINITY, signal }: { readonly most?: number; readonly signal?: AbortSignal | undefined },
  ): StepCall<A> {
    const answers = Array.from(rows.values(), ({ answer }) => answer);
    const steps = new Map<number, RowStep>();
    for (const [row, { token, answer }] of rows) steps.set(row, { token, choice: answer.deviceChoice });
    const wanted = answers.every((answer) => answer.wanted === "full") ? "full" : "candidates";
    const sent = this.#source.send(steps, { wanted, count: this.#countFor(answers, most), signal });
    this.#last = new StepCall(rows, sent, this.#size, signal);
    return this.#last;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#last?.leave();
  }

  // Implementation

  /** Several steps only where the device may choose for all answers, and all are sent the same kind of logits. */
  #countFor(answers: readonly LoopAnswer["answer"][], most: number): number {
    const isChosenThere = answers.every(({ deviceChoice }) => deviceChoice !== undefined);
    if (!isChosenThere || new Set(answers.map(({ wanted }) => wanted)).size > 1) return 1;
    const asked = answers.map(({ stepsPerCall }) => stepsPerCall ?? Number.POSITIVE_INFINITY);
    // No step after the last token of the longest answer.
    const left = Math.max(...answers.map(({ room, count }) => room - count));
    const limit = Math.min(most, left, ...asked);
    return limit === 1 ? 1 : this.#size.next(limit);
  }
}

/** A call under way. Iterating gives each step's logits to the answers that want them, and ends when none does. */
export class StepCall<A extends LoopAnswer> implements AsyncIterable<ReadonlyMap<A, NextLogits>> {
  readonly #rows: readonly (readonly [number, A])[];
  readonly #sent: Promise<SentSteps>;
  readonly #size: StepsPerCall;
  readonly #signal: AbortSignal | undefined;
  #steps: SentSteps | undefined;

  /** Made by `GenerationLoop.send`. */
  constructor(
    rows: ReadonlyMap<number, A>,
    sent: Promise<SentSteps>,
    size: StepsPerCall,
    signal: AbortSignal | undefined,
  ) {
    this.#rows = [...rows];
    this.#sent = sent;
    this.#size = size;
    this.#signal = signal;
    // A call that nobody reads fails in silence.
    sent.catch(() => {});
  }

  /** Whether it deals nothing more: all its steps are dealt, or no answer wants another. */
  get isOver(): boolean {
    const isDealt = this.#steps !== undefined && this.#steps.taken >= this.#steps.count;
    return isDealt || !this.#rows.some(([, each]) => each.wantsMore);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ReadonlyMap<A, NextLogits>, void, void> {
    const steps = await this.#sent;
    this.#steps = steps;
    try {
      while (!this.isOver) {
        const { value } = await steps.next();
        if (steps.taken === 1 && steps.times !== undefined) this.#size.note(steps.times);
        this.#signal?.throwIfAborted();
        const logits = value as ReadonlyMap<number, NextLogits>;
        const dealt = new Map<A, NextLogits>();
        for (const [row, each] of this.#rows) if (each.wantsMore) dealt.set(each, logits.get(row) as NextLogits);
        yield dealt;
      }
    } finally {
      if (steps.taken < steps.count) await steps.return();
    }
  }

  /** Leaves what is unread. */
  async leave(): Promise<void> {
    const steps = await this.#sent.catch(() => undefined);
    await steps?.return();
  }
}
