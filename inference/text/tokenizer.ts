/**
 * What a tokenizer is here: text to token ids and back, whatever file it was read from.
 *
 * Built by `tokenizerFromJson` (./tokenizer-json.ts, Hugging Face's tokenizer.json) and `tokenizerFromGguf`
 * (./gguf-tokenizer.ts, the metadata of a GGUF file). Both are byte-pair encoders (./byte-pair-tokenizer.ts).
 * Not here: chat templates (./chat-template.ts), Harmony.
 */

import type { StreamingDecoder } from "./streaming-decoder.ts";

/** How a text becomes ids. */
export interface EncodeOptions {
  /**
   * Whether the spelling of a special token in the text, such as `<|im_end|>`, becomes that token. Default `false`: what
   * a user typed stays text. A rendered chat template needs `true`.
   */
  readonly parseSpecial?: boolean;
  /**
   * Whether to add the tokens that the model's own configuration puts around a text: a beginning-of-sequence token for
   * those models that want one, nothing for the others. Default `true`. A rendered chat template needs `false`, because
   * the template writes that token itself.
   */
  readonly addSpecial?: boolean;
}

/** How ids become text. */
export interface DecodeOptions {
  /** Whether special tokens are left out of the text. Default `false`: they are spelled. */
  readonly skipSpecial?: boolean;
  /**
   * Whether the ids go on from a text before them. Default `false`: they begin one. It matters to SentencePiece models
   * only, which write a space before the first word of a text; at the beginning it is taken away again.
   */
  readonly continues?: boolean;
}

/** Text to token ids and back. Holds no state between calls. */
export interface Tokenizer {
  /** One more than the largest id. The model's logits may be wider, where its embedding is padded. */
  readonly vocabularySize: number;
  /** The beginning-of-sequence token, where the model has one; `encode` adds it only where the configuration says so. */
  readonly bosId: number | undefined;
  /** The tokens that end a text: the model's own end, then ends of turns. May be empty. */
  readonly eosIds: readonly number[];
  /** The special tokens: spelling to id. */
  readonly specialTokens: ReadonlyMap<string, number>;
  /**
   * Bytes that no sequence of tokens can spell, though UTF-8 uses them. Encoding leaves them out, as the reference
   * tokenizers do: SmolLM2 lacks eight, so it cannot see U+0004 or any character of planes 4 to 11.
   */
  readonly missingBytes: readonly number[];

  /** The ids of `text`. A lone surrogate counts as U+FFFD, since UTF-8 has no spelling for it. */
  encode(text: string, options?: EncodeOptions): number[];
  /**
   * The text of `ids`, byte for byte: spaces before punctuation are not tidied, whatever
   * `clean_up_tokenization_spaces` says. Bytes that are not UTF-8 become U+FFFD.
   *
   * @throws InputError (`TOKEN_UNKNOWN`) naming the id and the vocabulary size
   */
  decode(ids: Iterable<number>, options?: DecodeOptions): string;
  /** The bytes of `ids`, which need not be whole characters. @throws InputError as `decode` does */
  decodeBytes(ids: Iterable<number>, options?: DecodeOptions): Uint8Array;
  /** A decoder that is fed one id at a time and gives text as soon as its characters are whole. */
  decoder(options?: DecodeOptions): StreamingDecoder;
  /** The vocabulary's own spelling of a token, such as `Ġthe` or `▁the`. @throws InputError as `decode` does */
  tokenText(id: number): string;
  /** The id of a token by the vocabulary's own spelling. */
  tokenId(text: string): number | undefined;
}
