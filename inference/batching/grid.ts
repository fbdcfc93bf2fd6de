/**
 * Where a prompt is cut: at multiples of one size, whoever its neighbours are and whatever of it is held already.
 *
 * A chunk's numbers depend in their last digits on the program that made them. On a grid of the prompt's own positions
 * each position is always computed by the same program, so a prefix that is reused holds the bits of one computed anew.
 */
import { type Chunk, chunkBuckets } from "../buckets.ts";

// Public API

/** The programs of a grid: its own size, and smaller ones for what is left of a prompt. */
export function gridBuckets(grid: number): readonly number[] {
  return chunkBuckets.filter((size) => size <= grid);
}

/** The chunk of a prompt that starts at `start`, a multiple of `grid`. */
export function gridChunk(promptTokens: number, start: number, grid: number): Chunk {
  const length = Math.min(grid, promptTokens - start);
  const bucket = chunkBuckets.find((size) => size >= length) as number;
  return { start, length, bucket };
}

/** How many positions of a prompt can come from elsewhere: whole chunks, the last token left out, whose logits are wanted. */
export function reusablePositions(promptTokens: number, grid: number): number {
  return Math.floor((promptTokens - 1) / grid) * grid;
}
