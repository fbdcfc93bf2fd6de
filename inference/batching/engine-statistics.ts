/** What an engine counts. */
import type { RunningAnswer } from "../answers/running-answer.ts";

// Public API

/** How busy an engine is. */
export interface EngineLoad {
  /** How many requests of one capacity run at once. */
  readonly rows: number;
  readonly running: number;
  readonly waiting: number;
}

/** What an engine has done so far. */
export interface EngineStatistics {
  /** Requests that were taken in. */
  readonly requests: number;
  readonly finished: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly promptTokens: number;
  /** How many of them were held already. */
  readonly reusedTokens: number;
  readonly answerTokens: number;
  /** How many prompts found their beginning held, among those that were begun; NaN before the first. */
  readonly hitRate: number;
  /** How often an answer outgrew its row and went on in a longer one. */
  readonly moves: number;
  readonly iterations: number;
  /** Rows that took a step, of those that steps computed; NaN before the first. */
  readonly occupancy: number;
  readonly lanes: readonly {
    readonly capacity: number;
    readonly rows: number;
    readonly running: number;
    /** Beginnings of prompts that are kept. */
    readonly prefixes: number;
    readonly bytes: number;
  }[];
}

/** Counts, while an engine runs. */
export class EngineCounts {
  requests = 0;
  failed = 0;
  cancelled = 0;
  moves = 0;
  iterations = 0;
  prefillMs = 0;
  decodeMs = 0;
  #finished = 0;
  readonly #tokens = { prompt: 0, reused: 0, answer: 0 };
  readonly #prompts = { begun: 0, hits: 0 };
  readonly #rows = { computed: 0, taken: 0 };

  noteFinished({ answer, reused }: RunningAnswer): void {
    this.#finished++;
    this.#tokens.prompt += answer.prompt.length;
    this.#tokens.reused += reused;
    this.#tokens.answer += answer.count;
  }

  /** @param held  how much of the prompt was kept already */
  notePrompt(held: number): void {
    this.#prompts.begun++;
    if (held > 0) this.#prompts.hits++;
  }

  /** @param taken  rows that took the step, of all that it computed */
  noteStep(computed: number, taken: number): void {
    this.#rows.computed += computed;
    this.#rows.taken += taken;
  }

  /** All counts, with what is known of the lanes. */
  report(lanes: EngineStatistics["lanes"]): EngineStatistics {
    const { requests, failed, cancelled, moves, iterations } = this;
    return {
      requests,
      finished: this.#finished,
      failed,
      cancelled,
      promptTokens: this.#tokens.prompt,
      reusedTokens: this.#tokens.reused,
      answerTokens: this.#tokens.answer,
      hitRate: this.#prompts.hits / this.#prompts.begun,
      moves,
      iterations,
      occupancy: this.#rows.taken / this.#rows.computed,
      lanes,
    };
  }
}
