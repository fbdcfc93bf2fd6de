/**
 * Where files of a GPT-OSS keep each weight: Hugging Face's layout (experts in MXFP4, or dequantised and transposed),
 * OpenAI's original one, which is recognised by its keys, and GGUF.
 */
import type { Param } from "../dsl/index.ts";
import type { CheckpointTables } from "./checkpoints/checkpoint.ts";
import { ggufNames, type KeyTable, keyIn, splitLayer } from "./checkpoints/gguf-names.ts";
import type { Source } from "./checkpoints/sources.ts";
import type { StoredTensors } from "./checkpoints/stored-tensor.ts";

export const gptOssTables: CheckpointTables = {
  huggingFace: {
    source: (param, tensors) => (isOriginal(tensors) ? original : huggingFace)(param, tensors),
    ignored: [],
  },
  gguf: { source: gguf, ignored: [/^rope_freqs\.weight$/] },
};

// Implementation

/** A file with the keys of both is read as Hugging Face's: the error names the others. */
function isOriginal(tensors: StoredTensors): boolean {
  return tensors.has("embedding.weight") && !tensors.has("model.embed_tokens.weight");
}

/** Dequantised experts are transposed: [expert, in, out]. */
const transposed: Readonly<Record<string, readonly string[]>> = {
  gate_up_proj: ["expert", "embed", "mlp", "part"],
  down_proj: ["expert", "mlp", "embed"],
};

function huggingFace({ key }: Param, tensors: StoredTensors): Source {
  const matrix = /^model\.layers\.\d+\.mlp\.experts\.(gate_up_proj|down_proj)$/.exec(key)?.[1];
  if (matrix === undefined) return { kind: "tensor", key };
  if (tensors.has(key) && !tensors.has(`${key}_blocks`))
    return { kind: "tensor", key, order: transposed[matrix] as readonly string[] };
  return { kind: "mxfp4", blocks: `${key}_blocks`, scales: `${key}_scales` };
}

/** Hugging Face key → OpenAI key; `{n}` is a layer's number. */
const originalKeys: KeyTable = {
  "model.embed_tokens.weight": "embedding.weight",
  "model.norm.weight": "norm.scale",
  "lm_head.weight": "unembedding.weight",
  "model.layers.{n}.input_layernorm.weight": "block.{n}.attn.norm.scale",
  "model.layers.{n}.self_attn.o_proj.weight": "block.{n}.attn.out.weight",
  "model.layers.{n}.self_attn.o_proj.bias": "block.{n}.attn.out.bias",
  "model.layers.{n}.self_attn.sinks": "block.{n}.attn.sinks",
  "model.layers.{n}.post_attention_layernorm.weight": "block.{n}.mlp.norm.scale",
  "model.layers.{n}.mlp.router.weight": "block.{n}.mlp.gate.weight",
  "model.layers.{n}.mlp.router.bias": "block.{n}.mlp.gate.bias",
  "model.layers.{n}.mlp.experts.gate_up_proj_bias": "block.{n}.mlp.mlp1_bias",
  "model.layers.{n}.mlp.experts.down_proj_bias": "block.{n}.mlp.mlp2_bias",
};

function original(param: Param, tensors: StoredTensors): Source {
  const { layer, general } = splitLayer(param.key);
  const expert = /\{n\}\.mlp\.experts\.(gate_up|down)_proj$/.exec(general)?.[1];
  if (expert !== undefined) {
    const key = `block.${layer}.mlp.mlp${expert === "gate_up" ? 1 : 2}_weight`;
    return { kind: "mxfp4", blocks: `${key}.blocks`, scales: `${key}.scales` };
  }
  const fused = /\{n\}\.self_attn\.([qkv])_proj\.(weight|bias)$/.exec(general);
  if (fused !== null) {
    const key = `block.${layer}.attn.qkv.${fused[2]}`;
    return {
      kind: "tensor",
      key,
      rows: fusedRows(param, fused[1] as "q" | "k" | "v", tensors.get(key)?.shape[0] ?? 0),
    };
  }
  return { kind: "tensor", key: keyIn(originalKeys, param.key) };
}

/** Queries, then keys, then values; keys and values are as many rows as each other. */
function fusedRows(
  { axes }: Param,
  which: "q" | "k" | "v",
  total: number,
): { readonly start: number; readonly count: number } {
  const count = axes.filter(({ name }) => name !== "embed").reduce((all, { size }) => all * size, 1);
  if (which === "q") return { start: 0, count };
  return { start: total - (which === "k" ? 2 * count : count), count };
}

/** What GGUF calls otherwise in a GPT-OSS, and what it alone has. */
const ggufKeys: KeyTable = {
  ...ggufNames,
  "model.layers.{n}.self_attn.sinks": "blk.{n}.attn_sinks.weight",
  "model.layers.{n}.post_attention_layernorm.weight": "blk.{n}.post_attention_norm.weight",
  "model.layers.{n}.mlp.router.weight": "blk.{n}.ffn_gate_inp.weight",
  "model.layers.{n}.mlp.router.bias": "blk.{n}.ffn_gate_inp.bias",
  "model.layers.{n}.mlp.experts.down_proj": "blk.{n}.ffn_down_exps.weight",
  "model.layers.{n}.mlp.experts.down_proj_bias": "blk.{n}.ffn_down_exps.bias",
};

/** GGUF keeps gate and up apart. */
function gguf({ key }: Param): Source {
  const { layer, general } = splitLayer(key);
  const pair = /\{n\}\.mlp\.experts\.gate_up_proj(_bias)?$/.exec(general);
  if (pair === null) return { kind: "tensor", key: keyIn(ggufKeys, key) };
  const suffix = pair[1] === undefined ? "weight" : "bias";
  const of = ["gate", "up"].map(
    (name) => ({ kind: "tensor", key: `blk.${layer}.ffn_${name}_exps.${suffix}` }) as const,
  );
  return { kind: "stack", along: "part", of };
}
