/**
 * A tokenizer from Hugging Face's `tokenizer.json` and `tokenizer_config.json`.
 *
 * Byte-pair models only, byte-level (GPT-2 and on) or SentencePiece's (Llama 2, Gemma): what language models use. Steps
 * that `@huggingface/tokenizers` would do otherwise than the Rust library are rewritten into steps that it does alike.
 *
 * Source: huggingface/tokenizers, tokenizers/src (the Rust library), whose ids are the reference.
 */

import { z } from "zod";
import { InputError } from "../../dsl/errors.ts";
import { describe, parseInput } from "../../models/parse-input.ts";
import { bytePairTokenizer, type Merge, type Spelling } from "./byte-pair-tokenizer.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** What the two files don't say. */
export interface TokenizerJsonOptions {
  /** More ids that end a text: `eos_token_id` of generation_config.json or config.json. */
  readonly eosIds?: readonly number[];
}

const tokenId = z.int("a token id").nonnegative("a token id");
const flag = z.boolean("true or false");
/** A step of the pipeline: its fields are read where they are used. */
const step = z.looseObject({ type: z.string("the name of a step") }, "a step");
type Step = z.infer<typeof step>;

const isRecord = (value: unknown): boolean => typeof value === "object" && value !== null && !Array.isArray(value);

const fileSchema = z.object({
  added_tokens: z
    .array(
      z.object({
        id: tokenId,
        content: z.string("a text"),
        special: flag.default(false),
        lstrip: flag.default(false),
        rstrip: flag.default(false),
        normalized: flag.optional(),
      }),
      "a list of added tokens",
    )
    .default([]),
  normalizer: step.nullish(),
  pre_tokenizer: step.nullish(),
  post_processor: step.nullish(),
  decoder: step.nullish(),
  model: z.object(
    {
      type: z.string("BPE").default("BPE"),
      // Checked by hand below: hundreds of thousands of entries, one of which may be called `__proto__`, which zod drops.
      vocab: z.custom<Readonly<Record<string, unknown>>>(isRecord, "a record of token ids"),
      merges: z.array(z.unknown(), "a list of merges"),
      unk_token: z.string("a text").nullish(),
      fuse_unk: flag.nullish(),
      byte_fallback: flag.nullish(),
      ignore_merges: flag.nullish(),
      dropout: z.number("a number").nullish(),
      continuing_subword_prefix: z.string("a text").nullish(),
      end_of_word_suffix: z.string("a text").nullish(),
    },
    "a byte-pair model",
  ),
});

/** A special token of tokenizer_config.json: its spelling, or an object that holds it. */
const namedToken = z
  .union([z.string(), z.looseObject({ content: z.string() })], "a token")
  .transform((token) => (typeof token === "string" ? token : token.content))
  .nullish();

const configSchema = z.looseObject({
  bos_token: namedToken,
  eos_token: namedToken,
  add_bos_token: flag.nullish(),
  add_eos_token: flag.nullish(),
});

/**
 * The tokenizer that `tokenizer.json` describes, with the special tokens that `tokenizer_config.json` names.
 *
 * The beginning and end tokens that `addSpecial` adds are those of the file's post-processor; `add_bos_token` and
 * `add_eos_token` of the configuration have the last word, as in transformers. `clean_up_tokenization_spaces` is not
 * followed: text comes back as it went in.
 *
 * @param tokenizerJson    the parsed file
 * @param tokenizerConfig  the parsed file; `{}` when there is none
 * @throws InputError (`TOKENIZER_INVALID`, `TOKENIZER_UNSUPPORTED`) naming the key, what was found and what was wanted
 */
export function tokenizerFromJson(
  tokenizerJson: unknown,
  tokenizerConfig: unknown = {},
  options: TokenizerJsonOptions = {},
): Tokenizer {
  const file = parseInput(fileSchema, tokenizerJson, { code: "TOKENIZER_INVALID", what: "tokenizer.json" });
  const config = parseInput(configSchema, tokenizerConfig, {
    code: "TOKENIZER_INVALID",
    what: "tokenizer_config.json",
  });
  const { model } = file;
  if (model.type !== "BPE") throw unsupported("model.type", model.type, "BPE");
  for (const field of ["dropout", "continuing_subword_prefix", "end_of_word_suffix"] as const) {
    if (model[field]) throw unsupported(`model.${field}`, model[field], "models without it");
  }

  const vocabulary = readVocabulary(file);
  const ids = new Map(vocabulary);
  for (const { content, id } of file.added_tokens) ids.set(content, id);
  const named = (field: "bos_token" | "eos_token"): number | undefined => {
    const spelling = config[field];
    const id = spelling ? ids.get(spelling) : undefined;
    if (spelling && id === undefined) {
      throw new InputError(
        "TOKENIZER_INVALID",
        `tokenizer_config.json: ${field} is ${JSON.stringify(spelling)}; wanted one of the ${ids.size} tokens of tokenizer.json`,
        { key: field, found: spelling },
      );
    }
    return id;
  };
  const bosId = named("bos_token");
  const eosId = named("eos_token");
  const around = file.post_processor ? aroundText(file.post_processor, ids) : { before: [], after: [] };
  const wanted = (added: readonly number[], id: number | undefined, says: boolean | null | undefined): number[] => {
    if (says === true) return added.length > 0 ? [...added] : id === undefined ? [] : [id];
    if (says === false) return added.filter((at) => at !== id);
    return [...added];
  };

  return bytePairTokenizer({
    vocabulary,
    merges: model.merges.map(readMerge),
    spelling: spellingOf(file.decoder),
    ignoreMerges: model.ignore_merges ?? false,
    unknownToken: model.unk_token ?? undefined,
    fuseUnknown: model.fuse_unk ?? false,
    normalizer: file.normalizer ? libraryNormalizer(file.normalizer) : null,
    preTokenizer: file.pre_tokenizer ? libraryStep(file.pre_tokenizer) : null,
    addedTokens: file.added_tokens.map((token) => ({ ...token, normalized: token.normalized ?? !token.special })),
    prefixIds: wanted(around.before, bosId, config.add_bos_token),
    suffixIds: wanted(around.after, eosId, config.add_eos_token),
    bosId,
    eosIds: [...new Set([...(eosId === undefined ? [] : [eosId]), ...(options.eosIds ?? [])])],
    keys: { merges: "model.merges" },
  });
}

/** A merge is a pair, or in the old form a text that is split at its first space that isn't its first character. */
function readMerge(merge: unknown, at: number): Merge {
  if (Array.isArray(merge) && merge.length === 2 && typeof merge[0] === "string" && typeof merge[1] === "string") {
    return [merge[0], merge[1]];
  }
  const space = typeof merge === "string" ? merge.indexOf(" ", 1) : -1;
  if (typeof merge === "string" && space >= 0) return [merge.slice(0, space), merge.slice(space + 1)];
  throw invalid(`model.merges[${at}]`, merge, "wanted two tokens, as a pair or with a space between");
}

/** The vocabulary. Ids must be dense enough to be an index: a table up to id 10^9 would take the memory of the machine. */
function readVocabulary(file: z.infer<typeof fileSchema>): Map<string, number> {
  const entries = Object.entries(file.model.vocab);
  const limit = 2 * (entries.length + file.added_tokens.length) + 1024;
  const vocabulary = new Map<string, number>();
  const spellings = new Map<number, string>();
  const check = (id: unknown, text: string, key: () => string): number => {
    if (typeof id !== "number" || !Number.isInteger(id) || id < 0) throw invalid(key(), id, "wanted a token id");
    if (id >= limit) throw invalid(key(), id, `wanted an id below ${limit}`);
    const other = spellings.get(id);
    if (other !== undefined && other !== text) throw invalid(key(), id, `which ${JSON.stringify(other)} has`);
    spellings.set(id, text);
    return id;
  };
  for (const [text, id] of entries) {
    vocabulary.set(
      text,
      check(id, text, () => `model.vocab[${JSON.stringify(text)}]`),
    );
  }
  for (const [at, { content, id }] of file.added_tokens.entries()) check(id, content, () => `added_tokens[${at}].id`);
  return vocabulary;
}

function invalid(key: string, found: unknown, problem: string): InputError {
  return new InputError("TOKENIZER_INVALID", `tokenizer.json: ${key} is ${describe(found)}; ${problem}`, {
    key,
    found,
  });
}

// Rewriting of steps

/** The steps inside a step. */
function inner(given: Step, field: string, key: string): { readonly step: Step; readonly key: string }[] {
  const schema = z.object({ [field]: z.array(step, "a list of steps") });
  const { [field]: steps } = parseInput(schema, given, { code: "TOKENIZER_INVALID", what: `tokenizer.json: ${key}` });
  return steps!.map((each, at) => ({ step: each, key: `${key}.${field}[${at}]` }));
}

/** A pattern that the library has a use for: with another it would drop the text. */
function checkPattern(given: Step, key: string): void {
  const pattern = z.union([z.object({ String: z.string() }), z.object({ Regex: z.string() })], "a String or a Regex");
  const schema = z.object({ pattern });
  parseInput(schema, given, { code: "TOKENIZER_INVALID", what: `tokenizer.json: ${key}` });
}

const NORMALIZERS = ["NFC", "NFD", "NFKC", "NFKD", "Lowercase", "Prepend", "Replace", "Strip"];

/** A normalizer that the library does as the Rust one does. @throws InputError for the others */
function libraryNormalizer(given: Step, key = "normalizer"): Step {
  if (given.type === "Sequence") {
    const steps = inner(given, "normalizers", key).map(({ step, key }) => libraryNormalizer(step, key));
    return { ...given, normalizers: steps };
  }
  if (!NORMALIZERS.includes(given.type)) throw unsupported(`${key}.type`, given.type, NORMALIZERS.join(", "));
  if (given.type === "Replace") checkPattern(given, key);
  return given;
}

/** GPT-2's pattern, which a `ByteLevel` step with `use_regex` applies. */
const GPT2_WORDS = String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`;

const isolate = (pattern: string): Step => ({
  type: "Split",
  pattern: { Regex: pattern },
  behavior: "Isolated",
  invert: false,
});

/**
 * A pre-tokenizer as the library does it like the Rust one.
 *
 * - `Digits` of the library knows 0 to 9 only; Rust's `is_numeric` is `\p{N}`: `٣`, `½`, `Ⅷ` too.
 * - `ByteLevel` of the library uses JavaScript's `\s`, which has U+FEFF and lacks U+0085; its `Split` is right.
 *
 * @throws InputError for a step that the library would do wrongly without a word
 */
function libraryStep(given: Step, key = "pre_tokenizer"): Step {
  if (given.type === "Sequence") {
    const steps = inner(given, "pretokenizers", key).map(({ step, key }) => libraryStep(step, key));
    return { ...given, pretokenizers: steps };
  }
  if (given.type === "Digits") return isolate(given.individual_digits ? String.raw`\p{N}` : String.raw`\p{N}+`);
  if (given.type === "ByteLevel" && given.use_regex !== false && given.add_prefix_space !== true) {
    return { type: "Sequence", pretokenizers: [isolate(GPT2_WORDS), { ...given, use_regex: false }] };
  }
  if (given.type === "Split") {
    checkPattern(given, key);
    const behavior = given.behavior;
    const spaces = JSON.stringify(given.pattern) === '{"String":" "}';
    // Gemma's: its normalizer has replaced every space, so it never splits.
    if (behavior === "MergedWithPrevious" && spaces) return isolate(" ");
    const removesOthers = behavior === "Removed" && given.invert === true;
    if (behavior !== "Isolated" && !(behavior === "Removed" && !given.invert) && !removesOthers) {
      throw unsupported(`${key}.behavior`, behavior, "Isolated or Removed");
    }
    if (behavior === "Isolated") return { ...given, invert: false };
    return given;
  }
  if (["ByteLevel", "Metaspace", "Whitespace", "WhitespaceSplit", "FixedLength"].includes(given.type)) return given;
  throw unsupported(`${key}.type`, given.type, "ByteLevel, Digits, Metaspace, Sequence, Split");
}

const templateSchema = z.object({
  single: z.array(
    z.union(
      [z.object({ SpecialToken: z.object({ id: z.string() }) }), z.object({ Sequence: z.unknown() })],
      "a SpecialToken or a Sequence",
    ),
    "a template",
  ),
});

/** The ids that a post-processor puts before and after a single text. */
function aroundText(given: Step, ids: ReadonlyMap<string, number>): { before: number[]; after: number[] } {
  if (given.type === "Sequence") {
    const parts = inner(given, "processors", "post_processor").map(({ step }) => aroundText(step, ids));
    return { before: parts.flatMap((part) => part.before), after: parts.flatMap((part) => part.after) };
  }
  const idOf = (spelling: string): number => {
    const id = ids.get(spelling);
    if (id !== undefined) return id;
    throw unsupported("post_processor", spelling, "tokens of the vocabulary");
  };
  if (given.type === "TemplateProcessing") {
    const { single } = parseInput(templateSchema, given, {
      code: "TOKENIZER_INVALID",
      what: "tokenizer.json: post_processor",
    });
    const text = single.findIndex((part) => "Sequence" in part);
    const special = single.flatMap((part, at) =>
      "SpecialToken" in part ? [{ at, id: idOf(part.SpecialToken.id) }] : [],
    );
    return {
      before: special.filter(({ at }) => at < text).map(({ id }) => id),
      after: special.filter(({ at }) => at > text).map(({ id }) => id),
    };
  }
  if (given.type === "ByteLevel") return { before: [], after: [] };
  throw unsupported("post_processor.type", given.type, "ByteLevel, Sequence, TemplateProcessing");
}

/** How the decoder spells bytes. Only the two forms that byte-pair language models have are known. */
function spellingOf(decoder: Step | null | undefined): Spelling {
  if (decoder?.type === "ByteLevel") return { kind: "byteLevel" };
  if (decoder?.type === "Metaspace") {
    const mark = typeof decoder.replacement === "string" ? decoder.replacement : "▁";
    return { kind: "sentencePiece", mark, dropFirstSpace: decoder.prepend_scheme !== "never" };
  }
  if (decoder?.type === "Sequence") {
    const steps = inner(decoder, "decoders", "decoder").map(({ step }) => step);
    const types = steps.map(({ type }) => type).filter((type) => type !== "Fuse" && type !== "ByteFallback");
    const [first, second] = steps.filter(({ type }) => type === "Replace" || type === "Strip");
    const mark = (first?.pattern as { String?: unknown } | undefined)?.String;
    const strips = second?.type === "Strip";
    const stripsOneSpace = !strips || (second.content === " " && second.start === 1 && second.stop === 0);
    const known = ["Replace", "Replace,Strip"].includes(types.join()) && first?.content === " ";
    if (known && typeof mark === "string" && stripsOneSpace) {
      return { kind: "sentencePiece", mark, dropFirstSpace: strips };
    }
    if (types.join() === "ByteLevel") return { kind: "byteLevel" };
  }
  const found = decoder ? JSON.stringify(decoder).slice(0, 200) : "missing";
  throw unsupported("decoder", found, "ByteLevel, Metaspace, or SentencePiece's Replace, ByteFallback, Fuse, Strip");
}

function unsupported(key: string, found: unknown, wanted: string): InputError {
  return new InputError("TOKENIZER_UNSUPPORTED", `tokenizer.json: ${key} is ${String(found)}; tsxla knows ${wanted}`, {
    key,
    found,
    wanted,
  });
}
