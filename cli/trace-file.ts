/**
 * Traces as files: safetensors whose metadata says what each value is called besides, its axes and the line that made
 * it. docs/debugging.md tells the form to whoever writes such files with other tools; without the metadata, too, a
 * file of tensors is a trace.
 */
import { z } from "zod";
import { formatLocation, InputError } from "../dsl/index.ts";
import type { Trace, TracedChunk } from "../inference/index.ts";
import { openSafetensors, SafetensorsWriter } from "../runtime-bridge/index.ts";

// Public API

/** Writes a trace chunk by chunk. The file appears under its name when it is whole. */
export class TraceWriter implements AsyncDisposable {
  readonly #path: string;
  readonly #tokens: readonly number[];
  #file: SafetensorsWriter | undefined;

  constructor(path: string, tokens: readonly number[]) {
    this.#path = path;
    this.#tokens = tokens;
  }

  async write({ start, activations }: TracedChunk): Promise<void> {
    this.#file ??= await this.#open(activations);
    for (const { activation, axes, tensor } of activations) {
      const rows = axes.indexOf("pos");
      // What is the same for all tokens comes with each chunk.
      if (rows < 0 && start > 0) continue;
      const row = tensor.data.byteLength / Math.max(rows < 0 ? 1 : (tensor.shape[rows] as number), 1);
      await this.#file.writeAt(activation.name, start * row, tensor.data);
    }
  }

  async finish(): Promise<void> {
    await this.#file?.finish();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file?.[Symbol.asyncDispose]();
  }

  #open(activations: TracedChunk["activations"]): Promise<SafetensorsWriter> {
    const types: Record<string, { dtype: (typeof activations)[number]["tensor"]["dtype"]; shape: number[] }> = {};
    const described: Described = {};
    for (const { activation, axes, tensor } of activations) {
      const { name, also, location } = activation;
      // There is one text: its axis says nothing.
      const kept = axes.flatMap((axis, n) => (axis === "batch" && tensor.shape[n] === 1 ? [] : [{ axis, n }]));
      const shape = kept.map(({ axis, n }) => (axis === "pos" ? this.#tokens.length : (tensor.shape[n] as number)));
      types[name] = { dtype: tensor.dtype, shape };
      described[name] = { axes: kept.map(({ axis }) => axis), also: [...also], at: formatLocation(location) };
    }
    const metadata = { activations: JSON.stringify(described), tokens: this.#tokens.join() };
    return SafetensorsWriter.open(this.#path, types, metadata);
  }
}

/** A trace in a file. */
export type TraceFile = Trace & AsyncDisposable & { readonly path: string; readonly tokens: string | undefined };

/** Opens a trace. @throws InputError when the file is none, or its metadata do not fit it */
export async function openTrace(path: string): Promise<TraceFile> {
  const file = await openSafetensors(path);
  try {
    const described = readDescribed(path, file.metadata.activations);
    const order = new Map(Object.keys(described).map((name, n) => [name, n]));
    const entries = [...file.tensors].map(([name, { dtype, shape }]) => {
      const { axes, also = [], at } = described[name] ?? {};
      if (axes !== undefined && axes.length !== shape.length) {
        throw new InputError(
          "TRACE",
          `${path}: '${name}' has ${shape.length} axes, and its metadata name ${axes.length}`,
          {
            path,
            name,
          },
        );
      }
      return { name, also, axes, at, dtype, shape };
    });
    // Whoever writes such files may sort them.
    entries.sort((a, b) => (order.get(a.name) ?? 0) - (order.get(b.name) ?? 0));
    return {
      path,
      tokens: file.metadata.tokens,
      entries,
      read: (name) => file.read(name),
      [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
    };
  } catch (error) {
    await file[Symbol.asyncDispose]();
    throw error;
  }
}

// Implementation

const describedSchema = z.record(
  z.string(),
  z.object({
    axes: z.array(z.string()).optional(),
    also: z.array(z.string()).optional(),
    at: z.string().optional(),
  }),
);
type Described = z.infer<typeof describedSchema>;

function readDescribed(path: string, text: string | undefined): Described {
  if (text === undefined) return {};
  try {
    return describedSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new InputError(
      "TRACE",
      `${path}: its metadata 'activations' are to be JSON, {"NAME": {"axes": […], "also": […], "at": "…"}}: ${
        cause instanceof z.ZodError ? z.prettifyError(cause) : (cause as Error).message
      }`,
      { path },
      { cause },
    );
  }
}
