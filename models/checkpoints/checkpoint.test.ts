import { describe, expect, test } from "@jest/globals";
import { flattenParams } from "../../dsl/index.ts";
import { refusalOf } from "../../tests/support/refusal.ts";
import { llamaTables } from "../llama.checkpoint.ts";
import { llamaFromHuggingFace } from "../llama.config.ts";
import { llamaWeights } from "../llama.ts";
import { matchCheckpoint } from "./checkpoint.ts";
import type { StoredTensor } from "./stored-tensor.ts";

const config = llamaFromHuggingFace({
  model_type: "llama",
  hidden_size: 64,
  intermediate_size: 160,
  num_hidden_layers: 1,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  vocab_size: 331,
});

/** A file with what the model wants, as Hugging Face lays it out: flat dimensions. */
function file(changes: Readonly<Record<string, Partial<Pick<StoredTensor, "format" | "shape">>>> = {}) {
  const shapes: Record<string, readonly number[]> = {
    "model.embed_tokens.weight": [331, 64],
    "model.layers.0.input_layernorm.weight": [64],
    "model.layers.0.self_attn.q_proj.weight": [64, 64],
    "model.layers.0.self_attn.k_proj.weight": [32, 64],
    "model.layers.0.self_attn.v_proj.weight": [32, 64],
    "model.layers.0.self_attn.o_proj.weight": [64, 64],
    "model.layers.0.post_attention_layernorm.weight": [64],
    "model.layers.0.mlp.gate_proj.weight": [160, 64],
    "model.layers.0.mlp.up_proj.weight": [160, 64],
    "model.layers.0.mlp.down_proj.weight": [64, 160],
    "model.norm.weight": [64],
    "lm_head.weight": [331, 64],
  };
  const names = new Set([...Object.keys(shapes), ...Object.keys(changes)]);
  return new Map(
    [...names].map((name): [string, StoredTensor] => {
      const { format = "F32", shape = shapes[name] ?? [] } = changes[name] ?? {};
      const dtype = format === "F32" ? "f32" : "i32";
      return [name, { name, format, shape, type: { dtype, shape } }];
    }),
  );
}

const match = (tensors: ReadonlyMap<string, StoredTensor>) =>
  matchCheckpoint(llamaWeights(config), tensors, llamaTables.huggingFace);

describe("matchCheckpoint", () => {
  test("lets pass what old exports carry and no weight wants", () => {
    expect(() => match(file({ "model.layers.0.self_attn.rotary_emb.inv_freq": { shape: [8] } }))).not.toThrow();
  });

  test("refuses elements that are no floats and no blocks", () => {
    const wrong = file({ "model.layers.0.input_layernorm.weight": { format: "I32" } });
    expect(refusalOf(() => match(wrong))).toMatchInlineSnapshot(`
InputError CHECKPOINT_MISMATCH
the checkpoint does not fit the model
  do not fit (1)
    model.layers.0.input_layernorm.weight: found elements of I32, wanted floats (F32, F16, BF16) or blocks (Q8_0, Q4_0, MXFP4, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K, Q6_K)
`);
  });

  test("of another model's file lists ten of each, and counts the rest", () => {
    const other = new Map([...file()].map(([name, tensor]) => [`h.${name}`, { ...tensor, name: `h.${name}` }]));
    expect(refusalOf(() => match(other))).toMatch(
      /lacks \(12\)(\n {4}.*){10}\n {4}and 2 more\n.*want \(12\)(\n {4}.*){10}\n {4}and 2 more/,
    );
  });
});

describe("names in GGUF", () => {
  test("are those of llama.cpp, with the rows of q and k interleaved", () => {
    const named = flattenParams(llamaWeights({ ...config, attentionBias: true, ropeFactors: true })).map(
      ([path, param]) => {
        const source = llamaTables.gguf.source(param, new Map());
        return source.kind === "tensor"
          ? `${path}: ${source.key}${source.interleaved ? `, ${source.interleaved} interleaved` : ""}`
          : path;
      },
    );
    expect(named.join("\n")).toMatchInlineSnapshot(`
embed: token_embd.weight
layers.0.attn.norm: blk.0.attn_norm.weight
layers.0.attn.q: blk.0.attn_q.weight, dim interleaved
layers.0.attn.k: blk.0.attn_k.weight, dim interleaved
layers.0.attn.v: blk.0.attn_v.weight
layers.0.attn.out: blk.0.attn_output.weight
layers.0.attn.qBias: blk.0.attn_q.bias, dim interleaved
layers.0.attn.kBias: blk.0.attn_k.bias, dim interleaved
layers.0.attn.vBias: blk.0.attn_v.bias
layers.0.attn.outBias: blk.0.attn_output.bias
layers.0.mlp.norm: blk.0.ffn_norm.weight
layers.0.mlp.gate: blk.0.ffn_gate.weight
layers.0.mlp.up: blk.0.ffn_up.weight
layers.0.mlp.down: blk.0.ffn_down.weight
norm: output_norm.weight
unembed: output.weight
ropeFactors: rope_freqs.weight
`);
  });
});
