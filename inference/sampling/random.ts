/**
 * Random numbers that a seed reproduces on every machine.
 *
 * SplitMix64 by counter: the n-th number depends on the seed and n alone, so a generation can be taken up in the middle,
 * and rows of a batch do not disturb each other. Source: Steele, Lea and Flood, "Fast Splittable Pseudorandom Number
 * Generators", OOPSLA 2014; https://prng.di.unimi.it/splitmix64.c.
 */

const MASK = 0xffff_ffff_ffff_ffffn;
const GOLDEN = 0x9e37_79b9_7f4a_7c15n;

/** The `n`-th output, from 0, of SplitMix64 started at `seed`: 64 bits. */
export function splitMix64(seed: bigint, n: number): bigint {
  let z = (seed + GOLDEN * (BigInt(n) + 1n)) & MASK;
  z = ((z ^ (z >> 30n)) * 0xbf58_476d_1ce4_e5b9n) & MASK;
  z = ((z ^ (z >> 27n)) * 0x94d0_49bb_1331_11ebn) & MASK;
  return z ^ (z >> 31n);
}

/** The `n`-th number of `seed`, evenly spread over [0, 1): the top 53 bits of the output. */
export function uniform(seed: bigint, n: number): number {
  return Number(splitMix64(seed, n) >> 11n) / 2 ** 53;
}

/** The seed of the prompt at `index`: given alone to `generate`, it makes the same choices. */
export function seedOf(seed: bigint, index: number): bigint {
  return splitMix64(seed, index);
}

/** A seed for those who gave none. */
export function freshSeed(): bigint {
  return crypto.getRandomValues(new BigUint64Array(1))[0]!;
}
