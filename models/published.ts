/**
 * Published models by name, as their config.json describes them: enough to compile for without any file.
 *
 * Sources: the repositories openai/gpt-oss-20b, openai/gpt-oss-120b and HuggingFaceTB/SmolLM2-135M-Instruct on
 * Hugging Face. Keys that no architecture reads are left out.
 */

// Public API

/** What config.json says, by the name that the command line takes. */
export const publishedConfigs: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  "gpt-oss-20b": gptOss({ layers: 24, experts: 32 }),
  "gpt-oss-120b": gptOss({ layers: 36, experts: 128 }),
  "smollm2-135m": {
    model_type: "llama",
    hidden_size: 576,
    intermediate_size: 1536,
    num_hidden_layers: 30,
    num_attention_heads: 9,
    num_key_value_heads: 3,
    vocab_size: 49_152,
    max_position_embeddings: 8192,
    rms_norm_eps: 1e-5,
    rope_theta: 100_000,
    tie_word_embeddings: true,
    hidden_act: "silu",
  },
};

// Implementation

function gptOss({ layers, experts }: { readonly layers: number; readonly experts: number }) {
  return {
    model_type: "gpt_oss",
    hidden_size: 2880,
    intermediate_size: 2880,
    num_hidden_layers: layers,
    num_attention_heads: 64,
    num_key_value_heads: 8,
    head_dim: 64,
    vocab_size: 201_088,
    max_position_embeddings: 131_072,
    rms_norm_eps: 1e-5,
    num_local_experts: experts,
    num_experts_per_tok: 4,
    sliding_window: 128,
    layer_types: Array.from({ length: layers }, (_, n) => (n % 2 === 0 ? "sliding_attention" : "full_attention")),
    swiglu_limit: 7,
    rope_theta: 150_000,
    rope_scaling: {
      rope_type: "yarn",
      factor: 32,
      beta_fast: 32,
      beta_slow: 1,
      truncate: false,
      original_max_position_embeddings: 4096,
    },
    tie_word_embeddings: false,
  };
}
