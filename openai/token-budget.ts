/** How many tokens an answer may have, and whether the context holds them. */
import { requestError } from "./request-errors.ts";

// Public API

/**
 * The tokens of an answer to a prompt of so many.
 *
 * @param asked  what the request says, and in which field
 * @param fallback  where it says nothing. Default: all that the context has left
 * @throws InputError (`context_length_exceeded`) when prompt and answer are longer than the context
 */
export function tokenBudget(
  prompt: number,
  {
    context,
    asked,
    promptField,
    fallback = context - prompt,
  }: {
    readonly context: number;
    readonly asked?: { readonly field: string; readonly tokens: number } | undefined;
    /** Where the prompt stands: `messages`. */
    readonly promptField: string;
    readonly fallback?: number | undefined;
  },
): number {
  if (prompt >= context) {
    const sentence = `the context holds ${context} tokens; body.${promptField} has ${prompt}, which leaves none to answer`;
    throw requestError("context_length_exceeded", promptField, sentence);
  }
  if (asked === undefined) return Math.min(fallback, context - prompt);
  if (prompt + asked.tokens <= context) return asked.tokens;
  throw requestError(
    "context_length_exceeded",
    promptField,
    `the context holds ${context} tokens; ${prompt + asked.tokens} are asked for, ` +
      `${prompt} in body.${promptField} and ${asked.tokens} as body.${asked.field}`,
  );
}

/** Refuses a least number of tokens that is more than the most. */
export function requireMinTokens(least: number, most: number): void {
  if (least <= most) return;
  throw requestError(
    "invalid_value",
    "min_tokens",
    `body.min_tokens is ${least}, and the answer has at most ${most} tokens`,
  );
}
