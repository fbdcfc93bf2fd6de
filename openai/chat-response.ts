/** The body of a response to `/v1/chat/completions`. */

import { type Reading, readAnswer, type Said } from "./answer-content.ts";
import type { Answered, ResponseHead } from "./job-types.ts";
import { digestOf } from "./response-ids.ts";
import { chatLogprobs } from "./response-logprobs.ts";
import { nearTies, usageOf } from "./response-usage.ts";

// Public API

/** How the request wants its response. */
export interface ChatResponseOptions extends Reading {
  /** How many calls of tools at most. */
  readonly calls: number;
  readonly withLogprobs: boolean;
}

/** The body: an answer is a choice. Thoughts are its message's `reasoning`, which vLLM has from OpenAI's guide. */
export function chatResponse(answers: readonly Answered[], head: ResponseHead, options: ChatResponseOptions): object {
  const { customId, created, model, fingerprint } = head;
  const said = answers.map((answer) => readAnswer(answer, options));
  return {
    id: `chatcmpl-${digestOf("chat", customId)}`,
    object: "chat.completion",
    created,
    model,
    system_fingerprint: fingerprint,
    choices: said.map((each, index) => {
      const message = messageOf(each, { customId, index, most: options.calls });
      const { finishReason } = (answers[index] as Answered).summary;
      const how = "tool_calls" in message ? "tool_calls" : "stop";
      return {
        index,
        message,
        logprobs: options.withLogprobs ? chatLogprobs(each.tokens, options.model.tokenizer) : null,
        finish_reason: finishReason === "stop" ? how : "length",
      };
    }),
    usage: usageOf(
      answers,
      answers.length,
      said.reduce((all, { reasoningTokens }) => all + reasoningTokens, 0),
    ),
    ...nearTies(answers),
  };
}

// Implementation

function messageOf(
  { content, reasoning, calls }: Said,
  { customId, index, most }: { readonly customId: string; readonly index: number; readonly most: number },
) {
  return {
    role: "assistant",
    content: content === "" && calls.length > 0 ? null : content,
    refusal: null,
    ...(reasoning === "" ? {} : { reasoning }),
    ...(calls.length === 0
      ? {}
      : {
          tool_calls: calls.slice(0, most).map((call, at) => ({
            id: `call_${digestOf("call", customId, index, at).slice(0, 24)}`,
            type: "function",
            function: { name: call.name, arguments: call.arguments },
          })),
        }),
  };
}
