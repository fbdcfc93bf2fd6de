/** The body of a response to `/v1/completions`. */

import { type Reading, spokenTokens, textOf } from "./answer-content.ts";
import type { Answered, ResponseHead } from "./job-types.ts";
import { digestOf } from "./response-ids.ts";
import { completionLogprobs } from "./response-logprobs.ts";
import { nearTies, usageOf } from "./response-usage.ts";

// Public API

/** How the request wants its response. */
export interface CompletionResponseOptions extends Omit<Reading, "hasTools"> {
  /** Answers for each prompt. */
  readonly n: number;
  readonly logprobs: number | undefined;
}

/** The body: an answer is a choice, those of the first prompt first. */
export function completionResponse(
  answers: readonly Answered[],
  { customId, created, model, fingerprint }: ResponseHead,
  options: CompletionResponseOptions,
): object {
  return {
    id: `cmpl-${digestOf("completion", customId)}`,
    object: "text_completion",
    created,
    model,
    system_fingerprint: fingerprint,
    choices: answers.map((answer, index) => ({
      index,
      text: textOf(answer.pieces),
      logprobs:
        options.logprobs === undefined
          ? null
          : completionLogprobs(spokenTokens(answer, options), options.model.tokenizer),
      finish_reason: answer.summary.finishReason === "stop" ? "stop" : "length",
    })),
    usage: usageOf(answers, options.n, 0),
    ...nearTies(answers),
  };
}
