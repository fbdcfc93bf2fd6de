/**
 * Mistakes that were made in published implementations of GPT-OSS, and that do not compile here.
 *
 * In GPT-OSS the stream and the experts are both 2880 wide, and a head's size and the number of heads are both 64, so
 * sizes cannot catch them. Each `@ts-expect-error` is an error that `tsc` reports, and its last line names the axis; were
 * one of them to compile, `tsc` would report that instead (`npm run check:types`).
 */
import { forChosen, param, softmaxWithSink, type Tensor, type Weights } from "tsxla";
import { chooseExperts, clampedSwiglu, type GptOssConfig, type gptOssAxes, type gptOssMoeWeights } from "tsxla/models";

type Axes = ReturnType<typeof gptOssAxes>;
type Stream = Tensor<"batch" | "pos" | "embed">;
type Inner = Tensor<"batch" | "pos" | "mlp">;
type Queries = Tensor<"batch" | "pos" | "kvHead" | "group" | "dim">;
type Scores = Tensor<"batch" | "pos" | "kvHead" | "group" | "key">;

// Attention

/**
 * A sink for each dimension of a head, when it is one for each head: 64 of either.
 *
 * jax-ml/jax-llm-examples, gpt_oss/gpt_oss_jax/model.py: `sinks=ArrayInfo((cfg.head_dim,), …)`.
 */
export function sinkForEachDimension(scores: Scores, sinks: Weights<typeof sinksOfDimensions>["sinks"]) {
  // @ts-expect-error  Type '"dim"' is not assignable to type '"batch" | "group" | "kvHead" | "pos"'.
  return softmaxWithSink(scores, sinks);
}
export const sinksOfDimensions = (ax: Axes) => ({ sinks: param("self_attn.sinks", ax.dim) });

/**
 * Sinks repeated over the queries of a group, when there is one for each query head already.
 *
 * pie-project/pie#272: "remove wrong GQA expansion of attention sinks".
 */
export function sinksRepeated(scores: Scores, sinks: Tensor<"kvHead" | "group">, ax: Axes) {
  // @ts-expect-error  Type '"group"' is not assignable to type '"(error) axis 'group' already exists"'.
  return softmaxWithSink(scores, sinks.broadcast(ax.group));
}

/**
 * Queries and keys on one position axis, so that a query meets the key of its own position only, and there is nothing
 * to be normal over.
 *
 * zml/zml, examples/gpt_oss/GptOss.zig: "In self-attention, .s axis is used both for keys and queries", and three renames
 * that nothing checks. nerdai/llms-from-scratch-rs#30: "computing softmax on wrong dim for attn weights".
 */
export function keysNotRenamed(q: Queries, k: Tensor<"batch" | "pos" | "kvHead" | "dim">) {
  // @ts-expect-error  Argument of type '"key"' is not assignable to parameter of type '"batch" | "group" | "kvHead" | "pos"'.
  return q.dot(k, "dim").softmax("key");
}

// Mixture of experts

/**
 * The second matrix contracted over its other 2880: published files have [out, in], dequantised ones [in, out].
 *
 * NVIDIA-NeMo/Megatron-Bridge#3743: "align GPT-OSS BF16 down_proj orientation on import", where a square matrix could not
 * be told from its transpose.
 */
export function wrong2880(inner: Inner, down: Tensor<"embed" | "mlp">) {
  // @ts-expect-error  Argument of type '"embed"' is not assignable to parameter of type '"mlp"'.
  return inner.dot(down, "embed");
}

/**
 * A second matrix that is as wide as the pair of gate and up.
 *
 * zml/zml, examples/gpt_oss/GptOss.zig: `down_proj: BlockScaledLinear, // {.out = hidden_size * 2, …`.
 */
export function downTwiceAsWide(x: Stream, inner: Inner, down: Weights<typeof downOfPairs>["down"]) {
  // @ts-expect-error  Type '"part"' is not assignable to type '"batch" | "embed" | "pos"'.
  return x.add(inner.dot(down, "mlp"));
}
export const downOfPairs = (ax: Axes) => ({ down: param("mlp.experts.down_proj", ax.embed, ax.part, ax.mlp) });

/**
 * The bias of gate and up along the stream, when it is along the experts' inside.
 *
 * zml/zml, examples/gpt_oss/GptOss.zig: `e.gate_up_proj_bias.withTags(.{ .expert, .d })`, where `.d` is the stream.
 */
export function biasAlongTheStream(h: Stream, gateUp: Tensor<"mlp" | "part" | "embed">, bias: Tensor<"embed">) {
  // @ts-expect-error  Type '"embed"' is not assignable to type '"batch" | "mlp" | "part" | "pos"'.
  return h.dot(gateUp, "embed").add(bias);
}

/**
 * Gate and up as the two halves of the rows, when they alternate.
 *
 * vllm-project/llm-compressor#3100: "the generic linearizer's half-split leaves `gate_proj` and `up_proj` each holding a
 * mix of both projections".
 */
export function gateAndUpInHalves(
  both: Tensor<"batch" | "pos" | "mlp" | "part">,
  down: Tensor<"embed" | "mlp">,
  c: GptOssConfig,
): Stream {
  const [gate, up] = [both.slice("mlp", 0, c.mlp / 2), both.slice("mlp", c.mlp / 2, c.mlp / 2)];
  // @ts-expect-error  Type '"part"' is not assignable to type '"batch" | "embed" | "pos"'.
  return gate.mul(gate.mul(1.702).sigmoid()).mul(up.add(1)).dot(down, "mlp");
}

/**
 * The bias of the second matrix outside of the weighting, where it counts once for each chosen expert, or for all.
 *
 * NVIDIA-NeMo/Automodel#2591: "weight GroupedExpertsTE down-projection bias by routing probability".
 */
export function biasOutsideTheWeighting(w: Weights<typeof gptOssMoeWeights>, h: Stream, ax: Axes, c: GptOssConfig) {
  const out = forChosen(ax.expert, chooseExperts(w, h, ax), w.experts, (e) =>
    clampedSwiglu(h.dot(e.gateUp, "embed").add(e.gateUpBias), c).dot(e.down, "mlp"),
  );
  // @ts-expect-error  Type '"expert"' is not assignable to type '"batch" | "embed" | "pos"'.
  return out.add(w.experts.downBias);
}

/**
 * Experts weighted by a softmax over all of them, when it is over the chosen ones alone.
 *
 * pytorch/torchtitan#2258: "softmax is applied over all expert logits instead of only the selected topk".
 */
export function weightedByAll(w: Weights<typeof gptOssMoeWeights>, h: Stream, inner: Inner, ax: Axes) {
  const logits = h.dot(w.router, "embed").add(w.routerBias);
  const { ids } = logits.topK("expert", ax.choice);
  // @ts-expect-error  Type '"choice"' is not assignable to type '"batch" | "expert" | "pos"'.
  const chosen: ReturnType<typeof chooseExperts> = { along: ax.choice, ids, weights: logits.softmax("expert") };
  return forChosen(ax.expert, chosen, w.experts, (e) => inner.dot(e.down, "mlp"));
}
