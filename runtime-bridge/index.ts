/**
 * Reaches the devices: starts or finds a worker, and moves programs and tensors between it and Node.
 */
export { type Bundle, type BundleArgument, type BundlePlace, bundleLines, writeBundle } from "./bundle.ts";
export type {
  Checkpoint,
  CheckpointTensor,
  HostProgress,
  LoadItem,
  LoadProgress,
  MetadataEntry,
  ReadPart,
} from "./checkpoint.ts";
export type { CompileOptions, EngineName } from "./compile.ts";
export { DeviceBuffer } from "./device-buffer.ts";
export { byteLength, sameType, type TensorType, typeText } from "./element-type.ts";
export { isWorkerGone, type Loss, type StatusName, WorkerError, WorkerLost, WorkerUnavailable } from "./errors.ts";
export type { Executable } from "./executable.ts";
export type { Execution } from "./execute.ts";
export { type Elements, type HostTensor, hostTensor, toFloat32Array, toInt32Array, toNumbers } from "./host-tensor.ts";
export type { LaunchOptions } from "./launch/launch.ts";
export { ensurePlugin, type PluginName } from "./launch/plugins.ts";
export { type Health, type ProbeOptions, probeHealth } from "./launch/probe.ts";
export { superviseWorker, type WorkerFlags } from "./launch/supervise.ts";
export type { CallOptions } from "./link/call-options.ts";
export { Profile } from "./profile.ts";
export type { ConnectOptions } from "./reach-worker.ts";
export {
  type Metadata,
  openSafetensors,
  readSafetensors,
  SafetensorsFile,
  SafetensorsWriter,
  type TensorTypes,
} from "./safetensors.ts";
export { describeExecutable, isSavedExecutable, type SavedExecutable } from "./saved-executable.ts";
export type { CallArgument, CallWiring, Session, SessionCall, StepOptions } from "./session.ts";
export type { StepResult } from "./step-answers.ts";
export { Worker, type WorkerHost, type WorkerInfo } from "./worker.ts";
