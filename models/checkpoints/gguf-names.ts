/** GGUF's names of tensors, which llama.cpp gives to the parts that most decoders have. */

// Public API

/** Hugging Face key → another layout's key; `{n}` is a layer's number. */
export type KeyTable = Readonly<Record<string, string>>;

/** The names that all families share. */
export const ggufNames: KeyTable = {
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
  "model.layers.{n}.self_attn.q_norm.weight": "blk.{n}.attn_q_norm.weight",
  "model.layers.{n}.self_attn.k_norm.weight": "blk.{n}.attn_k_norm.weight",
  "model.layers.{n}.post_attention_layernorm.weight": "blk.{n}.ffn_norm.weight",
  "model.layers.{n}.mlp.gate_proj.weight": "blk.{n}.ffn_gate.weight",
  "model.layers.{n}.mlp.up_proj.weight": "blk.{n}.ffn_up.weight",
  "model.layers.{n}.mlp.down_proj.weight": "blk.{n}.ffn_down.weight",
  "model.layers.{n}.mlp.gate_proj.bias": "blk.{n}.ffn_gate.bias",
  "model.layers.{n}.mlp.up_proj.bias": "blk.{n}.ffn_up.bias",
  "model.layers.{n}.mlp.down_proj.bias": "blk.{n}.ffn_down.bias",
};

/** A key's layer, and the key with `{n}` in its place. */
export function splitLayer(key: string): { readonly layer: string | undefined; readonly general: string } {
  const layer = /^model\.layers\.(\d+)\./.exec(key)?.[1];
  return { layer, general: layer === undefined ? key : key.replace(`layers.${layer}.`, "layers.{n}.") };
}

/** A weight's key in another layout; its own where the table has none. */
export function keyIn(table: KeyTable, key: string): string {
  const { layer, general } = splitLayer(key);
  return table[general]?.replace("{n}", layer ?? "") ?? key;
}
