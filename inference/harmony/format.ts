/**
 * The tokens that Harmony is made of, in the vocabulary of a tokenizer.
 *
 * Any tokenizer that has them will do: o200k_harmony (./o200k.ts), or that of a model's own files.
 */

import { InputError } from "../../dsl/errors.ts";
import type { Tokenizer } from "../text/tokenizer.ts";

// Public API

/** The ids of the tokens with a meaning. */
export interface FormatTokens {
  readonly start: number;
  readonly message: number;
  readonly channel: number;
  readonly constrain: number;
  readonly end: number;
  readonly return: number;
  readonly call: number;
  /** Ends a text in other formats; models emit it now and then. */
  readonly endOfText: number | undefined;
}

/** A tokenizer, and which of its tokens are special. */
export interface Format {
  readonly tokenizer: Tokenizer;
  readonly tokens: FormatTokens;
  /** By id, their spelling. */
  readonly specials: ReadonlyMap<number, string>;
}

/** The spellings of the tokens without which there is no Harmony. */
export const FORMAT_SPELLINGS = {
  start: "<|start|>",
  message: "<|message|>",
  channel: "<|channel|>",
  constrain: "<|constrain|>",
  end: "<|end|>",
  return: "<|return|>",
  call: "<|call|>",
} as const;

/** Whether a tokenizer has all of them. */
export function speaksHarmony(tokenizer: Tokenizer): boolean {
  return Object.values(FORMAT_SPELLINGS).every((spelling) => tokenizer.specialTokens.has(spelling));
}

/** @throws InputError (`HARMONY_TOKENS_MISSING`) naming those that the tokenizer lacks */
export function formatOf(tokenizer: Tokenizer): Format {
  const missing = Object.values(FORMAT_SPELLINGS).filter((spelling) => !tokenizer.specialTokens.has(spelling));
  if (missing.length > 0) {
    throw new InputError(
      "HARMONY_TOKENS_MISSING",
      `Harmony needs the special tokens ${Object.values(FORMAT_SPELLINGS).join(", ")}; the tokenizer lacks ${missing.join(", ")}`,
      { missing },
    );
  }
  const id = (spelling: string): number => tokenizer.specialTokens.get(spelling)!;
  const tokens = {
    start: id(FORMAT_SPELLINGS.start),
    message: id(FORMAT_SPELLINGS.message),
    channel: id(FORMAT_SPELLINGS.channel),
    constrain: id(FORMAT_SPELLINGS.constrain),
    end: id(FORMAT_SPELLINGS.end),
    return: id(FORMAT_SPELLINGS.return),
    call: id(FORMAT_SPELLINGS.call),
    endOfText: tokenizer.specialTokens.get("<|endoftext|>"),
  };
  const specials = new Map([...tokenizer.specialTokens].map(([spelling, id]) => [id, spelling]));
  return { tokenizer, tokens, specials };
}
