/** The steps of one text, for the loop of a single answer. */
import type { TextUnderWay } from "../steps/prompt-cache.ts";
import type { NextLogits } from "../steps/step-call.ts";
import type { RowStep, SendOptions, SentSteps, StepSource } from "./generation-loop.ts";

// Public API

/** The row of the only answer. */
export const onlyRow = 0;

export class TextSteps implements StepSource {
  readonly #text: Pick<TextUnderWay, "step" | "steps">;

  constructor(text: Pick<TextUnderWay, "step" | "steps">) {
    this.#text = text;
  }

  async send(rows: ReadonlyMap<number, RowStep>, options: SendOptions): Promise<SentSteps> {
    const { token, choice } = rows.get(onlyRow) as RowStep;
    const { wanted, signal } = options;
    // Without a choice, the program that does not choose: it computes less.
    if (choice === undefined) return new SingleStep(this.#text.step(token, wanted, signal));
    const steps = await this.#text.steps(token, { ...options, choice });
    return steps.map((next) => new Map([[onlyRow, next]]));
  }
}

// Implementation

/** A call of one step. */
class SingleStep implements SentSteps {
  readonly count = 1;
  readonly times = undefined;
  taken = 0;
  readonly #next: Promise<NextLogits>;

  constructor(next: Promise<NextLogits>) {
    this.#next = next;
    // A step that nobody reads fails in silence.
    next.catch(() => {});
  }

  async next(): Promise<IteratorResult<ReadonlyMap<number, NextLogits>, undefined>> {
    this.taken = 1;
    return { done: false, value: new Map([[onlyRow, await this.#next]]) };
  }

  async return(): Promise<IteratorResult<ReadonlyMap<number, NextLogits>, undefined>> {
    this.taken = 1;
    return { done: true, value: undefined };
  }
}
