/** `/v1/completions`: what a body may hold, and what it asks of the model. */
import { z } from "zod";
import { InputError } from "../dsl/errors.ts";
import type { Prompt } from "../inference/answers/prompt.ts";
import { completionResponse } from "./completion-response.ts";
import { followed, no, refusedField, wholeBetween, wholeFrom } from "./field-kinds.ts";
import type { JobModel, RequestBody } from "./job-types.ts";
import { parseRequest, requestError } from "./request-errors.ts";
import { samplingFields, samplingOptions } from "./sampling-fields.ts";
import { requireMinTokens, tokenBudget } from "./token-budget.ts";

// Public API

/** Tokens of an answer when a body does not say. Source: OpenAI's API reference. */
export const DEFAULT_COMPLETION_TOKENS = 16;

const WANTED = "a string, a list of strings, a list of token ids, or a list of such lists";
const ids = z.array(wholeFrom(0)).min(1, "at least one token id");
const prompts = z.union(
  [z.string(), z.array(z.string()).min(1, "at least one prompt"), ids, z.array(ids).min(1)],
  WANTED,
);

/** The body's fields. */
export const completionFields = {
  model: z
    .string("a string")
    .meta({ support: "yes", note: "any name, unless the job wants one; told again in the response" }),
  prompt: prompts.meta({ support: "yes", note: `${WANTED}; \`n\` answers for each` }),
  ...samplingFields,
  max_tokens: followed(wholeFrom(1), `default ${DEFAULT_COMPLETION_TOKENS}, or what the context has left`),
  logprobs: followed(wholeBetween(0, 5), "0 to 5"),
  echo: refusedField("the prompt's own tokens are not told again", no),
  suffix: refusedField("the model fills no gaps", { words: '`""`', is: (value) => value === "" }),
  best_of: followed(wholeFrom(1), "`n`, which is no choice among more"),
};

/** Reads a body. @throws InputError with a code and a `param` */
export function readCompletionBody(given: unknown, model: JobModel): RequestBody {
  const body = parseRequest(bodySchema, given, { within: "body" });
  const { logit_bias: _, ...rest } = body;
  const n = body.n ?? 1;
  if (body.best_of != null && body.best_of !== n) {
    const sentence = `body.best_of is ${body.best_of}, and n is ${n}; wanted the same: answers are not compared`;
    throw requestError("unsupported_value", "best_of", sentence);
  }
  const options = samplingOptions(body, model.config.vocab);
  const logprobs = rest.logprobs ?? undefined;
  const asked = body.max_tokens == null ? undefined : { field: "max_tokens", tokens: body.max_tokens };
  const asks = promptsOf(body.prompt).flatMap(({ prompt, param }) => {
    const maxTokens = tokenBudget(encode(model, prompt, param), {
      context: model.context,
      asked,
      promptField: param,
      fallback: DEFAULT_COMPLETION_TOKENS,
    });
    requireMinTokens(options.minTokens ?? 0, maxTokens);
    const ask = { prompt, options: { ...options, maxTokens, logprobs } };
    return Array.from({ length: n }, () => ask);
  });
  return {
    model: body.model,
    seed: body.seed ?? undefined,
    asks,
    respond: (answers, head) =>
      completionResponse(answers, head, { model, n, logprobs, stopTokens: body.stop_token_ids ?? [] }),
  };
}

// Implementation

const bodySchema = z.strictObject(completionFields, "an object");

interface Placed {
  readonly prompt: Prompt;
  /** Where it stands. */
  readonly param: string;
}

function promptsOf(given: z.output<typeof prompts>): Placed[] {
  if (typeof given === "string") return [{ prompt: given, param: "prompt" }];
  if (typeof given[0] === "number") return [{ prompt: { tokens: given as number[] }, param: "prompt" }];
  return (given as readonly (string | readonly number[])[]).map((each, at) => ({
    prompt: typeof each === "string" ? each : { tokens: each },
    param: `prompt[${at}]`,
  }));
}

function encode(model: JobModel, prompt: Prompt, param: string): number {
  let length: number;
  try {
    length = model.encode(prompt).length;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw requestError(error.code.toLowerCase(), param, `body.${param}: ${error.message}`, error);
  }
  if (length > 0) return length;
  throw requestError("invalid_value", param, `body.${param} has no tokens; wanted at least one to go on from`);
}
