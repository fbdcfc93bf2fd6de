import { describe, expect, test } from "@jest/globals";
import { splitMix64 } from "../sampling/random.ts";
import { StreamingDecoder } from "./streaming-decoder.ts";

/** Every id below 256 is a byte; the ids from 256 on are special tokens. */
const bytes = {
  bytesOf: (id: number) => (id < 256 ? Uint8Array.of(id) : new TextEncoder().encode("<end>")),
  isSpecial: (id: number) => id >= 256,
};
const decoder = (options = {}) =>
  new StreamingDecoder(bytes, { skipSpecial: false, dropFirstSpace: false, ...options });
const idsOf = (text: string): number[] => [...new TextEncoder().encode(text)];

test("text comes when its character is whole", () => {
  const stream = decoder();
  expect(idsOf("a🌊é").map((id) => stream.push(id))).toEqual(["a", "", "", "", "🌊", "", "é"]);
  expect(stream.flush()).toBe("");
});

test("what is unfinished at the end becomes U+FFFD, and the decoder starts afresh", () => {
  const stream = decoder();
  expect(
    idsOf("🌊")
      .slice(0, 3)
      .map((id) => stream.push(id))
      .join(""),
  ).toBe("");
  expect(stream.flush()).toBe("\ufffd");
  expect(stream.push(0x61)).toBe("a");
});

test("a byte order mark is text", () => {
  const stream = decoder();
  expect(
    idsOf("\ufeffa\ufeff")
      .map((id) => stream.push(id))
      .join(""),
  ).toBe("\ufeffa\ufeff");
});

test("special tokens are spelled or left out", () => {
  const text = (skipSpecial: boolean) => {
    const stream = decoder({ skipSpecial });
    return [0x61, 256, 0x62].map((id) => stream.push(id)).join("");
  };
  expect([text(false), text(true)]).toEqual(["a<end>b", "ab"]);
});

describe("the first space", () => {
  test("is dropped once, after special tokens too", () => {
    const stream = decoder({ dropFirstSpace: true });
    expect([256, 0x20, 0x20, 0x61].map((id) => stream.push(id))).toEqual(["<end>", "", " ", "a"]);
  });

  test("is not looked for after other text", () => {
    const stream = decoder({ dropFirstSpace: true });
    expect([0x61, 0x20].map((id) => stream.push(id))).toEqual(["a", " "]);
  });
});

test("any bytes give what decoding them at once gives", () => {
  for (let seed = 0n; seed < 300n; seed++) {
    // Mostly bytes that begin or continue long characters.
    const ids = Array.from({ length: 20 }, (_, n) => {
      const random = Number(splitMix64(seed, n) >> 40n);
      return random % 3 === 0 ? random % 256 : 0x80 + (random % 0x80);
    });
    const stream = decoder();
    const streamed = ids.map((id) => stream.push(id)).join("") + stream.flush();
    expect(streamed).toBe(new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(ids)));
  }
});
