/**
 * Models: one readable file per architecture, with its configuration and its checkpoints.
 *
 * @module tsxla/models
 */
export { countActiveParameters } from "./active-parameters.ts";
export type { Architecture, ForwardInputs, Metadata, ModelConfig } from "./architecture.ts";
export { isPacked, unpackBlocks } from "./block-formats.ts";
export {
  type CheckpointTable,
  type Drawn,
  type Feed,
  isMxfp4,
  matchCheckpoint,
  type Source,
  type StoredTensor,
} from "./checkpoint.ts";
export { findArchitecture, findByConfig, isBuiltIn } from "./find.ts";
export { type GptOssConfig, gptOssFromGguf, gptOssFromHuggingFace } from "./gpt-oss.config.ts";
export {
  chooseExperts,
  clampedSwiglu,
  type GptOssParts,
  gptOss,
  gptOssAttention,
  gptOssAttentionWeights,
  gptOssAxes,
  gptOssExpert,
  gptOssMoe,
  gptOssMoeWeights,
  gptOssOf,
  gptOssParts,
} from "./gpt-oss.ts";
export { type LlamaConfig, llamaFromGguf, llamaFromHuggingFace } from "./llama.config.ts";
export { attention, attentionWeights, llama, llamaAxes, llamaWeights, mlp, mlpWeights } from "./llama.ts";
export { drawKey, loadGraph } from "./load-programs.ts";
export { publishedConfigs } from "./published.ts";
export { type RopeConfig, type RopeScaling, ropeAttentionFactor, ropeFrequencies } from "./rope-scaling.ts";
