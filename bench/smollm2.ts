/** SmolLM2-135M's sizes, for benchmarks that need no weights. */
import { type LlamaConfig, llama } from "../models/index.ts";

export const smollm2: LlamaConfig = llama.fromHuggingFace({
  model_type: "llama",
  hidden_size: 576,
  intermediate_size: 1536,
  num_hidden_layers: 30,
  num_attention_heads: 9,
  num_key_value_heads: 3,
  vocab_size: 49152,
  rms_norm_eps: 1e-5,
  rope_theta: 100000,
  max_position_embeddings: 8192,
  tie_word_embeddings: true,
  hidden_act: "silu",
});
