/** Rotary position embedding (arXiv:2104.09864), in the form that turns halves. */
import type { Tensor, Within } from "../tensor.ts";

/** What to turn by, for each position; rows of a batch may stand at different positions, so any axes of `A` will do. */
export interface Angles<out A extends string> {
  readonly cos: Within<A>;
  readonly sin: Within<A>;
}

/**
 * Turns each pair (i, i + half) by its angle. Dimensions from 2 · half on stay as they are (partial rotation).
 *
 * @param angles  over `dim` of 2 · half, among other axes of `x`
 */
export function rope<B extends string>(
  x: Tensor<B | "pos" | "dim">,
  angles: Angles<B | "pos" | "dim">,
  half: number,
): Tensor<B | "pos" | "dim"> {
  const [low, high] = [x.slice("dim", 0, half), x.slice("dim", half, half)];
  const turning = low.concat("dim", high);
  const turned = turning.mul(angles.cos).add(high.neg().concat("dim", low).mul(angles.sin));
  const rest = x.shape.size("dim") - 2 * half;
  return rest === 0 ? turned : turned.concat("dim", x.slice("dim", 2 * half, rest));
}

/**
 * Cosines and sines of position times frequency, each frequency for both halves of `dim`. In f32 throughout: positions
 * in bf16 would blur beyond 256.
 *
 * @param positions    i32
 * @param frequencies  radians a position, one for each pair; rows may differ, as lengths do (arXiv:2306.15595)
 * @param scale        multiplies both, 1 for plain RoPE
 */
export function ropeAngles(
  positions: Tensor<"batch" | "pos">,
  frequencies: Tensor<"batch" | "freq">,
  scale = 1,
): Angles<"batch" | "pos" | "dim"> {
  const half = frequencies.rename("freq", "dim");
  const both = half.concat("dim", half);
  const dim = { name: "dim", size: both.shape.size("dim") } as const;
  const angle = positions.cast("f32").broadcast(dim).mul(both);
  return scale === 1
    ? { cos: angle.cos(), sin: angle.sin() }
    : { cos: angle.cos().mul(scale), sin: angle.sin().mul(scale) };
}
