/**
 * The Llama family: RMS norm, rotary positions, grouped-query attention, a gated MLP (arXiv:2302.13971, 2307.09288).
 *
 * One line is one equation. Nothing here speaks of memory order, devices or cache layout.
 *
 * Not here: the configuration (llama.config.ts), other layouts of checkpoints (llama.checkpoint.ts), long contexts
 * (rope-scaling.ts).
 */
import {
  type Angles,
  axes,
  type KeyValueCache,
  layer,
  param,
  part,
  rmsNorm,
  rope,
  ropeAngles,
  type Tensor,
  under,
  type Weights,
  type Within,
} from "../dsl/index.ts";
import type { Architecture, ForwardInputs } from "./architecture.ts";
import { llamaTables } from "./llama.checkpoint.ts";
import { type LlamaConfig, llamaFromGguf, llamaFromHuggingFace } from "./llama.config.ts";
import { ropeAttentionFactor, ropeFrequencies } from "./rope-scaling.ts";

/** The model's axes. Queries of one key/value head form a `group`. */
export const llamaAxes = (c: LlamaConfig) =>
  axes({
    vocab: c.vocab,
    embed: c.embed,
    kvHead: c.kvHeads,
    group: c.heads / c.kvHeads,
    dim: c.headDim,
    mlp: c.mlp,
    freq: c.rope.rotaryDim / 2,
  });

type Axes = ReturnType<typeof llamaAxes>;
type Stream = Tensor<"batch" | "pos" | "embed">;

// Attention

export const attentionWeights = (ax: Axes, c: LlamaConfig) => ({
  norm: param("input_layernorm.weight", ax.embed),
  q: param("self_attn.q_proj.weight", ax.kvHead, ax.group, ax.dim, ax.embed),
  k: param("self_attn.k_proj.weight", ax.kvHead, ax.dim, ax.embed),
  v: param("self_attn.v_proj.weight", ax.kvHead, ax.dim, ax.embed),
  out: param("self_attn.o_proj.weight", ax.embed, ax.kvHead, ax.group, ax.dim),
  qBias: c.attentionBias ? param("self_attn.q_proj.bias", ax.kvHead, ax.group, ax.dim) : undefined,
  kBias: c.attentionBias ? param("self_attn.k_proj.bias", ax.kvHead, ax.dim) : undefined,
  vBias: c.attentionBias ? param("self_attn.v_proj.bias", ax.kvHead, ax.dim) : undefined,
  outBias: c.attentionBias ? param("self_attn.o_proj.bias", ax.embed) : undefined,
});

/** Causal attention over everything that the cache holds. */
export function attention(
  w: Weights<typeof attentionWeights>,
  x: Stream,
  cache: KeyValueCache,
  angles: Angles<"batch" | "pos" | "dim">,
  c: LlamaConfig,
): Stream {
  const h = rmsNorm(x, w.norm, c.normEps);
  const turn = <B extends string>(t: Tensor<B | "batch" | "pos" | "dim">) =>
    rope<B | "batch">(t, angles, c.rope.rotaryDim / 2);

  const q = turn(plus(h.dot(w.q, "embed"), w.qBias)).mul(c.headDim ** -0.5);
  const { k, v, age } = cache.extend(turn(plus(h.dot(w.k, "embed"), w.kBias)), plus(h.dot(w.v, "embed"), w.vBias));

  const scores = q.dot(k, "dim").cast("f32").where(age.ge(0), -1e30);
  const mix = scores.softmax("key").cast(x.dtype).dot(v, "key");
  return x.add(plus(mix.dot(w.out, "kvHead", "group", "dim"), w.outBias));
}

// Gated MLP (arXiv:2002.05202)

export const mlpWeights = (ax: Axes, c: LlamaConfig) => ({
  norm: param("post_attention_layernorm.weight", ax.embed),
  gate: param("mlp.gate_proj.weight", ax.mlp, ax.embed),
  up: param("mlp.up_proj.weight", ax.mlp, ax.embed),
  down: param("mlp.down_proj.weight", ax.embed, ax.mlp),
  gateBias: c.mlpBias ? param("mlp.gate_proj.bias", ax.mlp) : undefined,
  upBias: c.mlpBias ? param("mlp.up_proj.bias", ax.mlp) : undefined,
  downBias: c.mlpBias ? param("mlp.down_proj.bias", ax.embed) : undefined,
});

export function mlp(w: Weights<typeof mlpWeights>, x: Stream, c: LlamaConfig): Stream {
  const h = rmsNorm(x, w.norm, c.normEps);
  const gate = plus(h.dot(w.gate, "embed"), w.gateBias);
  const up = plus(h.dot(w.up, "embed"), w.upBias);
  return x.add(plus(gate.mul(gate.sigmoid()).mul(up).dot(w.down, "mlp"), w.downBias));
}

// The model

export const llamaWeights = (c: LlamaConfig) => {
  const ax = llamaAxes(c);
  return {
    embed: param("model.embed_tokens.weight", ax.vocab, ax.embed),
    layers: Array.from({ length: c.layers }, (_, n) =>
      under(`model.layers.${n}.`, { attn: attentionWeights(ax, c), mlp: mlpWeights(ax, c) }),
    ),
    norm: param("model.norm.weight", ax.embed),
    unembed: c.tied ? undefined : param("lm_head.weight", ax.vocab, ax.embed),
    // A GGUF file of a Llama 3 keeps its stretched frequencies as divisors of the plain ones.
    ropeFactors: c.ropeFactors ? param("rope_freqs.weight", ax.freq) : undefined,
  };
};

type LlamaWeights = Weights<typeof llamaWeights>;

function forward(w: LlamaWeights, { tokens, positions, frequencies, caches }: ForwardInputs, c: LlamaConfig): Stream {
  const stretched = w.ropeFactors === undefined ? frequencies : frequencies.div(w.ropeFactors);
  const angles = part("rope", () => ropeAngles(positions, stretched, ropeAttentionFactor(c.rope)));

  let x = w.embed.take("vocab", tokens);
  w.layers.forEach((weights, n) => {
    x = layer(`layers.${n}`, () => {
      const mixed = part("attn", () => attention(weights.attn, x, caches[n] as KeyValueCache, angles, c));
      return part("mlp", () => mlp(weights.mlp, mixed, c));
    });
  });
  return part("norm", () => rmsNorm(x, w.norm, c.normEps));
}

/** The logits; a tied model's unembedding is its embedding. */
function unembed<B extends string>(w: LlamaWeights, hidden: Tensor<B | "embed">): Tensor<B | "vocab"> {
  return part("unembed", () => hidden.dot(w.unembed ?? w.embed, "embed")) as Tensor<B | "vocab">;
}

/** `x`, with a bias where the model has one. */
function plus<A extends string>(x: Tensor<A>, bias: Within<A> | undefined): Tensor<A> {
  return bias === undefined ? x : x.add(bias);
}

export const llama: Architecture<LlamaConfig, LlamaWeights> = {
  name: "llama",
  fromHuggingFace: llamaFromHuggingFace,
  fromGguf: llamaFromGguf,
  weights: llamaWeights,
  forward,
  unembed,
  frequencies: (c, length) => ropeFrequencies(c.rope, length),
  activeShare: ({ key }, c) => (key === "model.embed_tokens.weight" && !c.tied ? 1 / c.vocab : 1),
  tables: llamaTables,
  roles: { batch: "rows", kvHead: "heads", group: "heads", mlp: "width", vocab: "vocabulary" },
};
