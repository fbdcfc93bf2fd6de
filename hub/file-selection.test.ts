import { describe, expect, test } from "@jest/globals";
import "../tests/support/plain-snapshots.ts";
import { selectFiles, type Wanted } from "./file-selection.ts";
import type { HubFile } from "./listing.ts";

/** A repository of these paths; a file's size is its place in the list, in gigabytes. */
function repository(paths: readonly string[]): readonly HubFile[] {
  return paths.map((path, n) => ({
    path,
    size: (n + 1) * 1e9,
    hash: { algorithm: "git-sha1", digest: "0".repeat(40) },
  }));
}

const select = async (paths: readonly string[], wanted: Wanted = {}, index = "{}"): Promise<readonly string[]> =>
  (await selectFiles("o/m", repository(paths), wanted, async () => index)).map(({ path }) => path);

const refusal = (paths: readonly string[], wanted: Wanted = {}, index = "{}"): Promise<string> =>
  select(paths, wanted, index).then(
    (chosen) => `picked ${chosen}`,
    (error: Error & { code: string }) => `${error.name} ${error.code}\n${error.message}`,
  );

/** As openai/gpt-oss-20b has them. */
const gptOss = [
  ".gitattributes",
  "LICENSE",
  "README.md",
  "USAGE_POLICY",
  "chat_template.jinja",
  "config.json",
  "generation_config.json",
  "metal/model.bin",
  "model-00000-of-00002.safetensors",
  "model-00001-of-00002.safetensors",
  "model-00002-of-00002.safetensors",
  "model.safetensors.index.json",
  "original/config.json",
  "original/dtypes.json",
  "original/model.safetensors",
  "special_tokens_map.json",
  "tokenizer.json",
  "tokenizer_config.json",
];
const gptOssIndex = JSON.stringify({
  metadata: { total_size: 1 },
  weight_map: {
    b: "model-00002-of-00002.safetensors",
    a: "model-00000-of-00002.safetensors",
    c: "model-00001-of-00002.safetensors",
    d: "model-00000-of-00002.safetensors",
  },
});
const quantised = ["README.md", "config.json", "m-Q4_K_M.gguf", "m-Q8_0.gguf", "mmproj-F16.gguf"];

describe("selectFiles, unasked,", () => {
  test("takes of GPT-OSS the Hugging Face layout, and neither original/ nor metal/", async () => {
    expect(await select(gptOss, {}, gptOssIndex)).toEqual([
      "chat_template.jinja",
      "config.json",
      "generation_config.json",
      "special_tokens_map.json",
      "tokenizer.json",
      "tokenizer_config.json",
      "model.safetensors.index.json",
      "model-00000-of-00002.safetensors",
      "model-00001-of-00002.safetensors",
      "model-00002-of-00002.safetensors",
    ]);
  });

  test("takes model.safetensors before an index and before other files, as transformers does", async () => {
    const paths = ["config.json", "consolidated.safetensors", "model.safetensors", "model.safetensors.index.json"];
    expect(await select(paths)).toEqual(["config.json", "model.safetensors"]);
  });

  test("takes shards without an index, and one file of another name", async () => {
    expect(await select(["w-00001-of-00002.safetensors", "w-00002-of-00002.safetensors"])).toHaveLength(2);
    expect(await select(["config.json", "weights.safetensors", "pytorch_model.bin"])).toEqual([
      "config.json",
      "weights.safetensors",
    ]);
  });

  test("takes a GGUF alone, where there is one, in whatever folder", async () => {
    expect(await select(["README.md", "config.json", "m.gguf", "imatrix.gguf"])).toEqual(["m.gguf"]);
    expect(await select(["Q4/m-00001-of-00002.gguf", "Q4/m-00002-of-00002.gguf"])).toHaveLength(2);
  });

  test("guesses none of several", async () => {
    expect(
      await refusal([...quantised, "BF16/m-00001-of-00002.gguf", "BF16/m-00002-of-00002.gguf", "m Q2.gguf"]),
    ).toMatchInlineSnapshot(`
InputError SEVERAL_MODELS
o/m has 4 GGUF files; pick one
  --file m-Q4_K_M.gguf  3.00 GB
  --file m-Q8_0.gguf  4.00 GB
  --file BF16/m-00001-of-00002.gguf  13.00 GB, in 2 parts
  --file "m Q2.gguf"  8.00 GB
`);
    expect(await refusal(["a.safetensors", "b.safetensors"])).toMatchInlineSnapshot(`
InputError SEVERAL_MODELS
o/m has 2 safetensors files; pick one
  --file a.safetensors --include "*.{json,jinja}"  1.00 GB
  --file b.safetensors --include "*.{json,jinja}"  2.00 GB
`);
  });

  test("refuses what has no weights that are read", async () => {
    expect(await refusal(["config.json", "pytorch_model.bin"])).toMatchInlineSnapshot(`
InputError NO_WEIGHTS
o/m has no safetensors in its top folder and no GGUF; it has pytorch_model.bin, which tsxla does not read
`);
    expect(await refusal(["README.md"])).toMatchInlineSnapshot(`
InputError NO_WEIGHTS
o/m has no safetensors in its top folder and no GGUF
`);
  });

  test("refuses an index that is no index, or that names absent files", async () => {
    const paths = ["model.safetensors.index.json", "config.json"];
    expect(await refusal(paths, {}, "[")).toMatchInlineSnapshot(`
InputError INDEX
model.safetensors.index.json of o/m has no weight_map from tensors to files
`);
    expect(await refusal(paths, {}, '{"weight_map": {"a": 7}}')).toContain("has no weight_map");
    expect(await refusal(paths, {}, '{"weight_map": {"a": "../x"}}')).toMatchInlineSnapshot(`
InputError INDEX
model.safetensors.index.json of o/m names ../x, which the repository does not have
`);
  });
});

describe("selectFiles, asked,", () => {
  test("takes a file, and all parts of one that was cut", async () => {
    expect(await select(quantised, { files: ["m-Q8_0.gguf"] })).toEqual(["m-Q8_0.gguf"]);
    const parts = ["Q4/m-00001-of-00002.gguf", "Q4/m-00002-of-00002.gguf", "Q8/m-00001-of-00002.gguf"];
    expect(await select(parts, { files: ["Q4/m-00002-of-00002.gguf"] })).toEqual(parts.slice(0, 2));
  });

  test("takes what matches, within a folder and across", async () => {
    expect(await select(gptOss, { include: ["original/*"] })).toHaveLength(3);
    expect(await select(gptOss, { include: ["*.json", "metal/**"], files: ["LICENSE"] })).toEqual([
      "LICENSE",
      "config.json",
      "generation_config.json",
      "model.safetensors.index.json",
      "special_tokens_map.json",
      "tokenizer.json",
      "tokenizer_config.json",
      "metal/model.bin",
    ]);
    expect(await select(gptOss, { include: ["*.{json,jinja}"] })).toHaveLength(7);
    expect(await select(gptOss, { include: ["**"] })).toHaveLength(gptOss.length);
  });

  test("lists what there is when nothing is what was asked for", async () => {
    expect(await refusal(quantised, { files: ["m-Q5_0.gguf"] })).toMatchInlineSnapshot(`
InputError FILE
o/m has no file 'm-Q5_0.gguf'; it has
  README.md
  config.json
  m-Q4_K_M.gguf
  m-Q8_0.gguf
  mmproj-F16.gguf
`);
    expect(await refusal(quantised, { include: ["*.bin"] })).toContain("no file that matches '*.bin'; it has");
  });
});
