/** Judge: the Rust library, whose ids are in fixtures/tokenizers.json; fixtures/make_tokenizers.py made them. */

import { readFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import { tokenizerFromJson } from "./tokenizer-json.ts";

interface Case {
  readonly tokenizer: { readonly model: object };
  readonly texts: readonly { text: string; ids: number[]; special_ids: number[]; decoded: string }[];
}

const cases: Record<string, Case> = JSON.parse(
  readFileSync(new URL("fixtures/tokenizers.json", import.meta.url), "utf8"),
);
const byteLevel = cases["byte level"]!.tokenizer;

describe.each(Object.entries(cases))("%s", (_, { tokenizer: json, texts }) => {
  const tokenizer = tokenizerFromJson(json);

  test("gives the ids of the Rust library, special tokens as text", () => {
    const ids = texts.map(({ text }) => tokenizer.encode(text, { addSpecial: false }));
    expect(ids).toEqual(texts.map((row) => row.ids));
  });

  test("gives the ids of the Rust library, special tokens parsed and added", () => {
    const ids = texts.map(({ text }) => tokenizer.encode(text, { parseSpecial: true }));
    expect(ids).toEqual(texts.map((row) => row.special_ids));
  });

  test("gives the text of the Rust library, at once and one id at a time", () => {
    for (const { ids, decoded } of texts) {
      expect(tokenizer.decode(ids, { skipSpecial: true })).toBe(decoded);
      const decoder = tokenizer.decoder({ skipSpecial: true });
      expect(ids.map((id) => decoder.push(id)).join("") + decoder.flush()).toBe(decoded);
    }
  });
});

test("a special token's spelling is text unless it is asked for", () => {
  const tokenizer = tokenizerFromJson(byteLevel);
  const end = tokenizer.specialTokens.get("<|end|>")!;
  expect(tokenizer.encode("a<|end|>")).not.toContain(end);
  expect(tokenizer.decode(tokenizer.encode("a<|end|>"))).toBe("a<|end|>");
  expect(tokenizer.encode("a<|end|>", { parseSpecial: true }).at(-1)).toBe(end);
});

test("skipSpecial leaves special tokens out and keeps added tokens that aren't special", () => {
  const tokenizer = tokenizerFromJson(byteLevel);
  const ids = tokenizer.encode("<s>a<tool><|end|>", { parseSpecial: true });
  expect(tokenizer.decode(ids)).toBe("<s>a<tool><|end|>");
  expect(tokenizer.decode(ids, { skipSpecial: true })).toBe("a<tool>");
});

test("add_bos_token and add_eos_token have the last word over the post-processor", () => {
  const named = { bos_token: "<s>", eos_token: { content: "</s>", lstrip: false } };
  const ids = (json: object, config: object) => tokenizerFromJson(json, { ...named, ...config }).encode("a");
  const withBos = cases["split, then bytes, with a beginning token"]!.tokenizer;
  const [s, end] = [0, 1];
  const [a] = tokenizerFromJson(byteLevel).encode("a");
  expect(ids(byteLevel, {})).toEqual([a]);
  expect(ids(byteLevel, { add_bos_token: true, add_eos_token: true })).toEqual([s, a, end]);
  expect(ids(withBos, {})).toEqual([s, a]);
  expect(ids(withBos, { add_bos_token: true })).toEqual([s, a]);
  expect(ids(withBos, { add_bos_token: false })).toEqual([a]);
});

test("a text ends with the token of the configuration and those of generation_config.json", () => {
  const tokenizer = tokenizerFromJson(byteLevel, { bos_token: "<s>", eos_token: "</s>" }, { eosIds: [1, 2] });
  expect([tokenizer.bosId, tokenizer.eosIds]).toEqual([0, [1, 2]]);
});

test("a token may be called as a property of every object is", () => {
  const json = JSON.stringify(byteLevel).replace('"vocab":{', '"vocab":{"__proto__":420,"constructor":421,');
  const tokenizer = tokenizerFromJson({ ...JSON.parse(json), added_tokens: [] });
  expect(["__proto__", "constructor", "toString"].map((text) => tokenizer.tokenId(text))).toEqual([
    420,
    421,
    undefined,
  ]);
});

describe("refuses", () => {
  const changed = (path: string, value: unknown): object => {
    const json = structuredClone(byteLevel) as Record<string, unknown>;
    const keys = path.split(".");
    const last = keys.pop()!;
    const owner = keys.reduce((at, key) => at[key] as Record<string, unknown>, json);
    owner[last] = value;
    return json;
  };

  test.each([
    ["a file that isn't one", 7],
    ["no model", {}],
    ["another kind of model", changed("model.type", "WordPiece")],
    ["ids that aren't", changed("model.vocab", { a: -1 })],
    ["an id far beyond the tokens", changed("model.vocab", { a: 1e9 })],
    ["two tokens of one id", changed("model.vocab", { a: 3, b: 3 })],
    ["a merge of one token", changed("model.merges", ["ab"])],
    ["a merge of a token that isn't there", changed("model.merges", ["a \u{1f30a}"])],
    ["a suffix of words", changed("model.end_of_word_suffix", "</w>")],
    ["a pre-tokenizer that isn't known", changed("pre_tokenizer", { type: "UnicodeScripts" })],
    [
      "a split that the library would ignore",
      changed("pre_tokenizer", { type: "Split", pattern: { String: "-" }, behavior: "Contiguous" }),
    ],
    ["a split at nothing", changed("pre_tokenizer", { type: "Split", behavior: "Isolated" })],
    [
      "a pattern that isn't one",
      changed("pre_tokenizer", { type: "Split", pattern: { Regex: "(" }, behavior: "Isolated" }),
    ],
    ["a sequence of nothing", changed("pre_tokenizer", { type: "Sequence" })],
    ["a normalizer that isn't known", changed("normalizer", { type: "Sequence", normalizers: [{ type: "Nmt" }] })],
    ["a post-processor that isn't known", changed("post_processor", { type: "RobertaProcessing" })],
    ["a decoder that isn't known", changed("decoder", { type: "WordPiece" })],
  ])("%s", (_, json) => {
    expect(() => tokenizerFromJson(json)).toThrowErrorMatchingSnapshot();
  });

  test("a beginning token that isn't there", () => {
    expect(() => tokenizerFromJson(byteLevel, { bos_token: "<bos>" })).toThrowErrorMatchingInlineSnapshot(
      `"tokenizer_config.json: bos_token is "<bos>"; wanted one of the 421 tokens of tokenizer.json"`,
    );
  });

  test("an id that isn't there, naming it and the size", () => {
    const tokenizer = tokenizerFromJson(byteLevel);
    expect(() => tokenizer.decode([0, 421])).toThrowErrorMatchingInlineSnapshot(
      `"token id 421 is not in the vocabulary: it has 421 tokens, ids 0 to 420"`,
    );
    expect(() => tokenizer.decode([-1])).toThrow(expect.objectContaining({ code: "TOKEN_UNKNOWN", exitCode: 2 }));
    expect(() => tokenizer.decode([0.5])).toThrow(expect.objectContaining({ code: "TOKEN_UNKNOWN" }));
  });
});
