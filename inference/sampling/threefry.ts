/**
 * The random numbers that a device draws, drawn here: the same key and counter give the same bits on both sides.
 *
 * Threefry-2x32 with 20 rounds (Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011), as
 * `randomBits` of the language computes it and `jax.random.bits` for the same key.
 */

// Public API

/** Two words of 32 bits. */
export type ThreefryKey = readonly [number, number];

/** The `n`-th number of a key, evenly spread over [0, 1): 23 bits, as `randomUniform` gives for an axis of its own. */
export function threefryUniform([first, second]: ThreefryKey, n: number): number {
  const keys = [first, second, (first ^ second ^ 0x1bd11bda) >>> 0] as const;
  let [x, y] = [keys[0], (keys[1] + n) >>> 0];
  for (let round = 0; round < 5; round++) {
    for (const by of rotations[(round % 2) as 0 | 1]) {
      x = (x + y) >>> 0;
      y = ((y << by) | (y >>> (32 - by))) ^ x;
    }
    x = (x + keys[((round + 1) % 3) as 0 | 1 | 2]) >>> 0;
    y = (y + keys[((round + 2) % 3) as 0 | 1 | 2] + round + 1) >>> 0;
  }
  return ((x ^ y) >>> 9) / 2 ** 23;
}

// Implementation

const rotations = [
  [13, 15, 26, 6],
  [17, 29, 16, 24],
] as const;
