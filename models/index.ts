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
export type {
  Architecture,
  ChatFormat,
  FamilyNames,
  ForwardInputs,
  FrequencySets,
  Metadata,
  ModelConfig,
  RotaryInputs,
} from "./architecture.ts";
export { isPacked, unpackBlocks } from "./checkpoints/block-formats.ts";
export {
  type CheckpointTable,
  type CheckpointTables,
  type Drawn,
  type Feed,
  isMxfp4,
  matchCheckpoint,
} from "./checkpoints/checkpoint.ts";
export { drawKey, loadGraph } from "./checkpoints/load-programs.ts";
export type { OnePlusSource, PackedSource, Source, StackSource, TensorSource } from "./checkpoints/sources.ts";
export type { Rows, StoredTensor, StoredTensors } from "./checkpoints/stored-tensor.ts";
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
export { llamaTables, plainGguf } from "./llama.checkpoint.ts";
export {
  type LlamaConfig,
  type LlamaFamily,
  llamaFamily,
  llamaFromGguf,
  llamaFromHuggingFace,
} from "./llama.config.ts";
export {
  type GivenKeys,
  type LlamaAttentionParts,
  type LlamaMlpParts,
  type LlamaParts,
  type LlamaPlace,
  llama,
  llamaAttention,
  llamaAttentionWeights,
  llamaAxes,
  llamaLayer,
  llamaMlp,
  llamaMlpWeights,
  llamaOf,
  llamaParts,
  llamaWeights,
} from "./llama.ts";
export { attention, attentionWeights, mlp, mlpWeights } from "./older-names.ts";
export { count, parseConfig, positive } from "./parse-input.ts";
export { publishedConfigs } from "./published.ts";
export { type RopeConfig, type RopeScaling, ropeAttentionFactor, ropeFrequencies } from "./rope-scaling.ts";
export type { RopeSets, Turn } from "./rope-sets.ts";
