/**
 * Which sizes programs are compiled for, so that a few programs serve prompts of any length.
 *
 * A prompt is cut into chunks of the largest bucket; the rest is padded to the smallest bucket that holds it. Padding
 * writes keys that no query sees and that later tokens overwrite.
 */

// Public API

/** Chunk sizes, smallest first. */
export const chunkBuckets: readonly number[] = [16, 32, 64, 128, 256, 512];

/** A ring holds a window and a chunk of so many. */
export const largestChunk = chunkBuckets.at(-1) as number;

/** One call of a prefill program. */
export interface Chunk {
  /** Where in the prompt it starts. */
  readonly start: number;
  /** How many tokens are real. */
  readonly length: number;
  /** How many the program takes. */
  readonly bucket: number;
}

/** How a prompt of `count` tokens is cut. */
export function chunksOf(count: number): readonly Chunk[] {
  const largest = chunkBuckets.at(-1) as number;
  const chunks: Chunk[] = [];
  for (let start = 0; start < count; start += largest) {
    const length = Math.min(largest, count - start);
    const bucket = chunkBuckets.find((size) => size >= length) as number;
    chunks.push({ start, length, bucket });
  }
  return chunks;
}

/**
 * How many positions a cache is given for a row of `tokens` in all, of which `prompt` come in chunks.
 *
 * Powers of two from 256, so that texts of similar length share their programs.
 */
export function capacityFor(prompt: number, tokens: number): number {
  const last = chunksOf(prompt).at(-1);
  // The last chunk is written whole, padding included.
  const written = last === undefined ? 0 : last.start + last.bucket;
  let capacity = smallestCapacity;
  while (capacity < Math.max(tokens, written)) capacity *= 2;
  return capacity;
}

/** How many rows a batch may have, smallest first. */
export const batchBuckets: readonly number[] = [1, 2, 4, 8, 16];

// Implementation

const smallestCapacity = 256;
