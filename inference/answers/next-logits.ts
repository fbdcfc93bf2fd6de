/** The step after each token of an answer: by itself, or one of several in a call where the device chooses. */

import type { StepsUnderWay } from "../steps/choosing-steps.ts";
import type { TextUnderWay } from "../steps/prompt-cache.ts";
import type { NextLogits } from "../steps/step-call.ts";
import { CallSize } from "../steps/steps-per-call.ts";
import type { Answer } from "./answer.ts";

// Public API

/** Of one answer, which takes a token in turn with each step. Close it to leave what is under way unread. */
export class StepsAhead implements AsyncDisposable {
  readonly #text: Pick<TextUnderWay, "step" | "steps">;
  readonly #answer: Answer;
  readonly #signal: AbortSignal | undefined;
  readonly #size: CallSize;
  #single: Promise<NextLogits> | undefined;
  #call: Promise<StepsUnderWay<NextLogits>> | undefined;
  /** The same, once it is sent. */
  #sent: StepsUnderWay<NextLogits> | undefined;

  constructor(text: Pick<TextUnderWay, "step" | "steps">, answer: Answer, signal: AbortSignal | undefined) {
    this.#text = text;
    this.#answer = answer;
    this.#signal = signal;
    this.#size = new CallSize(answer.stepsPerCall);
  }

  /** Sees to it that the step after this token is under way: the answer's last one. */
  begin(token: number): void {
    const { deviceChoice: choice, wanted, room, count } = this.#answer;
    const signal = this.#signal;
    if (choice === undefined) {
      this.#single = this.#text.step(token, wanted, signal);
      this.#single.catch(() => {});
      return;
    }
    if (this.#sent !== undefined && this.#sent.taken < this.#sent.count) return;
    // Nothing is asked for after the last token of the budget.
    this.#call = this.#text.steps(token, { choice, wanted, signal, count: this.#size.next(room - count) });
    this.#call.catch(() => {});
  }

  /** What that step gives. */
  async next(): Promise<NextLogits> {
    if (this.#call === undefined) return await (this.#single as Promise<NextLogits>);
    this.#sent = await this.#call;
    const { value } = await this.#sent.next();
    if (this.#sent.taken === 1 && this.#sent.times !== undefined) this.#size.note(this.#sent.times);
    return value as NextLogits;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const call = await this.#call?.catch(() => undefined);
    await call?.return();
  }
}
