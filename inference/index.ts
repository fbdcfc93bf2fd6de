/**
 * Running models: loading, tokenizers, chat templates, sampling, the generation loop.
 *
 * @module tsxla/inference
 */

export type { JobCounts, JobProgress, JobSummary, RequestTies, WorkerProgress } from "../jobs/job-statistics.ts";
export type { WorkerState } from "../jobs/job-worker.ts";
export { type JobEvent, type JobOptions, runJob } from "../jobs/run-job.ts";
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
} from "../openai/index.ts";
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
export type { FinishReason, NearTie, Piece } from "./answers/answer.ts";
export type { GenerateOptions } from "./answers/answer-options.ts";
export type { ChatPrompt, ChatTool } from "./answers/chat-prompt.ts";
export type { ChatOptions, GenerateOneOptions, Prompt } from "./answers/prompt.ts";
export type { Summary } from "./answers/summary.ts";
export type { BatchEvent, BatchSummary } from "./batching/answer-list.ts";
export type { Engine } from "./batching/engine.ts";
export type { EngineOptions } from "./batching/engine-options.ts";
export type { EngineLoad, EngineStatistics } from "./batching/engine-statistics.ts";
export {
  type Comparison,
  type ComparisonOptions,
  type ComparisonRow,
  compareTraces,
  type NameMap,
  type Trace,
  type TraceEntry,
} from "./debugging/compare-traces.ts";
export { type LoadModelOptions, loadModel } from "./load-model.ts";
export { Model } from "./model.ts";
export type { CacheSize } from "./programs/cache-size.ts";
export { type CompiledStep, type CompileModelOptions, compile, declareModel, stepRequest } from "./programs/compile.ts";
export {
  compileRequested,
  type DeclaredModel,
  type LoweredStep,
  lowerRequested,
  type StepRequest,
} from "./programs/compile-step.ts";
export { type DTypes, dtypesOf, formatDTypes } from "./programs/dtypes.ts";
export type { HeldWeight } from "./programs/held-weights.ts";
export { requireMesh, splitAxes } from "./programs/mesh-check.ts";
export { type ConfiguredModel, isConfig, readModelConfig } from "./programs/model-config.ts";
export { type ConfigValues, type ModelFiles, openModel, type UnloadedModel } from "./programs/model-files.ts";
export type { CompileEvent, StepKind } from "./programs/model-programs.ts";
export { type StepOutputs, type StepSizes, traceStep } from "./programs/step-program.ts";
export type { TargetWords } from "./programs/target-words.ts";
export { storageWithoutFiles } from "./programs/weight-storage.ts";
export { planWeights, type WeightPlan } from "./programs/weights.ts";
export type { Candidates } from "./sampling/candidates.ts";
export type { Distribution } from "./sampling/distribution.ts";
export { seedOf } from "./sampling/random.ts";
export {
  canSampleFromCandidates,
  type Sampled,
  type SampledPosition,
  type SampledText,
  Sampler,
  type TokenLogprob,
} from "./sampling/sampler.ts";
export type { SamplingOptions } from "./sampling/sampling-options.ts";
export { type Allowed, type AllowedTokens, type MaskStep, readAllowed, type TokenMask } from "./sampling/token-mask.ts";
export { PromptCache } from "./steps/prompt-cache.ts";
export type { TracedChunk, TracedValue } from "./steps/sequence.ts";
export { type ChatMessage, ChatTemplate, findChatTemplate } from "./text/chat-template.ts";
export { tokenizerFromGguf } from "./text/gguf-tokenizer.ts";
export type { DecodeOptions, EncodeOptions, Tokenizer } from "./text/tokenizer.ts";
export { tokenizerFromJson } from "./text/tokenizer-json.ts";
