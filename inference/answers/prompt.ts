/** Prompts, and the options of an answer to one. */
import type { Message, ReasoningEffort } from "../harmony/index.ts";
import type { PromptCache } from "../steps/prompt-cache.ts";
import type { ChatMessage } from "../text/chat-template.ts";
import type { GenerateOptions } from "./answer-options.ts";
import type { ChatPrompt } from "./chat-prompt.ts";

/** How to answer. */
export interface ChatOptions extends GenerateOptions {
  /** How much a GPT-OSS thinks before it answers a chat. Default: medium. */
  readonly reasoning?: ReasoningEffort | undefined;
}

/** How to answer one prompt. */
export interface GenerateOneOptions extends ChatOptions {
  /** Keeps the text's cache for the next prompt, which may begin as this one. Without: it is freed with the answer. */
  readonly cache?: PromptCache | undefined;
}

/**
 * A prompt: a text, the messages of a chat (a GPT-OSS takes those of Harmony too), a chat with tools, or token ids as
 * they are.
 */
export type Prompt = string | readonly (ChatMessage | Message)[] | ChatPrompt | { readonly tokens: readonly number[] };
