import { expect, test } from "@jest/globals";
import { gptOss, llama } from "../../models/index.ts";
import { byteTokenizer } from "../../tests/support/byte-tokenizer.ts";
import { refusalOf } from "../../tests/support/refusal.ts";
import { chatFormatOf } from "./chat-formats.ts";

const tokenizer = byteTokenizer();

test("a model chats in the format that its architecture declares, where its tokenizer has the tokens", () => {
  expect(chatFormatOf(gptOss, tokenizer)?.tokenizer).toBe(tokenizer);
  expect(chatFormatOf({ ...llama, chat: "harmony" }, tokenizer)?.tokenizer).toBe(tokenizer);
  expect(chatFormatOf(gptOss, byteTokenizer({ without: ["<|channel|>"] }))).toBeUndefined();
});

test("without a declaration, or a tokenizer, it has no format of its own, whatever its name", () => {
  expect(chatFormatOf({ name: gptOss.name }, tokenizer)).toBeUndefined();
  expect(chatFormatOf(llama, tokenizer)).toBeUndefined();
  expect(chatFormatOf(gptOss, undefined)).toBeUndefined();
});

test("a format that is not known is refused, with those that are", () => {
  expect(refusalOf(() => chatFormatOf({ name: "mine", chat: "morse" as "harmony" }, tokenizer))).toMatchInlineSnapshot(`
InputError ARCHITECTURE
architecture mine: chat format "morse" is not known; known are harmony
`);
});
