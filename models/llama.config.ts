/**
 * The configuration of a Llama: from config.json, or from a GGUF header.
 *
 * Keys that transformers' LlamaConfig lets out have its defaults, since published files rely on them; every other missing
 * key is an error.
 */
import { z } from "zod";
import { InputError } from "../dsl/index.ts";
import type { Metadata, ModelConfig } from "./architecture.ts";
import { count, parseConfig, positive } from "./config-schema.ts";
import { longropeAttentionFactor, type RopeConfig, type RopeScaling, yarnAttentionFactor } from "./rope-scaling.ts";

// Public API

/** Everything that `llama.ts` reads. */
export interface LlamaConfig extends ModelConfig {
  /** Width of the residual stream. */
  readonly embed: number;
  readonly heads: number;
  /** Width inside the MLP. */
  readonly mlp: number;
  readonly normEps: number;
  /** Whether the unembedding is the embedding. */
  readonly tied: boolean;
  readonly attentionBias: boolean;
  readonly mlpBias: boolean;
  readonly rope: RopeConfig;
  /** Whether the checkpoint holds divisors of the rotary frequencies. */
  readonly ropeFactors: boolean;
}

/** Reads config.json. @throws InputError that names every key that is missing or wrong */
export function llamaFromHuggingFace(config: unknown): LlamaConfig {
  const c = parseConfig(huggingFace, config, "config.json");
  const headDim = c.head_dim ?? c.hidden_size / c.num_attention_heads;
  return checked(
    {
      layers: c.num_hidden_layers,
      vocab: c.vocab_size,
      context: c.max_position_embeddings,
      embed: c.hidden_size,
      heads: c.num_attention_heads,
      kvHeads: c.num_key_value_heads ?? c.num_attention_heads,
      headDim,
      mlp: c.intermediate_size,
      normEps: c.rms_norm_eps,
      tied: c.tie_word_embeddings,
      attentionBias: c.attention_bias,
      mlpBias: c.mlp_bias,
      rope: ropeFromHuggingFace(c, headDim),
      ropeFactors: false,
    },
    "config.json",
  );
}

/** Reads a GGUF header. @throws InputError that names every key that is missing or wrong */
export function llamaFromGguf(metadata: Metadata, tensors: ReadonlySet<string>): LlamaConfig {
  const keys = Object.fromEntries(
    [...metadata].filter(([key]) => key.startsWith("llama.")).map(([key, value]) => [key.slice(6), value]),
  );
  const tokens = metadata.get("tokenizer.ggml.tokens");
  const vocab = keys.vocab_size ?? (Array.isArray(tokens) ? tokens.length : undefined);
  const c = parseConfig(ggufHeader, { ...keys, vocab_size: vocab }, "the GGUF header's llama.* keys");
  const headDim = c["attention.key_length"] ?? c.embedding_length / c["attention.head_count"];
  return checked(
    {
      layers: c.block_count,
      vocab: c.vocab_size,
      context: c.context_length,
      embed: c.embedding_length,
      heads: c["attention.head_count"],
      kvHeads: c["attention.head_count_kv"] ?? c["attention.head_count"],
      headDim,
      mlp: c.feed_forward_length,
      normEps: c["attention.layer_norm_rms_epsilon"],
      tied: !tensors.has("output.weight"),
      attentionBias: tensors.has("blk.0.attn_q.bias"),
      mlpBias: tensors.has("blk.0.ffn_gate.bias"),
      rope: {
        theta: c["rope.freq_base"],
        rotaryDim: c["rope.dimension_count"] ?? headDim,
        scaling: scalingFromGguf(c),
      },
      ropeFactors: tensors.has("rope_freqs.weight"),
    },
    "the GGUF header",
  );
}

// Implementation

const ropeKeys = z
  .looseObject({
    rope_type: z.string(),
    type: z.string(),
    rope_theta: positive().nullable(),
    factor: positive().nullable(),
    original_max_position_embeddings: count(2 ** 30),
    attention_factor: positive().nullable(),
    beta_fast: positive().nullable(),
    beta_slow: positive().nullable(),
    mscale: z.number().nullable(),
    mscale_all_dim: z.number().nullable(),
    truncate: z.boolean(),
    low_freq_factor: positive(),
    high_freq_factor: positive(),
    short_factor: z.array(positive()),
    long_factor: z.array(positive()),
    partial_rotary_factor: positive(1),
  })
  .partial();

type RopeKeys = z.infer<typeof ropeKeys>;

const huggingFace = z.looseObject({
  model_type: z.literal("llama", { error: '"llama"' }),
  hidden_size: count(),
  intermediate_size: count(),
  num_hidden_layers: count(10_000),
  num_attention_heads: count(),
  num_key_value_heads: count().nullish(),
  head_dim: count().nullish(),
  vocab_size: count(),
  max_position_embeddings: count(2 ** 30).default(2048),
  rms_norm_eps: positive().default(1e-6),
  hidden_act: z.literal("silu", { error: '"silu", the only activation that is known' }).default("silu"),
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
  tie_word_embeddings: z.boolean().default(false),
  rope_theta: positive().nullish(),
  rope_scaling: ropeKeys.nullish(),
  rope_parameters: ropeKeys.nullish(),
  partial_rotary_factor: positive(1).nullish(),
  original_max_position_embeddings: count(2 ** 30).nullish(),
});

const ggufHeader = z.looseObject({
  block_count: count(10_000),
  embedding_length: count(),
  feed_forward_length: count(),
  "attention.head_count": count(),
  "attention.head_count_kv": count().optional(),
  "attention.key_length": count().optional(),
  "attention.layer_norm_rms_epsilon": positive(),
  context_length: count(2 ** 30),
  vocab_size: count(),
  "rope.dimension_count": count().optional(),
  "rope.freq_base": positive().default(10_000),
  "rope.scaling.type": z
    .enum(["none", "linear", "yarn"], { error: "one of those that are known: none, linear and yarn" })
    .default("none"),
  "rope.scaling.factor": positive().optional(),
  "rope.scaling.original_context_length": count(2 ** 30).optional(),
  "rope.scaling.attn_factor": positive().optional(),
  "rope.scaling.yarn_beta_fast": positive().default(32),
  "rope.scaling.yarn_beta_slow": positive().default(1),
});

function ropeFromHuggingFace(c: z.infer<typeof huggingFace>, headDim: number): RopeConfig {
  // `rope_parameters` is what transformers 5 writes; older files have `rope_scaling` beside `rope_theta`.
  const keys: RopeKeys = c.rope_parameters ?? c.rope_scaling ?? {};
  const partial = keys.partial_rotary_factor ?? c.partial_rotary_factor ?? 1;
  const original =
    c.original_max_position_embeddings ?? keys.original_max_position_embeddings ?? c.max_position_embeddings;
  return {
    theta: keys.rope_theta ?? c.rope_theta ?? 10_000,
    rotaryDim: Math.floor(headDim * partial),
    scaling: scalingFromHuggingFace(keys, original, c.max_position_embeddings),
  };
}

function scalingFromHuggingFace(keys: RopeKeys, originalContext: number, context: number): RopeScaling {
  const kind = keys.rope_type ?? keys.type ?? "default";
  const need = <K extends keyof RopeKeys>(key: K): NonNullable<RopeKeys[K]> => {
    const value = keys[key];
    if (value !== undefined && value !== null) return value as NonNullable<RopeKeys[K]>;
    throw new InputError("CONFIG", `config.json: rope scaling "${kind}" lacks its ${String(key)}`, {
      kind,
      key,
    });
  };
  switch (kind) {
    case "default":
      return { kind };
    case "linear":
      return { kind, factor: need("factor") };
    case "dynamic":
      // The length that counts is max_position_embeddings: NTK scaling starts beyond it.
      return { kind, factor: need("factor"), originalContext: context };
    case "yarn": {
      const factor = keys.factor ?? context / originalContext;
      const { mscale, mscale_all_dim: mscaleAllDim } = keys;
      const inferred =
        mscale && mscaleAllDim
          ? yarnAttentionFactor(factor, mscale) / yarnAttentionFactor(factor, mscaleAllDim)
          : yarnAttentionFactor(factor);
      return {
        kind,
        factor,
        originalContext,
        betaFast: keys.beta_fast || 32,
        betaSlow: keys.beta_slow || 1,
        attentionFactor: keys.attention_factor ?? inferred,
        truncate: keys.truncate ?? true,
      };
    }
    case "llama3":
      return {
        kind,
        factor: need("factor"),
        lowFreqFactor: need("low_freq_factor"),
        highFreqFactor: need("high_freq_factor"),
        originalContext,
      };
    case "longrope":
      return {
        kind,
        shortFactor: need("short_factor"),
        longFactor: need("long_factor"),
        attentionFactor:
          keys.attention_factor ?? longropeAttentionFactor(keys.factor ?? context / originalContext, originalContext),
        originalContext,
      };
    default:
      throw new InputError(
        "CONFIG",
        `config.json: rope scaling "${kind}" is not known; known are default, linear, dynamic, yarn, llama3 and longrope`,
        { kind },
      );
  }
}

function scalingFromGguf(c: z.infer<typeof ggufHeader>): RopeScaling {
  const kind = c["rope.scaling.type"];
  const factor = c["rope.scaling.factor"];
  if (kind === "none" || factor === undefined) return { kind: "default" };
  if (kind === "linear") return { kind, factor };
  return {
    kind,
    factor,
    originalContext: c["rope.scaling.original_context_length"] ?? c.context_length,
    betaFast: c["rope.scaling.yarn_beta_fast"],
    betaSlow: c["rope.scaling.yarn_beta_slow"],
    // llama.cpp multiplies the factor that it is given by YaRN's own.
    attentionFactor: yarnAttentionFactor(factor) * (c["rope.scaling.attn_factor"] ?? 1),
    truncate: true,
  };
}

/** Refuses numbers that each may stand for themselves and together make no model. */
function checked(c: LlamaConfig, what: string): LlamaConfig {
  const faults = [
    !Number.isInteger(c.headDim) &&
      `the width ${c.embed} is no multiple of ${c.heads} heads, and no head size is given`,
    c.heads % c.kvHeads !== 0 && `${c.heads} heads are no multiple of ${c.kvHeads} key/value heads`,
    (c.rope.rotaryDim % 2 !== 0 || c.rope.rotaryDim > c.headDim || c.rope.rotaryDim < 2) &&
      `${c.rope.rotaryDim} dimensions of a head of ${c.headDim} are to turn, and they turn in pairs`,
    ...(c.rope.scaling.kind === "longrope"
      ? (["shortFactor", "longFactor"] as const).map((key) => {
          const { length } = (c.rope.scaling as Extract<RopeScaling, { kind: "longrope" }>)[key];
          return (
            length !== c.rope.rotaryDim / 2 && `${length} factors (${key}) for ${c.rope.rotaryDim / 2} rotary pairs`
          );
        })
      : []),
  ].filter((fault) => fault !== false);
  if (faults.length === 0) return c;
  throw new InputError(
    "CONFIG",
    [`${what} does not describe a model`, ...faults.map((fault) => `  ${fault}`)].join("\n"),
    { what, faults },
  );
}
