/**
 * Answers to a list of prompts, told by their index.
 *
 * An answer does not depend on its neighbours: rows do not touch, its prompt is cut as `generate` cuts it, and its random
 * numbers come from a seed of its own (`seedOf`). Programs for different numbers of rows round differently in the last
 * digits, so it can differ from `generate`'s answer where two tokens are equally likely up to rounding.
 */
import { type InputError, RuntimeFailure } from "../../dsl/index.ts";
import type { Answer, Piece } from "../answers/answer.ts";
import type { ChatOptions } from "../answers/prompt.ts";
import { RunningAnswer } from "../answers/running-answer.ts";
import type { Summary } from "../answers/summary.ts";
import { type Chunk, chunksOf, largestChunk } from "../programs/buckets.ts";
import type { CacheSize } from "../programs/cache-size.ts";
import type { NextLogits } from "../steps/step-call.ts";
import { EngineLoop, type LaneModel } from "./engine-loop.ts";
import { EventQueue } from "./event-queue.ts";
import { type AnswerSink, Request, type RowNeeds } from "./request.ts";

// Public API

/** What happened to the prompt at `index`: a token more, its answer is complete, or it could not be taken at all. */
export type BatchEvent =
  | { readonly kind: "piece"; readonly index: number; readonly piece: Piece }
  | { readonly kind: "done"; readonly index: number; readonly summary: Summary }
  | { readonly kind: "refused"; readonly index: number; readonly error: InputError };

/** How a batch went. Times in seconds. */
export interface BatchSummary {
  /** How many prompts were answered at once, at most. */
  readonly rows: number;
  readonly cacheBytes: number;
  readonly answers: number;
  readonly refused: number;
  readonly promptTokens: number;
  readonly answerTokens: number;
  readonly prefillSeconds: number;
  readonly decodeSeconds: number;
  /** What all seeds were derived from. */
  readonly seed: bigint;
}

/** Prompts that can be answered, by their index, and those that cannot. */
export interface AnswerList {
  readonly answers: ReadonlyMap<number, Answer>;
  readonly refused: ReadonlyMap<number, InputError>;
  readonly seed: bigint;
}

/** What the answers run on. */
export interface OpenedList {
  readonly model: LaneModel;
  readonly size: CacheSize;
}

/**
 * Answers a list. Leaving the loop early, by `break` or by an error, frees everything.
 *
 * @param open  called for the answers that need a row, if there are any
 * @throws RuntimeFailure that names the prompt when its logits are NaN or infinite
 */
export async function* answerList(
  { answers, refused, seed }: AnswerList,
  open: (answers: readonly Answer[]) => Promise<OpenedList>,
  options: Pick<ChatOptions, "signal" | "stepsPerCall">,
): AsyncGenerator<BatchEvent, BatchSummary> {
  const left = [...answers].filter(([, { finished }]) => finished === undefined);
  const opened = left.length === 0 ? undefined : await open(left.map(([, answer]) => answer));
  for (const [index, error] of refused) yield { kind: "refused", index, error };
  for (const [index, answer] of answers) {
    if (answer.finished !== undefined) yield { kind: "done", index, summary: new RunningAnswer(answer).summarize() };
  }
  const spent = opened === undefined ? { prefill: 0, decode: 0 } : yield* runList(left, opened, options);
  const sum = (of: (answer: Answer) => number) => Array.from(answers.values(), of).reduce((all, each) => all + each, 0);
  return {
    rows: opened?.size.rows ?? 0,
    cacheBytes: opened?.size.bytes ?? 0,
    answers: answers.size,
    refused: refused.size,
    promptTokens: sum(({ prompt }) => prompt.length),
    answerTokens: sum(({ count }) => count),
    prefillSeconds: spent.prefill,
    decodeSeconds: spent.decode,
    seed,
  };
}

// Implementation

/** Runs the answers that need a row. */
async function* runList(
  left: readonly (readonly [number, Answer])[],
  { model, size }: OpenedList,
  { signal, stepsPerCall }: Pick<ChatOptions, "signal" | "stepsPerCall">,
): AsyncGenerator<BatchEvent, EngineLoop["seconds"]> {
  await using loop = new EngineLoop(model, {
    chunkAt,
    grid: largestChunk,
    budget: Number.POSITIVE_INFINITY,
    cacheBytes: Number.POSITIVE_INFINITY,
    favours: "throughput",
    stepsPerCall,
  });
  const events = new EventQueue<BatchEvent>();
  const abort = () => events.fail(signal?.reason, { now: true });
  signal?.addEventListener("abort", abort, { once: true });
  try {
    if (signal?.aborted) abort();
    const waiting = left.values();
    let unread = 0;
    for (let submitted = 0; submitted < left.length || unread > 0; ) {
      // As many wait as run, so that a free row finds its next prompt; the others wait until these are read.
      for (; submitted < left.length && unread < 2 * size.rows; submitted++, unread++) {
        const [index, answer] = waiting.next().value as readonly [number, Answer];
        loop.submit(new ListedRequest(answer, model.rowFor(answer), events, index));
      }
      const event = await events.next();
      if (event.kind === "done") unread--;
      yield event;
    }
    return loop.seconds;
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}

/** Cut as `generate` cuts a prompt, so that it is prefilled to the same bits. */
function chunkAt(promptTokens: number, start: number): Chunk {
  return chunksOf(promptTokens).find((chunk) => chunk.start === start) as Chunk;
}

/** A request for the prompt at `index`, which its errors name. */
class ListedRequest extends Request {
  readonly #index: number;

  constructor(answer: Answer, needs: RowNeeds, events: EventQueue<BatchEvent>, index: number) {
    super(answer, needs, new ListedSink(events, index));
    this.#index = index;
  }

  override async take(next: NextLogits): Promise<Piece> {
    try {
      return await super.take(next);
    } catch (error) {
      if (!(error instanceof RuntimeFailure)) throw error;
      const fields = { ...error.fields, prompt: this.#index };
      throw new RuntimeFailure(error.code, `prompts[${this.#index}]: ${error.message}`, fields, { cause: error });
    }
  }
}

/** Writes an answer as events of its prompt. */
class ListedSink implements AnswerSink {
  readonly #events: EventQueue<BatchEvent>;
  readonly #index: number;

  constructor(events: EventQueue<BatchEvent>, index: number) {
    this.#events = events;
    this.#index = index;
  }

  push(piece: Piece): void {
    this.#events.push({ kind: "piece", index: this.#index, piece });
  }

  finish(summary: Summary): void {
    this.#events.push({ kind: "done", index: this.#index, summary });
  }

  fail(error: unknown): void {
    this.#events.fail(error);
  }
}
