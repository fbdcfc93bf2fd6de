/**
 * A GPT-OSS of a few thousand weights in Hugging Face's layout, experts in f32, and its mixture written down in plain
 * loops: what variants are compared with.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { flattenParams, type Param } from "../../dsl/index.ts";
import { drawKey, type GptOssConfig, gptOss } from "../../models/index.ts";
import { SafetensorsWriter } from "../../runtime-bridge/safetensors.ts";

// Public API

/** The numbers of a checkpoint by key, each in the order of the axes that the model declares. */
export type Numbers = Map<string, Float32Array>;

/** config.json of the tiny model, which is small enough for loops and has no two sizes alike where that can be. */
export function tinyConfig(changes: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  return {
    model_type: "gpt_oss",
    num_hidden_layers: 4,
    hidden_size: 24,
    intermediate_size: 20,
    num_attention_heads: 6,
    num_key_value_heads: 2,
    head_dim: 8,
    num_local_experts: 5,
    num_experts_per_tok: 2,
    vocab_size: 33,
    sliding_window: 16,
    layer_types: ["sliding_attention", "full_attention", "sliding_attention", "full_attention"],
    max_position_embeddings: 256,
    swiglu_limit: 1.5,
    rms_norm_eps: 1e-5,
    rope_theta: 150000,
    rope_scaling: {
      rope_type: "yarn",
      factor: 8,
      beta_fast: 4,
      beta_slow: 1,
      truncate: false,
      original_max_position_embeddings: 32,
    },
    ...changes,
  };
}

/** Random numbers for every weight; sinks and scores are large enough to matter. */
export function tinyNumbers(config: Readonly<Record<string, unknown>>): Numbers {
  return new Map(
    declared(config).map(([, each]) => {
      const fanIn = each.axes.at(-1)?.size ?? 1;
      const how = each.key.endsWith("norm.weight")
        ? { mean: 1, deviation: 0.1 }
        : { mean: 0, deviation: each.axes.length === 1 || each.key.endsWith("sinks") ? 0.5 : 1.5 / Math.sqrt(fanIn) };
      return [each.key, drawn(7, each, how)];
    }),
  );
}

/** Writes config.json and model.safetensors. @param more  declarations of keys that the published model lacks */
export async function writeTiny(
  folder: string,
  config: Readonly<Record<string, unknown>>,
  numbers: Numbers,
  more: readonly Param[] = [],
): Promise<string> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "config.json"), JSON.stringify(config));
  const axesOf = new Map([...declared(config).map(([, each]) => each), ...more].map(({ key, axes }) => [key, axes]));
  const tensors = [...numbers].map(([key, values]) => {
    const sizes = axesOf.get(key)?.map(({ size }) => size) ?? [values.length];
    // Dequantised experts are [expert, in, out].
    if (!/\.experts\.(gate_up|down)_proj$/.test(key)) return { key, shape: sizes, values };
    return { key, ...lastBeforeOthers(sizes, values) };
  });
  const types = Object.fromEntries(tensors.map(({ key, shape }) => [key, { dtype: "f32" as const, shape }]));
  await using file = await SafetensorsWriter.open(join(folder, "model.safetensors"), types);
  for (const { values } of tensors) await file.write(values);
  await file.finish();
  return folder;
}

/** What a variant draws for a weight, by a threefry of this file's own. */
export function drawn(
  seed: number,
  { key, axes }: Pick<Param, "key" | "axes">,
  { mean, deviation }: { readonly mean: number; readonly deviation: number },
): Float32Array {
  const [first, second] = drawKey(seed, { key }) as unknown as [number, number];
  const word = new Uint32Array(1);
  const float = new Float32Array(word.buffer);
  const width = Math.fround(deviation * Math.sqrt(12));
  return Float32Array.from({ length: axes.reduce((all, { size }) => all * size, 1) }, (_, n) => {
    const [left, right] = threefry(first, second, 0, n);
    word[0] = ((left ^ right) >>> 9) | 0x3f800000;
    const around = Math.fround(Math.fround((float[0] as number) - 1.5) * width);
    return mean === 0 ? around : Math.fround(around + mean);
  });
}

/** What a variant may have in its mixture beside what is published. */
export interface PlainExtras {
  /** A shared expert's numbers. */
  readonly shared?: { readonly [K in "gateUp" | "gateUpBias" | "down" | "downBias"]: Float32Array };
  /** The scales of a norm inside each expert. */
  readonly scale?: Float32Array;
}

/** Logits of the last token of a model with one layer whose attention gives nothing, in f64 and loops. */
export function plainLogits(c: GptOssConfig, numbers: Numbers, token: number, extras: PlainExtras = {}): number[] {
  const at = (key: string) => [...(numbers.get(key) as Float32Array)];
  const layer = (key: string) => at(`model.layers.0.${key}`);
  const { embed: D, mlp: M } = c;
  const norm = (x: number[], scale: number[]) => {
    const unit = 1 / Math.sqrt(x.reduce((all, v) => all + v * v, 0) / x.length + c.normEps);
    return x.map((v, n) => v * unit * (scale[n] as number));
  };
  const rows = (matrix: number[], x: number[]) =>
    Array.from({ length: matrix.length / x.length }, (_, r) =>
      x.reduce((all, v, n) => all + v * (matrix[r * x.length + n] as number), 0),
    );
  const plus = (x: number[], y: number[]) => x.map((v, n) => v + (y[n] as number));
  const clamp = (v: number, low: number) => Math.min(Math.max(v, low), c.swigluLimit);
  const expert = (h: number[], [gateUp, gateUpBias, down, downBias]: number[][], scale?: number[]) => {
    const both = plus(rows(gateUp as number[], h), gateUpBias as number[]);
    const inner = Array.from({ length: M }, (_, m) => {
      const gate = clamp(both[2 * m] as number, Number.NEGATIVE_INFINITY);
      const up = clamp(both[2 * m + 1] as number, -c.swigluLimit);
      return (gate / (1 + Math.exp(-1.702 * gate))) * (up + 1);
    });
    return plus(rows(down as number[], scale === undefined ? inner : norm(inner, scale)), downBias as number[]);
  };

  let x = at("model.embed_tokens.weight").slice(token * D, (token + 1) * D);
  const h = norm(x, layer("post_attention_layernorm.weight"));
  const logits = plus(rows(layer("mlp.router.weight"), h), layer("mlp.router.bias"));
  const chosen = logits
    .map((value, e) => ({ value, e }))
    .sort((a, b) => b.value - a.value)
    .slice(0, c.expertsPerToken);
  const mass = chosen.reduce((all, { value }) => all + Math.exp(value), 0);
  const names = ["gate_up_proj", "gate_up_proj_bias", "down_proj", "down_proj_bias"];
  const parts = names.map((name) => layer(`mlp.experts.${name}`));
  for (const { value, e } of chosen) {
    const own = (all: number[]) => all.slice((e * all.length) / c.experts, ((e + 1) * all.length) / c.experts);
    const scale = extras.scale === undefined ? undefined : own([...extras.scale]);
    const y = expert(h, parts.map(own), scale);
    x = plus(
      x,
      y.map((v) => (v * Math.exp(value)) / mass),
    );
  }
  if (extras.shared !== undefined) {
    const { gateUp, gateUpBias, down, downBias } = extras.shared;
    x = plus(
      x,
      expert(
        h,
        [gateUp, gateUpBias, down, downBias].map((each) => [...each]),
      ),
    );
  }
  return rows(at("lm_head.weight"), norm(x, at("model.norm.weight")));
}

// Implementation

function declared(config: Readonly<Record<string, unknown>>) {
  return flattenParams(gptOss.weights(gptOss.fromHuggingFace(config)));
}

/** [first, …others, last] as [first, last, …others]. */
function lastBeforeOthers(sizes: readonly number[], values: Float32Array) {
  const [outer, inner] = [sizes[0] as number, sizes.at(-1) as number];
  const others = sizes.slice(1, -1);
  const middle = others.reduce((all, size) => all * size, 1);
  const turned = new Float32Array(values.length);
  for (let o = 0; o < outer; o++)
    for (let m = 0; m < middle; m++)
      for (let i = 0; i < inner; i++)
        turned[(o * inner + i) * middle + m] = values[(o * middle + m) * inner + i] as number;
  return { shape: [outer, inner, middle], values: turned };
}

/** Threefry-2x32, 20 rounds (Salmon et al., SC 2011). */
function threefry(key0: number, key1: number, count0: number, count1: number): [number, number] {
  const keys = [key0, key1, (key0 ^ key1 ^ 0x1bd11bda) >>> 0];
  let [x, y] = [(count0 + key0) >>> 0, (count1 + key1) >>> 0];
  for (let round = 0; round < 5; round++) {
    for (const by of round % 2 === 0 ? [13, 15, 26, 6] : [17, 29, 16, 24]) {
      x = (x + y) >>> 0;
      y = (((y << by) | (y >>> (32 - by))) ^ x) >>> 0;
    }
    x = (x + (keys[(round + 1) % 3] as number)) >>> 0;
    y = (y + (keys[(round + 2) % 3] as number) + round + 1) >>> 0;
  }
  return [x, y];
}
