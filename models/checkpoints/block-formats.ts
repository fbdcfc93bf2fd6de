/**
 * GGML's block formats, unpacked by programs in the language: 32 elements share a scale, and some an offset; in the K
 * formats a block of 256 has a scale for the scales of its 8 or 16 parts.
 *
 * Source: ggml-org/llama.cpp ggml/src/ggml-common.h and the reference in gguf-py's quants.py. Arithmetic in f32, in the
 * reference's order, so that results are its very bits: scales first, then one product and at most one sum for each
 * element.
 */
import { axis, InputError, type Tensor } from "../../dsl/index.ts";

// Public API

/** The formats that are unpacked here. */
export function packedFormats(): readonly string[] {
  return Object.keys(formats);
}

/** Whether a format packs several elements into a block. */
export function isPacked(format: string): boolean {
  return format in formats;
}

/**
 * The elements of raw blocks, as f32.
 *
 * @param raw   u8 over `block`, `byte` and whatever else
 * @param into  the name of the flat axis that takes the place of `block` and `byte`
 * @throws InputError for a format that is not known
 */
export function unpackBlocks(format: string, raw: Tensor<string>, into: string): Tensor<string> {
  const unpack = formats[format];
  if (unpack === undefined) {
    throw new InputError("FORMAT", `format ${format} is not known; known are ${packedFormats().join(", ")}`, {
      format,
    });
  }
  const elements = unpack(raw as Tensor<"block" | "byte">);
  const size = elements.shape.size("block") * elements.shape.size("element");
  return elements.merge(["block", "element"], { name: into, size }) as Tensor<string>;
}

// Implementation

type Raw = Tensor<"block" | "byte">;
type Elements = Tensor<"block" | "element">;

const formats: Readonly<Record<string, (raw: Raw) => Elements>> = {
  /** A scale, then 32 signed bytes. */
  Q8_0: (raw) => raw.slice("byte", 2, 32).bitCast("i8").cast("f32").rename("byte", "element").mul(half(raw, 0)),
  /** A scale, then 32 nibbles around 8. */
  Q4_0: (raw) => nibbles(raw, 2).sub(8).mul(half(raw, 0)),
  /** A power of two, then 32 FP4 elements: the low halves are the first 16. */
  MXFP4: (raw) => {
    const elements = raw
      .slice("byte", 1, 16)
      .bitSplit("f4e2m1fn", { name: "nibble", size: 2 } as const)
      .cast("f32");
    const scale = raw.at("byte", 0).bitCast("f8e8m0fnu").cast("f32");
    return elements.merge(["nibble", "byte"], { name: "element", size: 32 } as const).mul(scale) as unknown as Elements;
  },
  /** A scale and an offset, then 32 nibbles. */
  Q4_1: (raw) => nibbles(raw, 4).mul(half(raw, 0)).add(half(raw, 2)),
  /** A scale, the fifth bits of 32 elements around 16, and their nibbles. */
  Q5_0: (raw) => fiveBits(raw, 2).sub(16).mul(half(raw, 0)),
  /** A scale and an offset, then the same. */
  Q5_1: (raw) => fiveBits(raw, 4).mul(half(raw, 0)).add(half(raw, 2)),
  /** A scale of scales, one of offsets, eight of each in 6 bits; then 256 nibbles, 64 in each run of 32 bytes. */
  Q4_K: (raw) => scaledParts(raw, nibbleParts(raw, 16)),
  /** The same, with fifth bits before the nibbles: bit n of 32 bytes is that of elements 32n to 32n + 31. */
  Q5_K: (raw) => {
    const high = raw.slice("byte", 16, 32);
    const fifth = stack("part", ...bits.map((by) => high.shiftRight(by).and(1).shiftLeft(4)));
    return scaledParts(raw, nibbleParts(raw, 48).or(fifth));
  },
  /**
   * The low 4 bits of 256 elements, their high 2 bits, 16 signed scales, and their scale. In each half of the block a
   * run of 64 bytes holds the low bits of elements 0 to 63 and, in its high nibbles, of 64 to 127; a run of 32 bytes
   * holds the high bits of elements 0 to 31 and, each two bits further up, of the next 32.
   */
  Q6_K: (raw) => {
    const low = raw.slice("byte", 0, 128).split("byte", [axis("run", 2), axis("byte", 64)] as const);
    const lows = stack("up", low.and(15), low.shiftRight(4)).merge(["up", "byte"], axis("place", 128));
    const high = raw.slice("byte", 128, 64).split("byte", [axis("run", 2), axis("byte", 32)] as const);
    const highs = stack("up", ...[0, 2, 4, 6].map((by) => high.shiftRight(by).and(3).shiftLeft(4)));
    const bits = lows.or(highs.merge(["up", "byte"], axis("place", 128)));
    const parts = bits
      .merge(["run", "place"], axis("element", 256))
      .split("element", [axis("part", 16), axis("of", 16)]);
    const scales = raw.slice("byte", 192, 16).bitCast("i8").cast("f32").rename("byte", "part");
    return parts
      .cast("f32")
      .sub(32)
      .mul(scales.mul(half(raw, 208)))
      .merge(["part", "of"], axis("element", 256));
  },
};

/** The f16 that starts at a byte of each block. */
function half(raw: Raw, at: number): Tensor<"block"> {
  return raw.slice("byte", at, 2).bitMerge("f16", "byte").cast("f32");
}

/** 16 bytes of each block as 32 numbers: the low nibbles first, then the high ones. */
function nibbles(raw: Raw, at: number): Elements {
  const bytes = raw.slice("byte", at, 16);
  return bytes.and(15).concat("byte", bytes.shiftRight(4)).cast("f32").rename("byte", "element");
}

const bits = [0, 1, 2, 3, 4, 5, 6, 7] as const;

/** 4 bytes with the fifth bits of 32 numbers in order, then their nibbles. */
function fiveBits(raw: Raw, at: number): Elements {
  const high = raw.slice("byte", at, 4);
  const fifth = stack("bit", ...bits.map((by) => high.shiftRight(by).and(1).shiftLeft(4)));
  const low = nibbles(raw, at + 4);
  return low.add(fifth.merge(["byte", "bit"], axis("element", 32)).cast("f32"));
}

/** 128 bytes as eight parts of 32 nibbles: the low ones of each 32 bytes, then their high ones. */
function nibbleParts(raw: Raw, at: number): Tensor<"block" | "part" | "byte"> {
  const runs = raw.slice("byte", at, 128).split("byte", [axis("run", 4), axis("byte", 32)] as const);
  return stack("half", runs.and(15), runs.shiftRight(4)).merge(["run", "half"], axis("part", 8));
}

/** Eight parts of a block, each times its scale less its offset; what they are multiples of begins the block. */
function scaledParts(raw: Raw, parts: Tensor<"block" | "part" | "byte">): Elements {
  const { scales, offsets } = sixBitPairs(raw, 4);
  return parts
    .cast("f32")
    .mul(scales.mul(half(raw, 0)))
    .sub(offsets.mul(half(raw, 2)))
    .merge(["part", "byte"], axis("element", 256));
}

/**
 * Eight scales and eight offsets of 6 bits each in 12 bytes: the first four of each are the low bits of a byte, and the
 * top bits of those bytes are the top bits of the last four, whose low bits are the nibbles of the last four bytes.
 */
function sixBitPairs(
  raw: Raw,
  at: number,
): { readonly scales: Tensor<"block" | "part">; readonly offsets: Tensor<"block" | "part"> } {
  const [first, second, third] = [0, 4, 8].map((from) => raw.slice("byte", at + from, 4)) as [Raw, Raw, Raw];
  const top = (bytes: Raw) => bytes.shiftRight(6).shiftLeft(4);
  const numbers = (early: Raw, late: Raw) => early.and(63).concat("byte", late).cast("f32").rename("byte", "part");
  return {
    scales: numbers(first, third.and(15).or(top(first))),
    offsets: numbers(second, third.shiftRight(4).or(top(second))),
  };
}

/** Tensors of the same axes side by side along a new one. */
function stack<A extends string, N extends string>(along: N, ...parts: readonly Tensor<A>[]): Tensor<A | N> {
  const [first, ...rest] = parts.map((part) => part.broadcast(axis(along, 1) as never)) as unknown as Tensor<A | N>[];
  return (first as Tensor<A | N>).concat(along as never, ...(rest as never[])) as Tensor<A | N>;
}
