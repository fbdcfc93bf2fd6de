/**
 * What happens to a tensor's bytes on their way from the file into memory, as programs in the language: blocks are
 * unpacked, or packed as the device wants them, flat dimensions are split, interleaved rows put back.
 */
import {
  type Axis,
  type DType,
  type Graph,
  InputError,
  type PackedFormat,
  type PackedPart,
  type Packing,
  type Param,
  packingOf,
  packings,
  randomUniform,
  type Storage,
  type Tensor,
  trace,
} from "../dsl/index.ts";
import { isPacked, unpackBlocks } from "./block-formats.ts";
import {
  type Drawn,
  type Feed,
  groupAxes,
  type PackedSource,
  type Source,
  type StoredTensor,
  sourceAxes,
  type TensorSource,
} from "./checkpoint.ts";

// Public API

/**
 * The program that makes a weight of its tensors. Feeds that need the same have programs with the same text.
 *
 * A weight that is drawn takes `key`, two words of u32 (`drawKey`), and no tensor.
 *
 * Results: `weight`; or for MXFP4 `blocks`, `scales`, and `invalid`, how many scales are 255, which is NaN; or the parts of
 * another packed form, and for one without loss `invalid`, how many elements it cannot hold.
 *
 * @param storage  how the weight will lie in memory
 */
export function loadGraph({ param, source, tensors }: Feed, storage: Storage): Graph {
  return trace("load", ({ input, ordered }) => {
    const stored = tensors.map((tensor, n) => {
      const names = dimensionNames(tensor);
      const axes = tensor.type.shape.map((size, at) => ({ name: names[at] as string, size }));
      return input(tensors.length === 1 ? "stored" : `stored${n}`, tensor.type.dtype, ...axes) as Tensor<string>;
    });
    const values = () =>
      source.kind === "drawn"
        ? draw(param.axes, source, input("key", "u32", { name: "key", size: 2 }))
        : readValues(param.axes, source, tensors, stored);
    const packing = packingOf(storage);
    if (packing === undefined) {
      return { weight: ordered(values().cast(storage as DType), param.axes) };
    }
    const parts = packing.parts(param.axes);
    const named = (packed: readonly Tensor<string>[]) =>
      Object.fromEntries(parts.map(({ name, axes }, n) => [name, ordered(packed[n] as Tensor<string>, axes)]));
    if (storage === "mxfp4" && source.kind !== "drawn") {
      const { blocks, scales } = readMxfp4(param.axes, source, tensors, stored);
      const invalid = scales
        .eq(255)
        .cast("i32")
        .sum(...(scales.names as string[]));
      return { ...named([blocks, scales]), invalid };
    }
    const wanted = values();
    const packed = pack(storage as PackedFormat, wanted, param.axes);
    if (packing.lossless === undefined) return named(packed);
    const lost = packing.unpack(packed, param.axes, "f32").ne(wanted.cast("f32") as never);
    const invalid = lost.cast("i32").sum(...(lost.names as string[]));
    return { ...named(packed), invalid };
  });
}

/** The key of a drawn weight: the same seed and the same weight give the same numbers, whatever else is drawn. */
export function drawKey(seed: number, { key }: Pick<Param, "key">): Uint32Array {
  // FNV-1a in 64 bits; threefry makes of any two keys two streams that have nothing in common.
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(`${seed} ${key}`)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  return Uint32Array.of(Number(hash >> 32n), Number(hash & 0xffffffffn));
}

// Implementation

/** `d0`, `d1`, …; of raw blocks the last two are the blocks of a row and the bytes of a block. */
function dimensionNames({ format, type }: StoredTensor): readonly string[] {
  const rank = type.shape.length;
  return type.shape.map((_, n) => {
    if (!isPacked(format) || n < rank - 2) return `d${n}`;
    return n === rank - 1 ? "byte" : "block";
  });
}

/** Evenly around the mean, and not normally: no logarithm or cosine that a platform computes in its own way. */
function draw(axes: readonly Axis[], { mean, deviation }: Drawn, key: Tensor<"key">): Tensor<string> {
  const width = deviation * Math.sqrt(12);
  const around = (randomUniform(key, ...axes) as Tensor<string>).sub(0.5).mul(width);
  return mean === 0 ? around : around.add(mean);
}

function pack(format: PackedFormat, values: Tensor<string>, axes: readonly Axis[]): readonly Tensor<string>[] {
  const { pack: into }: Packing = packings[format];
  if (into !== undefined) return into(values.cast("f32"), axes);
  throw new InputError("PACKING", `weights are not packed as ${format} here; a checkpoint has to hold them so`, {
    format,
  });
}

function readValues(
  axes: readonly Axis[],
  source: Source,
  tensors: readonly StoredTensor[],
  stored: readonly Tensor<string>[],
): Tensor<string> {
  switch (source.kind) {
    case "tensor":
      return readTensor(sourceAxes(axes, source), source, tensors[0] as StoredTensor, stored[0] as Tensor<string>);
    case "mxfp4": {
      const { blocks, scales } = readPacked(axes, source, tensors, stored);
      return packings.mxfp4.unpack([blocks, scales], axes, "f32");
    }
    case "stack":
      return stack(
        source.along,
        source.of.map((part, n) =>
          readTensor(sourceAxes(axes, source), part, tensors[n] as StoredTensor, stored[n] as Tensor<string>),
        ),
      );
  }
}

function readTensor(
  axes: readonly Axis[],
  { rows, interleaved }: TensorSource,
  tensor: StoredTensor,
  stored: Tensor<string>,
): Tensor<string> {
  const own = rows === undefined ? stored : (stored.slice("d0", rows.start, rows.count) as Tensor<string>);
  const shape = rows === undefined ? tensor.shape : [rows.count, ...tensor.shape.slice(1)];
  const values = isPacked(tensor.format) ? unpackBlocks(tensor.format, own, `d${shape.length - 1}`) : own;
  return splitAll(values, axes, shape, interleaved);
}

interface Packed {
  readonly blocks: Tensor<string>;
  readonly scales: Tensor<string>;
}

function readMxfp4(
  axes: readonly Axis[],
  source: Source,
  tensors: readonly StoredTensor[],
  stored: readonly Tensor<string>[],
): Packed {
  switch (source.kind) {
    case "mxfp4":
      return readPacked(axes, source, tensors, stored);
    case "tensor":
      return repack(sourceAxes(axes, source), tensors[0] as StoredTensor, stored[0] as Tensor<string>);
    case "stack": {
      const parts = source.of.map((_, n) =>
        repack(sourceAxes(axes, source), tensors[n] as StoredTensor, stored[n] as Tensor<string>),
      );
      return {
        blocks: stack(
          source.along,
          parts.map(({ blocks }) => blocks),
        ),
        scales: stack(
          source.along,
          parts.map(({ scales }) => scales),
        ),
      };
    }
  }
}

/** Hugging Face's and OpenAI's form is the form in memory. */
function readPacked(
  axes: readonly Axis[],
  _: PackedSource,
  tensors: readonly StoredTensor[],
  stored: readonly Tensor<string>[],
): Packed {
  const [blocks, scales] = packings.mxfp4
    .parts(axes)
    .map((part, n) => splitAll(stored[n] as Tensor<string>, part.axes, (tensors[n] as StoredTensor).shape, undefined));
  return { blocks: blocks as Tensor<string>, scales: scales as Tensor<string> };
}

/**
 * GGUF keeps a block's scale before its 16 bytes, and the low halves are the first 16 elements; in memory two
 * neighbours share a byte.
 */
function repack(axes: readonly Axis[], tensor: StoredTensor, stored: Tensor<string>): Packed {
  const raw = stored as Tensor<"byte" | "block" | "d0">;
  const bytes = raw.slice("byte", 1, 16);
  const elements = bytes.and(15).concat("byte", bytes.shiftRight(4));
  const pairs = elements.split("byte", [
    { name: "half", size: 16 },
    { name: "two", size: 2 },
  ] as const);
  const packed = pairs.at("two", 0).or(pairs.at("two", 1).shiftLeft(4)).rename("half", "byte");
  // In memory blocks bear the name of the axis that they pack.
  const [, { axes: inMemory }] = packings.mxfp4.parts(axes) as readonly [PackedPart, PackedPart];
  const block = (inMemory.at(-1) as Axis).name;
  const outer = [axes.slice(0, -1), tensor.shape.slice(0, -1)] as const;
  const whole = (x: unknown) =>
    splitAll((x as Tensor<string>).rename("block", block as never) as Tensor<string>, outer[0], outer[1], undefined);
  return { blocks: whole(packed), scales: whole(raw.at("byte", 0)) };
}

function stack(along: string, parts: readonly Tensor<string>[]): Tensor<string> {
  const [first, ...rest] = parts.map((part) => part.broadcast({ name: along, size: 1 } as never) as Tensor<string>);
  return (first as Tensor<string>).concat(along, ...rest);
}

/** Each flat dimension `d0`, `d1`, … as the axes that it holds. */
function splitAll(
  x: Tensor<string>,
  axes: readonly Axis[],
  shape: readonly number[],
  interleaved: string | undefined,
): Tensor<string> {
  const grouped = groupAxes(axes, shape) as readonly (readonly Axis[])[];
  return grouped.reduce(
    (rest, of, n) => (rest.names.includes(`d${n}`) ? splitDimension(rest, `d${n}`, of, interleaved) : rest),
    x,
  );
}

/** One flat dimension as the axes that it holds. */
function splitDimension(
  x: Tensor<string>,
  flat: string,
  axes: readonly Axis[],
  interleaved: string | undefined,
): Tensor<string> {
  const turned = axes.find(({ name }) => name === interleaved);
  // Rows that alternate between the halves are an axis of halves inside one of pairs.
  const written = axes.flatMap((axis) =>
    axis === turned
      ? [
          { name: "pair", size: axis.size / 2 },
          { name: "half", size: 2 },
        ]
      : [axis],
  );
  const split = x.split(flat, written as never) as unknown as Tensor<string>;
  return turned === undefined ? split : (split.merge(["half", "pair"], turned as never) as unknown as Tensor<string>);
}
