/** How large caches become and whether there is room for them, before any of it is allocated. */
import { InputError } from "../../dsl/index.ts";
import type { Worker } from "../../runtime-bridge/index.ts";
import { batchBuckets } from "./buckets.ts";

// Public API

/** The cache of one answer, or of a batch. */
export interface CacheSize {
  /** How many texts at once. */
  readonly rows: number;
  /** How many positions each. */
  readonly positions: number;
  /** Of all of it; a batch of several has one row more, where prompts are prefilled. */
  readonly bytes: number;
}

/** The size of a cache of `rows` rows, when one takes `rowBytes`. */
export function cacheSize(rows: number, positions: number, rowBytes: number): CacheSize {
  return { rows, positions, bytes: rowBytes * (rows === 1 ? 1 : rows + 1) };
}

/**
 * The largest batch for so many texts that leaves some of the free memory to everything else.
 *
 * @param free  bytes; undefined when nobody knows
 * @throws InputError when there is no room for a single row
 */
export function fittingCache(
  texts: number,
  {
    positions,
    rowBytes,
    free = Number.POSITIVE_INFINITY,
  }: {
    readonly positions: number;
    readonly rowBytes: number;
    readonly free?: number | undefined;
  },
): CacheSize {
  const wanted = batchBuckets.find((rows) => rows >= texts) ?? (batchBuckets.at(-1) as number);
  const sizes = batchBuckets.filter((rows) => rows <= wanted).map((rows) => cacheSize(rows, positions, rowBytes));
  const fitting = sizes.findLast(({ bytes }) => bytes <= free * cacheShare);
  if (fitting !== undefined) return fitting;
  const [single] = sizes as [CacheSize];
  if (single.bytes <= free) return single;
  throw cacheTooLarge(positions, single.bytes, free);
}

export function cacheTooLarge(positions: number, wanted: number, found: number, cause?: unknown): InputError {
  const gigabytes = (count: number) => `${(count / 1e9).toFixed(1)} GB`;
  return new InputError(
    "CACHE_TOO_LARGE",
    `a cache of ${positions} positions takes ${gigabytes(wanted)}, and the worker has ${gigabytes(found)}; a shorter prompt, a smaller token budget or a smaller context needs less`,
    { positions, wanted, found },
    { cause },
  );
}

/**
 * How many bytes are free where a worker keeps its buffers, as far as that is known: devices say how much they have, and
 * of a CPU's memory this process knows when both are on one host.
 */
export async function freeBytes(worker: Worker): Promise<number | undefined> {
  const { devices, bufferBytes } = await worker.info();
  const device = Math.min(...devices.map(({ memoryBytes }) => memoryBytes));
  if (device > 0) return Math.max(0, device - bufferBytes);
  const isHere = worker.processId !== undefined || worker.address.startsWith("unix:");
  // Node has this from 20.13 on; it minds the limits of a container.
  const available = process.availableMemory as (() => number) | undefined;
  return isHere ? available?.() : undefined;
}

/** How much of what is free caches of several rows take at most: programs need memory too. */
export const cacheShare = 3 / 4;
