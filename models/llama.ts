/**
 * The Llama family: RMS norm, rotary positions, grouped-query attention, a gated MLP (arXiv:2302.13971, 2307.09288).
 *
 * One line is one equation. Nothing here speaks of memory order, devices or cache layout. The model is made of parts, and
 * `llamaOf({ ...llamaParts, mlp: { … } })` is a variant or another family: see docs/add-a-model-family.md.
 *
 * Not here: the configuration (llama.config.ts), other layouts of checkpoints (llama.checkpoint.ts), long contexts
 * (rope-scaling.ts).
 */
import {
  axes,
  type KeyValueCache,
  type Loaded,
  layer,
  type ParamTree,
  param,
  rmsNorm,
  rope,
  ropeAngles,
  part as scope,
  type Tensor,
  under,
  type Weights,
  type Within,
} from "../dsl/index.ts";
import type { Architecture, ForwardInputs, RotaryInputs } from "./architecture.ts";
import type { CheckpointTables } from "./checkpoints/checkpoint.ts";
import { ggufKeys } from "./gguf-header.ts";
import { llamaTables } from "./llama.checkpoint.ts";
import {
  type LlamaConfig,
  type LlamaFamily,
  llamaFamily,
  llamaFromGguf,
  llamaFromHuggingFace,
} from "./llama.config.ts";
import { ropeAttentionFactor } from "./rope-scaling.ts";
import { type RopeSets, setFrequencies, setTurns, type Turn } from "./rope-sets.ts";

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

export const llamaAttentionWeights = (ax: Axes, c: LlamaConfig) => ({
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

/** What a layer's attention is given besides the stream. */
export interface LlamaPlace extends Turn<"batch" | "pos" | "dim"> {
  readonly cache: KeyValueCache;
  /** How far back a position looks, itself included; undefined is the whole context. */
  readonly window: number | undefined;
}

type Queries = Tensor<"batch" | "pos" | "kvHead" | "group" | "dim">;
type Keys = Tensor<"batch" | "pos" | "kvHead" | "dim">;

/** What a variant does otherwise inside the attention. */
export interface LlamaAttentionParts {
  /** What queries become before they turn; `h` is what they were made of. */
  readonly queries?: (q: Queries, h: Stream) => Queries;
  /** What keys become before they turn. */
  readonly keys?: (k: Keys, h: Stream) => Keys;
  /** What queries are multiplied by. Default: 1 / √(size of a head). */
  readonly scale?: number;
}

/** What causal attention adds to the stream. */
export function llamaAttention(
  w: Weights<typeof llamaAttentionWeights>,
  x: Stream,
  { cache, angles, rotaryDim, window }: LlamaPlace,
  c: LlamaConfig,
  { queries = (q) => q, keys = (k) => k, scale = c.headDim ** -0.5 }: LlamaAttentionParts = {},
): Stream {
  const h = rmsNorm(x, w.norm, c.normEps);
  const turn = <B extends string>(t: Tensor<B | "batch" | "pos" | "dim">) =>
    rope<B | "batch">(t, angles, rotaryDim / 2);

  const q = turn(queries(plus(h.dot(w.q, "embed"), w.qBias), h)).mul(scale);
  const unturned = keys(plus(h.dot(w.k, "embed"), w.kBias), h);
  const { k, v, age } = cache.extend(turn(unturned), plus(h.dot(w.v, "embed"), w.vBias));

  const scores = q.dot(k, "dim").cast("f32").where(visible(age, window), -1e30);
  const mix = scores.softmax("key").cast(x.dtype).dot(v, "key");
  return plus(mix.dot(w.out, "kvHead", "group", "dim"), w.outBias);
}

/** What a position sees: nothing after it, and no more than a window before it. */
function visible<A extends string>(age: Tensor<A>, window: number | undefined): Tensor<A> {
  return window === undefined ? age.ge(0) : age.ge(0).and(age.lt(window));
}

// Gated MLP (arXiv:2002.05202)

export const llamaMlpWeights = (ax: Axes, c: LlamaConfig) => ({
  norm: param("post_attention_layernorm.weight", ax.embed),
  gate: param("mlp.gate_proj.weight", ax.mlp, ax.embed),
  up: param("mlp.up_proj.weight", ax.mlp, ax.embed),
  down: param("mlp.down_proj.weight", ax.embed, ax.mlp),
  gateBias: c.mlpBias ? param("mlp.gate_proj.bias", ax.mlp) : undefined,
  upBias: c.mlpBias ? param("mlp.up_proj.bias", ax.mlp) : undefined,
  downBias: c.mlpBias ? param("mlp.down_proj.bias", ax.embed) : undefined,
});

type Inner = Tensor<"batch" | "pos" | "mlp">;

/** What a variant does otherwise inside the MLP. */
export interface LlamaMlpParts {
  /** Default: SiLU. */
  readonly activation?: (gate: Inner) => Inner;
}

/** What the MLP adds to the stream. */
export function llamaMlp(
  w: Weights<typeof llamaMlpWeights>,
  x: Stream,
  c: LlamaConfig,
  { activation = (gate) => gate.mul(gate.sigmoid()) }: LlamaMlpParts = {},
): Stream {
  const h = rmsNorm(x, w.norm, c.normEps);
  const gate = plus(h.dot(w.gate, "embed"), w.gateBias);
  const up = plus(h.dot(w.up, "embed"), w.upBias);
  return plus(activation(gate).mul(up).dot(w.down, "mlp"), w.downBias);
}

/** `x`, with a bias where the model has one. */
function plus<A extends string>(x: Tensor<A>, bias: Within<A> | undefined): Tensor<A> {
  return bias === undefined ? x : x.add(bias);
}

/** A layer: attention first, then the MLP of what came of it. */
export function llamaLayer(x: Stream, attention: (x: Stream) => Stream, mlp: (x: Stream) => Stream): Stream {
  const mixed = scope("attn", () => x.add(attention(x)));
  return scope("mlp", () => mixed.add(mlp(mixed)));
}

// The model

const outerWeights = (ax: Axes, c: LlamaConfig) => ({
  embed: param("model.embed_tokens.weight", ax.vocab, ax.embed),
  norm: param("model.norm.weight", ax.embed),
  unembed: c.tied ? undefined : param("lm_head.weight", ax.vocab, ax.embed),
  // A GGUF file of a Llama 3 keeps its stretched frequencies as divisors of the plain ones.
  ropeFactors: c.ropeFactors ? param("rope_freqs.weight", ax.freq) : undefined,
});

type LlamaWeights<A, M> = Weights<typeof outerWeights> & {
  readonly layers: readonly { readonly attn: Loaded<A>; readonly mlp: Loaded<M> }[];
};

/** A configuration's keys as its file has them: config.json's, or those of a GGUF header without the family's name. */
export interface GivenKeys {
  readonly keys: Readonly<Record<string, unknown>>;
  /** Which file they are of, for errors. */
  readonly what: "config.json" | "the GGUF header";
}

/** What the model is made of: `C` is its configuration, `A` and `M` are the weights of a layer's attention and MLP. */
export interface LlamaParts<C extends LlamaConfig, A, M> {
  readonly family: LlamaFamily;
  /** The configuration, from the published one and whatever other keys the file has. */
  readonly config: (c: LlamaConfig, given: GivenKeys) => C;
  readonly tables: CheckpointTables;
  readonly rope: {
    /** The frequencies that layers turn by, by name. */
    readonly sets: (c: C) => RopeSets;
    /** The name of a layer's. */
    readonly of: (c: C, layer: number) => string;
  };
  /** How far back a layer looks, itself included; undefined is the whole context. */
  readonly window: (c: C, layer: number) => number | undefined;
  /** What the embedding of a token becomes before the first layer. */
  readonly embed: (x: Stream, c: C) => Stream;
  readonly attention: {
    readonly weights: (ax: Axes, c: C) => A & ParamTree;
    readonly forward: (w: Loaded<A>, x: Stream, place: LlamaPlace, c: C) => Stream;
  };
  readonly mlp: {
    readonly weights: (ax: Axes, c: C) => M & ParamTree;
    readonly forward: (w: Loaded<M>, x: Stream, c: C) => Stream;
  };
  readonly layer: typeof llamaLayer;
}

/** The published parts. */
export const llamaParts = {
  family: llamaFamily,
  config: (c: LlamaConfig) => c,
  tables: llamaTables,
  rope: { sets: (c: LlamaConfig) => ({ all: c.rope }), of: () => "all" },
  window: () => undefined,
  embed: (x: Stream) => x,
  attention: {
    weights: llamaAttentionWeights,
    forward: (w: Weights<typeof llamaAttentionWeights>, x: Stream, place: LlamaPlace, c: LlamaConfig) =>
      llamaAttention(w, x, place, c),
  },
  mlp: {
    weights: llamaMlpWeights,
    forward: (w: Weights<typeof llamaMlpWeights>, x: Stream, c: LlamaConfig) => llamaMlp(w, x, c),
  },
  layer: llamaLayer,
};

/** The model of these parts: `llamaOf({ ...llamaParts, mlp: { … } })` is a variant. */
export function llamaOf<C extends LlamaConfig, A, M>(parts: LlamaParts<C, A, M>) {
  const { family, config, window, attention, mlp } = parts;
  const { name, modelTypes, ggufNames } = family;

  const weights = (c: C) => {
    const ax = llamaAxes(c);
    const layers = Array.from({ length: c.layers }, (_, n) =>
      under(`model.layers.${n}.`, { attn: attention.weights(ax, c), mlp: mlp.weights(ax, c) }),
    );
    const { embed, ...ends } = outerWeights(ax, c);
    return { embed, layers, ...ends };
  };

  function forward(w: LlamaWeights<A, M>, given: ForwardInputs<RotaryInputs>, c: C): Stream {
    const { tokens, positions, frequencies, cache } = given;
    const turnOf = setTurns(parts.rope.sets(c), frequencies, (of, plain, name) => {
      const radians = w.ropeFactors === undefined || of !== c.rope ? plain : plain.div(w.ropeFactors);
      return scope(name, () => ropeAngles(positions, radians, ropeAttentionFactor(of)));
    });

    let x = parts.embed(w.embed.take("vocab", tokens), c);
    w.layers.forEach((weights, n) => {
      const turn = turnOf(parts.rope.of(c, n));
      const place = { ...turn, cache: cache(n), window: window(c, n) };
      x = layer(`layers.${n}`, () =>
        parts.layer(
          x,
          (stream) => attention.forward(weights.attn, stream, place, c),
          (stream) => mlp.forward(weights.mlp, stream, c),
        ),
      );
    });
    return scope("norm", () => rmsNorm(x, w.norm, c.normEps));
  }

  return {
    name,
    modelTypes,
    ggufNames,
    fromHuggingFace: (given) =>
      config(llamaFromHuggingFace(given, family), { keys: given as GivenKeys["keys"], what: "config.json" }),
    fromGguf: (metadata, tensors) =>
      config(llamaFromGguf(metadata, tensors, family), {
        keys: ggufKeys(metadata, ggufNames),
        what: "the GGUF header",
      }),
    weights,
    forward,
    /** The logits; a tied model's unembedding is its embedding. */
    unembed: (w, hidden) => scope("unembed", () => hidden.dot(w.unembed ?? w.embed, "embed")),
    frequencies: (c, length) => setFrequencies(parts.rope.sets(c), length),
    window,
    activeShare: ({ key }, c) => (key === "model.embed_tokens.weight" && !c.tied ? 1 / c.vocab : 1),
    tables: parts.tables,
    roles: { batch: "rows", kvHead: "heads", group: "heads", mlp: "width", vocab: "vocabulary" },
  } satisfies Architecture<C, LlamaWeights<A, M>, RotaryInputs>;
}

export const llama = llamaOf(llamaParts);

/** Every weight of the published model. */
export const llamaWeights = (c: LlamaConfig): LlamaTree => llama.weights(c);

type LlamaTree = ReturnType<typeof outerWeights> & {
  readonly layers: readonly {
    readonly attn: ReturnType<typeof llamaAttentionWeights>;
    readonly mlp: ReturnType<typeof llamaMlpWeights>;
  }[];
};
