/** Names in types, on a layer of GPT-OSS. `Tensor` is invariant, so `satisfies` is an exact comparison. */
import {
  type attentionWeights,
  type gptOssAxes,
  moe,
  type moeWeights,
  type Stream,
  softmaxWithSink,
} from "../tests/support/gpt-oss-layer.ts";
import { type Axis, axes, forChosen, iota, rmsNorm, type Tensor, type Weights } from "./index.ts";

declare const x: Stream;
declare const scores: Tensor<"batch" | "pos" | "kvHead" | "group" | "key">;
declare const attn: Weights<typeof attentionWeights>;
declare const mixture: Weights<typeof moeWeights>;
declare const ax: ReturnType<typeof gptOssAxes>;
declare function sameAxes<A extends string>(xs: readonly Tensor<A>[]): void;

x.mean("embed") satisfies Tensor<"batch" | "pos">;
x.dot(attn.q, "embed") satisfies Tensor<"batch" | "pos" | "kvHead" | "group" | "dim">;
attn.norm.sum("embed") satisfies Tensor<never>;
x.rename("embed", "row") satisfies Tensor<"batch" | "pos" | "row">;
x.merge(["pos", "embed"], axes({ row: 23040 }).row) satisfies Tensor<"batch" | "row">;
x.split("pos", [ax.kvHead, ax.group]) satisfies Tensor<"batch" | "embed" | "kvHead" | "group">;
// An axis is covariant, so a list of them names a union; a tensor is not.
[ax.batch, ax.pos] satisfies readonly Axis<"batch" | "pos">[];

// Mistakes that sizes cannot catch in GPT-OSS.
// @ts-expect-error  embed and mlp are both 2880
x.dot(mixture.experts.down, "mlp");
// @ts-expect-error  one sink per `dim` instead of one per head: both are 64
softmaxWithSink(scores, iota(ax.dim));
// @ts-expect-error  keys still named `pos`, so q·k has no `key` axis
x.dot(attn.q, "embed").dot(x.dot(attn.k, "embed"), "dim").softmax("key");

const { values, ids } = x.dot(mixture.router, "embed").topK("expert", ax.choice);
const chosen = { along: ax.choice, ids, weights: values };
forChosen(ax.expert, chosen, mixture.experts, (e) => x.rename("embed", "mlp").dot(e.down, "mlp")) satisfies Stream;
// @ts-expect-error  the body sees one expert: there is no axis left to sum over
forChosen(ax.expert, chosen, mixture.experts, (e) => e.down.sum("expert"));

// Mistakes of the ordinary kind.
// @ts-expect-error  accidental outer product
iota(ax.pos).ge(iota(ax.key));
// @ts-expect-error  an axis is missing
rmsNorm(x.mean("embed"), attn.norm, 1e-5);
// @ts-expect-error  an axis too many
moe(mixture, x.broadcast(ax.expert), ax);
// @ts-expect-error  the operands share no axis
attn.norm.dot(attn.sinks, "embed");
// @ts-expect-error  the name is taken
x.rename("pos", "batch");
// @ts-expect-error  a tensor lacking an axis is not one that has it
x.mean("pos") satisfies Stream;
// @ts-expect-error  a list of tensors of different axes is not a list of one kind
sameAxes([x, x.mean("pos")]);
