/** The generation loop: logits in, tokens out, text as soon as it is certain. */

import type { ParsedMessage } from "../harmony/index.ts";
import type { TextUnderWay } from "../steps/prompt-cache.ts";
import { Answer, type FinishReason, type NearTie, type Piece } from "./answer.ts";
import type { AnswerInputs, GenerateOptions } from "./answer-options.ts";
import { StepsAhead } from "./next-logits.ts";

// Public API

/** How an answer went. Times in seconds. */
export interface Summary {
  readonly finishReason: FinishReason;
  readonly promptTokens: number;
  /** How many of them were held already, by a prompt cache or an engine. */
  readonly reusedTokens: number;
  readonly answerTokens: number;
  readonly prefillSeconds: number;
  readonly decodeSeconds: number;
  /** What reproduces the choices. */
  readonly seed: number | bigint;
  /** The tokens of a greedy answer whose two largest logits lay within 1e-4: elsewhere it may go on otherwise there. */
  readonly nearTies: readonly NearTie[];
  /** Of a chat with a model that speaks Harmony: what it said, to be given back with the next question. */
  readonly messages?: readonly ParsedMessage[];
}

/** Tells how an answer went that is over. */
export function summarize(
  answer: Answer,
  times: Pick<Summary, "reusedTokens" | "prefillSeconds" | "decodeSeconds">,
): Summary {
  return {
    finishReason: answer.finished as FinishReason,
    promptTokens: answer.prompt.length,
    reusedTokens: times.reusedTokens,
    answerTokens: answer.count,
    prefillSeconds: times.prefillSeconds,
    decodeSeconds: times.decodeSeconds,
    seed: answer.seed,
    nearTies: answer.nearTies,
    ...(answer.messages === undefined ? {} : { messages: answer.messages }),
  };
}

/** What the loop needs. */
export interface GenerationInputs extends AnswerInputs {
  readonly prompt: readonly number[];
  /**
   * Opens a text with room for so many tokens in all; it may hold the beginning of the prompt.
   *
   * @param outputs  of the steps that will be made
   */
  openSequence(tokens: number, outputs: "last" | "chosen"): Promise<TextUnderWay>;
}

/**
 * Generates an answer, token by token; the generator's return value tells how it went. Leaving the loop early, by
 * `break` or by an error, frees everything.
 *
 * @throws InputError for a prompt that is empty or longer than the context, or an option out of range
 * @throws RuntimeFailure when the model's logits are not numbers
 */
export async function* generateTokens(
  given: GenerationInputs,
  options: GenerateOptions = {},
): AsyncGenerator<Piece, Summary> {
  const { prompt } = given;
  const { signal } = options;
  const answer = new Answer(given, prompt, options);
  const outputs = answer.deviceChoice === undefined ? "last" : "chosen";
  await using sequence = await given.openSequence(prompt.length + answer.room, outputs);
  const started = performance.now();
  const reused = sequence.length;
  let next = await sequence.prefill(prompt.slice(reused), answer.wanted, signal);
  const decodeStarted = performance.now();
  await using ahead = new StepsAhead(sequence, answer, signal);
  while (answer.finished === undefined) {
    signal?.throwIfAborted();
    const piece = await answer.take(next);
    // The next step is under way while the caller looks at this token.
    if (answer.finished === undefined) ahead.begin(piece.token);
    yield piece;
    if (answer.finished === undefined) next = await ahead.next();
  }
  return summarize(answer, {
    reusedTokens: reused,
    prefillSeconds: (decodeStarted - started) / 1000,
    decodeSeconds: (performance.now() - decodeStarted) / 1000,
  });
}
