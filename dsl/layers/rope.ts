/** Rotary position embedding (arXiv:2104.09864), in the form that turns halves. */
import type { Axis } from "../axes.ts";
import { constant } from "../ops/iota.ts";
import type { Tensor, Within } from "../tensor.ts";

/** What to turn by, for each position; rows of a batch may stand at different positions, so any axes of `A` will do. */
export interface Angles<out A extends string> {
  readonly cos: Within<A>;
  readonly sin: Within<A>;
}

/**
 * Turns each pair (i, i + half) by its angle; dimensions from 2 · half on stay as they are.
 *
 * @param angles  over `dim` of 2 · half, among other axes of `x`
 */
export function rope<B extends string>(
  x: Tensor<B | "pos" | "dim">,
  angles: Angles<B | "pos" | "dim">,
  half: number,
): Tensor<B | "pos" | "dim"> {
  const [low, high] = [x.slice("dim", 0, half), x.slice("dim", half, half)];
  const turned = high.neg().concat("dim", low);
  return x.mul(angles.cos).add(turned.mul(angles.sin));
}

/**
 * Cosines and sines of position times frequency, each frequency for both halves of `dim`. In f32 throughout: positions
 * in bf16 would blur beyond 256.
 *
 * @param positions    i32
 * @param frequencies  radians a position, one for each pair; half as many as `dim`
 * @param scale        multiplies both, 1 for plain RoPE
 */
export function ropeAngles(
  positions: Tensor<"batch" | "pos">,
  frequencies: readonly number[],
  dim: Axis<"dim">,
  scale = 1,
): Angles<"batch" | "pos" | "dim"> {
  const both = constant([...frequencies, ...frequencies], "f32", dim);
  const angle = positions.cast("f32").broadcast(dim).mul(both);
  return scale === 1
    ? { cos: angle.cos(), sin: angle.sin() }
    : { cos: angle.cos().mul(scale), sin: angle.sin().mul(scale) };
}
