/** How a prompt becomes token ids. */
import { InputError } from "../../dsl/index.ts";
import type { ReasoningEffort } from "../harmony/index.ts";
import type { UnloadedModel } from "../programs/model-files.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { chatOf, harmonyChat, renderChat } from "./chat-prompt.ts";
import type { Prompt } from "./prompt.ts";

// Public API

/** What a model's files say about prompts. */
export type PromptFiles = Pick<UnloadedModel, "config" | "tokenizer" | "chatTemplate" | "harmony">;

/**
 * The token ids of a prompt. A text is encoded unchanged; messages go through Harmony or the model's chat template.
 *
 * @throws InputError when the model has no tokenizer or no template, an id is outside the vocabulary, or `reasoning` does not apply
 */
export function encodePrompt(
  files: PromptFiles,
  prompt: Prompt,
  reasoning: ReasoningEffort | undefined,
): readonly number[] {
  const chat = chatOf(prompt);
  const { harmony, chatTemplate } = files;
  requireReasoning(files, reasoning, chat !== undefined);
  if (typeof prompt === "string") return requireTokenizer(files).encode(prompt);
  if (chat === undefined) return requireTokens(files, (prompt as { readonly tokens: readonly number[] }).tokens);
  if (harmony !== undefined) return harmony.renderForCompletion(harmonyChat(chat, { reasoning }));
  if (chatTemplate === undefined) {
    throw new InputError("CHAT_TEMPLATE_MISSING", "the model has no chat template; give it a plain text instead");
  }
  // The template spells special tokens out, the first one included.
  return requireTokenizer(files).encode(renderChat(chatTemplate, chat), { parseSpecial: true, addSpecial: false });
}

/** Refuses `reasoning` where it has no meaning. @param isChat  whether the prompt is a chat */
export function requireReasoning(
  { harmony }: Pick<PromptFiles, "harmony">,
  reasoning: ReasoningEffort | undefined,
  isChat: boolean,
): void {
  if (reasoning === undefined || (isChat && harmony !== undefined)) return;
  const why = isChat ? "the model does not speak Harmony" : "the prompt is no chat";
  throw new InputError("OPTION_UNSUPPORTED", `reasoning is for chats with a GPT-OSS: ${why}`, { option: "reasoning" });
}

/** Refuses token ids outside the vocabulary. */
export function requireTokens({ config }: Pick<PromptFiles, "config">, tokens: readonly number[]): readonly number[] {
  const { vocab } = config;
  const at = tokens.findIndex((id) => !Number.isInteger(id) || id < 0 || id >= vocab);
  if (at < 0) return tokens;
  throw new InputError("TOKEN_UNKNOWN", `token ${at} is ${tokens[at]}, and the vocabulary has ids 0 to ${vocab - 1}`, {
    index: at,
    found: tokens[at],
    vocabulary: vocab,
  });
}

// Implementation

function requireTokenizer({ tokenizer }: Pick<PromptFiles, "tokenizer">): Tokenizer {
  if (tokenizer !== undefined) return tokenizer;
  throw new InputError(
    "TOKENIZER_MISSING",
    "the model's files have no tokenizer (tokenizer.json); only token ids can be given",
  );
}
