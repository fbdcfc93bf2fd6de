/**
 * The messages of a chat request: what may stand in them, and what the model's template is given.
 *
 * Content is text. Of what a template may leave out (names, calls of tools) each is looked for in what it renders, since
 * what is silently lost is worse than what is refused.
 */
import { z } from "zod";
import type { ChatPrompt } from "../inference/answers/chat-prompt.ts";
import type { ChatOptions } from "../inference/answers/prompt.ts";
import type { ChatMessage } from "../inference/text/chat-template.ts";
import { refused } from "./field-kinds.ts";
import type { JobModel } from "./job-types.ts";
import { requestError } from "./request-errors.ts";

// Public API

/** Refuses values nested deeper than anything that is meant. */
export const MAX_DEPTH = 100;

/** The schema of `messages`. */
export const messagesSchema = z
  .array(
    z.lazy(() => messageSchema),
    "a list of messages",
  )
  .min(1, "at least one message");

/** Messages, checked. */
export type RequestMessages = z.output<typeof messagesSchema>;

/** Messages as a template or Harmony takes them. @throws InputError naming the message and what is wrong with it */
export function chatMessages(messages: RequestMessages, { harmony }: Pick<JobModel, "harmony">): ChatMessage[] {
  checkCalls(messages);
  const isHarmony = harmony !== undefined;
  const names = new Map<string, string>();
  return messages.map((message, at): ChatMessage => {
    const content = message.content == null ? "" : textOf(message.content, isHarmony);
    if (message.role === "tool") {
      const { role, tool_call_id } = message;
      return { role, content, tool_call_id, name: names.get(tool_call_id) };
    }
    for (const { id, function: called } of callsOf(message)) names.set(id, called.name);
    const name = message.name == null ? {} : { name: message.name };
    // Templates other than Harmony know one word for those who instruct.
    const role = message.role === "developer" && !isHarmony ? "system" : message.role;
    return { role, content, ...name, ...(message.role === "assistant" ? spoken(message, at, isHarmony) : {}) };
  });
}

/** Refuses names and calls of tools that the model would not see. */
export function requireSeen(model: JobModel, chat: ChatPrompt, options: Pick<ChatOptions, "reasoning">): void {
  const messages = chat.messages as readonly ChatMessage[];
  const looked = [
    { field: "name", has: (message: ChatMessage) => message.role !== "tool" && message.name !== undefined },
    { field: "tool_calls", has: (message: ChatMessage) => message.tool_calls !== undefined },
  ];
  for (const { field, has } of looked) {
    const at = messages.findIndex(has);
    if (at < 0 || changesPrompt(model, chat, options, { field, has })) continue;
    const param = `messages[${at}].${field}`;
    throw requestError("unsupported_parameter", param, `body.${param}: the model's chat format does not show it`);
  }
}

/** How deeply a value is nested, up to `MAX_DEPTH` and one more. */
export function depthOf(value: unknown): number {
  let level: unknown[] = [value];
  let depth = 0;
  while (level.length > 0 && depth <= MAX_DEPTH) {
    level = level.flatMap((each) => (typeof each === "object" && each !== null ? Object.values(each) : []));
    depth++;
  }
  return depth;
}

// Implementation

type Message = RequestMessages[number];
type AssistantMessage = Extract<Message, { role: "assistant" }>;

const callsOf = (message: Message) => (message.role === "assistant" ? (message.tool_calls ?? []) : []);

/** What an assistant's message has beside its content. */
function spoken(message: AssistantMessage, at: number, isHarmony: boolean): object {
  const thoughts = message.reasoning ?? message.reasoning_content;
  const calls = callsOf(message).map((call, n) => templateCall(call, { at, n, isHarmony }));
  return {
    ...(thoughts == null ? {} : { reasoning_content: thoughts }),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  };
}

const TEXT = "a string, or a list of parts of text";
const textPart = z.strictObject(
  {
    type: z.literal("text", "text: the model reads nothing else"),
    text: z.string("a string"),
  },
  "a part of text",
);
const content = z.union([z.string(), z.array(textPart).min(1, "at least one part")], TEXT);
const nothing = (why: string) => refused(why).optional();

const name = z.string("a string").min(1, "a string that is not empty").nullish();
const toolCall = z.strictObject(
  {
    id: z.string("a string").min(1, "a string that is not empty"),
    type: z.literal("function", "function: there are no other tools"),
    function: z.strictObject(
      {
        name: z.string("a string").min(1, "a string that is not empty"),
        arguments: z.string("a string that holds JSON"),
      },
      "an object with name and arguments",
    ),
  },
  "a call of a function",
);

const messageSchema = z.discriminatedUnion(
  "role",
  [
    z.strictObject({ role: z.literal("system"), content, name }),
    z.strictObject({ role: z.literal("developer"), content, name }),
    z.strictObject({ role: z.literal("user"), content, name }),
    z.strictObject({
      role: z.literal("assistant"),
      content: content.nullish(),
      name,
      tool_calls: z.array(toolCall, "a list of calls").nullish(),
      reasoning: z.string("a string").nullish(),
      reasoning_content: z.string("a string").nullish(),
      refusal: nothing("there are no refusals here; say it as content"),
      annotations: z.array(z.unknown()).max(0, "no annotations").nullish(),
      audio: nothing("the model reads text"),
      function_call: nothing("functions are called by tool_calls"),
    }),
    z.strictObject({
      role: z.literal("tool"),
      content,
      tool_call_id: z.string("a string").min(1, "a string that is not empty"),
    }),
  ],
  "system, developer, user, assistant or tool",
);

/** Every answer of a tool answers a call before it, and every call is answered. Source: OpenAI's API, which refuses both. */
function checkCalls(messages: RequestMessages): void {
  let open = new Set<string>();
  let asked = -1;
  const requireAnswers = () => {
    const [missing] = open;
    if (missing === undefined) return;
    const param = `messages[${asked}].tool_calls`;
    const sentence = `body.${param}: the call ${JSON.stringify(missing)} has no message of role tool that answers it`;
    throw requestError("invalid_value", param, sentence);
  };
  for (const [at, message] of messages.entries()) {
    if (message.role !== "tool") {
      requireAnswers();
      open = new Set(callsOf(message).map(({ id }) => id));
      asked = at;
      if (message.role === "assistant") checkAssistant(message, at, open.size);
    } else if (!open.delete(message.tool_call_id)) {
      const param = `messages[${at}].tool_call_id`;
      const id = JSON.stringify(message.tool_call_id);
      throw requestError(
        "invalid_value",
        param,
        `body.${param} is ${id}; wanted the id of a call just before it, unanswered`,
      );
    }
  }
  requireAnswers();
}

function checkAssistant(message: AssistantMessage, at: number, ids: number): void {
  const calls = callsOf(message);
  if (ids < calls.length) {
    const param = `messages[${at}].tool_calls`;
    throw requestError("invalid_value", param, `body.${param} holds two calls of one id`);
  }
  if (message.content == null && calls.length === 0) {
    const param = `messages[${at}].content`;
    throw requestError("missing_required_parameter", param, `body.${param} is missing; wanted content or tool_calls`);
  }
}

type ToolCall = z.output<typeof toolCall>;

/** Templates print arguments as JSON, so they take the object; Harmony takes the text. Source: transformers' guide to tools. */
function templateCall(call: ToolCall, { at, n, isHarmony }: { at: number; n: number; isHarmony: boolean }): unknown {
  if (isHarmony) return call;
  const param = `messages[${at}].tool_calls[${n}].function.arguments`;
  const given = parsedObject(call.function.arguments);
  if (given === undefined || depthOf(given) > MAX_DEPTH) {
    throw requestError(
      "invalid_value",
      param,
      `body.${param}: wanted a JSON object, nested at most ${MAX_DEPTH} deep, of numbers up to 2^53`,
    );
  }
  return { ...call, function: { ...call.function, arguments: given } };
}

function parsedObject(text: string): object | undefined {
  try {
    let isExact = true;
    const value: unknown = JSON.parse(text, (_, each: unknown) => {
      // Larger ones would be shown as others.
      if (typeof each === "number" && Math.abs(each) > Number.MAX_SAFE_INTEGER) isExact = false;
      return each;
    });
    return isExact && typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Harmony has parts of its own, which are joined as they are. Other templates get lines, as from vLLM and llama.cpp. */
function textOf(given: z.output<typeof content>, isHarmony: boolean): string {
  return typeof given === "string" ? given : given.map(({ text }) => text).join(isHarmony ? "" : "\n");
}

function changesPrompt(
  model: JobModel,
  chat: ChatPrompt,
  options: Pick<ChatOptions, "reasoning">,
  { field, has }: { readonly field: string; readonly has: (message: ChatMessage) => boolean },
): boolean {
  const without = (chat.messages as readonly ChatMessage[]).map((message) => {
    if (!has(message)) return message;
    const { [field]: _, ...rest } = message;
    return rest as ChatMessage;
  });
  const tokens = model.encode(chat, options);
  try {
    const others = model.encode({ ...chat, messages: without }, options);
    return tokens.length !== others.length || tokens.some((token, at) => token !== others[at]);
  } catch {
    // A template that misses it has looked at it.
    return true;
  }
}
