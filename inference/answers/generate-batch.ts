/**
 * The loop over several prompts: as many at once as the batch has rows; whoever is done gives its row to the next.
 *
 * What a prompt is answered does not depend on who its neighbours are: it is prefilled alone, rows do not touch, and its
 * random numbers come from a seed of its own (`seedOf`). Programs for different sizes of batch round differently in the
 * last digits, so an answer may still change where two tokens are equally likely but for those.
 */
import { InputError, RuntimeFailure } from "../../dsl/index.ts";
import type { CacheSize } from "../programs/cache-size.ts";
import type { DeviceChoice } from "../sampling/choose-on-device.ts";
import { splitMix64 } from "../sampling/random.ts";
import type { Batch } from "../steps/batch.ts";
import type { StepsUnderWay } from "../steps/choosing-steps.ts";
import type { NextLogits } from "../steps/step-call.ts";
import { CallSize } from "../steps/steps-per-call.ts";
import { Answer, type Piece } from "./answer.ts";
import { type AnswerInputs, checkOptions, type GenerateOptions } from "./answer-options.ts";
import { type Summary, summarize } from "./generate.ts";

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

/** What the loop needs. */
export interface BatchInputs extends AnswerInputs {
  /** The tokens of each prompt, and what holds for its answer alone; or why it has none. */
  readonly prompts: readonly (BatchPrompt | InputError)[];
  /** Opens a batch for those that are left. @param outputs  of the steps that will be made */
  openBatch(
    answers: readonly Answer[],
    outputs: "last" | "chosen",
  ): Promise<{ readonly batch: Batch; readonly size: CacheSize }>;
}

/** A prompt. */
export type BatchPrompt = { readonly tokens: readonly number[] } & Partial<Pick<AnswerInputs, "stopIds" | "reader">>;

/** The seed of the prompt at `index`: given alone to `generate`, it makes the same choices. */
export function seedOf(seed: bigint, index: number): bigint {
  return splitMix64(seed, index);
}

/**
 * Answers prompts, and tells what happens as it does. Leaving the loop early, by `break` or by an error, frees everything.
 *
 * @throws InputError for an option out of range; a prompt that is empty or too long is an event
 * @throws RuntimeFailure when the model's logits for a prompt are not numbers
 */
export async function* generateBatch(
  given: BatchInputs,
  options: GenerateOptions = {},
): AsyncGenerator<BatchEvent, BatchSummary> {
  const { signal } = options;
  // An option out of range is no prompt's fault.
  const { wanted, seed } = checkOptions(options, given);
  const { answers, refusals } = admit(given, options, seed);
  const events: BatchEvent[] = [...refusals];
  for (const each of answers) if (each.answer.finished !== undefined) events.push(done(each));
  const waiting = answers.filter(({ answer }) => answer.finished === undefined);
  const spent = { prefill: 0, decode: 0 };

  // Options hold for all prompts.
  const outputs = waiting[0]?.answer.deviceChoice === undefined ? "last" : "chosen";
  const size = new CallSize(options.stepsPerCall);
  const left = waiting.map(({ answer }) => answer);
  const opened = left.length === 0 ? undefined : await given.openBatch(left, outputs);
  await using batch = opened?.batch;
  const rows = Array<Running | undefined>(opened?.size.rows ?? 0).fill(undefined);
  const advance = async (row: number, running: Running, next: NextLogits) => {
    const piece = await take(running, next);
    running.token = piece.token;
    events.push({ kind: "piece", index: running.index, piece });
    if (running.answer.finished === undefined) return;
    events.push(done(running));
    rows[row] = undefined;
    batch?.free(row);
  };

  const begin = async (batch: Batch, active: ReadonlyMap<number, Running>): Promise<BatchSteps> => {
    const tokens = new Map([...active].map(([row, { token }]) => [row, token]));
    if (outputs === "last") return only(await batch.step(tokens, wanted, signal));
    const rooms = Array.from(active.values(), ({ answer }) => answer.room - answer.count);
    // Who waits for a row gets it as soon as one is done by its budget.
    const count = size.next(waiting.length > 0 ? Math.min(...rooms) : Math.max(...rooms));
    const choices = new Map([...active].map(([row, { answer }]) => [row, answer.deviceChoice as DeviceChoice]));
    return await batch.steps(tokens, { wanted, signal, count, choices });
  };

  for (;;) {
    for (let row = 0; row < rows.length; row++) {
      while (batch !== undefined && rows[row] === undefined && waiting.length > 0) {
        yield* events.splice(0);
        signal?.throwIfAborted();
        const running: Running = waiting.shift() as Running;
        running.begun = performance.now();
        rows[row] = running;
        const next = await batch.fill(row, running.answer.prompt, wanted, signal);
        running.prefilled = performance.now();
        spent.prefill += running.prefilled - running.begun;
        await advance(row, running, next);
      }
    }
    const active = [...rows.entries()].filter((entry): entry is [number, Running] => entry[1] !== undefined);
    signal?.throwIfAborted();
    const started = performance.now();
    // The next steps are under way while the caller looks at these tokens.
    const ahead = active.length === 0 || batch === undefined ? undefined : begin(batch, new Map(active));
    ahead?.catch(() => {});
    yield* events.splice(0);
    if (ahead === undefined) break;
    const steps = await ahead;
    for await (const next of steps) {
      for (const [row, running] of active) {
        if (rows[row] === running) await advance(row, running, next.get(row) as NextLogits);
      }
      if (active.every(([row, running]) => rows[row] !== running)) break;
      // What the last of them gave goes out when the next ones are under way.
      if (steps.taken < steps.count) yield* events.splice(0);
    }
    if (steps.times !== undefined) size.note(steps.times);
    spent.decode += performance.now() - started;
  }
  return {
    rows: rows.length,
    cacheBytes: opened?.size.bytes ?? 0,
    answers: answers.length,
    refused: refusals.length,
    promptTokens: answers.reduce((all, { answer }) => all + answer.prompt.length, 0),
    answerTokens: answers.reduce((all, { answer }) => all + answer.count, 0),
    prefillSeconds: spent.prefill / 1000,
    decodeSeconds: spent.decode / 1000,
    seed,
  };
}

// Implementation

/** A prompt, its answer so far, and when it began. */
interface Running {
  readonly index: number;
  readonly answer: Answer;
  /** The last token chosen. */
  token: number;
  begun: number;
  prefilled: number;
}

/** Steps of one call. */
type BatchSteps = Pick<
  StepsUnderWay<ReadonlyMap<number, NextLogits>>,
  "count" | "taken" | "times" | typeof Symbol.asyncIterator
>;

/** A call of one step, which is done. */
function only(next: ReadonlyMap<number, NextLogits>): BatchSteps {
  return {
    count: 1,
    taken: 1,
    times: undefined,
    async *[Symbol.asyncIterator]() {
      yield next;
    },
  };
}

/** Prompts that can be answered, and those that cannot. */
function admit(given: BatchInputs, options: GenerateOptions, seed: bigint) {
  const answers: Running[] = [];
  const refusals: BatchEvent[] = [];
  for (const [index, prompt] of given.prompts.entries()) {
    try {
      if (prompt instanceof InputError) throw prompt;
      const { tokens, ...own } = prompt;
      const answer = new Answer({ ...given, ...own }, tokens, { ...options, seed: seedOf(seed, index) });
      answers.push({ index, answer, token: -1, begun: 0, prefilled: 0 });
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      refusals.push({ kind: "refused", index, error });
    }
  }
  return { answers, refusals };
}

/** Chooses a token; an error names the prompt. */
async function take({ index, answer }: Running, next: NextLogits): Promise<Piece> {
  try {
    return await answer.take(next);
  } catch (error) {
    if (!(error instanceof RuntimeFailure)) throw error;
    const fields = { ...error.fields, prompt: index };
    throw new RuntimeFailure(error.code, `prompts[${index}]: ${error.message}`, fields, { cause: error });
  }
}

function done({ index, answer, begun, prefilled }: Running): BatchEvent {
  const summary = summarize(answer, {
    reusedTokens: 0,
    prefillSeconds: (prefilled - begun) / 1000,
    decodeSeconds: begun === 0 ? 0 : (performance.now() - prefilled) / 1000,
  });
  return { kind: "done", index, summary };
}
