/** Steps of small models on meshes, as text: what is split, what is done in parts, and what is brought together. */
import { parseTarget } from "../../compiler/index.ts";
import { traceStep } from "../../inference/programs/step-program.ts";
import { gptOss, llama, publishedConfigs } from "../../models/index.ts";
import { defineGoldens } from "../../testing/index.ts";

const sizes = { batch: 2, pos: 1, capacity: 8 };
const tensorParallel = parseTarget("cpu:2", { mesh: "model=2" });
const expertParallel = parseTarget("cpu:8", { mesh: "data=2,expert=2,model=2", compute: "bf16" });

const smallLlama = llama.fromHuggingFace({
  ...publishedConfigs["smollm2-135m"],
  hidden_size: 16,
  intermediate_size: 10,
  num_hidden_layers: 1,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  vocab_size: 2048,
});

const smallGptOss = gptOss.fromHuggingFace({
  ...publishedConfigs["gpt-oss-20b"],
  hidden_size: 12,
  intermediate_size: 10,
  num_hidden_layers: 1,
  layer_types: ["sliding_attention"],
  num_attention_heads: 8,
  num_key_value_heads: 4,
  head_dim: 4,
  num_local_experts: 6,
  num_experts_per_tok: 2,
  vocab_size: 2048,
});

export default defineGoldens({
  "llama-decode": {
    lower: () => traceStep(llama, smallLlama, tensorParallel, sizes, "last"),
    target: tensorParallel,
    roles: llama.roles,
  },
  "gpt-oss-decode": {
    lower: () => traceStep(gptOss, smallGptOss, expertParallel, sizes, "last"),
    target: expertParallel,
    roles: gptOss.roles,
  },
});
