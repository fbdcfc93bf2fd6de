/** One tensor of a file as a program receives it, made into axes: blocks unpacked, flat dimensions split, rows put back. */
import { type Axis, type PackedPart, packings, type Tensor } from "../../dsl/index.ts";
import { isPacked, unpackBlocks } from "./block-formats.ts";
import { groupAxes, ownShape, type Piece, type StoredTensor } from "./stored-tensor.ts";

// Public API

/** A tensor of the file, and what the program receives of it: over `d0`, `d1`, …. */
export interface Stored {
  readonly tensor: StoredTensor;
  readonly values: Tensor<string>;
}

/** MXFP4 in memory. */
export interface PackedTensors {
  readonly blocks: Tensor<string>;
  readonly scales: Tensor<string>;
}

/** The names of a tensor's dimensions: `d0`, `d1`, …; of raw blocks the last two are a row's blocks and a block's bytes. */
export function dimensionNames({ format, type }: StoredTensor): readonly string[] {
  const rank = type.shape.length;
  return type.shape.map((_, n) => {
    if (!isPacked(format) || n < rank - 2) return `d${n}`;
    return n === rank - 1 ? "byte" : "block";
  });
}

/** The elements of a tensor that belong to a weight, over the weight's axes. */
export function readElements(piece: Piece, { tensor, values }: Stored): Tensor<string> {
  const { axes, rows, interleaved } = piece;
  const own = rows === undefined ? values : (values.slice("d0", rows.start, rows.count) as Tensor<string>);
  const shape = ownShape(piece, tensor);
  const elements = isPacked(tensor.format) ? unpackBlocks(tensor.format, own, `d${shape.length - 1}`) : own;
  return splitAll(elements, axes, shape, interleaved);
}

/** Blocks and scales that a file keeps as memory does. */
export function readPacked(axes: readonly Axis[], tensors: readonly Stored[]): PackedTensors {
  const [blocks, scales] = packings.mxfp4.parts(axes).map((part, n) => {
    const { tensor, values } = tensors[n] as Stored;
    return splitAll(values, part.axes, tensor.shape, undefined);
  });
  return { blocks: blocks as Tensor<string>, scales: scales as Tensor<string> };
}

/**
 * GGUF keeps a block's scale before its 16 bytes, and the low halves are the first 16 elements; in memory two
 * neighbours share a byte.
 */
export function repackMxfp4(axes: readonly Axis[], { tensor, values }: Stored): PackedTensors {
  const raw = values as Tensor<"byte" | "block" | "d0">;
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

/** Tensors one after the other along a new axis. */
export function stackAlong(along: string, parts: readonly Tensor<string>[]): Tensor<string> {
  const [first, ...rest] = parts.map((part) => part.broadcast({ name: along, size: 1 } as never) as Tensor<string>);
  return (first as Tensor<string>).concat(along, ...rest);
}

// Implementation

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
