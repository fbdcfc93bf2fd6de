/** Shapes of slices that several TPUs share. Source: GKE's "Plan TPUs" and Cloud TPU's page on each chip. */
import type { SliceShape } from "./chip.ts";

// Public API

/**
 * Slices of a three-dimensional torus: below a cube of 4x4x4, then what is made of whole cubes; sides in ascending order.
 *
 * @param mostChips  of the largest slice
 */
export function cubes(mostChips: number): readonly SliceShape[] {
  const sides = Array.from({ length: mostChips / 64 }, (_, n) => 4 * (n + 1));
  const whole = sides.flatMap((a) =>
    sides
      .filter((b) => b >= a && a * b * b <= mostChips)
      .flatMap((b) => sides.filter((c) => c >= b && a * b * c <= mostChips).map((c) => [a, b, c])),
  );
  const part = [
    [2, 2, 1],
    [2, 2, 2],
    [2, 2, 4],
    [2, 4, 4],
  ];
  return [...part, ...whole.toSorted((x, y) => chipCount(x) - chipCount(y))];
}

/** Slices of v5e and v6e: a torus of two dimensions, up to 256 chips. */
export const planes: readonly SliceShape[] = [
  [1, 1],
  [2, 2],
  [2, 4],
  [4, 4],
  [4, 8],
  [8, 8],
  [8, 16],
  [16, 16],
];

/** How many chips a slice has. */
export function chipCount(shape: SliceShape): number {
  return shape.reduce((all, side) => all * side, 1);
}
