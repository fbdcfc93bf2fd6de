/**
 * Models: one readable file per architecture, with its configuration and its checkpoints.
 *
 * A file that declares an architecture imports from here alone: the language is re-exported whole, and zod, in which
 * configurations are described.
 *
 * @module tsxla/models
 */

export { z } from "zod";
export * from "../dsl/index.ts";
export { countActiveParameters } from "./active-parameters.ts";
export type { Architecture, ForwardInputs, Metadata, ModelConfig } from "./architecture.ts";
export { isPacked, unpackBlocks } from "./block-formats.ts";
export {
  type CheckpointTable,
  type Drawn,
  type Feed,
  isMxfp4,
  matchCheckpoint,
  type PackedSource,
  type Source,
  type StackSource,
  type StoredTensor,
  type StoredTensors,
  type TensorSource,
} from "./checkpoint.ts";
export { count, parseConfig, positive } from "./config-schema.ts";
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
