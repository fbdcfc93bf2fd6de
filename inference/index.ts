/**
 * Running models: loading, tokenizers, chat templates, sampling, the generation loop.
 *
 * @module tsxla/inference
 */
export {
  type Checkpoint,
  type CompileOptions,
  type ConnectOptions,
  DeviceBuffer,
  describeExecutable,
  type EngineName,
  type Executable,
  type Execution,
  ensurePlugin,
  type HostTensor,
  hostTensor,
  type LaunchOptions,
  type LoadProgress,
  type TensorType,
  toFloat32Array,
  toInt32Array,
  toNumbers,
  Worker,
  WorkerError,
  type WorkerInfo,
  WorkerLost,
  WorkerUnavailable,
} from "../runtime-bridge/index.ts";
export type { FinishReason, NearTie, Piece } from "./answer.ts";
export type { GenerateOptions } from "./answer-options.ts";
export type { Engine, EngineLoad, EngineStatistics } from "./batching/engine.ts";
export type { EngineOptions } from "./batching/engine-options.ts";
export type { CacheSize } from "./cache-size.ts";
export type { Candidates } from "./candidates.ts";
export type { ChatPrompt, ChatTool } from "./chat-prompt.ts";
export { type ChatMessage, ChatTemplate, findChatTemplate } from "./chat-template.ts";
export {
  type Comparison,
  type ComparisonOptions,
  type ComparisonRow,
  compareTraces,
  type NameMap,
  type Trace,
  type TraceEntry,
} from "./compare-traces.ts";
export { type CompiledStep, type CompileModelOptions, compile, declareModel, stepRequest } from "./compile.ts";
export {
  compileRequested,
  type DeclaredModel,
  type LoweredStep,
  lowerRequested,
  type StepRequest,
} from "./compile-step.ts";
export { type DTypes, dtypesOf, formatDTypes } from "./dtypes.ts";
export type { Summary } from "./generate.ts";
export { type BatchEvent, type BatchSummary, seedOf } from "./generate-batch.ts";
export { tokenizerFromGguf } from "./gguf-tokenizer.ts";
export {
  type Answered,
  type Ask,
  answerLine,
  errorLine,
  type JobDefaults,
  type JobModel,
  type JobRequest,
  type LineOrigin,
  readJobLine,
} from "./jobs/format.ts";
export type { JobCounts, JobProgress, JobSummary, RequestTies, WorkerProgress } from "./jobs/job-statistics.ts";
export type { WorkerState } from "./jobs/job-worker.ts";
export { type JobEvent, type JobOptions, runJob } from "./jobs/run-job.ts";
export { requireMesh, splitAxes } from "./mesh-check.ts";
export {
  type ChatOptions,
  type GenerateOneOptions,
  type LoadModelOptions,
  loadModel,
  Model,
  type Prompt,
} from "./model.ts";
export { type ConfiguredModel, isConfig, readModelConfig } from "./model-config.ts";
export { type ModelFiles, openModel } from "./model-files.ts";
export type { CompileEvent, StepKind } from "./model-programs.ts";
export { type StepOutputs, type StepSizes, traceStep } from "./programs.ts";
export { PromptCache } from "./prompt-cache.ts";
export {
  canSampleFromCandidates,
  type Sampled,
  type SampledPosition,
  type SampledText,
  Sampler,
  type TokenLogprob,
} from "./sampler.ts";
export type { SamplingOptions } from "./sampling-options.ts";
export type { Distribution } from "./selection.ts";
export type { TracedChunk, TracedValue } from "./sequence.ts";
export { storageWithoutFiles } from "./storage.ts";
export type { TargetWords } from "./target-words.ts";
export { type Allowed, type AllowedTokens, type MaskStep, readAllowed, type TokenMask } from "./token-mask.ts";
export type { DecodeOptions, EncodeOptions, Tokenizer } from "./tokenizer.ts";
export { tokenizerFromJson } from "./tokenizer-json.ts";
export { planWeights, type WeightPlan } from "./weights.ts";
