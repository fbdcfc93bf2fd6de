import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { TsxlaError } from "../../dsl/index.ts";
import { llama, publishedConfigs } from "../../models/index.ts";
import type { Worker } from "../../runtime-bridge/index.ts";
import { byteTokenizerJson, byteVocabulary } from "../../tests/support/byte-tokenizer.ts";
import { configuredModel, openUnloaded } from "./open-unloaded.ts";

const small = { ...publishedConfigs["smollm2-135m"], num_hidden_layers: 2, eos_token_id: 7 };
/** No file is read through it here. */
const worker = {} as Worker;

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tsxla-"));
  await mkdir(join(folder, "model"));
  await writeFile(join(folder, "model/config.json"), JSON.stringify(small));
  await writeFile(join(folder, "model/tokenizer.json"), JSON.stringify(byteTokenizerJson()));
  await writeFile(join(folder, "alone.json"), JSON.stringify(small));
  await writeFile(join(folder, "list.json"), "[1, 2]");
  await writeFile(join(folder, "broken.json"), "{");
  await writeFile(join(folder, "model.gguf"), "GGUF");
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe("a model of random weights is", () => {
  test("what a config.json holds", async () => {
    const model = await configuredModel(small);
    expect(model.architecture).toBe(llama);
    expect(model.config.layers).toBe(2);
    expect([...model.stopIds]).toEqual([7]);
    expect(model.checkpoint).toBeUndefined();
    expect(model.tokenizer).toBeUndefined();
  });

  test("the name of a published model", async () => {
    expect((await configuredModel("smollm2-135m")).config.layers).toBe(30);
  });

  test("a config.json, or the folder that holds it; a tokenizer beside it is read", async () => {
    for (const path of ["model", "model/config.json"]) {
      const { config, tokenizer } = await configuredModel(join(folder, path));
      expect(config.layers).toBe(2);
      expect(tokenizer?.vocabularySize).toBe(byteVocabulary);
    }
    expect((await configuredModel(join(folder, "alone.json"))).config.layers).toBe(2);
  });

  test("of the architecture that is given, whatever its configuration names", async () => {
    const own = { ...llama, name: "mine", fromHuggingFace: () => llama.fromHuggingFace(small) };
    expect((await configuredModel({ anything: 1 }, own)).architecture).toBe(own);
  });
});

test.each([
  ["a file of another kind", () => configuredModel(join(folder, "model.gguf"))],
  ["a path that leads nowhere", () => configuredModel(join(folder, "nowhere"))],
  ["JSON that is no object", () => configuredModel(join(folder, "list.json"))],
  ["what is not JSON", () => configuredModel(join(folder, "broken.json"))],
  ["a folder without config.json", () => configuredModel(folder)],
  ["a seed that is no whole number", () => openUnloaded(small, { worker, randomWeights: 0.5 })],
  ["two seeds", () => openUnloaded(small, { worker, randomWeights: 1, untrainedSeed: 2 })],
  ["a configuration where weights are wanted", () => openUnloaded(join(folder, "alone.json"), { worker })],
  ["the keys of one where weights are wanted", () => openUnloaded(small, { worker })],
])("refuses %s", async (_, open) => {
  const error = await open().then(
    () => undefined,
    (found: unknown) => found,
  );
  expect(error).toBeInstanceOf(TsxlaError);
  const { code, message } = error as TsxlaError;
  expect(
    `${code}\n${message.replaceAll(folder, "FOLDER").replace(/(read as JSON: )(?!ENOENT).*/, "$1…")}`,
  ).toMatchSnapshot();
});
