/** A GPT-OSS of random weights as step programs of any sizes, with its caches in the hands of a test. */
import { cpu, lower } from "../../compiler/index.ts";
import type { StorageOf } from "../../dsl/index.ts";
import { traceStep } from "../../inference/programs/step-program.ts";
import { type GptOssConfig, gptOss } from "../../models/index.ts";
import {
  type Executable,
  type HostTensor,
  hostTensor,
  toFloat32Array,
  type Worker,
} from "../../runtime-bridge/index.ts";

// Public API

/** How experts lie in memory. */
export type Experts = "f32" | "mxfp4";

/** What one call is given: `tokens` is row-major, `batch` rows of `pos`. */
export interface Call {
  readonly tokens: readonly number[];
  readonly start: readonly number[];
  readonly caches: readonly HostTensor[];
}

/** A compiled step. */
export interface Step {
  /** Caches of zeros. */
  readonly empty: readonly HostTensor[];
  run(call: Call): Promise<{ readonly logits: Float32Array; readonly caches: readonly HostTensor[] }>;
}

/** config.json's keys of a model with a sliding layer and a full one. */
export function configOf(changes: Readonly<Record<string, unknown>> = {}): GptOssConfig {
  return gptOss.fromHuggingFace({
    model_type: "gpt_oss",
    num_hidden_layers: 2,
    hidden_size: 64,
    intermediate_size: 96,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    head_dim: 32,
    num_local_experts: 8,
    num_experts_per_tok: 2,
    vocab_size: 97,
    sliding_window: 16,
    layer_types: ["sliding_attention", "full_attention"],
    max_position_embeddings: 1024,
    swiglu_limit: 7,
    rms_norm_eps: 1e-5,
    rope_theta: 150_000,
    rope_scaling: {
      rope_type: "yarn",
      factor: 8,
      beta_fast: 8,
      beta_slow: 1,
      truncate: false,
      original_max_position_embeddings: 128,
    },
    ...changes,
  });
}

/** Programs of one model: the same weights in all. */
export function randomModel(worker: Worker, config: GptOssConfig, experts: Experts = "f32") {
  const storageOf: StorageOf = (param) => (gptOss.isExpertMatrix(param) ? experts : "f32");
  return {
    async step(batch: number, pos: number, capacity: number): Promise<Step> {
      const { text, name, signature } = lower(
        traceStep(gptOss, config, cpu(), { batch, pos, capacity }, "all", storageOf),
      );
      const executable: Executable = await worker.compile({ text, name, signature });
      const fixed = new Map(
        signature.arguments
          .filter(({ name }) => name.startsWith("weights."))
          .map((each) => [each.name, randomWeight(each.name, each.shape)]),
      );
      const frequencies = gptOss.frequencies(config, capacity);
      const rows = Array.from({ length: batch }, () => [...frequencies]).flat();
      const caches = signature.arguments.filter(({ name }) => name.startsWith("caches."));
      const count = (shape: readonly number[]) => shape.reduce((all, size) => all * size, 1);
      return {
        empty: caches.map(({ shape }) => hostTensor("f32", shape, new Float32Array(count(shape)))),
        async run({ tokens, start, caches: held }) {
          const given = new Map([
            ...fixed,
            ["tokens", hostTensor("i32", [batch, pos], Int32Array.from(tokens))],
            ["start", hostTensor("i32", [batch], Int32Array.from(start))],
            ["length", hostTensor("i32", [batch], new Int32Array(batch).fill(pos))],
            ["frequencies", hostTensor("f32", [batch, frequencies.length], Float32Array.from(rows))],
            ...caches.map(({ name }, n) => [name, held[n] as HostTensor] as const),
          ]);
          const inputs = signature.arguments.map(({ name }) => given.get(name) as HostTensor);
          const { results } = await worker.execute(executable, inputs, { fetch: "all" });
          const byName = new Map(signature.results.map(({ name }, n) => [name, results[n] as HostTensor]));
          return {
            logits: toFloat32Array(byName.get("logits") as HostTensor),
            caches: caches.map(({ name }) => byName.get(name) as HostTensor),
          };
        },
      };
    },
  };
}

/** Whole numbers below a bound, the same in every run. */
export function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let word = Math.imul(state ^ (state >>> 15), 1 | state);
    word = (word + Math.imul(word ^ (word >>> 7), 61 | word)) ^ word;
    return ((word ^ (word >>> 14)) >>> 0) % below;
  };
}

// Implementation

/** Gains as in tests/parity/random_gpt_oss.py, which keep the model well conditioned and every part of it audible. */
const gains: Readonly<Record<string, number>> = {
  q: 1.1,
  k: 1.1,
  v: 1.5,
  out: 2,
  router: 1.5,
  gateUp: 2.5,
  down: 0.4,
  unembed: 2,
};

function randomWeight(name: string, shape: readonly number[]): HostTensor {
  const random = randomNumbers([...name].reduce((hash, each) => Math.imul(hash, 31) + each.charCodeAt(0), 7));
  const count = shape.reduce((all, size) => all * size, 1);
  const bytes = (below: number, least: number) =>
    hostTensor(
      "u8",
      shape,
      Uint8Array.from({ length: count }, () => least + random(below)),
    );
  // The powers of two that come nearest to the gains.
  if (name.endsWith(".blocks")) return bytes(256, 0);
  if (name.endsWith(".scales")) return bytes(3, name.includes("gateUp") ? 122 : 119);
  const last = name.split(".").at(-1) as string;
  const fanIn = last === "out" ? count / (shape[0] as number) : (shape.at(-1) as number);
  const gain = gains[last];
  const others = last === "norm" ? 0.15 : last === "embed" ? 0.3 : last === "sinks" ? 1 : 0.25;
  const width = (gain === undefined ? others : gain / Math.sqrt(fanIn)) * Math.sqrt(12);
  const mean = last === "norm" ? 1 : 0;
  const values = Float32Array.from({ length: count }, () => mean + width * (random(2 ** 24) / 2 ** 24 - 0.5));
  return hostTensor("f32", shape, values);
}
