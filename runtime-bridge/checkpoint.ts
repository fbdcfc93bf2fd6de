/**
 * What a worker says of a checkpoint: an index that names every tensor, and the header's values.
 */
import type { MetadataValue, OpenCheckpointResponse } from "../proto/generated/worker.ts";
import { fromWire, type TensorType } from "./element-type.ts";
import type { Executable } from "./executable.ts";

/** A value of a header. Integers beyond 2^53 come as the nearest number. */
export type MetadataEntry = number | boolean | string | readonly number[] | readonly string[];

/** One tensor of a checkpoint. */
export interface CheckpointTensor {
  readonly name: string;
  /** What a program receives: packed formats as their raw blocks, `u8[…, blocks of a row, bytes of a block]`. */
  readonly type: TensorType;
  /** How the elements are stored: `F32`, `BF16`, `Q4_1`, … */
  readonly format: string;
  /** The shape of the elements, outermost first. */
  readonly shape: readonly number[];
  readonly bytes: number;
  /** Relative to the checkpoint. */
  readonly file: string;
  /** Its first byte in the file. */
  readonly offset: number;
}

/** An open checkpoint. */
export interface Checkpoint {
  readonly id: string;
  readonly container: "gguf" | "safetensors";
  /** By name. */
  readonly tensors: ReadonlyMap<string, CheckpointTensor>;
  readonly metadata: ReadonlyMap<string, MetadataEntry>;
  /** The other files beside the tensors, relative to `directory`. */
  readonly files: readonly string[];
  readonly directory: string;
}

/** One call of a program on a checkpoint's tensors; without a program the one tensor as it is. */
export interface LoadItem {
  readonly executable?: Executable;
  /** The names of the program's arguments, in order. */
  readonly tensors: readonly string[];
}

/** How far a load is. */
export interface LoadProgress {
  readonly itemsDone: number;
  readonly bytesDone: number;
  readonly bytesTotal: number;
}

/** Reads the worker's answer to `openCheckpoint`. */
export function readCheckpoint(response: OpenCheckpointResponse): Checkpoint {
  return {
    id: response.checkpointId,
    container: response.container as Checkpoint["container"],
    tensors: new Map(response.tensors.map((tensor) => [tensor.name, { ...tensor, type: fromWire(tensor.type) }])),
    metadata: new Map(Object.entries(response.metadata).map(([key, value]) => [key, entry(value)])),
    files: response.files,
    directory: response.directory,
  };
}

function entry(value: MetadataValue): MetadataEntry {
  const array = value.strings ?? value.ints ?? value.floats;
  return array?.values ?? value.int ?? value.uint ?? value.float ?? value.bool ?? value.string ?? [];
}
