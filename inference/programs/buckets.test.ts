import { describe, expect, test } from "@jest/globals";
import { capacityFor, chunkBuckets, chunksOf } from "./buckets.ts";

const largest = chunkBuckets.at(-1) as number;

describe("chunks of a prompt", () => {
  test("cover it once, in order, and none is larger than its bucket", () => {
    for (const count of [1, 15, 16, 17, 31, 64, 65, 511, 512, 513, 1024, 1025, 5000]) {
      const chunks = chunksOf(count);
      let next = 0;
      for (const { start, length, bucket } of chunks) {
        expect(start).toBe(next);
        expect(length).toBeGreaterThan(0);
        expect(length).toBeLessThanOrEqual(bucket);
        expect(chunkBuckets).toContain(bucket);
        next += length;
      }
      expect(next).toBe(count);
    }
  });

  test("are padded to the smallest bucket that holds the rest", () => {
    expect(chunksOf(largest + 17).map(({ bucket }) => bucket)).toEqual([largest, 32]);
    expect(chunksOf(16).map(({ bucket }) => bucket)).toEqual([16]);
  });

  test("an empty prompt has no chunks", () => {
    expect(chunksOf(0)).toEqual([]);
  });
});

describe("a cache's capacity", () => {
  test("holds the text and the last chunk's padding, for every length", () => {
    for (let prompt = 1; prompt < 1200; prompt++) {
      const last = chunksOf(prompt).at(-1);
      const capacity = capacityFor(prompt, prompt + 1);
      expect(capacity).toBeGreaterThanOrEqual((last?.start ?? 0) + (last?.bucket ?? 0));
      expect(capacity).toBeGreaterThanOrEqual(prompt + 1);
    }
  });

  test("is one of few, so that texts share their programs", () => {
    const capacities = new Set(Array.from({ length: 8000 }, (_, n) => capacityFor(n + 1, n + 1)));
    expect(capacities.size).toBeLessThanOrEqual(8);
  });
});
