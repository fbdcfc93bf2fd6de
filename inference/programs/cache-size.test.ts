/** How many rows a batch gets. */
import { expect, test } from "@jest/globals";
import { fittingCache } from "./cache-size.ts";

const row = { positions: 512, rowBytes: 1e9 };

test.each([
  [1, undefined, 1],
  [3, undefined, 4],
  [5, undefined, 8],
  [100, undefined, 16],
  // One row more, where prompts are prefilled, and a quarter for everything else.
  [5, 12e9, 8],
  [5, 11.9e9, 4],
  [5, 2e9, 1],
  // A single answer may take all there is.
  [5, 1e9, 1],
])("%d texts, %p bytes free: %d rows", (texts, free, rows) => {
  expect(fittingCache(texts, { ...row, free }).rows).toBe(rows);
});

test("counts the row where prompts are prefilled, unless it is the only one", () => {
  expect(fittingCache(4, row)).toEqual({ rows: 4, positions: 512, bytes: 5e9 });
  expect(fittingCache(1, row)).toEqual({ rows: 1, positions: 512, bytes: 1e9 });
});

test("no room for a single row is an error with both numbers", () => {
  expect(() => fittingCache(4, { ...row, free: 0.9e9 })).toThrow(
    "a cache of 512 positions takes 1.0 GB, and the worker has 0.9 GB; a shorter prompt, a smaller token budget or a smaller context needs less",
  );
});
