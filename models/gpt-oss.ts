/**
 * GPT-OSS (arXiv:2508.10925): attention with sinks over windows that alternate with the whole context, and a mixture of
 * experts with a clamped SwiGLU.
 *
 * One line is one equation. What is peculiar to the model is visible: the sink, the window of some layers, `min(7)`,
 * `up + 1`, 1.702, the softmax after the choice. The width of the stream and of the experts are both 2880, and a head's
 * size and the number of heads both 64: only the names tell them apart.
 *
 * Not here: the configuration (gpt-oss.config.ts), the layouts of checkpoints (gpt-oss.checkpoint.ts), how experts are
 * packed, looped over or split.
 */
import {
  type Angles,
  axes,
  forChosen,
  type KeyValueCache,
  layer,
  param,
  part,
  rmsNorm,
  rope,
  ropeAngles,
  softmaxWithSink,
  type Tensor,
  under,
  type Weights,
} from "../dsl/index.ts";
import type { Architecture, ForwardInputs } from "./architecture.ts";
import { gptOssTables } from "./gpt-oss.checkpoint.ts";
import { type GptOssConfig, gptOssFromGguf, gptOssFromHuggingFace } from "./gpt-oss.config.ts";
import { ropeAttentionFactor, ropeFrequencies } from "./rope-scaling.ts";

/** The model's axes. `part` is the interleaved pair of gate and up; queries of one key/value head form a `group`. */
export const gptOssAxes = (c: GptOssConfig) =>
  axes({
    vocab: c.vocab,
    embed: c.embed,
    kvHead: c.kvHeads,
    group: c.heads / c.kvHeads,
    dim: c.headDim,
    expert: c.experts,
    choice: c.expertsPerToken,
    mlp: c.mlp,
    part: 2,
  });

type Axes = ReturnType<typeof gptOssAxes>;
type Stream = Tensor<"batch" | "pos" | "embed">;

// Attention

export const gptOssAttentionWeights = (ax: Axes) => ({
  norm: param("input_layernorm.weight", ax.embed),
  q: param("self_attn.q_proj.weight", ax.kvHead, ax.group, ax.dim, ax.embed),
  k: param("self_attn.k_proj.weight", ax.kvHead, ax.dim, ax.embed),
  v: param("self_attn.v_proj.weight", ax.kvHead, ax.dim, ax.embed),
  out: param("self_attn.o_proj.weight", ax.embed, ax.kvHead, ax.group, ax.dim),
  qBias: param("self_attn.q_proj.bias", ax.kvHead, ax.group, ax.dim),
  kBias: param("self_attn.k_proj.bias", ax.kvHead, ax.dim),
  vBias: param("self_attn.v_proj.bias", ax.kvHead, ax.dim),
  outBias: param("self_attn.o_proj.bias", ax.embed),
  sinks: param("self_attn.sinks", ax.kvHead, ax.group),
});

/** Attention of grouped queries, with a sink for each head; `window` limits how far back a position looks. */
export function gptOssAttention(
  w: Weights<typeof gptOssAttentionWeights>,
  x: Stream,
  cache: KeyValueCache,
  angles: Angles<"batch" | "pos" | "dim">,
  c: GptOssConfig,
  window: number | undefined,
): Stream {
  const h = rmsNorm(x, w.norm, c.normEps);
  const turn = <B extends string>(t: Tensor<B | "batch" | "pos" | "dim">) =>
    rope<B | "batch">(t, angles, c.headDim / 2);

  const q = turn(h.dot(w.q, "embed").add(w.qBias)).mul(c.headDim ** -0.5);
  const { k, v, age } = cache.extend(turn(h.dot(w.k, "embed").add(w.kBias)), h.dot(w.v, "embed").add(w.vBias));

  const visible = window === undefined ? age.ge(0) : age.ge(0).and(age.lt(window));
  const scores = q.dot(k, "dim").cast("f32").where(visible, -1e30);
  const mix = softmaxWithSink(scores, w.sinks).cast(x.dtype).dot(v, "key");
  return x.add(mix.dot(w.out, "kvHead", "group", "dim").add(w.outBias));
}

// Mixture of experts

export const gptOssMoeWeights = (ax: Axes) => ({
  norm: param("post_attention_layernorm.weight", ax.embed),
  router: param("mlp.router.weight", ax.expert, ax.embed),
  routerBias: param("mlp.router.bias", ax.expert),
  experts: {
    gateUp: param("mlp.experts.gate_up_proj", ax.expert, ax.mlp, ax.part, ax.embed),
    gateUpBias: param("mlp.experts.gate_up_proj_bias", ax.expert, ax.mlp, ax.part),
    down: param("mlp.experts.down_proj", ax.expert, ax.embed, ax.mlp),
    downBias: param("mlp.experts.down_proj_bias", ax.expert, ax.embed),
  },
});

/** SwiGLU experts, a few for each position: chosen by their logits, weighted by a softmax over the chosen ones alone. */
export function gptOssMoe(w: Weights<typeof gptOssMoeWeights>, x: Stream, ax: Axes, c: GptOssConfig): Stream {
  const h = rmsNorm(x, w.norm, c.normEps);
  const { values, ids } = h.dot(w.router, "embed").add(w.routerBias).topK("expert", ax.choice);
  const chosen = { along: ax.choice, ids, weights: values.softmax("choice") };

  const out = forChosen(ax.expert, chosen, w.experts, (e) => {
    const both = h.dot(e.gateUp, "embed").add(e.gateUpBias);
    const gate = both.at("part", 0).min(c.swigluLimit);
    const up = both.at("part", 1).max(-c.swigluLimit).min(c.swigluLimit);
    const inner = gate.mul(gate.mul(1.702).sigmoid()).mul(up.add(1));
    return inner.dot(e.down, "mlp").add(e.downBias);
  });
  return x.add(out);
}

// The model

export const gptOssWeights = (c: GptOssConfig) => {
  const ax = gptOssAxes(c);
  return {
    embed: param("model.embed_tokens.weight", ax.vocab, ax.embed),
    layers: Array.from({ length: c.layers }, (_, n) =>
      under(`model.layers.${n}.`, { attn: gptOssAttentionWeights(ax), moe: gptOssMoeWeights(ax) }),
    ),
    norm: param("model.norm.weight", ax.embed),
    unembed: param("lm_head.weight", ax.vocab, ax.embed),
  };
};

type GptOssWeights = Weights<typeof gptOssWeights>;

function forward(w: GptOssWeights, { tokens, positions, frequencies, caches }: ForwardInputs, c: GptOssConfig): Stream {
  const ax = gptOssAxes(c);
  const angles = part("rope", () => ropeAngles(positions, frequencies, ropeAttentionFactor(c.rope)));

  let x = w.embed.take("vocab", tokens);
  w.layers.forEach((weights, n) => {
    x = layer(`layers.${n}`, () => {
      const cache = caches[n] as KeyValueCache;
      const mixed = part("attn", () => gptOssAttention(weights.attn, x, cache, angles, c, c.windows[n]));
      return part("mlp", () => gptOssMoe(weights.moe, mixed, ax, c));
    });
  });
  return part("norm", () => rmsNorm(x, w.norm, c.normEps));
}

export const gptOss: Architecture<GptOssConfig, GptOssWeights> = {
  name: "gpt_oss",
  fromHuggingFace: gptOssFromHuggingFace,
  fromGguf: gptOssFromGguf,
  weights: gptOssWeights,
  forward,
  unembed: (w, hidden) => part("unembed", () => hidden.dot(w.unembed, "embed")) as never,
  frequencies: (c, length) => ropeFrequencies(c.rope, length),
  window: (c, n) => c.windows[n],
  keepsPublished: true,
  isExpertMatrix: ({ key }) => /\.experts\.(gate_up|down)_proj$/.test(key),
  tables: gptOssTables,
  roles: { batch: "rows", kvHead: "heads", mlp: "width", vocab: "vocabulary", expert: "experts" },
};
