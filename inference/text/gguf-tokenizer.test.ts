import { readFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import { splitMix64 } from "../sampling/random.ts";
import { preTokenizers } from "./gguf-pre-tokenizers.ts";
import { type GgufMetadata, tokenizerFromGguf } from "./gguf-tokenizer.ts";
import type { Tokenizer } from "./tokenizer.ts";

interface Model {
  readonly vocab: Record<string, number>;
  readonly merges: readonly (readonly [string, string])[];
}

const cases: Record<string, { tokenizer: { model: Model }; texts: { text: string; ids: number[] }[] }> = JSON.parse(
  readFileSync(new URL("fixtures/tokenizers.json", import.meta.url), "utf8"),
);

/** The metadata that a GGUF file of this tokenizer of the fixtures would hold. */
function metadata(name: string, model: "gpt2" | "llama", more: GgufMetadata = {}): GgufMetadata {
  const { vocab, merges } = cases[name]!.tokenizer.model;
  const tokens: string[] = [];
  for (const [text, id] of Object.entries(vocab)) tokens[id] = text;
  tokens.push("<tool>");
  const type = (text: string): number => {
    if (text === "<unk>") return 2;
    if (text === "<tool>") return 4;
    if (/^<0x..>$/.test(text)) return 6;
    return ["<s>", "</s>", "<|end|>"].includes(text) ? 3 : 1;
  };
  const rank = new Map(merges.map((merge, at) => [merge.join(""), at]));
  const spelled = model === "gpt2" ? { merges: merges.map((merge) => merge.join(" ")) } : {};
  const scores = { scores: Float32Array.from(tokens, (text) => -(rank.get(text) ?? merges.length)) };
  const keys = {
    model,
    tokens,
    token_type: Int32Array.from(tokens, type),
    ...spelled,
    ...(model === "llama" ? scores : { pre: "gpt-2" }),
    bos_token_id: tokens.indexOf("<s>"),
    eos_token_id: tokens.indexOf("</s>"),
    ...(model === "llama" ? { unknown_token_id: tokens.indexOf("<unk>") } : {}),
  };
  const named = Object.entries({ ...keys, ...more }).filter(([, value]) => value !== undefined);
  return Object.fromEntries(named.map(([key, value]) => [`tokenizer.ggml.${key}`, value]));
}

describe("byte-level BPE", () => {
  test.each([
    ["byte level", "gpt-2"],
    ["single digits", "smollm"],
  ])("gives the ids of tokenizer.json: %s is %s", (name, pre) => {
    const tokenizer = tokenizerFromGguf(metadata(name, "gpt2", { pre }));
    const { texts } = cases[name]!;
    expect(texts.map(({ text }) => tokenizer.encode(text))).toEqual(texts.map(({ ids }) => ids));
  });

  test("smollm cuts digits one by one, whatever script they are of", () => {
    const tokenizer = tokenizerFromGguf(metadata("single digits", "gpt2", { pre: "smollm" }));
    const words = (text: string) => tokenizer.encode(text).map((id) => tokenizer.tokenText(id));
    expect(words("12 3")).toEqual(["1", "2", "Ġ", "3"]);
    expect(words(" ½").slice(0, 1)).toEqual(["Ġ"]);
  });

  test.each([...preTokenizers.keys()])("%s gives back every text, whole or streamed", (pre) => {
    const tokenizer = tokenizerFromGguf(metadata("byte level", "gpt2", { pre, add_bos_token: false }));
    const composes = preTokenizers.get(pre)!.composes;
    for (let seed = 0n; seed < 40n; seed++) {
      const text = oddText(seed);
      const ids = tokenizer.encode(text);
      expect(tokenizer.decode(ids)).toBe(composes ? text.normalize("NFC") : text);
      expect(streamed(tokenizer, ids)).toBe(tokenizer.decode(ids));
    }
  });

  test("gives back five hundred odd texts of all planes", () => {
    const tokenizer = tokenizerFromGguf(metadata("byte level", "gpt2"));
    expect(tokenizer.missingBytes).toEqual([]);
    for (let seed = 100n; seed < 600n; seed++) {
      const text = oddText(seed);
      expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
    }
  });

  test("a lone surrogate becomes U+FFFD", () => {
    const tokenizer = tokenizerFromGguf(metadata("byte level", "gpt2"));
    expect(tokenizer.decode(tokenizer.encode("a\ud83cb\udf0a"))).toBe("a\ufffdb\ufffd");
  });

  test("bytes that the vocabulary lacks are left out, and listed", () => {
    const whole = metadata("byte level", "gpt2", { merges: [], token_type: undefined });
    const tokens = whole["tokenizer.ggml.tokens"] as string[];
    // U+0123 stands for byte 0x80.
    const tokenizer = tokenizerFromGguf({
      ...whole,
      "tokenizer.ggml.tokens": tokens.map((text) => (text === "ģ" ? "(none)" : text)),
    });
    expect(tokenizer.missingBytes).toEqual([0x81]);
    expect(tokenizer.decode(tokenizer.encode("aÁb"))).toBe("a\ufffdb");
  });

  test("the ends are the file's, then known spellings that are control tokens", () => {
    const whole = metadata("byte level", "gpt2");
    expect(tokenizerFromGguf(whole).eosIds).toEqual([1, 2]);
    expect(tokenizerFromGguf({ ...whole, "tokenizer.ggml.token_type": undefined }).eosIds).toEqual([1]);
  });

  test("a beginning token is added where the file says so, or its kind does", () => {
    const first = (more: GgufMetadata) => tokenizerFromGguf(metadata("byte level", "gpt2", more)).encode("a")[0];
    const a = first({});
    expect(first({ add_bos_token: true })).toBe(0);
    expect(first({ pre: "llama-bpe" })).toBe(0);
    expect(first({ pre: "llama-bpe", add_bos_token: false })).toBe(a);
  });

  test("a user's spelling of a special token stays text, and of a user-defined token does not", () => {
    const tokenizer = tokenizerFromGguf(metadata("byte level", "gpt2"));
    expect(tokenizer.encode("<|end|>")).not.toContain(2);
    expect(tokenizer.encode("<tool>")).toEqual([tokenizer.tokenId("<tool>")]);
    expect(tokenizer.encode("<|end|>", { parseSpecial: true })).toEqual([2]);
  });
});

test("a word that is spelled as a special token stays text where whole words are looked up", () => {
  const tokens = [..."ENDabc", "END"];
  const tokenizer = tokenizerFromGguf({
    "tokenizer.ggml.model": "gpt2",
    "tokenizer.ggml.pre": "llama-bpe",
    "tokenizer.ggml.tokens": tokens,
    "tokenizer.ggml.token_type": tokens.map((text) => (text === "END" ? 3 : 1)),
    "tokenizer.ggml.merges": [],
  });
  expect(tokenizer.encode("END")).toEqual([0, 1, 2]);
  expect(tokenizer.encode("END", { parseSpecial: true })).toEqual([6]);
});

describe("SentencePiece BPE", () => {
  const name = "sentence piece, a space before each section";

  test("gives the ids of tokenizer.json with merges made from scores", () => {
    const tokenizer = tokenizerFromGguf(metadata(name, "llama"));
    const { texts } = cases[name]!;
    expect(texts.map(({ text }) => tokenizer.encode(text, { addSpecial: false }))).toEqual(texts.map(({ ids }) => ids));
  });

  // Without `<tool>`: this kind puts a space after each added token too, and nothing says later that it wasn't there.
  test("gives back every text, the space before it taken away", () => {
    const tokenizer = tokenizerFromGguf(metadata(name, "llama"));
    for (let seed = 0n; seed < 200n; seed++) {
      const text = oddText(seed).replaceAll(/▁|<tool>/g, "_");
      const ids = tokenizer.encode(text, { addSpecial: false });
      expect(tokenizer.decode(ids)).toBe(text);
      expect(streamed(tokenizer, ids)).toBe(text);
    }
  });

  test("keeps the space of a word that goes on from a text", () => {
    const tokenizer = tokenizerFromGguf(metadata(name, "llama"));
    const ids = tokenizer.encode("the", { addSpecial: false });
    expect([tokenizer.decode(ids), tokenizer.decode(ids, { continues: true })]).toEqual(["the", " the"]);
  });

  test("puts the beginning token first and no space where the file says so", () => {
    const tokenizer = tokenizerFromGguf(metadata(name, "llama", { add_space_prefix: false }));
    const ids = tokenizer.encode("a");
    expect(ids[0]).toBe(tokenizer.bosId);
    expect(ids.slice(1).map((id) => tokenizer.tokenText(id))).toEqual(["a"]);
  });

  test("of equal scores, the leftmost pair is joined first", () => {
    const tokenizer = tokenizerFromGguf({
      "tokenizer.ggml.model": "llama",
      "tokenizer.ggml.tokens": ["<unk>", "<s>", "</s>", "a", "aa", "aaa"],
      "tokenizer.ggml.token_type": [2, 3, 3, 1, 1, 1],
      "tokenizer.ggml.scores": [0, 0, 0, -9, -1, -1],
      "tokenizer.ggml.add_space_prefix": false,
      "tokenizer.ggml.add_bos_token": false,
    });
    expect(tokenizer.encode("aaaaa").map((id) => tokenizer.tokenText(id))).toEqual(["aaa", "aa"]);
  });
});

describe("refuses", () => {
  const good = metadata("byte level", "gpt2");
  const size = (good["tokenizer.ggml.tokens"] as string[]).length;

  test.each<[string, GgufMetadata]>([
    ["no metadata", {}],
    ["a kind that isn't known", { ...good, "tokenizer.ggml.model": "bert" }],
    ["a pre-tokenizer that isn't known", { ...good, "tokenizer.ggml.pre": "smolm" }],
    ["tokens that are no texts", { ...good, "tokenizer.ggml.tokens": ["a", 7] }],
    ["no tokens", { ...good, "tokenizer.ggml.tokens": [] }],
    ["lists of different lengths", { ...good, "tokenizer.ggml.token_type": [1, 1] }],
    ["no merges", { ...good, "tokenizer.ggml.merges": undefined }],
    ["a merge of one token", { ...good, "tokenizer.ggml.merges": ["ab"] }],
    ["a merge of a token that isn't there", { ...good, "tokenizer.ggml.merges": ["a b", "q zzz"] }],
    ["an id beyond the tokens", { ...good, "tokenizer.ggml.eos_token_id": size }],
    ["an id that isn't one", { ...good, "tokenizer.ggml.bos_token_id": -1 }],
    ["a flag that is a number", { ...good, "tokenizer.ggml.add_bos_token": 1 }],
    ["two tokens of one spelling", { "tokenizer.ggml.model": "gpt2", "tokenizer.ggml.tokens": ["a", "b", "a"] }],
    ["no scores", { "tokenizer.ggml.model": "llama", "tokenizer.ggml.tokens": ["<unk>", "<s>", "</s>"] }],
  ])("%s", (_, given) => {
    expect(() => tokenizerFromGguf(given)).toThrowErrorMatchingSnapshot();
  });
});

function streamed(tokenizer: Tokenizer, ids: readonly number[]): string {
  const decoder = tokenizer.decoder();
  return ids.map((id) => decoder.push(id)).join("") + decoder.flush();
}

/** A text of up to 40 characters that `seed` determines: every plane, combining, joined, control, lines, blanks. */
function oddText(seed: bigint): string {
  let drawn = 0;
  const below = (limit: number): number => Number(splitMix64(seed, drawn++) % BigInt(limit));
  const character = (): string => {
    const code = below(0x110000);
    return code >= 0xd800 && code < 0xe000 ? "\ufffd" : String.fromCodePoint(code);
  };
  const kinds: (() => string)[] = [
    character,
    () => String.fromCodePoint(below(0x80)),
    () => String.fromCodePoint(0x300 + below(0x70)),
    () => ["\n", "\r\n", "\r", "\t", " ", "   ", "\u00a0", "\u0085", "\ufeff", "\u2028", "\u200b"][below(11)]!,
    () => ["👩‍👩‍👧‍👦", "🏳️‍🌈", "🇫🇷", "👍🏽", "1️⃣", "é", "안", "你", "ß", "½", "٣", "'s", "’ll"][below(13)]!,
    () => ["<|end|>", "<s>", "<tool>", "<0x41>", "Ġ", "▁"][below(6)]!,
  ];
  return Array.from({ length: below(40) }, () => kinds[below(kinds.length)]!()).join("");
}
