/** A chat with what the model may call, and how it becomes a text. */
import { InputError } from "../../dsl/errors.ts";
import { harmonyMessages, type JsonSchema, type Message, type ReasoningEffort } from "../harmony/index.ts";
import type { ChatMessage, ChatTemplate } from "../text/chat-template.ts";

// Public API

/** A chat of which more is to be said than its messages. */
export interface ChatPrompt {
  /** A GPT-OSS takes those of Harmony too. */
  readonly messages: readonly (ChatMessage | Message)[];
  /** Functions that the model may call. */
  readonly tools?: readonly ChatTool[] | undefined;
}

/** A function as chat templates and OpenAI's API have it. */
export interface ChatTool {
  readonly type: "function";
  readonly function: {
    readonly name: string;
    readonly description?: string | null | undefined;
    /** JSON Schema of its arguments. Absent: it takes none. */
    readonly parameters?: JsonSchema | null | undefined;
    readonly [field: string]: unknown;
  };
}

/** The chat of a prompt that is one: messages alone, or an object that holds them. */
export function chatOf(
  prompt: string | ChatPrompt["messages"] | ChatPrompt | { readonly tokens: readonly number[] },
): ChatPrompt | undefined {
  if (typeof prompt === "string" || "tokens" in prompt) return undefined;
  return "messages" in prompt ? prompt : { messages: prompt };
}

/**
 * The text of a chat, which ends where the assistant begins.
 *
 * @throws InputError (`CHAT_TOOLS_UNSEEN`) when the template shows no tools: the model would not know of them
 */
export function renderChat(template: ChatTemplate, { messages, tools = [] }: ChatPrompt): string {
  const render = (given: readonly ChatTool[]) =>
    template.render(messages as readonly ChatMessage[], {
      addGenerationPrompt: true,
      ...(given.length === 0 ? {} : { tools: given }),
    });
  const text = render(tools);
  if (tools.length === 0 || text !== render([])) return text;
  throw new InputError(
    "CHAT_TOOLS_UNSEEN",
    "the model's chat template shows no tools; describe them in a message, or take a model that was trained with tools",
    { tools: tools.map((tool) => tool.function.name) },
  );
}

/** The messages of a chat in Harmony, tools in the developer's message. */
export function harmonyChat(
  { messages, tools = [] }: ChatPrompt,
  { reasoning }: { readonly reasoning?: ReasoningEffort | undefined },
): Message[] {
  return harmonyMessages(messages, {
    reasoning,
    tools: tools.map(({ function: { name, description, parameters } }) => ({
      name,
      description: description ?? "",
      parameters: parameters ?? undefined,
    })),
  });
}
