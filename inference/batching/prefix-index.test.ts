/** Which snapshots are found and which are worth keeping, against a plain search. */
import { expect, test } from "@jest/globals";
import { uniform } from "../sampling/random.ts";
import { PrefixIndex } from "./prefix-index.ts";

const all = (...tokens: readonly number[]) => ({ tokens, family: "" });
const count = (length: number, from = 0) => Array.from({ length }, (_, n) => from + n);

test("finds the most that a prompt shares with what is kept, in whole chunks, its last one left out", () => {
  const index = new PrefixIndex({ places: 4, grid: 4, spare: Number.POSITIVE_INFINITY });
  expect(index.find(all(...count(12)))).toBeUndefined();
  const place = index.keep(all(...count(20)), 12);
  expect(index.find(all(...count(20)))).toEqual({ place, length: 12 });
  expect(index.find(all(...count(12)))).toEqual({ place, length: 8 });
  expect(index.find(all(...count(14)))).toEqual({ place, length: 8 });
  expect(index.find(all(...count(15)))).toEqual({ place, length: 12 });
  expect(index.find(all(...count(7), ...count(9, 50)))).toEqual({ place, length: 4 });
  expect(index.find(all(...count(3), ...count(9, 50)))).toBeUndefined();
  expect(index.find({ tokens: count(20), family: "other frequencies" })).toBeUndefined();
});

test("where a window forgets, a snapshot serves no position that lies too far before it", () => {
  const index = new PrefixIndex({ places: 2, grid: 4, spare: 8 });
  const place = index.keep(all(...count(20)), 20);
  expect(index.find(all(...count(12), ...count(9, 50)))).toEqual({ place, length: 12 });
  expect(index.find(all(...count(8), ...count(9, 50)))).toBeUndefined();
});

test("the place that was not used for longest is given away, a dropped one first", () => {
  const index = new PrefixIndex({ places: 2, grid: 2, spare: Number.POSITIVE_INFINITY });
  const [first, second] = [index.keep(all(1, 1, 1, 1), 2), index.keep(all(2, 2, 2, 2), 2)];
  expect(index.find(all(1, 1, 1, 1))?.place).toBe(first);
  expect(index.keep(all(3, 3, 3, 3), 2)).toBe(second);
  expect(index.find(all(2, 2, 2, 2))).toBeUndefined();
  index.drop(first);
  expect(index.size).toBe(1);
  expect(index.find(all(1, 1, 1, 1))).toBeUndefined();
  expect(index.keep(all(4, 4, 4, 4), 2)).toBe(first);
  expect(index.find(all(3, 3, 3, 3))?.place).toBe(second);
});

test("keeps what saves most among those that come and that came, and nothing twice", () => {
  const index = new PrefixIndex({ places: 2, grid: 4, spare: Number.POSITIVE_INFINITY });
  const [system, own] = [count(8), (n: number) => count(9, 100 * n)];
  const prompt = all(...system, ...own(1));
  // Three share eight positions, one of them twelve.
  const others = [all(...system, ...own(2)), all(...system, ...own(3)), all(...system, ...count(4, 100), 7, 7)];
  expect(index.worthKeeping(prompt, others, 0)).toBe(8);
  expect(index.worthKeeping(prompt, [], 8)).toBe(12); // It came before.
  expect(index.worthKeeping(all(...count(20, 900)), others, 0)).toBeUndefined();
  expect(index.worthKeeping(prompt, others, 16)).toBeUndefined();
});

test("whatever is kept, what is found is really shared and no more is", () => {
  const random = (n: number, below: number) => Math.floor(uniform(11n, n) * below);
  let drawn = 0;
  const next = (below: number) => random(drawn++, below);
  const [grid, spare] = [3, 9];
  const index = new PrefixIndex({ places: 5, grid, spare });
  const kept = new Map<number, readonly number[]>();
  for (let round = 0; round < 3000; round++) {
    const prompt = all(...Array.from({ length: 1 + next(30) }, (_, n) => (n % 7 === 0 ? next(2) : 0)));
    const shared = (tokens: readonly number[]) => {
      let last = 0;
      while (prompt.tokens.length - last > 1.5 * grid) last += grid;
      let n = 0;
      while (n < tokens.length && n < last && tokens[n] === prompt.tokens[n]) n++;
      const length = n - (n % grid);
      return tokens.length - length <= spare ? length : 0;
    };
    const found = index.find(prompt);
    expect(found?.length ?? 0).toBe(Math.max(0, ...Array.from(kept.values(), shared)));
    if (found !== undefined) expect(shared(kept.get(found.place) as readonly number[])).toBe(found.length);
    const at = index.worthKeeping(prompt, [], found?.length ?? 0);
    if (at === undefined) continue;
    expect(at % grid).toBe(0);
    expect(at).toBeGreaterThan(found?.length ?? 0);
    expect(at).toBeLessThanOrEqual(prompt.tokens.length);
    kept.set(index.keep(prompt, at), prompt.tokens.slice(0, at));
    expect(index.size).toBe(kept.size);
  }
  expect(kept.size).toBe(5);
});
