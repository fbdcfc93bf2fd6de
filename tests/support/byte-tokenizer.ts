/** A tokenizer of 256 bytes and Harmony's special tokens: its tokenizer.json, for models of a few hundred tokens. */

import { FORMAT_SPELLINGS } from "../../inference/harmony/format.ts";
import { type Tokenizer, tokenizerFromJson } from "../../inference/index.ts";
import { CHARACTER_OF_BYTE } from "../../inference/text/byte-pair-tokenizer.ts";

// Public API

/** How many ids it has. */
export const byteVocabulary = 256 + Object.keys(FORMAT_SPELLINGS).length + 1;

/** Ids 0 to 255 are bytes; the special tokens follow. */
export function byteTokenizerJson({ without = [] }: { readonly without?: readonly string[] } = {}): object {
  const specials = [...Object.values(FORMAT_SPELLINGS), "<|endoftext|>"];
  return {
    added_tokens: specials
      .map((content, at) => ({ id: 256 + at, content, special: true }))
      .filter(({ content }) => !without.includes(content)),
    pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, use_regex: false },
    decoder: { type: "ByteLevel" },
    model: { type: "BPE", vocab: Object.fromEntries(CHARACTER_OF_BYTE.map((text, id) => [text, id])), merges: [] },
  };
}

export function byteTokenizer(options: { readonly without?: readonly string[] } = {}): Tokenizer {
  return tokenizerFromJson(byteTokenizerJson(options));
}
