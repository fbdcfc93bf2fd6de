import { beforeAll, describe, expect, test } from "@jest/globals";
import { refusalOf } from "../../tests/support/refusal.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { loadO200kHarmony, o200kHarmony } from "./o200k.ts";

let tokenizer: Tokenizer;

beforeAll(async () => {
  tokenizer = await loadO200kHarmony();
});

// The ids are tiktoken's, 0.14.0, `get_encoding("o200k_harmony")`.
describe("o200k_harmony", () => {
  test("has tiktoken's 201,088 tokens, the last of them reserved", () => {
    expect(tokenizer.vocabularySize).toBe(201_088);
    expect(tokenizer.specialTokens.size).toBe(1091);
    expect(tokenizer.missingBytes).toEqual([]);
    expect(tokenizer.decode([199_998, 199_999, 200_000, 200_004, 200_013, 201_087])).toBe(
      "<|startoftext|><|endoftext|><|reserved_200000|><|reserved_200004|><|reserved_200013|><|reserved_201087|>",
    );
    expect(() => tokenizer.decode([201_088])).toThrow("token id 201088 is not in the vocabulary");
  });

  test("gives one token two spellings, as tiktoken does", () => {
    const ids = tokenizer.encode("<|endofprompt|><|reserved_200018|>", { parseSpecial: true });
    expect(ids).toEqual([200_018, 200_018]);
    expect(tokenizer.decode([200_018])).toBe("<|endofprompt|>");
  });

  test("encodes text of several scripts", () => {
    const text = "Hello, world! 你好 🌍 don't 12345";
    const ids = [13225, 11, 2375, 0, 220, 177519, 130321, 235, 4128, 220, 7633, 2548];
    expect(tokenizer.encode(text)).toEqual(ids);
    expect(tokenizer.decode(ids)).toBe(text);
  });

  test("splits special tokens wherever they stand, and only when asked", () => {
    const text = "<|start|>user<|message|>hi<|end|>";
    expect(tokenizer.encode(text, { parseSpecial: true })).toEqual([200006, 1428, 200008, 3686, 200007]);
    const plain = tokenizer.encode(text);
    expect(Math.max(...plain)).toBeLessThan(199_998);
    expect(tokenizer.decode(plain)).toBe(text);
  });

  test("decodes bytes as they come, and text when a character is whole", () => {
    const ids = tokenizer.encode("💖");
    expect(ids.length).toBeGreaterThan(1);
    const decoder = tokenizer.decoder();
    expect(ids.map((id) => decoder.push(id)).join("|")).toBe(`${"|".repeat(ids.length - 1)}💖`);
    expect([...tokenizer.decodeBytes(ids)]).toEqual([0xf0, 0x9f, 0x92, 0x96]);
    // 9552 is a space and the beginning of a character.
    expect([...tokenizer.decodeBytes([9552])]).toEqual([0x20, 0xf0, 0x9f]);
    expect(tokenizer.decode([9552, 9552])).toBe(" \uFFFD \uFFFD");
  });

  test("encodes a word of a hundred thousand letters, which has no place to be cut", () => {
    // Eight at a time are a token.
    expect(tokenizer.encode("a".repeat(100_000))).toEqual(Array(12_500).fill(tokenizer.tokenId("aaaaaaaa")));
  });

  test("refuses ranks that are not OpenAI's", () => {
    expect(refusalOf(() => o200kHarmony(new TextEncoder().encode("IQ== 0\n")))).toMatchInlineSnapshot(`
InputError RANKS_INVALID
the ranks have the SHA-256 6835144307f0676d6abbe57e06e604d8b5d10ebf0da0e54e62d205358324d140; wanted that of o200k_base.tiktoken, 446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d
`);
  });
});
