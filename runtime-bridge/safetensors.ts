/**
 * The safetensors format (https://huggingface.co/docs/safetensors), in which inputs, results and activations are kept: a
 * length, a JSON header, then the bytes. Checkpoints are read by the worker, not here.
 */
import { type FileHandle, open, rename, rm, stat } from "node:fs/promises";
import { z } from "zod";
import { type DType, dtypes } from "../dsl/dtype.ts";
import { InputError, RuntimeFailure } from "../dsl/errors.ts";
import { byteLength, type TensorType } from "./element-type.ts";
import type { HostTensor } from "./host-tensor.ts";

// Public API

/** What a file will hold. */
export type TensorTypes = Readonly<Record<string, { readonly dtype: DType; readonly shape: readonly number[] }>>;

/** What a file says of itself. */
export type Metadata = Readonly<Record<string, string>>;

/**
 * Writes tensors one after the other, in the order of their declaration, in pieces of any size; or anywhere, by name.
 *
 * The file appears under its name when it is whole: what is left of an interrupted run can't be taken for a result. A
 * device or a pipe is written as it comes, and stays what it is.
 */
export class SafetensorsWriter implements AsyncDisposable {
  readonly #path: string;
  /** Where it is written until it is whole; absent for what is no ordinary file. */
  readonly #partial: string | undefined;
  readonly #file: FileHandle;
  /** Where each tensor begins in the file. */
  readonly #starts: ReadonlyMap<string, number>;
  #finished = false;

  private constructor(
    path: string,
    partial: string | undefined,
    file: FileHandle,
    starts: ReadonlyMap<string, number>,
  ) {
    this.#path = path;
    this.#partial = partial;
    this.#file = file;
    this.#starts = starts;
  }

  /** Whether the format has a name for elements of this type. */
  static knows(dtype: DType): boolean {
    return dtype in names;
  }

  /** @throws InputError when the file cannot be made */
  static async open(path: string, types: TensorTypes, metadata?: Metadata): Promise<SafetensorsWriter> {
    const found = await stat(path).catch(() => undefined);
    const partial = found === undefined || found.isFile() ? `${path}.partial-${process.pid}` : undefined;
    let file: FileHandle;
    try {
      file = await open(partial ?? path, "w");
    } catch (cause) {
      throw new InputError("OUTPUT", `${path} cannot be written: ${(cause as Error).message}`, { path }, { cause });
    }
    let writer = new SafetensorsWriter(path, partial, file, new Map());
    try {
      const { bytes, starts } = header(types, metadata);
      writer = new SafetensorsWriter(path, partial, file, starts);
      await writer.write(bytes);
    } catch (error) {
      await writer[Symbol.asyncDispose]();
      throw error;
    }
    return writer;
  }

  /**
   * Appends elements of the tensor that is under way.
   *
   * @throws RuntimeFailure when the system does not take them, as a full disk doesn't
   */
  async write(data: ArrayBufferView): Promise<void> {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    await this.#reporting(async () => {
      // A write may take less than it is given.
      for (let done = 0; done < bytes.length; ) done += (await this.#file.write(bytes, done)).bytesWritten;
    });
  }

  /** Writes bytes of the tensor `name`, from its byte `at` on, wherever others were written. */
  async writeAt(name: string, at: number, data: Uint8Array): Promise<void> {
    const start = (this.#starts.get(name) as number) + at;
    await this.#reporting(async () => {
      for (let done = 0; done < data.length; ) {
        done += (await this.#file.write(data, done, data.length - done, start + done)).bytesWritten;
      }
    });
  }

  /** Gives the file its name. */
  async finish(): Promise<void> {
    await this.#reporting(async () => {
      await this.#file.close();
      if (this.#partial !== undefined) await rename(this.#partial, this.#path);
    });
    this.#finished = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#finished) return;
    await this.#file.close().catch(() => {});
    if (this.#partial !== undefined) await rm(this.#partial, { force: true });
  }

  async #reporting(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (cause) {
      throw new RuntimeFailure(
        "OUTPUT",
        `${this.#path} could not be written: ${(cause as Error).message}`,
        { path: this.#path },
        { cause },
      );
    }
  }
}

/** A file whose tensors are read when they are asked for. */
export class SafetensorsFile implements AsyncDisposable {
  /** In the order of the header. */
  readonly tensors: ReadonlyMap<string, TensorType>;
  readonly metadata: Metadata;
  readonly #file: FileHandle;
  readonly #places: ReadonlyMap<string, number>;

  /** Made by `openSafetensors`. */
  constructor(
    file: FileHandle,
    tensors: ReadonlyMap<string, TensorType>,
    places: ReadonlyMap<string, number>,
    metadata: Metadata,
  ) {
    this.#file = file;
    this.tensors = tensors;
    this.#places = places;
    this.metadata = metadata;
  }

  /** @param name  one of `tensors` */
  async read(name: string): Promise<HostTensor> {
    const type = this.tensors.get(name) as TensorType;
    const data = Buffer.allocUnsafeSlow(byteLength(type));
    await readFully(this.#file, data, this.#places.get(name) as number);
    return { ...type, data };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }
}

/** Opens a file and checks its header. @throws InputError that says what is wrong with it */
export async function openSafetensors(path: string): Promise<SafetensorsFile> {
  const refuse = (reason: string, cause?: unknown): never => {
    throw new InputError("SAFETENSORS", `${path} is not a safetensors file: ${reason}`, { path }, { cause });
  };
  const unreadable = (cause: Error): never => {
    throw new InputError("INPUT", `${path} cannot be read: ${cause.message}`, { path }, { cause });
  };
  const file = await open(path, "r").catch(unreadable);
  try {
    const { size } = await file.stat();
    if (size < 8) return refuse(`it has ${size} bytes, and a header needs 8`);
    const start = Buffer.alloc(8);
    await readFully(file, start, 0).catch(unreadable);
    const length = start.readBigUInt64LE(0);
    if (length > BigInt(size - 8)) return refuse(`its header claims ${length} bytes of ${size - 8}`);
    const text = Buffer.alloc(Number(length));
    await readFully(file, text, 8).catch(unreadable);
    let parsed: unknown;
    try {
      parsed = JSON.parse(text.toString("utf8"));
    } catch (cause) {
      return refuse(`its header is not JSON: ${(cause as Error).message}`, cause);
    }
    const result = entries.safeParse(parsed);
    if (!result.success)
      return refuse(result.error.issues.map(({ path: at, message }) => `${at.join(".")}: ${message}`).join("; "));
    const data = { start: 8 + Number(length), size: size - 8 - Number(length) };
    const found = Object.entries(result.data).filter(([name]) => name !== "__metadata__") as [string, Entry][];
    const tensors = new Map<string, TensorType>();
    const places = new Map<string, number>();
    for (const [name, entry] of found) {
      const { dtype, shape } = entry;
      const [from, to] = entry.data_offsets;
      const known = named.get(dtype);
      if (known === undefined) return refuse(`${name} has elements of ${dtype}, which are not known`);
      const wanted = shape.reduce((all, size) => all * size, Math.ceil(dtypes[known].bits / 8));
      if (from > to || to > data.size || to - from !== wanted) {
        return refuse(`${name} has bytes ${from} to ${to} of ${data.size}, and its shape wants ${wanted}`);
      }
      tensors.set(name, { dtype: known, shape });
      places.set(name, data.start + from);
    }
    const metadata = (result.data.__metadata__ ?? {}) as Metadata;
    return new SafetensorsFile(file, tensors, places, metadata);
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Reads all tensors of a small file. @throws InputError that says what is wrong with it */
export async function readSafetensors(path: string): Promise<ReadonlyMap<string, HostTensor>> {
  await using file = await openSafetensors(path);
  const tensors = new Map<string, HostTensor>();
  for (const name of file.tensors.keys()) tensors.set(name, await file.read(name));
  return tensors;
}

// Implementation

const entry = z.object({
  dtype: z.string(),
  shape: z.array(z.number().int().min(0)),
  data_offsets: z.tuple([z.number().int().min(0), z.number().int().min(0)]),
});
type Entry = z.infer<typeof entry>;
const entries = z.record(z.string(), z.union([entry, z.record(z.string(), z.string())]));

const names: Partial<Record<DType, string>> = {
  bool: "BOOL",
  i8: "I8",
  i16: "I16",
  i32: "I32",
  i64: "I64",
  u8: "U8",
  u16: "U16",
  u32: "U32",
  u64: "U64",
  f16: "F16",
  bf16: "BF16",
  f32: "F32",
  f64: "F64",
  f8e5m2: "F8_E5M2",
  f8e4m3fn: "F8_E4M3",
};
const named = new Map(Object.entries(names).map(([dtype, name]) => [name, dtype as DType]));

function header(
  types: TensorTypes,
  metadata?: Metadata,
): { readonly bytes: Uint8Array; readonly starts: ReadonlyMap<string, number> } {
  let offset = 0;
  const starts = new Map<string, number>();
  const described = Object.entries(types).map(([name, { dtype, shape }]) => {
    const start = offset;
    offset += shape.reduce((all, size) => all * size, Math.ceil(dtypes[dtype].bits / 8));
    const written = names[dtype];
    if (written === undefined) {
      throw new InputError("SAFETENSORS", `safetensors has no name for elements of ${dtype} (${name})`, {
        name,
        dtype,
      });
    }
    starts.set(name, start);
    return [name, { dtype: written, shape, data_offsets: [start, offset] }];
  });
  const meta = metadata === undefined ? [] : [["__metadata__", metadata]];
  const json = Buffer.from(JSON.stringify(Object.fromEntries([...meta, ...described])));
  // Padded with spaces so that the data starts at a multiple of eight.
  const padded = Buffer.alloc(Math.ceil(json.length / 8) * 8, " ");
  json.copy(padded);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  const data = length.length + padded.length;
  return {
    bytes: Buffer.concat([length, padded]),
    starts: new Map([...starts].map(([name, start]) => [name, data + start])),
  };
}

async function readFully(file: FileHandle, into: Buffer, from: number): Promise<void> {
  for (let done = 0; done < into.length; ) {
    const { bytesRead } = await file.read(into, done, into.length - done, from + done);
    if (bytesRead === 0) throw new Error("it ended early");
    done += bytesRead;
  }
}
