/** `/v1/chat/completions`: what a body may hold, and what it asks of the model. */
import { z } from "zod";
import { InputError } from "../dsl/errors.ts";
import type { ChatPrompt, ChatTool } from "../inference/answers/chat-prompt.ts";
import { REASONING_EFFORTS, type ReasoningEffort } from "../inference/harmony/messages.ts";
import { describe } from "../models/parse-input.ts";
import { chatMessages, depthOf, MAX_DEPTH, messagesSchema, requireSeen } from "./chat-messages.ts";
import { chatResponse } from "./chat-response.ts";
import { followed, no, refused, refusedField, wholeBetween, wholeFrom, withoutEffect } from "./field-kinds.ts";
import type { JobModel, RequestBody } from "./job-types.ts";
import { parseRequest, requestError } from "./request-errors.ts";
import { samplingFields, samplingOptions } from "./sampling-fields.ts";
import { requireMinTokens, tokenBudget } from "./token-budget.ts";

// Public API

/** The body's fields. */
export const chatFields = {
  model: z
    .string("a string")
    .meta({ support: "yes", note: "any name, unless the job wants one; told again in the response" }),
  messages: messagesSchema.meta({
    support: "yes",
    note: "roles system, developer, user, assistant with `tool_calls`, tool; content as a string or parts of text",
  }),
  ...samplingFields,
  max_completion_tokens: followed(wholeFrom(1), "thoughts included; default: what the context has left"),
  max_tokens: followed(wholeFrom(1), "the older name of `max_completion_tokens`"),
  logprobs: followed(z.boolean("true or false"), "of the tokens of `content`"),
  top_logprobs: followed(wholeBetween(0, 20), "0 to 20, with `logprobs`"),
  tools: followed(
    z
      .array(
        z.lazy(() => toolSchema),
        "a list of tools",
      )
      .min(1, "at least one tool")
      .max(128, "at most 128 tools"),
    "functions; the model's chat format must show them",
  ),
  tool_choice: followed(
    z.unknown(),
    "`auto`, the default with tools, or `none`: none are shown; `required` and names are refused",
  ),
  parallel_tool_calls: followed(z.boolean("true or false"), "false keeps the first call"),
  reasoning_effort: followed(
    z.enum(REASONING_EFFORTS as ["low", "medium", "high"], "low, medium or high"),
    "low, medium or high; of a GPT-OSS alone",
  ),
  response_format: refusedField("only text can be promised", { words: '`{"type": "text"}`', is: isTextFormat }),
  metadata: withoutEffect(z.record(z.string(), z.string("a string"), "an object of strings"), "notes"),
  safety_identifier: withoutEffect(z.string("a string"), "who asks"),
  prompt_cache_key: withoutEffect(z.string("a string"), "a hint"),
  prompt_cache_retention: withoutEffect(z.string("a string"), "a hint"),
  prompt_cache_options: withoutEffect(z.looseObject({}, "an object"), "a hint"),
  service_tier: withoutEffect(z.string("a string"), "a hint"),
  store: refusedField("nothing is stored", no),
  audio: refusedField("the model says text"),
  modalities: refusedField("the model says text", {
    words: '`["text"]`',
    is: (value) => Array.isArray(value) && value.join() === "text",
  }),
  moderation: refusedField("there is no moderation here"),
  prediction: refusedField("there are no predictions here"),
  verbosity: refusedField("the model has no such setting"),
  web_search_options: refusedField("there is no search here"),
  functions: refusedField("functions are given as tools"),
  function_call: refusedField("functions are given as tools, with tool_choice"),
};

/** Reads a body. @throws InputError with a code and a `param` */
export function readChatBody(given: unknown, model: JobModel): RequestBody {
  const body = parseRequest(bodySchema, given, { within: "body" });
  const options = samplingOptions(body, model.config.vocab);
  const topLogprobs = wantedLogprobs(body);
  const reasoning = body.reasoning_effort ?? undefined;
  if (reasoning !== undefined && model.harmony === undefined) {
    throw requestError(
      "unsupported_parameter",
      "reasoning_effort",
      "body.reasoning_effort is for chats with a GPT-OSS",
    );
  }
  const tools = offeredTools(body, given);
  const prompt: ChatPrompt = { messages: chatMessages(body.messages, model), ...(tools.length === 0 ? {} : { tools }) };
  const promptTokens = encodeChat(model, prompt, reasoning);
  requireSeen(model, prompt, { reasoning });
  const maxTokens = tokenBudget(promptTokens, {
    context: model.context,
    asked: askedTokens(body),
    promptField: "messages",
  });
  requireMinTokens(options.minTokens ?? 0, maxTokens);
  const ask = { prompt, options: { ...options, maxTokens, reasoning, logprobs: topLogprobs } };
  return {
    model: body.model,
    seed: body.seed ?? undefined,
    asks: Array.from({ length: body.n ?? 1 }, () => ask),
    respond: (answers, head) =>
      chatResponse(answers, head, {
        model,
        hasTools: tools.length > 0,
        calls: body.parallel_tool_calls === false ? 1 : Number.POSITIVE_INFINITY,
        withLogprobs: topLogprobs !== undefined,
        stopTokens: body.stop_token_ids ?? [],
      }),
  };
}

// Implementation

const toolSchema = z.strictObject(
  {
    type: z.literal("function", "function: there are no other tools"),
    function: z.strictObject(
      {
        name: z.string("a string").regex(/^[a-zA-Z0-9_-]{1,64}$/, "1 to 64 letters, digits, _ and -"),
        description: z.string("a string").optional(),
        parameters: z
          .record(z.string(), z.unknown(), "a JSON schema")
          .refine((schema) => depthOf(schema) <= MAX_DEPTH, `a JSON schema, nested at most ${MAX_DEPTH} deep`)
          .optional(),
        strict: refused(
          "that arguments follow their schema can not be promised",
          (value) => value === false,
        ).optional(),
      },
      "an object with a name",
    ),
  },
  "a tool",
);

const bodySchema = z.strictObject(chatFields, "an object");
type Body = z.output<typeof bodySchema>;

function isTextFormat(value: unknown): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    Object.keys(value).join() === "type" &&
    "type" in value &&
    value.type === "text"
  );
}

function wantedLogprobs({ logprobs, top_logprobs: top }: Body): number | undefined {
  if (logprobs === true) return top ?? 0;
  if (top == null) return undefined;
  throw requestError("invalid_value", "top_logprobs", "body.top_logprobs is given; wanted logprobs true beside it");
}

function askedTokens({ max_tokens: old, max_completion_tokens: now }: Body) {
  if (old != null && now != null) {
    const sentence = "body.max_tokens and body.max_completion_tokens are both given; wanted one of them";
    throw requestError("invalid_value", "max_tokens", sentence);
  }
  if (now != null) return { field: "max_completion_tokens", tokens: now };
  return old == null ? undefined : { field: "max_tokens", tokens: old };
}

/** The tools that the model is shown. As they came: templates print them field by field. */
function offeredTools({ tools, tool_choice: choice }: Body, given: unknown): readonly ChatTool[] {
  const names = (tools ?? []).map((tool) => tool.function.name);
  const twice = names.findIndex((name, at) => names.indexOf(name) < at);
  if (twice >= 0) {
    const param = `tools[${twice}].function.name`;
    throw requestError(
      "invalid_value",
      param,
      `body.${param} is ${JSON.stringify(names[twice])}; another tool is called so`,
    );
  }
  if (choice == null || choice === "auto" || choice === "none") {
    if (choice != null && choice !== "none" && names.length === 0) {
      throw requestError(
        "invalid_value",
        "tool_choice",
        `body.tool_choice is ${JSON.stringify(choice)}; wanted tools beside it`,
      );
    }
    return choice === "none" || tools == null ? [] : (given as { readonly tools: readonly ChatTool[] }).tools;
  }
  const isKnown = choice === "required" || (typeof choice === "object" && "type" in choice);
  throw requestError(
    isKnown ? "unsupported_value" : "invalid_value",
    "tool_choice",
    `body.tool_choice is ${describe(choice)}; wanted auto or none: that a model calls can not be promised`,
  );
}

function encodeChat(model: JobModel, prompt: ChatPrompt, reasoning: ReasoningEffort | undefined): number {
  try {
    return model.encode(prompt, { reasoning }).length;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const param = error.code === "CHAT_TOOLS_UNSEEN" ? "tools" : "messages";
    throw requestError(error.code.toLowerCase(), param, `body.${param}: ${error.message}`, error);
  }
}
