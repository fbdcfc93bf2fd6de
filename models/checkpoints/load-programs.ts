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
  type Packing,
  type Param,
  packingOf,
  packings,
  randomUniform,
  type Storage,
  type Tensor,
  trace,
} from "../../dsl/index.ts";
import type { Drawn, Feed } from "./checkpoint.ts";
import { dimensionNames } from "./read-tensor.ts";
import { readingOf } from "./sources.ts";

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
      const name = tensors.length === 1 ? "stored" : `stored${n}`;
      return { tensor, values: input(name, tensor.type.dtype, ...axes) as Tensor<string> };
    });
    const reading = source.kind === "drawn" ? undefined : readingOf(source);
    const values = () =>
      source.kind === "drawn"
        ? draw(param.axes, source, input("key", "u32", { name: "key", size: 2 }))
        : readingOf(source).values(param.axes, stored);
    const packing = packingOf(storage);
    if (packing === undefined) {
      return { weight: ordered(values().cast(storage as DType), param.axes) };
    }
    const parts = packing.parts(param.axes);
    const named = (packed: readonly Tensor<string>[]) =>
      Object.fromEntries(parts.map(({ name, axes }, n) => [name, ordered(packed[n] as Tensor<string>, axes)]));
    if (storage === "mxfp4" && reading?.mxfp4 !== undefined) {
      const { blocks, scales } = reading.mxfp4(param.axes, stored);
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
