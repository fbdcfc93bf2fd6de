/**
 * Where a prompt is cut: at multiples of one size, whoever its neighbours are and whatever of it is held already. The last
 * chunk takes up to half as much more, so that a few tokens over are no call of their own.
 *
 * A chunk's numbers depend in their last digits on the program that made them. On a grid of the prompt's own positions
 * each position is always computed by the same program, so a prefix that is reused holds the bits of one computed anew.
 */
import type { Answer } from "../answers/answer.ts";
import { type Chunk, capacityFor, chunkBuckets, largestChunk } from "../programs/buckets.ts";

// Public API

/**
 * The programs of a grid: its own size, and smaller ones for what is left of a prompt. They are closer together than those of
 * a text alone: short prompts are mostly rest, and a program more costs less than a quarter of every prompt in padding.
 */
export function gridBuckets(grid: number): readonly number[] {
  const between = chunkBuckets.filter((size) => size > 16 || size === grid).map((size) => size + size / 2);
  return [...chunkBuckets, ...between].filter((size) => size <= longest(grid)).sort((a, b) => a - b);
}

/** The chunk of a prompt that starts at `start`, a multiple of `grid`. */
export function gridChunk(promptTokens: number, start: number, grid: number): Chunk {
  const left = promptTokens - start;
  const length = left <= longest(grid) ? left : grid;
  const bucket = gridBuckets(grid).find((size) => size >= length) as number;
  return { start, length, bucket };
}

/**
 * How many positions the row of an answer has. One that may become long begins in a short row and goes on in a longer one when
 * it gets there: each step reads a row's whole cache, and most answers end long before they have to.
 *
 * @param isFixed  whether it has to stay where it begins
 */
export function rowCapacity(
  { prompt, count, room }: Pick<Answer, "prompt" | "count" | "room">,
  isFixed: boolean,
): number {
  const total = prompt.length + room;
  if (isFixed || room <= wholeRoom) return capacityFor(prompt.length, total);
  const held = prompt.length + count;
  return capacityFor(held, Math.min(total, held + leastRoom));
}

/** How many positions of a prompt can come from elsewhere: all chunks but the last one, whose logits are wanted. */
export function reusablePositions(promptTokens: number, grid: number): number {
  return Math.max(0, Math.ceil((promptTokens - longest(grid)) / grid)) * grid;
}

// Implementation

/** How long the last chunk may be. No chunk is longer than rings have room for. */
const longest = (grid: number): number => Math.min(grid + grid / 2, largestChunk);

/** An answer of no more tokens gets a row for all of them. */
const wholeRoom = 256;
/** A row has place for so many tokens more. */
const leastRoom = 128;
