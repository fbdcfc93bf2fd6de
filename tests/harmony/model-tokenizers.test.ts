/** The tokenizer of a GPT-OSS from its own files, of which there are two kinds: the same ids, and Harmony's tokens. */
import { readFileSync } from "node:fs";
import { beforeAll, expect, test } from "@jest/globals";
import { speaksHarmony } from "../../inference/harmony/format.ts";
import { loadO200kHarmony } from "../../inference/harmony/index.ts";
import { type Tokenizer, tokenizerFromGguf, tokenizerFromJson } from "../../inference/index.ts";
import { preTokenizers } from "../../inference/text/gguf-pre-tokenizers.ts";
import { exhaustive } from "../support/exhaustive.ts";

const firstSpecial = 199_998;

let o200k: Tokenizer;
/** By id, in the vocabulary's spelling. */
let spellings: readonly string[];
/** Each way to put a token together from two, as published: 446,189. */
let merges: readonly (readonly [string, string])[];

beforeAll(async () => {
  o200k = await loadO200kHarmony();
  spellings = Array.from({ length: o200k.vocabularySize }, (_, id) => o200k.tokenText(id));
  const ids = new Map(spellings.slice(0, firstSpecial).map((spelling, id) => [spelling, id]));
  merges = [...ids.keys()].flatMap((spelling) => {
    const cuts = Array.from({ length: spelling.length - 1 }, (_, n) => n + 1);
    const pairs = cuts.map((cut) => [spelling.slice(0, cut), spelling.slice(cut)] as const);
    return pairs.filter(([left, right]) => ids.has(left) && ids.has(right));
  });
});

const texts = (): string[] => {
  const file = new URL("fixtures/conversations.json", import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { readonly text: string }[]).map(({ text }) => text);
};

function expectSame(tokenizer: Tokenizer): void {
  expect(speaksHarmony(tokenizer)).toBe(true);
  expect(tokenizer.vocabularySize).toBe(201_088);
  for (const text of texts()) expect(tokenizer.encode(text)).toEqual(o200k.encode(text));
}

test("tokenizer.json has o200k_harmony's ids", () => {
  const split = (Regex: string) => ({ type: "Split", pattern: { Regex }, behavior: "Isolated", invert: false });
  const added = spellings.slice(firstSpecial).map((content, at) => ({ id: firstSpecial + at, content, special: true }));
  const bytes = { type: "ByteLevel", add_prefix_space: false, trim_offsets: false, use_regex: false };
  const vocab = Object.fromEntries(spellings.slice(0, firstSpecial).map((spelling, id) => [spelling, id]));
  expectSame(
    tokenizerFromJson({
      added_tokens: added,
      pre_tokenizer: { type: "Sequence", pretokenizers: [...preTokenizers.get("gpt-4o")!.patterns.map(split), bytes] },
      decoder: { type: "ByteLevel" },
      model: { type: "BPE", vocab, merges },
    }),
  );
  expect(merges).toHaveLength(446_189);
});

test(
  exhaustive(
    "the metadata of a GGUF file has them, and ends answers with <|return|> and <|call|> but not with <|end|>",
  ),
  () => {
    const tokenizer = tokenizerFromGguf({
      "tokenizer.ggml.model": "gpt2",
      "tokenizer.ggml.pre": "gpt-4o",
      "tokenizer.ggml.tokens": spellings,
      "tokenizer.ggml.token_type": spellings.map((_, id) => (id < firstSpecial ? 1 : 3)),
      "tokenizer.ggml.merges": merges.map((merge) => merge.join(" ")),
      "tokenizer.ggml.eos_token_id": 200_002,
    });
    expectSame(tokenizer);
    expect([...tokenizer.eosIds].sort()).toEqual([199_999, 200_002, 200_012]);
  },
);
