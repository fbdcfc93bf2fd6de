/** How often devices of a mesh talk to each other, layer by layer, in what XLA made of a step. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect } from "@jest/globals";
import { collectives, readHlo } from "../../compiler/index.ts";
import { compile, Worker } from "../../inference/index.ts";
import { publishedConfigs } from "../../models/index.ts";
import { testTable } from "../support/exhaustive.ts";
import "../support/needs-python.ts";

const sizes = {
  hidden_size: 32,
  intermediate_size: 32,
  num_hidden_layers: 2,
  num_attention_heads: 8,
  num_key_value_heads: 4,
  head_dim: 8,
  vocab_size: 4096,
};
const configs = {
  llama: { ...publishedConfigs["smollm2-135m"], ...sizes, tie_word_embeddings: false },
  "gpt-oss": {
    ...publishedConfigs["gpt-oss-20b"],
    ...sizes,
    num_local_experts: 8,
    layer_types: ["sliding_attention", "full_attention"],
  },
};

let worker: Worker;
let folder: string;
beforeAll(async () => {
  worker = await Worker.launch({ devices: 4 });
  folder = await mkdtemp(join(tmpdir(), "tsxla-collectives-"));
  for (const [name, config] of Object.entries(configs)) {
    await writeFile(join(folder, `${name}.json`), JSON.stringify(config));
  }
}, 60_000);
afterAll(async () => {
  await worker?.close();
  await rm(folder, { recursive: true });
});

describe("a layer's devices talk to each other", () => {
  testTable<[string, string, Readonly<Record<string, number>>]>(
    "%s on %s",
    [
      // Attention's heads are added up, and the width of the MLP.
      ["llama", "model=4", { "all-reduce": 2 }],
      // Rows know nothing of each other.
      ["llama", "data=4", {}],
      // Attention's heads, and the experts' shares; the router's logits are brought together before they are sorted.
      ["gpt-oss", "expert=4", { "all-reduce": 2, "all-gather": 1 }],
      ["gpt-oss", "data=4", {}],
    ],
    ([, mesh]) => mesh !== "data=4",
    async (name, mesh, wanted) => {
      const { executable } = await compile(join(folder, `${name}.json`), {
        worker,
        target: "cpu:4",
        mesh,
        weights: "f32",
        batch: 4,
        length: 64,
      });
      const { byLayer } = collectives(readHlo(executable.optimizedHlo ?? ""));
      for (const layer of ["layers.0", "layers.1"]) {
        const found = (byLayer.get(layer) ?? []).map(({ kind, count }) => [kind, count]);
        expect([layer, Object.fromEntries(found)]).toEqual([layer, wanted]);
      }
    },
    60_000,
  );
});
