/**
 * A tokenizer from the metadata of a GGUF file.
 *
 * `gpt2` is byte-level BPE; its words are cut as `tokenizer.ggml.pre` says. `llama` is SentencePiece's BPE, whose merges
 * follow from the scores of its tokens. The others (`bert`, `t5`, `rwkv`, `gemma4`, …) are refused.
 *
 * Keys: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md#tokenizer. Behaviour: llama.cpp, src/llama-vocab.cpp.
 */

import { z } from "zod";
import { InputError } from "../../dsl/errors.ts";
import { parseInput } from "../../models/parse-input.ts";
import type { AddedToken } from "./added-tokens.ts";
import { bytePairTokenizer, type Merge } from "./byte-pair-tokenizer.ts";
import { preTokenizers } from "./gguf-pre-tokenizers.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** Metadata as a plain record: GGUF key to value. Lists may be arrays or typed arrays. */
export type GgufMetadata = Readonly<Record<string, unknown>>;

/** Values of `tokenizer.ggml.token_type`; `llama_token_type` in llama.h. */
const TOKEN_TYPE = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

/**
 * Spellings that end a generation although no key of the file says so, when the file types them as control tokens.
 * Source: llama.cpp, `special_eog_ids`.
 */
const END_SPELLINGS: ReadonlySet<string> = new Set([
  "<|eot_id|>",
  "<|eom_id|>",
  "<|im_end|>",
  "<|end|>",
  "<|return|>",
  "<|call|>",
  "<end_of_turn>",
  "<|endoftext|>",
  "<|end_of_text|>",
  "<EOT>",
  "[EOT]",
  "<end_of_utterance>",
]);

const key = (name: string): string => `tokenizer.ggml.${name}`;
const plainList = (value: unknown): unknown =>
  ArrayBuffer.isView(value) && !(value instanceof DataView) ? Array.from(value as unknown as Iterable<unknown>) : value;
const numbers = z.preprocess(plainList, z.array(z.number("a number"), "a list of numbers"));
const id = z.preprocess(
  (value) => (typeof value === "bigint" ? Number(value) : value),
  z.int("a token id").nonnegative("a token id").optional(),
);
const flag = z.boolean("true or false").optional();

const schema = z.object({
  [key("model")]: z.string("the kind of tokenizer, such as gpt2 or llama"),
  [key("pre")]: z.string("the name of a pre-tokenizer").optional(),
  [key("tokens")]: z.array(z.string("a text"), "a list of texts").min(1, "a list of at least one token"),
  [key("token_type")]: numbers.optional(),
  [key("scores")]: numbers.optional(),
  [key("merges")]: z.array(z.string("two tokens with a space between"), "a list of texts").optional(),
  [key("bos_token_id")]: id,
  [key("eos_token_id")]: id,
  [key("eot_token_id")]: id,
  [key("eom_token_id")]: id,
  [key("unknown_token_id")]: id,
  [key("padding_token_id")]: id,
  [key("add_bos_token")]: flag,
  [key("add_eos_token")]: flag,
  [key("add_space_prefix")]: flag,
});

/** The metadata under names of our own, checked one by one. */
interface Vocabulary {
  readonly model: string;
  readonly pre: string | undefined;
  readonly tokens: readonly string[];
  readonly types: readonly number[];
  readonly scores: readonly number[] | undefined;
  readonly merges: readonly string[] | undefined;
  readonly bosId: number | undefined;
  readonly endIds: readonly number[];
  readonly unknownId: number | undefined;
  readonly addBos: boolean | undefined;
  readonly addEos: boolean | undefined;
  readonly addSpacePrefix: boolean | undefined;
}

/**
 * The tokenizer that the metadata of a GGUF file describes.
 *
 * Refused: kinds and pre-tokenizers that are not known, lists of different lengths, ids beyond the vocabulary, tokens
 * that occur twice, merges of tokens that do not exist.
 *
 * @throws InputError (`TOKENIZER_INVALID`, `TOKENIZER_UNSUPPORTED`) naming the key, what was found and what was wanted
 */
export function tokenizerFromGguf(metadata: GgufMetadata): Tokenizer {
  const vocabulary = readVocabulary(metadata);
  if (vocabulary.model === "gpt2") return byteLevel(vocabulary);
  if (vocabulary.model === "llama") return sentencePiece(vocabulary);
  throw unsupported("model", vocabulary.model, ["gpt2", "llama"]);
}

function byteLevel(vocabulary: Vocabulary): Tokenizer {
  const { tokens, merges, pre = "default" } = vocabulary;
  const preTokenizer = preTokenizers.get(pre);
  if (preTokenizer === undefined) throw unsupported("pre", pre, [...preTokenizers.keys()].sort());
  if (merges === undefined) throw invalid(key("merges"), "missing", "the merges of a gpt2 tokenizer");
  const split = (pattern: string): object => ({
    type: "Split",
    pattern: { Regex: pattern },
    behavior: "Isolated",
    invert: false,
  });
  return bytePairTokenizer({
    ...common(vocabulary, preTokenizer.addBos),
    vocabulary: new Map(tokens.map((token, at) => [token, at])),
    merges: merges.map((merge, at) => readMerge(merge, at)),
    spelling: { kind: "byteLevel" },
    ignoreMerges: preTokenizer.ignoreMerges,
    // A byte-level vocabulary needs no unknown token: llama.cpp and transformers leave out bytes that it lacks.
    unknownToken: undefined,
    fuseUnknown: false,
    normalizer: preTokenizer.composes ? { type: "NFC" } : null,
    preTokenizer: {
      type: "Sequence",
      pretokenizers: [
        ...preTokenizer.patterns.map(split),
        { type: "ByteLevel", add_prefix_space: false, trim_offsets: false, use_regex: false },
      ],
    },
  });
}

function sentencePiece(vocabulary: Vocabulary): Tokenizer {
  const { tokens, types, scores, unknownId = 0, addSpacePrefix = true } = vocabulary;
  if (scores === undefined) throw invalid(key("scores"), "missing", "the scores of a llama tokenizer");
  const texts = new Map(tokens.map((token, at) => [token, at]));
  const { merges, ranks } = mergesFromScores(texts, types, scores);
  const replaceSpaces = { type: "Replace", pattern: { String: " " }, content: MARK };
  return bytePairTokenizer({
    ...common(vocabulary, true),
    vocabulary: texts,
    merges,
    ranks,
    spelling: { kind: "sentencePiece", mark: MARK, dropFirstSpace: addSpacePrefix },
    ignoreMerges: false,
    unknownToken: tokens[unknownId],
    fuseUnknown: true,
    // After each special token too, and before a text that begins with a space: as Llama 2's own tokenizer.json.
    normalizer: addSpacePrefix
      ? { type: "Sequence", normalizers: [{ type: "Prepend", prepend: MARK }, replaceSpaces] }
      : replaceSpaces,
    preTokenizer: null,
  });
}

const MARK = "▁";

/**
 * The merges of a SentencePiece model: every way to put a token together from two others, ranked by the token's score.
 *
 * All ways to make one token have one rank, so that the leftmost pair in the text goes first, as in SentencePiece.
 * Source: llama.cpp, `llm_tokenizer_spm_session`; transformers, `generate_merges`, which breaks these ties otherwise.
 */
function mergesFromScores(
  texts: ReadonlyMap<string, number>,
  types: readonly number[],
  scores: readonly number[],
): { readonly merges: Merge[]; readonly ranks: number[] } {
  const isPiece = (at: number): boolean => types[at] === TOKEN_TYPE.normal || types[at] === TOKEN_TYPE.unused;
  const pieces = [...texts].filter(([, at]) => isPiece(at)).sort(([, a], [, b]) => scores[b]! - scores[a]! || a - b);
  const merges: Merge[] = [];
  const ranks: number[] = [];
  let rank = -1;
  let score = Number.NaN;
  for (const [text, at] of pieces) {
    if (scores[at] !== score) {
      rank++;
      score = scores[at]!;
    }
    for (let cut = 1; cut < text.length; cut++) {
      const left = texts.get(text.slice(0, cut));
      const right = texts.get(text.slice(cut));
      if (left === undefined || right === undefined || !isPiece(left) || !isPiece(right)) continue;
      merges.push([text.slice(0, cut), text.slice(cut)]);
      ranks.push(rank);
    }
  }
  return { merges, ranks };
}

/** What both kinds share. `addBosByDefault` holds when the file does not say. */
function common({ tokens, types, bosId, endIds, addBos, addEos }: Vocabulary, addBosByDefault: boolean) {
  const eosIds = [...new Set([...endIds, ...detectedEnds(tokens, types)])];
  const ends = new Set(eosIds);
  const addedTokens: AddedToken[] = [];
  for (const [at, content] of tokens.entries()) {
    const type = types[at];
    const special = type === TOKEN_TYPE.control || type === TOKEN_TYPE.unknown || ends.has(at);
    if (!special && type !== TOKEN_TYPE.userDefined) continue;
    addedTokens.push({ id: at, content, special, lstrip: false, rstrip: false, normalized: false });
  }
  return {
    addedTokens,
    bosId,
    eosIds,
    prefixIds: (addBos ?? addBosByDefault) && bosId !== undefined ? [bosId] : [],
    suffixIds: addEos && endIds[0] !== undefined ? [endIds[0]] : [],
    keys: { merges: key("merges") },
  };
}

/** In Harmony `<|end|>` ends a message, not the answer; there `<|return|>` and `<|call|>` do. */
function detectedEnds(tokens: readonly string[], types: readonly number[]): number[] {
  const found = tokens.flatMap((token, at) =>
    END_SPELLINGS.has(token) && types[at] === TOKEN_TYPE.control ? [at] : [],
  );
  const spellings = new Set(found.map((at) => tokens[at]));
  const harmony = spellings.has("<|return|>") && spellings.has("<|call|>");
  return harmony ? found.filter((at) => tokens[at] !== "<|end|>") : found;
}

/** A merge is split at its first space that isn't its first character: the left token may begin with one. */
function readMerge(merge: string, at: number): Merge {
  const space = merge.indexOf(" ", 1);
  if (space < 0) throw invalid(`${key("merges")}[${at}]`, JSON.stringify(merge), "two tokens with a space between");
  return [merge.slice(0, space), merge.slice(space + 1)];
}

function readVocabulary(metadata: GgufMetadata): Vocabulary {
  const read = parseInput(schema, metadata, { code: "TOKENIZER_INVALID", what: "tokenizer" });
  // The computed keys of the schema lose their types; the schema has just checked them.
  const field = <T>(name: string): T => (read as Record<string, unknown>)[key(name)] as T;
  const tokens = field<string[]>("tokens");
  const types = field<number[] | undefined>("token_type");
  const scores = field<number[] | undefined>("scores");
  for (const [name, list] of [["token_type", types] as const, ["scores", scores] as const]) {
    if (list !== undefined && list.length !== tokens.length) {
      throw invalid(key(name), `a list of ${list.length}`, `${tokens.length} entries, one for each token`);
    }
  }
  const seen = new Map<string, number>();
  for (const [at, token] of tokens.entries()) {
    const first = seen.get(token);
    if (first !== undefined) {
      throw invalid(
        `${key("tokens")}[${at}]`,
        `${JSON.stringify(token)}, as ${key("tokens")}[${first}]`,
        "a new token",
      );
    }
    seen.set(token, at);
  }
  const idOf = (name: string): number | undefined => {
    const found = field<number | undefined>(name);
    if (found !== undefined && found >= tokens.length) {
      throw invalid(key(name), String(found), `an id below ${tokens.length}, the number of tokens`);
    }
    return found;
  };
  const isSentencePiece = field<string>("model") === "llama";
  idOf("padding_token_id");
  return {
    model: field("model"),
    pre: field("pre"),
    tokens,
    types: types ?? new Array<number>(tokens.length).fill(TOKEN_TYPE.normal),
    scores,
    merges: field("merges"),
    // The defaults of SentencePiece itself, for files that leave them out.
    bosId: idOf("bos_token_id") ?? (isSentencePiece && tokens.length > 1 ? 1 : undefined),
    endIds: [
      idOf("eos_token_id") ?? (isSentencePiece && tokens.length > 2 ? 2 : undefined),
      idOf("eot_token_id"),
      idOf("eom_token_id"),
    ].filter((end) => end !== undefined),
    unknownId: idOf("unknown_token_id"),
    addBos: field("add_bos_token"),
    addEos: field("add_eos_token"),
    addSpacePrefix: field("add_space_prefix"),
  };
}

function invalid(name: string, found: string, wanted: string): InputError {
  return new InputError("TOKENIZER_INVALID", `tokenizer: ${name} is ${found}; wanted ${wanted}`, {
    key: name,
    found,
    wanted,
  });
}

function unsupported(name: string, found: string, known: readonly string[]): InputError {
  return new InputError(
    "TOKENIZER_UNSUPPORTED",
    `tokenizer: ${key(name)} is ${JSON.stringify(found)}, which tsxla does not know; known: ${known.join(", ")}`,
    { key: key(name), found, known },
  );
}
