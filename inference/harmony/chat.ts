/**
 * A chat as templates of other models take it, in Harmony.
 *
 * What is called a system prompt elsewhere is a developer's instructions here; the system message is made. Messages that
 * are Harmony's already, with a channel, a recipient or content of a kind, stay as they are.
 * Source: the chat template that the models are published with, which does the same.
 */

import { InputError } from "../../dsl/errors.ts";
import type { ChatMessage } from "../text/chat-template.ts";
import {
  type Content,
  developerMessage,
  functionTools,
  type Message,
  type ReasoningEffort,
  systemMessage,
  type Tool,
  toolResult,
} from "./messages.ts";

// Public API

/** What a chat does not say itself. */
export interface HarmonyChatOptions {
  /** Of the system message that is made. Default: `medium`. */
  readonly reasoning?: ReasoningEffort | undefined;
  /** Functions that the model may call: they stand in the first message of the developer, which is made if need be. */
  readonly tools?: readonly Tool[] | undefined;
  /** What is taken for today, in the time zone of this machine. */
  readonly now?: Date | undefined;
}

/**
 * The messages of a chat in Harmony.
 *
 * Of an assistant's message `content` is the final answer, `reasoning_content` or `thinking` its thoughts, `tool_calls`
 * its calls; a tool's message names the tool by `name` or by `tool_call_id`.
 *
 * @throws InputError (`CHAT_MESSAGES_INVALID`) naming the message and what is wrong with it
 */
export function harmonyMessages(chat: readonly (ChatMessage | Message)[], options: HarmonyChatOptions = {}): Message[] {
  const calls = new Map<string, string>();
  const said = chat.flatMap((message, at) => fromChat(message, `messages[${at}]`, calls));
  const messages = withTools(said, options.tools ?? []);
  if (messages.some(({ role }) => role === "system")) {
    if (options.reasoning === undefined) return messages;
    throw invalid("messages", "a system message of their own", "none, or no reasoning beside it");
  }
  const { now = new Date(), reasoning } = options;
  const two = (value: number): string => String(value).padStart(2, "0");
  const today = `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
  return [systemMessage({ conversationStartDate: today, reasoning }), ...messages];
}

// Implementation

/** Puts functions where the models look for them: after the first instructions, or in a message of their own. */
function withTools(messages: Message[], tools: readonly Tool[]): Message[] {
  if (tools.length === 0) return messages;
  const at = messages.findIndex(({ role }) => role !== "system");
  const before = at < 0 ? messages.length : at;
  const first = messages[before];
  if (first?.role !== "developer") {
    return [
      ...messages.slice(0, before),
      developerMessage({ tools: [functionTools(tools)] }),
      ...messages.slice(before),
    ];
  }
  const { content } = first;
  if (typeof content === "string" || !("kind" in content) || content.kind !== "developer" || content.tools?.length) {
    throw invalid(
      `messages[${before}]`,
      "a developer message in Harmony's own form",
      "instructions alone beside tools",
    );
  }
  const developer = developerMessage({ ...content, tools: [functionTools(tools)] });
  return [...messages.slice(0, before), developer, ...messages.slice(before + 1)];
}

/** @param calls  names of tools by the ids of calls, which this fills */
function fromChat(given: ChatMessage | Message, where: string, calls: Map<string, string>): Message[] {
  if (isHarmony(given)) return [given];
  // A message of a role alone is both.
  const message = given as ChatMessage;
  const { role } = message;
  const content = textOf(message.content, `${where}.content`);
  switch (role) {
    case "system":
    case "developer":
      return [developerMessage({ instructions: content })];
    case "user":
      return [{ role, content }];
    case "assistant":
      return fromAssistant(message, content, where, calls);
    case "tool": {
      const name = message.name ?? calls.get(String(message.tool_call_id));
      if (typeof name === "string" && name !== "") return [toolResult(qualified(name), content)];
      throw invalid(where, "a tool's answer without a name", "a name, or the tool_call_id of a call before it");
    }
    default:
      throw invalid(`${where}.role`, String(role), "system, developer, user, assistant or tool");
  }
}

function fromAssistant(message: ChatMessage, content: string, where: string, calls: Map<string, string>): Message[] {
  const role = "assistant";
  const thoughts = textOf(message.reasoning_content ?? message.thinking, `${where}.reasoning_content`);
  const found: Message[] = thoughts === "" ? [] : [{ role, channel: "analysis", content: thoughts }];
  const made = (message.tool_calls ?? []) as readonly ToolCall[];
  if (!Array.isArray(made)) throw invalid(`${where}.tool_calls`, JSON.stringify(made), "a list of calls");
  // Beside calls it says what it is about to do.
  if (made.length === 0) found.push({ role, channel: "final", content });
  else if (content !== "") found.push({ role, channel: "commentary", content });
  for (const [at, call] of made.entries()) {
    const { name, arguments: given } = call?.function ?? call ?? {};
    if (typeof name !== "string")
      throw invalid(`${where}.tool_calls[${at}]`, JSON.stringify(call), "a function with a name");
    if (call.id !== undefined) calls.set(String(call.id), name);
    const content = typeof given === "string" ? given : JSON.stringify(given ?? {});
    const recipient = qualified(name);
    found.push({ role, channel: "commentary", recipient, contentType: "<|constrain|>json", content });
  }
  return found;
}

interface ToolCall {
  readonly id?: unknown;
  readonly name?: unknown;
  readonly arguments?: unknown;
  readonly function?: { readonly name?: unknown; readonly arguments?: unknown };
}

/** A function's name as the model calls it. */
const qualified = (name: string): string => (name.includes(".") ? name : `functions.${name}`);

function isHarmony(message: ChatMessage | Message): message is Message {
  if (message.channel !== undefined || message.recipient !== undefined) return true;
  return [message.content]
    .flat()
    .some((part) => (part as Partial<Exclude<Content, string>> | null)?.kind !== undefined);
}

function textOf(content: unknown, where: string): string {
  if (content === undefined || content === null) return "";
  if (typeof content === "string") return content;
  const parts = Array.isArray(content) ? (content as readonly unknown[]) : [content];
  return parts
    .map((part, at) => {
      const text = typeof part === "string" ? part : (part as { text?: unknown } | null)?.text;
      if (typeof text === "string") return text;
      throw invalid(`${where}[${at}]`, JSON.stringify(part), "text: the model reads nothing else");
    })
    .join("");
}

function invalid(key: string, found: string, wanted: string): InputError {
  return new InputError("CHAT_MESSAGES_INVALID", `chat: ${key} is ${found}; wanted ${wanted}`, { key, found, wanted });
}
