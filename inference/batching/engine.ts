/**
 * Continuous batching on one worker: requests of any length come and go between the steps of those that run.
 *
 * A request goes from `generate` through the waiting line (./waiting-line.ts) to the loop (./engine-loop.ts), which
 * prefills it and takes its steps. The bits of an answer depend on its request alone: rows do not touch, and the programs
 * that compute it are chosen by its own capacity (docs/decisions/2026-11-24-continuous-batching.md).
 */
import type { Answer, Piece } from "../answers/answer.ts";
import type { ChatOptions, Prompt } from "../answers/prompt.ts";
import type { Summary } from "../answers/summary.ts";
import { AnswerStream } from "./answer-stream.ts";
import { gridChunk } from "./chunk-grid.ts";
import { EngineLoop, type LaneModel } from "./engine-loop.ts";
import type { EngineSettings } from "./engine-options.ts";
import type { EngineLoad, EngineStatistics } from "./engine-statistics.ts";
import { Request } from "./request.ts";
import { WaitingLine } from "./waiting-line.ts";

// Public API

/** What an engine needs of its model. */
export interface ServedModel extends LaneModel {
  /** @throws InputError for a prompt or an option that the model refuses */
  beginAnswer(prompt: Prompt, options: ChatOptions): Answer;
}

export class Engine implements AsyncDisposable {
  readonly #model: ServedModel;
  readonly #rows: number;
  readonly #line: WaitingLine;
  readonly #loop: EngineLoop;

  /** Made by `Model.serve()`. */
  constructor(model: ServedModel, settings: EngineSettings) {
    const { rows, grid } = settings;
    this.#model = model;
    this.#rows = rows;
    this.#line = new WaitingLine(settings, () => this.#loop.wake());
    this.#loop = new EngineLoop(
      model,
      {
        ...settings,
        chunkAt: (promptTokens, start) => gridChunk(promptTokens, start, grid),
        favours: "latency",
        stepsPerCall: undefined,
      },
      this.#line,
    );
  }

  /** How busy it is. */
  get load(): EngineLoad {
    return { rows: this.#rows, running: this.#loop.running, waiting: this.#loop.waiting };
  }

  /** What it has done so far. */
  get statistics(): EngineStatistics {
    return this.#loop.statistics;
  }

  /**
   * Generates an answer, as `Model.generate` does, beside all others. The request is in line when this returns, and its
   * answer is written whether it is read or not. Leaving the loop, or the signal, takes it away at once.
   *
   * The first `next` rejects with an InputError for a prompt or an option that cannot be taken, and with a RuntimeFailure
   * (`QUEUE_FULL`) when too many wait already: see `ready`.
   */
  generate(prompt: Prompt, options: ChatOptions = {}): AsyncGenerator<Piece, Summary> {
    this.#line.usePromised();
    const stream: AnswerStream = new AnswerStream(() => request && this.#loop.cancel(request));
    let request: Request | undefined;
    try {
      request = this.#submit(prompt, options, stream);
    } catch (error) {
      stream.fail(error);
    }
    return stream;
  }

  /** Resolves when the line has room for another request: `await engine.ready()`, then `generate` at once. */
  async ready(): Promise<void> {
    for (;;) {
      this.#loop.requireOpen();
      if (this.#line.free(this.#loop) > 0) return this.#line.promise();
      await this.#line.turn();
    }
  }

  /** Ends what runs and what waits with an error, and frees everything. Never rejects. */
  async close(): Promise<void> {
    await this.#loop.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  // Implementation

  #submit(prompt: Prompt, options: ChatOptions, stream: AnswerStream): Request {
    const { signal } = options;
    signal?.throwIfAborted();
    this.#loop.requireOpen();
    const answer = this.#model.beginAnswer(prompt, options);
    const needs = this.#model.rowFor(answer);
    const request = new Request(answer, needs, stream);
    if (answer.finished === undefined) {
      // A row that can never fit is refused at once, and not when the answer has grown into it.
      this.#loop.requireFit(needs.largest);
      this.#line.requireFree(this.#loop);
      if (signal !== undefined) this.#endWith(signal, request, stream);
    }
    this.#loop.submit(request);
    return request;
  }

  /** Ends a request when its signal is aborted. */
  #endWith(signal: AbortSignal, request: Request, stream: AnswerStream): void {
    const abort = () => {
      stream.fail(signal.reason, { now: true });
      this.#loop.cancel(request);
    };
    signal.addEventListener("abort", abort, { once: true });
    request.onEnd = () => signal.removeEventListener("abort", abort);
  }
}
