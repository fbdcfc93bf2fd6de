/**
 * The configuration of a Llama: from config.json, or from a GGUF header.
 *
 * Keys that transformers' LlamaConfig lets out have its defaults, since published files rely on them; every other missing
 * key is an error.
 */
import { z } from "zod";
import type { FamilyNames, Metadata, ModelConfig } from "./architecture.ts";
import { ggufSizes, readGgufHeader } from "./gguf-header.ts";
import { count, noModel, parseConfig, positive } from "./parse-input.ts";
import { ggufRope, huggingFaceRope, ropeFaults, ropeFromGguf, ropeFromHuggingFace } from "./rope-config.ts";
import type { RopeConfig } from "./rope-scaling.ts";

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

/** What tells the files of one family from those of another, and what its `mlp` computes. */
export interface LlamaFamily extends FamilyNames {
  /** What config.json may call the activation. */
  readonly activations: readonly string[];
}

export const llamaFamily: LlamaFamily = {
  name: "llama",
  modelTypes: ["llama"],
  ggufNames: ["llama"],
  activations: ["silu"],
};

/** Reads config.json. @throws InputError that names every key that is missing or wrong */
export function llamaFromHuggingFace(config: unknown, family: LlamaFamily = llamaFamily): LlamaConfig {
  const c = parseConfig(huggingFace(family), config, "config.json");
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
export function llamaFromGguf(
  metadata: Metadata,
  tensors: ReadonlySet<string>,
  { ggufNames }: Pick<LlamaFamily, "ggufNames"> = llamaFamily,
): LlamaConfig {
  const c = readGgufHeader(ggufHeader, metadata, ggufNames);
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
      rope: ropeFromGguf(c, headDim),
      ropeFactors: tensors.has("rope_freqs.weight"),
    },
    "the GGUF header",
  );
}

// Implementation

const huggingFace = ({ modelTypes, activations }: LlamaFamily) =>
  z.looseObject({
    model_type: oneOf(modelTypes),
    hidden_size: count(),
    intermediate_size: count(),
    num_hidden_layers: count(10_000),
    num_attention_heads: count(),
    num_key_value_heads: count().nullish(),
    head_dim: count().nullish(),
    vocab_size: count(),
    rms_norm_eps: positive().default(1e-6),
    hidden_act: oneOf(activations, "activation").default(activations[0] as string),
    attention_bias: z.boolean().default(false),
    mlp_bias: z.boolean().default(false),
    tie_word_embeddings: z.boolean().default(false),
    ...huggingFaceRope,
  });

const ggufHeader = z.looseObject({
  ...ggufSizes,
  feed_forward_length: count(),
  "attention.head_count_kv": count().optional(),
  "attention.key_length": count().optional(),
  ...ggufRope,
});

/** @param what  what the words are, where no other of their kind is known */
function oneOf(words: readonly string[], what?: string) {
  const error = words.map((word) => JSON.stringify(word)).join(" or ");
  return z.enum(words, { error: what === undefined ? error : `${error}, the only ${what} that is known` });
}

/** Refuses numbers that each may stand for themselves and together make no model. */
function checked(c: LlamaConfig, what: string): LlamaConfig {
  const { embed, heads, kvHeads, headDim } = c;
  const isWhole = Number.isInteger(headDim);
  const faults = [
    ...(isWhole ? [] : [`the width ${embed} is no multiple of ${heads} heads, and no head size is given`]),
    ...(heads % kvHeads === 0 ? [] : [`${heads} heads are no multiple of ${kvHeads} key/value heads`]),
    ...ropeFaults(c.rope, headDim),
  ];
  if (faults.length > 0) throw noModel(what, faults);
  return c;
}
