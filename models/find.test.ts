import { expect, test } from "@jest/globals";
import { refusalOf } from "../tests/support/refusal.ts";
import { findArchitecture, findByConfig, isBuiltIn } from "./find.ts";
import { gptOss } from "./gpt-oss.ts";
import { llama } from "./llama.ts";

test("a family is found by every name that its files have", () => {
  for (const family of [llama, gptOss]) {
    const names = [family.name, ...family.modelTypes, ...family.ggufNames];
    expect(names.map((name) => findArchitecture(name))).toEqual(names.map(() => family));
    expect(family.modelTypes.map((model_type) => findByConfig({ model_type }))).toEqual([family]);
    expect(isBuiltIn(family)).toBe(true);
  }
  expect(gptOss.ggufNames).toEqual(["gpt-oss"]);
});

test("a config.json that names no family is of the one that claims its keys", () => {
  const original = { num_experts: 32, experts_per_token: 4, initial_context_length: 4096 };
  expect(findByConfig(original)).toBe(gptOss);
  // A name that is known comes first.
  expect(findByConfig({ ...original, model_type: "llama" })).toBe(llama);
});

test("what no family has is refused with the names of those that are known", () => {
  expect(refusalOf(() => findByConfig({ model_type: "gptx" }))).toMatchInlineSnapshot(`
InputError ARCHITECTURE
architecture "gptx" is not known; known are gpt_oss, llama
  hint  an architecture of your own is given with --arch FILE, in a program as the option architecture
`);
  expect(refusalOf(() => findByConfig(null))).toMatchInlineSnapshot(`
InputError ARCHITECTURE
architecture nothing is not known; known are gpt_oss, llama
  hint  an architecture of your own is given with --arch FILE, in a program as the option architecture
`);
});
