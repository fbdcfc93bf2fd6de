/** A prompt and its options become an answer that can take logits. */
import type { Harmony } from "../harmony/index.ts";
import type { LoadedModel } from "../programs/loaded-model.ts";
import { Answer } from "./answer.ts";
import type { AnswerInputs } from "./answer-options.ts";
import { HarmonyReader } from "./answer-reader.ts";
import { chatOf } from "./chat-prompt.ts";
import type { ChatOptions, Prompt } from "./prompt.ts";
import { encodePrompt } from "./prompt-tokens.ts";

// Public API

/** @throws InputError for a prompt or an option that the model refuses */
export function beginAnswer(
  model: Pick<LoadedModel, "files" | "context">,
  prompt: Prompt,
  { reasoning, ...options }: ChatOptions,
): Answer {
  const { harmony } = model.files;
  const tokens = encodePrompt(model.files, prompt, reasoning);
  const speaks = harmony !== undefined && chatOf(prompt) !== undefined;
  const inputs = answerInputs(model);
  return new Answer(speaks ? { ...inputs, ...harmonyInputs(harmony, inputs) } : inputs, tokens, options);
}

/** What holds for the answers to all prompts. */
export function answerInputs({ files, context }: Pick<LoadedModel, "files" | "context">): AnswerInputs {
  const { stopIds, tokenizer, config } = files;
  return { stopIds, tokenizer, context, vocabulary: config.vocab };
}

// Implementation

/** What a chat in Harmony ends with, and what reads it. */
function harmonyInputs(
  harmony: Harmony,
  { stopIds }: Pick<AnswerInputs, "stopIds">,
): Pick<AnswerInputs, "stopIds" | "reader"> {
  // `<|end|>` ends a message, and the next one may follow.
  const others = [...stopIds].filter((id) => id !== harmony.tokens.end);
  return { stopIds: new Set([...others, ...harmony.stopTokens]), reader: () => new HarmonyReader(harmony) };
}
