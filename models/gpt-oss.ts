/**
 * GPT-OSS (arXiv:2508.10925): attention with sinks over windows that alternate with the whole context, and a mixture of
 * experts with a clamped SwiGLU.
 *
 * One line is one equation. What is peculiar to the model is visible: the sink, the window of some layers, `min(7)`,
 * `up + 1`, 1.702, the softmax after the choice. The width of the stream and of the experts are both 2880, and a head's
 * size and the number of heads both 64: only the names tell them apart.
 *
 * Not here: variants, which put other parts in place of these (examples/), the configuration (gpt-oss.config.ts), the
 * layouts of checkpoints (gpt-oss.checkpoint.ts), how experts are packed, looped over or split.
 */
import {
  type Angles,
  axes,
  forChosen,
  type KeyValueCache,
  type Loaded,
  layer,
  type ParamTree,
  param,
  rmsNorm,
  rope,
  ropeAngles,
  part as scope,
  softmaxWithSink,
  type Tensor,
  under,
  type Weights,
  type Without,
} from "../dsl/index.ts";
import type { Architecture, ForwardInputs } from "./architecture.ts";
import { gptOssTables } from "./gpt-oss.checkpoint.ts";
import {
  type GptOssConfig,
  gptOssFromGguf,
  gptOssFromHuggingFace,
  gptOssNames,
  isOriginalGptOss,
} from "./gpt-oss.config.ts";
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

type MoeWeights = Weights<typeof gptOssMoeWeights>;
type Expert = Without<MoeWeights["experts"], "expert">;

/** A mixture of experts, a few for each position. */
export function gptOssMoe(w: MoeWeights, x: Stream, ax: Axes, c: GptOssConfig): Stream {
  const h = rmsNorm(x, w.norm, c.normEps);
  return x.add(forChosen(ax.expert, chooseExperts(w, h, ax), w.experts, (e) => gptOssExpert(e, h, c)));
}

/** Experts are chosen by their logits and weighted by a softmax over the chosen ones alone. */
export function chooseExperts(w: Pick<MoeWeights, "router" | "routerBias">, h: Stream, ax: Axes) {
  const { values, ids } = h.dot(w.router, "embed").add(w.routerBias).topK("expert", ax.choice);
  return { along: ax.choice, ids, weights: values.softmax("choice") };
}

export function gptOssExpert(e: Expert, h: Stream, c: GptOssConfig): Stream {
  const inner = clampedSwiglu(h.dot(e.gateUp, "embed").add(e.gateUpBias), c);
  return inner.dot(e.down, "mlp").add(e.downBias);
}

/** A SwiGLU of clamped inputs, of which the linear one is raised by one. */
export function clampedSwiglu(both: Tensor<"batch" | "pos" | "mlp" | "part">, c: GptOssConfig) {
  const gate = both.at("part", 0).min(c.swigluLimit);
  const up = both.at("part", 1).max(-c.swigluLimit).min(c.swigluLimit);
  return gate.mul(gate.mul(1.702).sigmoid()).mul(up.add(1));
}

// The model

const outerWeights = (ax: Axes) => ({
  embed: param("model.embed_tokens.weight", ax.vocab, ax.embed),
  norm: param("model.norm.weight", ax.embed),
  unembed: param("lm_head.weight", ax.vocab, ax.embed),
});

type GptOssWeights<A, M> = Weights<typeof outerWeights> & {
  readonly layers: readonly { readonly attn: Loaded<A>; readonly moe: Loaded<M> }[];
};

/** What the model is made of: `A` and `M` are the weights of a layer's attention and of its mixture. */
export interface GptOssParts<A, M> {
  /** The configuration, from the checkpoint's. */
  readonly config: (c: GptOssConfig) => GptOssConfig;
  readonly attention: {
    readonly weights: (ax: Axes) => A & ParamTree;
    readonly forward: (w: Loaded<A>, ...given: Rest<typeof gptOssAttention>) => Stream;
  };
  readonly moe: {
    readonly weights: (ax: Axes) => M & ParamTree;
    readonly forward: (w: Loaded<M>, ...given: Rest<typeof gptOssMoe>) => Stream;
  };
}
type Rest<F extends (w: never, ...given: never[]) => unknown> = F extends (w: never, ...given: infer R) => unknown
  ? R
  : never;

/** The published parts. */
export const gptOssParts = {
  config: (c: GptOssConfig) => c,
  attention: { weights: gptOssAttentionWeights, forward: gptOssAttention },
  moe: { weights: gptOssMoeWeights, forward: gptOssMoe },
};

/** The model of these parts: `gptOssOf({ ...gptOssParts, moe: { … } })` is a variant. */
export function gptOssOf<A, M>({ config, attention, moe }: GptOssParts<A, M>) {
  const weights = (c: GptOssConfig) => {
    const ax = gptOssAxes(c);
    const layers = Array.from({ length: c.layers }, (_, n) =>
      under(`model.layers.${n}.`, { attn: attention.weights(ax), moe: moe.weights(ax) }),
    );
    const { embed, ...ends } = outerWeights(ax);
    return { embed, layers, ...ends };
  };

  function forward(w: GptOssWeights<A, M>, given: ForwardInputs, c: GptOssConfig): Stream {
    const { tokens, positions, frequencies, cache } = given;
    const ax = gptOssAxes(c);
    const angles = scope("rope", () => ropeAngles(positions, frequencies, ropeAttentionFactor(c.rope)));

    let x = w.embed.take("vocab", tokens);
    w.layers.forEach(({ attn, moe: experts }, n) => {
      x = layer(`layers.${n}`, () => {
        const mixed = scope("attn", () => attention.forward(attn, x, cache(n), angles, c, c.windows[n]));
        return scope("mlp", () => moe.forward(experts, mixed, ax, c));
      });
    });
    return scope("norm", () => rmsNorm(x, w.norm, c.normEps));
  }

  return {
    ...gptOssNames,
    claims: isOriginalGptOss,
    fromHuggingFace: (given) => config(gptOssFromHuggingFace(given)),
    fromGguf: (metadata) => config(gptOssFromGguf(metadata)),
    weights,
    forward,
    unembed: (w, hidden) => scope("unembed", () => hidden.dot(w.unembed, "embed")),
    frequencies: (c, length) => ropeFrequencies(c.rope, length),
    window: (c, n) => c.windows[n],
    released: { experts: "mxfp4", dense: "bf16" },
    activeShare: ({ key }, c) =>
      key.includes(".experts.") ? c.expertsPerToken / c.experts : key === "model.embed_tokens.weight" ? 1 / c.vocab : 1,
    isExpertMatrix: ({ key }) => /\.experts\.(gate_up|down)_proj$/.test(key),
    tables: gptOssTables,
    chat: "harmony",
    roles: { batch: "rows", kvHead: "heads", group: "heads", mlp: "width", vocab: "vocabulary", expert: "experts" },
  } satisfies Architecture<GptOssConfig, GptOssWeights<A, M>>;
}

export const gptOss = gptOssOf(gptOssParts);
