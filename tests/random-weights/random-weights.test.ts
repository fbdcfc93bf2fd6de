/**
 * Models without a checkpoint: every weight is drawn, and can be read back.
 *
 * Example run: npm run jest -- tests/random-weights
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "@jest/globals";

import { type LoadModelOptions, loadModel, type Model, toNumbers } from "../../inference/index.ts";
import { publishedConfigs } from "../../models/index.ts";
import { SafetensorsWriter } from "../../runtime-bridge/index.ts";
import { temporaryFolder } from "../support/cli.ts";
import { testWorker } from "../support/worker.ts";

const config = {
  ...publishedConfigs["smollm2-135m"],
  hidden_size: 64,
  intermediate_size: 96,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  vocab_size: 97,
};
const tokens = [5, 17, 3, 96, 0, 41];

test("one seed gives one model: its weights have the declared mean and deviation, and its logits repeat", async () => {
  await using model = await random({ randomWeights: 3 });
  const numbers = async (key: string) => toNumbers(await held(model, key).read()) as readonly number[];
  const matrix = await numbers("model.embed_tokens.weight");
  expect(matrix).toHaveLength(97 * 64);
  // Of n numbers the mean departs by its deviation over √n, the deviation by about as much over √2: four times that.
  expect(Math.abs(mean(matrix))).toBeLessThan((4 * 0.02) / Math.sqrt(matrix.length));
  expect(Math.sqrt(mean(matrix.map((each) => each * each)))).toBeCloseTo(0.02, 3);
  expect(mean(await numbers("model.norm.weight"))).toBeCloseTo(1, 1);
  expect(model.untrained).toHaveLength(model.weights.length);

  await using again = await random({ randomWeights: 3 });
  await using other = await random({ randomWeights: 4 });
  const logits = await logitsOf(model);
  expect(await logitsOf(again)).toEqual(logits);
  expect(await logitsOf(other)).not.toEqual(logits);
});

test("it generates from token ids", async () => {
  await using model = await random({ randomWeights: 0 });
  const ids: number[] = [];
  for await (const { token } of model.generate({ tokens }, { maxTokens: 4, temperature: 0 })) ids.push(token);
  expect(ids).toHaveLength(4);
});

test("its weights, written as a checkpoint, are loaded to the same bits", async () => {
  const folder = join(await temporaryFolder(), "written");
  await mkdir(folder);
  await writeFile(join(folder, "config.json"), JSON.stringify(config));
  await using model = await random({ randomWeights: 3 });
  const { weights } = model;
  {
    const types = Object.fromEntries(weights.map((each) => [each.key, each]));
    await using file = await SafetensorsWriter.open(join(folder, "model.safetensors"), types);
    for (const each of weights) await file.write((await each.read()).data);
    await file.finish();
  }
  await using loaded = await loadModel(folder, { worker: await testWorker() });
  expect(loaded.untrained).toEqual([]);
  expect(await logitsOf(loaded)).toEqual(await logitsOf(model));
});

test("weights that are held packed are read as their parts", async () => {
  await using model = await random({ randomWeights: 3, weights: "int8" });
  const parts = model.weights.filter(({ key }) => key.startsWith("model.layers.1.self_attn.k_proj.weight"));
  expect(parts.map(({ read: _, ...each }) => each)).toEqual([
    {
      key: "model.layers.1.self_attn.k_proj.weight.elements",
      path: "layers.1.attn.k.elements",
      dtype: "i8",
      axes: ["kvHead", "dim", "embed"],
      shape: [2, 16, 64],
    },
    {
      key: "model.layers.1.self_attn.k_proj.weight.scales",
      path: "layers.1.attn.k.scales",
      dtype: "f32",
      axes: ["kvHead", "dim"],
      shape: [2, 16],
    },
  ]);
  const [elements] = parts;
  expect((await elements?.read())?.shape).toEqual([2, 16, 64]);
});

const mean = (numbers: readonly number[]) => numbers.reduce((sum, each) => sum + each, 0) / numbers.length;

async function random(options: Omit<LoadModelOptions, "worker">): Promise<Model> {
  return await loadModel(config, { worker: await testWorker(), ...options });
}

function held({ weights }: Model, key: string) {
  const found = weights.find((each) => each.key === key);
  if (found === undefined) throw new Error(`no weight is called ${key}`);
  return found;
}

async function logitsOf(model: Model): Promise<number[]> {
  const all: number[] = [];
  for await (const chunk of model.logits(tokens)) all.push(...chunk);
  return all;
}
