/** An answer that runs: its last token, and how long its parts took. */
import type { NextLogits } from "../steps/step-call.ts";
import type { Answer, FinishReason, Piece } from "./answer.ts";
import type { LoopAnswer } from "./generation-loop.ts";
import type { Summary } from "./summary.ts";

// Public API

export class RunningAnswer implements LoopAnswer {
  readonly answer: Answer;
  /** How many tokens of the prompt were held already. */
  reused = 0;
  #token = -1;
  #prefillBegan = 0;
  #prefillEnded = 0;

  constructor(answer: Answer) {
    this.answer = answer;
  }

  get token(): number {
    return this.#token;
  }

  get wantsMore(): boolean {
    return this.answer.finished === undefined;
  }

  /** Notes that the prefill of its prompt begins. Only the first time counts. */
  beginPrefill(): void {
    if (this.#prefillBegan === 0) this.#prefillBegan = performance.now();
  }

  /** Notes that its prompt is prefilled. Only the first time counts. */
  endPrefill(): void {
    if (this.#prefillEnded === 0) this.#prefillEnded = performance.now();
  }

  /** Chooses the next token. */
  async take(next: NextLogits): Promise<Piece> {
    const piece = await this.answer.take(next);
    this.#token = piece.token;
    return piece;
  }

  /** How it went. */
  summarize(): Summary {
    const { answer } = this;
    const decodeMs = this.#prefillEnded === 0 ? 0 : performance.now() - this.#prefillEnded;
    return {
      finishReason: answer.finished as FinishReason,
      promptTokens: answer.prompt.length,
      reusedTokens: this.reused,
      answerTokens: answer.count,
      prefillSeconds: (this.#prefillEnded - this.#prefillBegan) / 1000,
      decodeSeconds: decodeMs / 1000,
      seed: answer.seed,
      nearTies: answer.nearTies,
      ...(answer.messages && { messages: answer.messages }),
    };
  }
}
