/**
 * The safetensors format (https://huggingface.co/docs/safetensors), as the command reads inputs and writes results: a
 * length, a JSON header, then the bytes. Checkpoints are read by the worker, not here.
 */
import { type FileHandle, open, readFile, rename, rm, stat } from "node:fs/promises";
import { z } from "zod";
import { type DType, dtypes, InputError, RuntimeFailure } from "../dsl/index.ts";
import type { HostTensor } from "../runtime-bridge/index.ts";

// Public API

/** What a file will hold. */
export type TensorTypes = Readonly<Record<string, { readonly dtype: DType; readonly shape: readonly number[] }>>;

/**
 * Writes tensors one after the other, in the order of their declaration, in pieces of any size.
 *
 * The file appears under its name when it is whole: what is left of an interrupted run can't be taken for a result. A
 * device or a pipe is written as it comes, and stays what it is.
 */
export class SafetensorsWriter implements AsyncDisposable {
  readonly #path: string;
  /** Where it is written until it is whole; absent for what is no ordinary file. */
  readonly #partial: string | undefined;
  readonly #file: FileHandle;
  #finished = false;

  private constructor(path: string, partial: string | undefined, file: FileHandle) {
    this.#path = path;
    this.#partial = partial;
    this.#file = file;
  }

  /** @throws InputError when the file cannot be made */
  static async open(path: string, types: TensorTypes): Promise<SafetensorsWriter> {
    const found = await stat(path).catch(() => undefined);
    const partial = found === undefined || found.isFile() ? `${path}.partial-${process.pid}` : undefined;
    let file: FileHandle;
    try {
      file = await open(partial ?? path, "w");
    } catch (cause) {
      throw new InputError("OUTPUT", `${path} cannot be written: ${(cause as Error).message}`, { path }, { cause });
    }
    const writer = new SafetensorsWriter(path, partial, file);
    try {
      await writer.write(header(types));
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

/** Reads all tensors of a small file. @throws InputError that says what is wrong with it */
export async function readSafetensors(path: string): Promise<ReadonlyMap<string, HostTensor>> {
  const refuse = (reason: string, cause?: unknown): never => {
    throw new InputError("SAFETENSORS", `${path} is not a safetensors file: ${reason}`, { path }, { cause });
  };
  const bytes = await readFile(path).catch((cause: Error) => {
    throw new InputError("INPUT", `${path} cannot be read: ${cause.message}`, { path }, { cause });
  });
  if (bytes.length < 8) return refuse(`it has ${bytes.length} bytes, and a header needs 8`);
  const length = bytes.readBigUInt64LE(0);
  if (length > BigInt(bytes.length - 8)) return refuse(`its header claims ${length} bytes of ${bytes.length - 8}`);
  const start = 8 + Number(length);
  let parsed: unknown;
  try {
    parsed = JSON.parse(bytes.subarray(8, start).toString("utf8"));
  } catch (cause) {
    return refuse(`its header is not JSON: ${(cause as Error).message}`, cause);
  }
  const result = entries.safeParse(parsed);
  if (!result.success)
    return refuse(result.error.issues.map(({ path: at, message }) => `${at.join(".")}: ${message}`).join("; "));
  const found = Object.entries(result.data).filter(([name]) => name !== "__metadata__") as [string, Entry][];
  return new Map(
    found.map(
      ([
        name,
        {
          dtype,
          shape,
          data_offsets: [from, to],
        },
      ]) => {
        const known = named.get(dtype);
        if (known === undefined) return refuse(`${name} has elements of ${dtype}, which are not known`);
        const wanted = shape.reduce((all, size) => all * size, Math.ceil(dtypes[known].bits / 8));
        if (from > to || to > bytes.length - start || to - from !== wanted) {
          return refuse(`${name} has bytes ${from} to ${to} of ${bytes.length - start}, and its shape wants ${wanted}`);
        }
        return [name, { dtype: known, shape, data: bytes.subarray(start + from, start + to) }] as const;
      },
    ),
  );
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

function header(types: TensorTypes): Uint8Array {
  let offset = 0;
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
    return [name, { dtype: written, shape, data_offsets: [start, offset] }];
  });
  const json = Buffer.from(JSON.stringify(Object.fromEntries(described)));
  // Padded with spaces so that the data starts at a multiple of eight.
  const padded = Buffer.alloc(Math.ceil(json.length / 8) * 8, " ");
  json.copy(padded);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  return Buffer.concat([length, padded]);
}
