/**
 * A layer of GPT-OSS (arXiv:2508.10925) at its real sizes, projection biases left out: embed = mlp = 2880 and
 * dim = kvHead · group = 64, so that only names can tell them apart.
 */
import {
  type Angles,
  axes,
  forChosen,
  type KeyValueCache,
  param,
  rmsNorm,
  rope,
  type Tensor,
  type Weights,
  type Within,
} from "../../dsl/index.ts";

export const gptOssAxes = (batch: number, pos: number, key: number) =>
  axes({ batch, pos, key, embed: 2880, kvHead: 8, group: 8, dim: 64, expert: 32, choice: 4, mlp: 2880, part: 2 });

export type Axes = ReturnType<typeof gptOssAxes>;
export type Stream = Tensor<"batch" | "pos" | "embed">;

export const attentionWeights = (ax: Axes) => ({
  norm: param("input_layernorm.weight", ax.embed),
  q: param("self_attn.q_proj.weight", ax.kvHead, ax.group, ax.dim, ax.embed),
  k: param("self_attn.k_proj.weight", ax.kvHead, ax.dim, ax.embed),
  v: param("self_attn.v_proj.weight", ax.kvHead, ax.dim, ax.embed),
  out: param("self_attn.o_proj.weight", ax.embed, ax.kvHead, ax.group, ax.dim),
  sinks: param("self_attn.sinks", ax.kvHead, ax.group),
});

export const moeWeights = (ax: Axes) => ({
  norm: param("post_attention_layernorm.weight", ax.embed),
  router: param("mlp.router.weight", ax.expert, ax.embed),
  experts: {
    gateUp: param("mlp.experts.gate_up_proj", ax.expert, ax.mlp, ax.part, ax.embed),
    gateUpBias: param("mlp.experts.gate_up_proj_bias", ax.expert, ax.mlp, ax.part),
    down: param("mlp.experts.down_proj", ax.expert, ax.embed, ax.mlp),
    downBias: param("mlp.experts.down_proj_bias", ax.expert, ax.embed),
  },
});

/** Softmax over `key` with one more logit, which absorbs attention and is then dropped (arXiv:2309.17453). */
export function softmaxWithSink<B extends string>(
  scores: Tensor<B | "key">,
  sink: Within<Exclude<B, "key">>,
): Tensor<B | "key"> {
  const peak = scores.maxOver("key").max(sink);
  const mass = scores.sub(peak).exp();
  return mass.div(mass.sum("key").add(peak.mul(-1).add(sink).exp()));
}

export function attention(
  w: Weights<typeof attentionWeights>,
  x: Stream,
  cache: KeyValueCache,
  at: { readonly window: number; readonly angles: Angles<"batch" | "pos" | "dim"> },
  ax: Axes,
): Stream {
  const h = rmsNorm(x, w.norm, 1e-5);
  const turn = <B extends string>(t: Tensor<B | "batch" | "pos" | "dim">) =>
    rope<B | "batch">(t, at.angles, ax.dim.size / 2);
  const q = turn(h.dot(w.q, "embed")).mul(ax.dim.size ** -0.5);
  const { k, v, age } = cache.extend(turn(h.dot(w.k, "embed")), h.dot(w.v, "embed"));
  const visible = age.ge(0).and(age.lt(at.window));
  const probs = softmaxWithSink(q.dot(k, "dim").where(visible, -1e30), w.sinks);
  const out = probs.dot(v, "key").dot(w.out, "kvHead", "group", "dim");
  return x.add(out);
}

export function moe(w: Weights<typeof moeWeights>, x: Stream, ax: Axes): Stream {
  const h = rmsNorm(x, w.norm, 1e-5);
  const { values, ids } = h.dot(w.router, "embed").topK("expert", ax.choice);
  const chosen = { along: ax.choice, ids, weights: values.softmax("choice") };
  const out = forChosen(ax.expert, chosen, w.experts, (e) => {
    const both = h.dot(e.gateUp, "embed").add(e.gateUpBias);
    const gate = both.at("part", 0).min(7);
    const up = both.at("part", 1).max(-7).min(7);
    return gate.mul(gate.mul(1.702).sigmoid()).mul(up.add(1)).dot(e.down, "mlp").add(e.downBias);
  });
  return x.add(out);
}
