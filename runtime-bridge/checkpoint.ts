/**
 * What a worker says of a checkpoint: an index that names every tensor, and the header's values.
 */
import type { LoadResponse, MetadataValue, OpenCheckpointResponse } from "../proto/generated/worker.ts";
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
  /** When it was asked for: the same for the same weights, wherever they lie. */
  readonly fingerprint: string | undefined;
}

/** One call of a program on a checkpoint's tensors; without a program the one tensor as it is. */
export interface LoadItem {
  readonly executable?: Executable | undefined;
  /** The names of the program's arguments, in order. */
  readonly tensors: readonly string[];
}

/** How far a load is. */
export interface LoadProgress {
  readonly itemsDone: number;
  /** Read so far, by all hosts. */
  readonly bytesDone: number;
  /** To be read, by all hosts: of each tensor a host reads what its own devices get. */
  readonly bytesTotal: number;
  /** The tensors' size in the file. */
  readonly bytesStored: number;
  /** How far each host is; one entry for a worker on its own. */
  readonly hosts: readonly HostProgress[];
}

/** How far one host of a load is. */
export interface HostProgress {
  readonly address: string;
  readonly itemsDone: number;
  readonly bytesDone: number;
  readonly bytesTotal: number;
  /** At the end: what the host has read of each tensor, in the order of the items. */
  readonly parts: readonly ReadPart[];
}

/** A part of a tensor: in every dimension of its type a range. */
export interface ReadPart {
  readonly tensor: string;
  readonly start: readonly number[];
  readonly stop: readonly number[];
  readonly bytes: number;
}

/** What a load's hosts said last, as one. */
export function readProgress(responses: readonly LoadResponse[], addresses: readonly string[]): LoadProgress {
  const hosts = responses.map(({ itemsDone, bytesDone, bytesTotal, parts }, n) => {
    return { address: addresses[n] as string, itemsDone, bytesDone, bytesTotal, parts };
  });
  return {
    itemsDone: Math.min(...hosts.map(({ itemsDone }) => itemsDone)),
    bytesDone: hosts.reduce((all, { bytesDone }) => all + bytesDone, 0),
    bytesTotal: hosts.reduce((all, { bytesTotal }) => all + bytesTotal, 0),
    bytesStored: Math.max(...responses.map(({ bytesStored }) => bytesStored)),
    hosts,
  };
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
    fingerprint: response.fingerprint === "" ? undefined : response.fingerprint,
  };
}

function entry(value: MetadataValue): MetadataEntry {
  const array = value.strings ?? value.ints ?? value.floats;
  return array?.values ?? value.int ?? value.uint ?? value.float ?? value.bool ?? value.string ?? [];
}
