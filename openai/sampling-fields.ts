/**
 * The fields that both kinds of request have: how to choose tokens, when to end.
 *
 * Names and ranges are those of OpenAI's API reference; the last five are extensions that open servers have (vLLM's names
 * and meanings). `null` is absence.
 */
import { z } from "zod";
import type { ChatOptions } from "../inference/answers/prompt.ts";
import { between, followed, no, refusedField, wholeBetween, wholeFrom, withoutEffect } from "./field-kinds.ts";
import { requestError } from "./request-errors.ts";

// Public API

/** Fields of both kinds of request. */
export const samplingFields = {
  temperature: followed(between(0, 2), "0 to 2, default 1; 0 is greedy"),
  top_p: followed(between(0, 1), "0 to 1, default 1"),
  n: followed(wholeBetween(1, 128), "1 to 128, default 1; the first answer is that of n 1"),
  stop: followed(
    z.union([stopString(), z.array(stopString()).max(4, "at most 4 strings")], "a string, or a list of at most 4"),
    "a string, or up to 4; of a GPT-OSS looked for in the final answer",
  ),
  seed: followed(
    z.int("a whole number from -(2^53 - 1) to 2^53 - 1"),
    "-(2^53 - 1) to 2^53 - 1; default: made of the job's seed and `custom_id`",
  ),
  presence_penalty: followed(between(-2, 2), "-2 to 2, default 0"),
  frequency_penalty: followed(between(-2, 2), "-2 to 2, default 0"),
  logit_bias: followed(
    z.record(z.string().regex(/^(0|[1-9]\d*)$/, "a token id"), between(-100, 100), "an object of token ids"),
    "token ids to -100 to 100",
  ),
  user: withoutEffect(z.string("a string"), "who asks"),
  stream: refusedField("a batch's answers come whole", no),
  stream_options: refusedField("a batch's answers come whole"),
  top_k: followed(wholeFrom(-1), "0 and -1 keep all"),
  min_p: followed(between(0, 1), "0 to 1, default 0"),
  repetition_penalty: followed(between(1e-6, 1e6), "default 1; of the prompt's tokens, too"),
  min_tokens: followed(wholeFrom(0), "default 0"),
  stop_token_ids: followed(z.array(wholeFrom(0), "a list of token ids"), "beside the model's own"),
};

const samplingSchema = z.object(samplingFields);

/** A body's sampling fields, checked. */
export type SamplingFields = z.output<typeof samplingSchema>;

/** The options that fields mean. @throws InputError for a token that the vocabulary has not */
export function samplingOptions(body: SamplingFields, vocabulary: number): Omit<ChatOptions, "seed" | "maxTokens"> {
  for (const id of Object.keys(body.logit_bias ?? {})) requireToken(Number(id), `logit_bias.${id}`, vocabulary);
  for (const [at, id] of (body.stop_token_ids ?? []).entries()) requireToken(id, `stop_token_ids[${at}]`, vocabulary);
  return {
    temperature: body.temperature ?? 1,
    // The smallest set of a probability of at least nothing: the likeliest token.
    topP: body.top_p === 0 ? Number.MIN_VALUE : (body.top_p ?? undefined),
    topK: Math.max(0, body.top_k ?? 0),
    minP: body.min_p ?? undefined,
    presencePenalty: body.presence_penalty ?? undefined,
    frequencyPenalty: body.frequency_penalty ?? undefined,
    repetitionPenalty: body.repetition_penalty ?? undefined,
    logitBias: body.logit_bias ?? undefined,
    minTokens: body.min_tokens ?? 0,
    stop: [body.stop ?? []].flat(),
    stopTokens: body.stop_token_ids ?? [],
  };
}

/** A request's seed as the sampler takes it: of negative ones the two's complement. */
export const seedBits = (seed: number): bigint => BigInt.asUintN(64, BigInt(seed));

// Implementation

function stopString() {
  return z.string("a string").min(1, "a string that is not empty");
}

function requireToken(id: number, param: string, vocabulary: number): void {
  if (id < vocabulary) return;
  throw requestError(
    "invalid_value",
    param,
    `body.${param} names token ${id}; the vocabulary has ids 0 to ${vocabulary - 1}`,
  );
}
