/**
 * GGML's block formats, unpacked by programs in the language: 32 elements share a scale, and some an offset.
 *
 * Source: ggml-org/llama.cpp ggml/src/ggml-common.h and the reference in gguf-py's quants.py. Arithmetic in f32, one
 * product and at most one sum for each element.
 */
import { InputError, type Tensor } from "../dsl/index.ts";

// Public API

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
    throw new InputError("FORMAT", `format ${format} is not known; known are ${Object.keys(formats).join(", ")}`, {
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
