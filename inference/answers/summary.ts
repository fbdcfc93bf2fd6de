/** How an answer went. */
import type { ParsedMessage } from "../harmony/index.ts";
import type { FinishReason, NearTie } from "./answer.ts";

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
