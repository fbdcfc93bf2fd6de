/**
 * A byte-pair tokenizer over `@huggingface/tokenizers`: its normalizers, pre-tokenizers and SentencePiece's merges; our
 * own handling of added tokens, bytes, their merges and decoding.
 *
 * The library always turns the spelling of a special token into that token, decodes through strings (so that half a
 * character is lost), and looks added tokens up one by one while decoding. So it gets texts without added tokens, and
 * decoding works on bytes.
 *
 * Not here: reading files (./tokenizer-json.ts, ./gguf-tokenizer.ts).
 */

import * as library from "@huggingface/tokenizers";
import { InputError } from "../../dsl/errors.ts";
import { type AddedToken, AddedTokenSplitter } from "./added-tokens.ts";
import { StreamingDecoder } from "./streaming-decoder.ts";
import type { DecodeOptions, EncodeOptions, Tokenizer } from "./tokenizer.ts";
import { listedMerges, tokenMerges, type WordEncoder } from "./word-merges.ts";

/** Two token spellings that may be joined. */
export type Merge = readonly [left: string, right: string];

/** How token spellings stand for bytes. */
export type Spelling =
  /** Each character stands for one byte, as in GPT-2: `Ġ` is a space. */
  | { readonly kind: "byteLevel" }
  /** Text, with `mark` for a space and `<0x0A>` for a byte. `dropFirstSpace`: a text begins with a space that isn't its. */
  | { readonly kind: "sentencePiece"; readonly mark: string; readonly dropFirstSpace: boolean };

/** Everything that makes a byte-pair tokenizer. Spellings are those of the vocabulary. */
export interface BytePairSpec {
  /** Spelling to id, added tokens not necessarily included. */
  readonly vocabulary: ReadonlyMap<string, number>;
  /** The joins, the most urgent first; or "tokens", where each token is one and its id its urgency (./word-merges.ts). */
  readonly merges: readonly Merge[] | "tokens";
  /**
   * The urgency of each merge, small first; its place in the list when absent. Where two are equal, the leftmost pair
   * of the text is joined first.
   */
  readonly ranks?: readonly number[];
  readonly spelling: Spelling;
  /** Whether a whole pre-token that is in the vocabulary is taken without looking at the merges. */
  readonly ignoreMerges: boolean;
  readonly unknownToken: string | undefined;
  readonly fuseUnknown: boolean;
  /** A `normalizer` and a `pre_tokenizer` of tokenizer.json. */
  readonly normalizer: object | null;
  readonly preTokenizer: object | null;
  readonly addedTokens: readonly AddedToken[];
  /** What `addSpecial` puts around a text. */
  readonly prefixIds: readonly number[];
  readonly suffixIds: readonly number[];
  readonly bosId: number | undefined;
  readonly eosIds: readonly number[];
  /** Names of the lists in error messages. */
  readonly keys: { readonly merges: string };
}

/**
 * A tokenizer from its parts.
 *
 * @throws InputError (`TOKENIZER_INVALID`) when a merge names a token that does not exist
 */
export function bytePairTokenizer(spec: BytePairSpec): Tokenizer {
  return new BytePairTokenizer(spec);
}

/**
 * What is used of the library. Its own declarations import files without extensions, which `nodenext` does not follow,
 * so that every name of it would be `any`.
 */
interface Library {
  readonly Tokenizer: new (tokenizerJson: object, config: object) => Pipeline;
  readonly BPE: new (model: object) => Merger;
}

interface Pipeline {
  readonly normalizer: { normalize(text: string): string } | null;
  readonly pre_tokenizer: { pre_tokenize(text: string, at: { readonly section_index: number }): string[] } | null;
}

interface Merger {
  /** By the JSON of a pair. */
  bpe_ranks: ReadonlyMap<string, number>;
  tokens_to_ids: ReadonlyMap<string, number>;
  unk_token_id: number | undefined;
  _call(words: readonly string[]): string[];
}

const { Tokenizer: LibraryTokenizer, BPE } = library as unknown as Library;

const UTF8 = new TextEncoder();
const BYTE_TOKEN = /^<0x([0-9A-F]{2})>$/;

class BytePairTokenizer implements Tokenizer {
  readonly vocabularySize: number;
  readonly bosId: number | undefined;
  readonly eosIds: readonly number[];
  readonly specialTokens: ReadonlyMap<string, number>;
  readonly missingBytes: readonly number[];

  readonly #spec: BytePairSpec;
  readonly #ids: Map<string, number>;
  /** By id; holes where the vocabulary has none. */
  readonly #texts: (string | undefined)[];
  readonly #addedById = new Map<number, AddedToken>();
  readonly #pipeline: Pipeline;
  readonly #encodeWords: (words: readonly string[], ids: number[]) => void;
  readonly #everyAdded: AddedTokenSplitter;
  readonly #plainAdded: AddedTokenSplitter;
  readonly #normalizedAdded: AddedTokenSplitter | undefined;

  constructor(spec: BytePairSpec) {
    this.#spec = spec;
    this.bosId = spec.bosId;
    this.eosIds = spec.eosIds;
    const { spelling } = spec;

    this.#pipeline = pipelineOf(spec);
    this.#encodeWords = wordsEncoder(spec);

    this.#ids = new Map(spec.vocabulary);
    this.#texts = [];
    for (const [text, id] of spec.vocabulary) this.#texts[id] = text;
    for (const token of spec.addedTokens) {
      this.#ids.set(token.content, token.id);
      this.#texts[token.id] = token.content;
      this.#addedById.set(token.id, token);
    }
    this.vocabularySize = this.#texts.length;
    const added = [...spec.addedTokens];
    this.specialTokens = new Map(added.filter((token) => token.special).map((token) => [token.content, token.id]));

    const normalizer = this.#pipeline.normalizer;
    const isLate = (token: AddedToken): boolean => normalizer !== null && token.normalized;
    const early = added.filter((token) => !isLate(token));
    this.#everyAdded = new AddedTokenSplitter(early);
    this.#plainAdded = new AddedTokenSplitter(early.filter((token) => !token.special));
    const late = added.filter((token) => isLate(token) && !token.special);
    if (late.length > 0 && normalizer !== null) {
      this.#normalizedAdded = new AddedTokenSplitter(late, (token) => normalizer.normalize(token.content));
    }
    this.missingBytes = UTF8_BYTES.filter((byte) => !this.#ids.has(byteSpelling(byte, spelling)));
  }

  encode(text: string, { parseSpecial = false, addSpecial = true }: EncodeOptions = {}): number[] {
    const ids: number[] = addSpecial ? [...this.#spec.prefixIds] : [];
    const splitter = parseSpecial ? this.#everyAdded : this.#plainAdded;
    for (const [section, piece] of splitter.split(text.toWellFormed()).entries()) {
      if (typeof piece === "string") this.#encodeSection(piece, section, ids);
      else ids.push(piece.id);
    }
    if (addSpecial) ids.push(...this.#spec.suffixIds);
    return ids;
  }

  decode(ids: Iterable<number>, options: DecodeOptions = {}): string {
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(this.decodeBytes(ids, options));
  }

  decodeBytes(ids: Iterable<number>, options: DecodeOptions = {}): Uint8Array {
    const decoder = this.decoder(options);
    const parts: Uint8Array[] = [];
    for (const id of ids) parts.push(decoder.pushBytes(id));
    const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      bytes.set(part, at);
      at += part.length;
    }
    return bytes;
  }

  decoder({ skipSpecial = false, continues = false }: DecodeOptions = {}): StreamingDecoder {
    const { spelling } = this.#spec;
    const dropFirstSpace = spelling.kind === "sentencePiece" && spelling.dropFirstSpace && !continues;
    const tokens = {
      bytesOf: (id: number): Uint8Array => this.#bytesOf(id),
      isSpecial: (id: number): boolean => this.#addedById.get(id)?.special ?? false,
    };
    return new StreamingDecoder(tokens, { skipSpecial, dropFirstSpace });
  }

  tokenText(id: number): string {
    const text = this.#texts[id];
    if (text !== undefined) return text;
    throw new InputError(
      "TOKEN_UNKNOWN",
      `token id ${id} is not in the vocabulary: it has ${this.vocabularySize} tokens, ids 0 to ${this.vocabularySize - 1}`,
      { id, vocabularySize: this.vocabularySize },
    );
  }

  tokenId(text: string): number | undefined {
    return this.#ids.get(text);
  }

  #encodeSection(text: string, section: number, ids: number[]): void {
    const normalized = this.#pipeline.normalizer?.normalize(text) ?? text;
    for (const piece of this.#normalizedAdded?.split(normalized) ?? [normalized]) {
      if (typeof piece !== "string") {
        ids.push(piece.id);
        continue;
      }
      if (piece === "") continue;
      const words = this.#pipeline.pre_tokenizer?.pre_tokenize(piece, { section_index: section }) ?? [piece];
      this.#encodeWords(words, ids);
    }
  }

  #bytesOf(id: number): Uint8Array {
    const text = this.tokenText(id);
    const added = this.#addedById.get(id);
    const { spelling } = this.#spec;
    if (spelling.kind === "byteLevel") return added === undefined ? bytesOfCharacters(text) : UTF8.encode(text);
    if (added?.special) return UTF8.encode(text);
    const byte = BYTE_TOKEN.exec(text);
    return byte === null
      ? UTF8.encode(text.replaceAll(spelling.mark, " "))
      : Uint8Array.of(Number.parseInt(byte[1]!, 16));
  }
}

/** The library's normalizer and pre-tokenizer. It throws for steps and patterns that it has not. */
function pipelineOf({ normalizer, preTokenizer }: BytePairSpec): Pipeline {
  const rest = { added_tokens: [], post_processor: null, decoder: null, model: { type: "BPE", vocab: {}, merges: [] } };
  try {
    return new LibraryTokenizer({ ...rest, normalizer, pre_tokenizer: preTokenizer }, {});
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new InputError("TOKENIZER_UNSUPPORTED", `tokenizer: ${reason}`, { reason }, { cause });
  }
}

/** How words become ids. Special tokens are not seen, so that no word of a text can become one. */
function wordsEncoder(spec: BytePairSpec): WordsEncoder {
  const { merges, ranks, vocabulary, unknownToken } = spec;
  const words = new Map(vocabulary);
  for (const { content, special } of spec.addedTokens) if (special) words.delete(content);
  if (merges === "tokens") return eachOf(tokenMerges(words));
  checkMerges(spec, merges);
  if (spec.spelling.kind === "byteLevel" && unknownToken === undefined) {
    const urgency = new Map(merges.map(([left, right], at) => [`${left} ${right}`, ranks?.[at] ?? at]));
    return eachOf(listedMerges(words, urgency, spec.ignoreMerges));
  }
  const unknownId = unknownToken === undefined ? undefined : vocabulary.get(unknownToken);
  const merger = mergerOf(spec, merges, words, unknownId);
  return (each, ids) => {
    for (const token of merger._call(each)) {
      const id = words.get(token) ?? unknownId;
      if (id !== undefined) ids.push(id);
    }
  };
}

type WordsEncoder = (words: readonly string[], ids: number[]) => void;

const eachOf =
  (encode: WordEncoder): WordsEncoder =>
  (words, ids) => {
    for (const word of words) encode(word, ids);
  };

/** The library's merges, with tables of our own: its constructor would copy a vocabulary of 200,000 tokens four times. */
function mergerOf(
  spec: BytePairSpec,
  merges: readonly Merge[],
  words: ReadonlyMap<string, number>,
  unknownId: number | undefined,
): Merger {
  const merger = new BPE({
    type: "BPE",
    vocab: {},
    merges: [],
    unk_token: spec.unknownToken ?? null,
    byte_fallback: spec.spelling.kind === "sentencePiece",
    ignore_merges: spec.ignoreMerges,
    fuse_unk: spec.fuseUnknown,
  });
  merger.tokens_to_ids = words;
  merger.bpe_ranks = new Map(merges.map((merge, at) => [JSON.stringify(merge), spec.ranks?.[at] ?? at]));
  merger.unk_token_id = unknownId;
  return merger;
}

/** The bytes that occur in UTF-8: all but C0, C1 and F5 to FF. */
const UTF8_BYTES: readonly number[] = Array.from({ length: 256 }, (_, byte) => byte).filter(
  (byte) => byte !== 0xc0 && byte !== 0xc1 && byte < 0xf5,
);

/**
 * GPT-2's alphabet: printable bytes of Latin-1 stand for themselves, the other 68 for U+0100 and on, in order.
 * Source: openai/gpt-2, src/encoder.py, `bytes_to_unicode`.
 */
export const CHARACTER_OF_BYTE: readonly string[] = (() => {
  let others = 0;
  return Array.from({ length: 256 }, (_, byte) => {
    const printable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
    return String.fromCharCode(printable ? byte : 0x100 + others++);
  });
})();

const BYTE_OF_CHARACTER: ReadonlyMap<string, number> = new Map(CHARACTER_OF_BYTE.map((text, byte) => [text, byte]));

/** Bytes of a byte-level spelling; as UTF-8 when it uses a character outside the alphabet, which no text can produce. */
function bytesOfCharacters(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) {
    const byte = BYTE_OF_CHARACTER.get(text[at]!);
    if (byte === undefined) return UTF8.encode(text);
    bytes[at] = byte;
  }
  return bytes;
}

function byteSpelling(byte: number, spelling: Spelling): string {
  if (spelling.kind === "byteLevel") return CHARACTER_OF_BYTE[byte]!;
  // Bytes of ASCII may have a token of their own as text; the library tries that first, so either will do.
  return `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`;
}

function checkMerges({ vocabulary, keys }: BytePairSpec, merges: readonly Merge[]): void {
  for (const [at, [left, right]] of merges.entries()) {
    const unknown = [left, right, left + right].find((text) => !vocabulary.has(text));
    if (unknown === undefined) continue;
    const key = `${keys.merges}[${at}]`;
    throw new InputError(
      "TOKENIZER_INVALID",
      `tokenizer: ${key} joins ${JSON.stringify(left)} and ${JSON.stringify(right)}, but ${JSON.stringify(unknown)} ` +
        `is none of the ${vocabulary.size} tokens`,
      { key, left, right, unknown },
    );
  }
}
