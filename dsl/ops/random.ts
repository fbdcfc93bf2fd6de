/**
 * Random bits from a counter: the same key and shape give the same bits on every platform and in any order.
 *
 * Threefry-2x32 with 20 rounds (Salmon et al., SC 2011), written in plain integer ops, so that the bits do not depend on
 * a back end's generator. Agrees with `jax.random.bits` for the same key and size (`jax_threefry_partitionable` on).
 */
import type { Axis } from "../axes.ts";
import { untyped } from "../graph.ts";
import { shapeError } from "../shape-error.ts";
import type { AnyTensor, Tensor } from "../tensor.ts";
import { untypedFull, untypedIota } from "./iota.ts";

// Public API

/**
 * Uniform bits, as u32.
 *
 * @param key  u32 with an axis `key` of 2; other axes give each entry its own stream
 * @param of   the axes of the result; the bits depend on their order, the first outermost
 */
export function randomBits<N extends string, B extends string = never>(
  key: Tensor<"key" | B>,
  ...of: readonly Axis<N>[]
): Tensor<N | Exclude<B, "key">> {
  if (key.dtype !== "u32" || key.shape.size("key") !== 2) {
    throw shapeError("DTYPE", "randomBits takes a key of u32 with an axis 'key' of 2", [["key", key]]);
  }
  const [low, high] = counter(of);
  const words = untyped(key);
  const spread = (word: 0 | 1) => words.at("key", word).broadcast(...of);
  const [left, right] = threefry(spread(0), spread(1), high, low);
  // Of each key's words, repeated over the axes that were given.
  return left.xor(right) as unknown as Tensor<N | Exclude<B, "key">>;
}

/** Uniform numbers from 0 up to but not including 1, as f32: 23 random bits each. */
export function randomUniform<N extends string, B extends string = never>(
  key: Tensor<"key" | B>,
  ...of: readonly Axis<N>[]
): Tensor<N | Exclude<B, "key">> {
  // The mantissa of a number in [1, 2), less 1.
  return randomBits(key, ...of)
    .shiftRight(9)
    .or(0x3f800000)
    .bitCast("f32")
    .sub(1);
}

// Implementation

/** The position of each element, row-major, as two words. */
function counter(of: readonly Axis[]): [low: AnyTensor, high: AnyTensor] {
  let low = untypedFull(0, "u32", of);
  let stride = 1;
  for (const axis of [...of].reverse()) {
    low = low.add(untypedIota(axis, "u32").mul(stride));
    stride *= axis.size;
  }
  if (stride > 2 ** 32)
    throw shapeError("NUMBER_RANGE", `randomBits makes at most 2^32 words at once, and ${stride} were asked for`, []);
  return [low, untypedFull(0, "u32", of)];
}

const rotations = [
  [13, 15, 26, 6],
  [17, 29, 16, 24],
] as const;

function threefry(key0: AnyTensor, key1: AnyTensor, high: AnyTensor, low: AnyTensor): [AnyTensor, AnyTensor] {
  const keys = [key0, key1, key0.xor(key1).xor(0x1bd11bda)] as const;
  let [x, y] = [keys[0].add(high), keys[1].add(low)];
  for (let round = 0; round < 5; round++) {
    for (const by of rotations[(round % 2) as 0 | 1]) {
      x = x.add(y);
      y = y
        .shiftLeft(by)
        .or(y.shiftRight(32 - by))
        .xor(x);
    }
    x = x.add(keys[((round + 1) % 3) as 0 | 1 | 2]);
    y = y.add(keys[((round + 2) % 3) as 0 | 1 | 2]).add(round + 1);
  }
  return [x, y];
}
