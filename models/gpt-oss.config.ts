/**
 * The configuration of a GPT-OSS: from Hugging Face's config.json, from OpenAI's original one, or from a GGUF header.
 *
 * Every number comes from the file, and a missing one is an error: a silent default would run another model.
 */
import { z } from "zod";
import type { FamilyNames, Metadata, ModelConfig } from "./architecture.ts";
import { ggufSizes, readGgufHeader } from "./gguf-header.ts";
import { count, noModel, parseConfig, positive } from "./parse-input.ts";
import { type RopeConfig, yarnAttentionFactor } from "./rope-scaling.ts";

// Public API

/** Everything that `gpt-oss.ts` reads. */
export interface GptOssConfig extends ModelConfig {
  /** Width of the residual stream. */
  readonly embed: number;
  readonly heads: number;
  readonly experts: number;
  readonly expertsPerToken: number;
  /** Width inside an expert. */
  readonly mlp: number;
  /** Where gate and up are clamped. */
  readonly swigluLimit: number;
  readonly normEps: number;
  /** How far back each layer looks, itself included; undefined is the whole context. */
  readonly windows: readonly (number | undefined)[];
  readonly rope: RopeConfig;
}

export const gptOssNames: FamilyNames = { name: "gpt_oss", modelTypes: ["gpt_oss"], ggufNames: ["gpt-oss"] };

/** Reads config.json with either set of keys. @throws InputError that names every key that is missing or wrong */
export function gptOssFromHuggingFace(config: unknown): GptOssConfig {
  return isOriginalGptOss(config) ? fromOriginal(config) : fromHuggingFace(config);
}

/** Whether a config.json has OpenAI's keys. It names no architecture; one key may be missing, to be named. */
export function isOriginalGptOss(config: unknown): boolean {
  const has = (key: string) => typeof config === "object" && config !== null && key in config;
  if (has("num_local_experts")) return false;
  return has("model_type") ? has("num_experts") : originalOnly.filter(has).length >= 2;
}

/** Reads a GGUF header. @throws InputError that names every key that is missing or wrong */
export function gptOssFromGguf(metadata: Metadata): GptOssConfig {
  const c = readGgufHeader(ggufHeader, metadata, gptOssNames.ggufNames);
  return checked({
    layers: c.block_count,
    vocab: c.vocab_size,
    context: c.context_length,
    embed: c.embedding_length,
    heads: c["attention.head_count"],
    kvHeads: c["attention.head_count_kv"],
    headDim: c["attention.key_length"],
    experts: c.expert_count,
    expertsPerToken: c.expert_used_count,
    mlp: c.expert_feed_forward_length,
    // GGUF has no key for it: every published file has 7.
    swigluLimit: 7,
    normEps: c["attention.layer_norm_rms_epsilon"],
    windows: alternating(c.block_count, c["attention.sliding_window"]),
    rope: yarn(c["attention.key_length"], c["rope.freq_base"], {
      factor: c["rope.scaling.factor"],
      originalContext: c["rope.scaling.original_context_length"],
      betaFast: c["rope.scaling.yarn_beta_fast"],
      betaSlow: c["rope.scaling.yarn_beta_slow"],
      // llama.cpp does not round the range of GPT-OSS's ramp.
      truncate: false,
    }),
  });
}

// Implementation

const shared = {
  vocab_size: count(),
  hidden_size: count(),
  intermediate_size: count(),
  num_hidden_layers: count(10_000),
  num_attention_heads: count(),
  num_key_value_heads: count(),
  head_dim: count(),
  sliding_window: count(2 ** 30),
  swiglu_limit: positive(),
};

const huggingFace = z.looseObject({
  ...shared,
  num_local_experts: count(),
  num_experts_per_tok: count().optional(),
  experts_per_token: count().optional(),
  rms_norm_eps: positive(),
  max_position_embeddings: count(2 ** 30),
  layer_types: z.array(z.enum(["sliding_attention", "full_attention"])),
  rope_theta: positive().optional(),
  rope_scaling: z.looseObject({}).nullish(),
  rope_parameters: z.looseObject({}).nullish(),
  tie_word_embeddings: z.literal(false, { error: "false: no tied GPT-OSS is known" }).default(false),
  attention_bias: z.literal(true, { error: "true: no GPT-OSS without attention biases is known" }).default(true),
});

const yarnKeys = z.looseObject({
  rope_type: z.literal("yarn", { error: '"yarn", as every GPT-OSS has' }),
  rope_theta: positive(),
  factor: positive(),
  beta_fast: positive(),
  beta_slow: positive(),
  truncate: z.boolean(),
  original_max_position_embeddings: count(2 ** 30),
});

const original = z.looseObject({
  ...shared,
  num_experts: count(),
  experts_per_token: count(),
  rope_theta: positive(),
  rope_scaling_factor: positive(),
  rope_ntk_alpha: positive(),
  rope_ntk_beta: positive(),
  initial_context_length: count(2 ** 30),
});

/** Keys of OpenAI's set that no other architecture's config.json has together. */
const originalOnly = [
  ...["num_experts", "experts_per_token", "swiglu_limit", "initial_context_length"],
  ...["rope_scaling_factor", "rope_ntk_alpha", "rope_ntk_beta"],
];

const ggufHeader = z.looseObject({
  ...ggufSizes,
  "attention.head_count_kv": count(),
  "attention.key_length": count(),
  "attention.sliding_window": count(2 ** 30),
  expert_count: count(),
  expert_used_count: count(),
  expert_feed_forward_length: count(),
  "rope.freq_base": positive(),
  "rope.scaling.factor": positive(),
  "rope.scaling.original_context_length": count(2 ** 30),
  "rope.scaling.yarn_beta_fast": positive().default(32),
  "rope.scaling.yarn_beta_slow": positive().default(1),
});

function fromHuggingFace(config: unknown): GptOssConfig {
  const c = parseConfig(huggingFace, config, "config.json");
  const expertsPerToken = c.num_experts_per_tok ?? c.experts_per_token;
  if (expertsPerToken === undefined || expertsPerToken !== (c.experts_per_token ?? expertsPerToken)) {
    const found = expertsPerToken === undefined ? "nothing" : `${expertsPerToken}, and ${c.experts_per_token} as`;
    const other = expertsPerToken === undefined ? "" : " experts_per_token";
    throw noModel("config.json", [`num_experts_per_tok: found ${found}${other}; one whole number is wanted`]);
  }
  const keys = { rope_theta: c.rope_theta, ...(c.rope_parameters ?? c.rope_scaling ?? {}) };
  const rope = parseConfig(yarnKeys, keys, "config.json, rope_parameters or rope_scaling,");
  return checked({
    layers: c.num_hidden_layers,
    vocab: c.vocab_size,
    context: c.max_position_embeddings,
    embed: c.hidden_size,
    heads: c.num_attention_heads,
    kvHeads: c.num_key_value_heads,
    headDim: c.head_dim,
    experts: c.num_local_experts,
    expertsPerToken,
    mlp: c.intermediate_size,
    swigluLimit: c.swiglu_limit,
    normEps: c.rms_norm_eps,
    windows: c.layer_types.map((kind) => (kind === "sliding_attention" ? c.sliding_window : undefined)),
    rope: yarn(c.head_dim, rope.rope_theta, {
      factor: rope.factor,
      originalContext: rope.original_max_position_embeddings,
      betaFast: rope.beta_fast,
      betaSlow: rope.beta_slow,
      truncate: rope.truncate,
    }),
  });
}

/** OpenAI's own key set (openai/gpt-oss gpt_oss/torch/model.py, `ModelConfig`). */
function fromOriginal(config: unknown): GptOssConfig {
  const c = parseConfig(original, config, "config.json");
  return checked({
    layers: c.num_hidden_layers,
    vocab: c.vocab_size,
    context: Math.round(c.initial_context_length * c.rope_scaling_factor),
    embed: c.hidden_size,
    heads: c.num_attention_heads,
    kvHeads: c.num_key_value_heads,
    headDim: c.head_dim,
    experts: c.num_experts,
    expertsPerToken: c.experts_per_token,
    mlp: c.intermediate_size,
    swigluLimit: c.swiglu_limit,
    // The reference has it as a constant.
    normEps: 1e-5,
    windows: alternating(c.num_hidden_layers, c.sliding_window),
    rope: yarn(c.head_dim, c.rope_theta, {
      factor: c.rope_scaling_factor,
      originalContext: c.initial_context_length,
      betaFast: c.rope_ntk_beta,
      betaSlow: c.rope_ntk_alpha,
      truncate: false,
    }),
  });
}

/** Every other layer looks back over a window, beginning with the first. */
function alternating(layers: number, window: number): readonly (number | undefined)[] {
  return Array.from({ length: layers }, (_, n) => (n % 2 === 0 ? window : undefined));
}

function yarn(
  rotaryDim: number,
  theta: number,
  scaling: { factor: number; originalContext: number; betaFast: number; betaSlow: number; truncate: boolean },
): RopeConfig {
  return {
    theta,
    rotaryDim,
    scaling: { kind: "yarn", ...scaling, attentionFactor: yarnAttentionFactor(scaling.factor) },
  };
}

/** Refuses numbers that each may stand for themselves and together make no model. */
function checked(c: GptOssConfig): GptOssConfig {
  const faults = [
    c.heads % c.kvHeads !== 0 && `${c.heads} heads are no multiple of ${c.kvHeads} key/value heads`,
    c.headDim % 2 !== 0 && `a head has ${c.headDim} dimensions, and they turn in pairs`,
    c.expertsPerToken > c.experts && `${c.expertsPerToken} of ${c.experts} experts are to be chosen`,
    c.windows.length !== c.layers && `layer_types names ${c.windows.length} layers of ${c.layers}`,
  ].filter((fault) => fault !== false);
  if (faults.length > 0) throw noModel("the configuration", faults);
  return c;
}
