/** Where files of a Llama keep each weight. The keys of `llamaWeights` are Hugging Face's, so only GGUF needs a table. */
import type { CheckpointTable } from "./checkpoint.ts";

/** Hugging Face key → GGUF key; `{n}` is a layer's number. */
const gguf: Readonly<Record<string, string>> = {
  "model.embed_tokens.weight": "token_embd.weight",
  "model.norm.weight": "output_norm.weight",
  "lm_head.weight": "output.weight",
  "rope_freqs.weight": "rope_freqs.weight",
  "model.layers.{n}.input_layernorm.weight": "blk.{n}.attn_norm.weight",
  "model.layers.{n}.self_attn.q_proj.weight": "blk.{n}.attn_q.weight",
  "model.layers.{n}.self_attn.k_proj.weight": "blk.{n}.attn_k.weight",
  "model.layers.{n}.self_attn.v_proj.weight": "blk.{n}.attn_v.weight",
  "model.layers.{n}.self_attn.o_proj.weight": "blk.{n}.attn_output.weight",
  "model.layers.{n}.self_attn.q_proj.bias": "blk.{n}.attn_q.bias",
  "model.layers.{n}.self_attn.k_proj.bias": "blk.{n}.attn_k.bias",
  "model.layers.{n}.self_attn.v_proj.bias": "blk.{n}.attn_v.bias",
  "model.layers.{n}.self_attn.o_proj.bias": "blk.{n}.attn_output.bias",
  "model.layers.{n}.post_attention_layernorm.weight": "blk.{n}.ffn_norm.weight",
  "model.layers.{n}.mlp.gate_proj.weight": "blk.{n}.ffn_gate.weight",
  "model.layers.{n}.mlp.up_proj.weight": "blk.{n}.ffn_up.weight",
  "model.layers.{n}.mlp.down_proj.weight": "blk.{n}.ffn_down.weight",
  "model.layers.{n}.mlp.gate_proj.bias": "blk.{n}.ffn_gate.bias",
  "model.layers.{n}.mlp.up_proj.bias": "blk.{n}.ffn_up.bias",
  "model.layers.{n}.mlp.down_proj.bias": "blk.{n}.ffn_down.bias",
};

export const llamaTables: { readonly huggingFace: CheckpointTable; readonly gguf: CheckpointTable } = {
  huggingFace: {
    source: ({ key }) => ({ kind: "tensor", key }),
    // Old exports carry the table of rotary frequencies, and tied models their embedding twice.
    ignored: [/(^|\.)rotary_emb\.inv_freq$/, /^lm_head\.weight$/],
  },
  gguf: {
    source({ key }) {
      const layer = /^model\.layers\.(\d+)\./.exec(key)?.[1];
      const general = layer === undefined ? key : key.replace(`layers.${layer}.`, "layers.{n}.");
      const own = gguf[general]?.replace("{n}", layer ?? "") ?? key;
      // llama.cpp's converter interleaves the two halves of each head's rows, for its own way of turning pairs.
      return { kind: "tensor", key: own, ...(/\.attn_[qk]\./.test(own) ? { interleaved: "dim" } : {}) };
    },
    ignored: [],
  },
};
