/**
 * The parts of models whose lowered text is kept in this folder, one file each: `tsxla golden check tests/golden`.
 *
 * Sizes are small and all different, so that a transposed pair of axes shows in the text.
 */
import { type ComputeType, cpu } from "../../compiler/index.ts";
import {
  axes,
  axis,
  forChosen,
  type Graph,
  type Inputs,
  LinearCache,
  param,
  rmsNorm,
  rope,
  ropeAngles,
} from "../../dsl/index.ts";
import { traceStep } from "../../inference/programs/step-program.ts";
import {
  attention,
  attentionWeights,
  type LlamaConfig,
  llama,
  llamaAxes,
  loadGraph,
  mlp,
  mlpWeights,
} from "../../models/index.ts";
import { defineGoldens } from "../../testing/index.ts";

// Public API

export default defineGoldens({
  "rms-norm": ({ input, weights }) => {
    const w = weights("w", { scale: param("norm.weight", ax.embed) }, "f32", "f32");
    return rmsNorm(input("x", "f32", run.batch, run.pos, ax.embed), w.scale, 1e-5);
  },
  "rms-norm-bf16": ({ input, weights }) => {
    const w = weights("w", { scale: param("norm.weight", ax.embed) }, "bf16", "bf16");
    return rmsNorm(input("x", "bf16", run.batch, run.pos, ax.embed), w.scale, 1e-5);
  },
  rope: ({ input }) => {
    const angles = ropeAngles(
      input("positions", "i32", run.batch, run.pos),
      input("frequencies", "f32", run.batch, ax.freq),
      1.25,
    );
    return rope(input("x", "f32", run.batch, run.pos, ax.kvHead, ax.dim), angles, ax.freq.size);
  },
  attention: (inputs) => attend(inputs, run.batch),
  "attention-one-row": (inputs) => attend(inputs, axis("batch", 1)),
  mlp: ({ input, weights }) =>
    mlp(weights("w", mlpWeights(ax, config), "f32", "f32"), input("x", "f32", run.batch, run.pos, ax.embed), config),
  mixture: ({ input, weights }) => {
    const mix = axes({ expert: 5, choice: 2 });
    const w = weights(
      "w",
      {
        router: param("router.weight", mix.expert, ax.embed),
        up: param("experts.up", mix.expert, ax.mlp, ax.embed),
        down: param("experts.down", mix.expert, ax.embed, ax.mlp),
      },
      "f32",
      "f32",
    );
    const h = input("x", "f32", run.batch, run.pos, ax.embed);
    const { values, ids } = h.dot(w.router, "embed").topK("expert", mix.choice);
    const chosen = { along: mix.choice, ids, weights: values.softmax("choice") };
    return forChosen(mix.expert, chosen, { up: w.up, down: w.down }, (e) => {
      const up = h.dot(e.up, "embed");
      return up.mul(up.sigmoid()).dot(e.down, "mlp");
    });
  },
  "llama-decode": () => step("f32", { batch: 1, pos: 1, capacity: 6 }, "last"),
  "llama-decode-bf16": () => step("bf16", { batch: 1, pos: 1, capacity: 6 }, "last"),
  "llama-prefill": () => step("f32", { batch: 2, pos: 3, capacity: 6 }, "last"),
  "llama-logits": () => step("f32", { batch: 1, pos: 3, capacity: 6 }, "all"),
  "load-q8_0": () => load("Q8_0", 34),
  "load-q4_0": () => load("Q4_0", 18),
  "load-q4_1-interleaved": () => load("Q4_1", 20, "dim"),
  "load-q5_0": () => load("Q5_0", 22),
  "load-q5_1": () => load("Q5_1", 24),
  "load-q5_k": () => load("Q5_K", 176, undefined, 256),
  "load-q4_k": () => load("Q4_K", 144, undefined, 256),
  "load-q6_k": () => load("Q6_K", 210, undefined, 256),
});

// Implementation

const config: LlamaConfig = {
  layers: 2,
  vocab: 11,
  context: 32,
  embed: 10,
  heads: 6,
  kvHeads: 2,
  headDim: 4,
  mlp: 7,
  normEps: 1e-5,
  tied: false,
  attentionBias: true,
  mlpBias: false,
  rope: { theta: 10_000, rotaryDim: 4, scaling: { kind: "default" } },
  ropeFactors: false,
};
const ax = llamaAxes(config);
const run = axes({ batch: 2, pos: 3, key: 6 });

function attend(
  { input, state, weights }: Inputs,
  batch: typeof run.batch | { readonly name: "batch"; readonly size: number },
) {
  const w = weights("w", attentionWeights(ax, config), "f32", "f32");
  const start = input("start", "i32", batch);
  const angles = ropeAngles(input("positions", "i32", batch, run.pos), input("frequencies", "f32", batch, ax.freq));
  const cache = new LinearCache(
    {
      k: state("cache.k", "f32", batch, run.key, ax.kvHead, ax.dim),
      v: state("cache.v", "f32", batch, run.key, ax.kvHead, ax.dim),
    },
    start,
  );
  const out = attention(w, input("x", "f32", batch, run.pos, ax.embed), cache, angles, config);
  return { out, cache: cache.state };
}

function step(
  compute: ComputeType,
  sizes: { batch: number; pos: number; capacity: number },
  outputs: "last" | "all",
): Graph {
  return traceStep(llama, config, cpu({ compute }), sizes, outputs);
}

/** A matrix of 6 rows of two blocks, as GGUF stores it. */
function load(format: string, blockBytes: number, interleaved?: string, blockElements = 32): Graph {
  const rows = axes({ head: 3, dim: 2, embed: 2 * blockElements });
  const weight = param("weight", rows.head, rows.dim, rows.embed);
  const tensor = {
    name: "weight",
    format,
    shape: [6, 2 * blockElements],
    type: { dtype: "u8" as const, shape: [6, 2, blockBytes] },
  };
  const source = { kind: "tensor" as const, key: "weight", ...(interleaved === undefined ? {} : { interleaved }) };
  return loadGraph({ path: "weight", param: weight, source, tensors: [tensor] }, "f32");
}
