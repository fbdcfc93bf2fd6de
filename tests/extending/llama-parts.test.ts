/**
 * Families near Llama: other sources of weights, several sets of frequencies, more names in files.
 *
 * Example run: npm run jest -- tests/extending/llama-parts
 */
import { execFile } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "@jest/globals";
import { loadModel, type Model } from "../../inference/index.ts";
import {
  type Architecture,
  type CheckpointTables,
  llama,
  llamaFamily,
  llamaOf,
  llamaParts,
  publishedConfigs,
  type RopeConfig,
} from "../../models/index.ts";
import { hostTensor, readSafetensors, SafetensorsWriter, toFloat32Array } from "../../runtime-bridge/index.ts";
import { projectPython } from "../../runtime-bridge/launch/environment-paths.ts";
import { collected } from "../parity/digest.ts";
import { root, temporaryFolder } from "../support/cli.ts";
import { exhaustive } from "../support/exhaustive.ts";
import { testWorker } from "../support/worker.ts";

const tokens = Array.from({ length: 40 }, (_, n) => (n * n + 5) % 97);
const small = {
  ...publishedConfigs["smollm2-135m"],
  hidden_size: 64,
  intermediate_size: 96,
  num_hidden_layers: 3,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  vocab_size: 97,
};

test("norms that a file holds less one, as Gemma's, give the bits of the same model with its norms whole", async () => {
  const whole = join(await temporaryFolder(), "whole");
  await promisify(execFile)(projectPython, [join(root, "tests/parity/random_llama.py"), "untied", whole]);
  const reduced = join(await temporaryFolder(), "reduced");
  await mkdir(reduced);
  await writeFile(join(reduced, "config.json"), await readFile(join(whole, "config.json")));
  const held = await readSafetensors(join(whole, "model.safetensors"));
  const stored = new Map(
    [...held].map(([key, tensor]) => {
      const isNorm = /norm\.weight$/.test(key);
      // Norms are within a half and two here, so one less is exact, and so is one more.
      return [
        key,
        isNorm
          ? hostTensor(
              "f32",
              tensor.shape,
              toFloat32Array(tensor).map((each) => each - 1),
            )
          : tensor,
      ];
    }),
  );
  await using file = await SafetensorsWriter.open(join(reduced, "model.safetensors"), Object.fromEntries(stored));
  for (const { data } of stored.values()) await file.write(data);
  await file.finish();

  const source = ({ key }: { readonly key: string }) => ({ kind: "tensor", key }) as const;
  const tables: CheckpointTables = {
    ...llamaParts.tables,
    huggingFace: {
      source: (param) => (/norm\.weight$/.test(param.key) ? { kind: "onePlus", of: source(param) } : source(param)),
      ignored: [],
    },
  };
  const wanted = await logitsOf(await loadModel(whole, { worker: await testWorker() }));
  const architecture = llamaOf({ ...llamaParts, tables });
  expect(await logitsOf(await loadModel(reduced, { worker: await testWorker(), architecture }))).toEqual(wanted);
  expect(await logitsOf(await loadModel(reduced, { worker: await testWorker() }))).not.toEqual(wanted);
});

/** A Llama whose even layers turn by one configuration, and whose odd ones by another. */
function turning(even: Partial<RopeConfig>, odd: Partial<RopeConfig>) {
  return llamaOf({
    ...llamaParts,
    rope: {
      sets: (c) => ({ even: { ...c.rope, ...even }, odd: { ...c.rope, ...odd } }),
      of: (_, layer) => (layer % 2 === 0 ? "even" : "odd"),
    },
  });
}

test("two sets that are equal give the bits of one, and each moves the logits where it differs", async () => {
  const load = async (architecture: Architecture) =>
    logitsOf(await loadModel(small, { worker: await testWorker(), randomWeights: 3, architecture }));
  const one = await load(llama);
  expect(await load(turning({}, {}))).toEqual(one);
  expect(await load(turning({ theta: 100 }, {}))).not.toEqual(one);
  expect(await load(turning({}, { theta: 100 }))).not.toEqual(one);
  // Half of each head turns in one set, all of it in the other.
  expect(await load(turning({ rotaryDim: 8 }, {}))).not.toEqual(one);
});

test(
  exhaustive(
    "an answer is the same however many steps a call makes, where one of two sets changes with the row's length",
  ),
  async () => {
    const dynamic = { kind: "dynamic", factor: 4, originalContext: 45 } as const;
    const architecture = turning({ theta: 500 }, { theta: 500, scaling: dynamic });
    await using model = await loadModel(small, { worker: await testWorker(), randomWeights: 3, architecture });
    const answer = async (stepsPerCall: number) => {
      const said: number[] = [];
      for await (const { token } of model.generate({ tokens }, { maxTokens: 16, stepsPerCall })) said.push(token);
      return said;
    };
    const one = await answer(1);
    expect(one).toHaveLength(16);
    expect(await answer(8)).toEqual(one);
    await using engine = await model.serve({ rows: 2 });
    const served: number[] = [];
    for await (const { token } of engine.generate({ tokens }, { maxTokens: 16 })) served.push(token);
    expect(served).toEqual(one);
  },
);

test("a family of its own reads files by its names, and refuses those of another with both", async () => {
  const family = { ...llamaFamily, name: "cousin", modelTypes: ["cousin", "cousin_text"], ggufNames: ["cousin"] };
  const cousin = llamaOf({ ...llamaParts, family });
  expect(cousin.fromHuggingFace({ ...small, model_type: "cousin_text" })).toEqual(llama.fromHuggingFace(small));
  expect(() => cousin.fromHuggingFace(small)).toThrow('model_type: found "llama"; wanted "cousin" or "cousin_text"');
  const header = {
    block_count: 2,
    embedding_length: 64,
    feed_forward_length: 96,
    context_length: 512,
    vocab_size: 331,
    "attention.head_count": 4,
    "attention.layer_norm_rms_epsilon": 1e-5,
  };
  const metadata = new Map(Object.entries(header).map(([key, value]) => [`cousin.${key}`, value as unknown]));
  expect(cousin.fromGguf(metadata, new Set(["output.weight"]))).toMatchObject({ layers: 2, embed: 64, tied: false });
  expect(() => llama.fromGguf(metadata, new Set())).toThrow("the GGUF header's llama.* keys");
});

async function logitsOf(model: Model): Promise<Float32Array> {
  await using opened = model;
  return await collected(opened.logits(tokens), tokens.length * opened.config.vocab);
}
