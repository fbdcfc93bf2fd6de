import { expect, test } from "@jest/globals";
import { axis, param } from "../../dsl/index.ts";
import { refusalOf } from "../../tests/support/refusal.ts";
import type { Architecture } from "../architecture.ts";
import { llama } from "../llama.ts";
import { configFromGguf, tableOf } from "./layouts.ts";

const { fromGguf: _, tables: __, ...rest } = llama;
const own: Architecture = { ...rest, name: "mine" };
const weight = param("norm.weight", axis("embed", 4));

test("without a table a weight's own key is its tensor's, and no other tensor is passed over", () => {
  const { source, ignored } = tableOf(own, "safetensors");
  expect(source(weight, new Map())).toEqual({ kind: "tensor", key: "norm.weight" });
  expect(ignored).toEqual([]);
});

test("an architecture that reads no GGUF file says so, with its name and what it lacks", () => {
  expect(refusalOf(() => configFromGguf(own, new Map(), new Set()))).toMatchInlineSnapshot(`
InputError GGUF_UNSUPPORTED
architecture "mine" reads no GGUF files: it has no fromGguf
  hint  give the model as a Hugging Face folder, or add fromGguf and tables.gguf to the architecture
`);
  expect(refusalOf(() => tableOf({ ...own, tables: {} }, "gguf"))).toMatchInlineSnapshot(`
InputError GGUF_UNSUPPORTED
architecture "mine" reads no GGUF files: it has no tables.gguf
  hint  give the model as a Hugging Face folder, or add fromGguf and tables.gguf to the architecture
`);
});
