import { expect, test } from "@jest/globals";
import { StepsPerCall } from "./steps-per-call.ts";

/** The sizes of calls in a row, each of which took so long. */
function sizes(asked: number | undefined, ways: readonly number[], stepSeconds: number, room = 1000): number[] {
  const size = new StepsPerCall(asked);
  return ways.map((waySeconds) => {
    const found = size.next(room);
    size.note({ waySeconds, stepSeconds });
    return found;
  });
}

test("a call has as many steps as were asked for, once it has grown so far, and no more than there is room for", () => {
  expect(sizes(6, [0, 0, 0, 0, 0], 1)).toEqual([1, 2, 4, 6, 6]);
  expect(sizes(64, [0, 0, 0, 0, 0], 1, 3)).toEqual([1, 2, 3, 3, 3]);
  expect(sizes(1, [9, 9], 1)).toEqual([1, 1]);
});

test("without a number it grows while the way takes more than a twentieth of its steps, to 8", () => {
  expect(sizes(undefined, [0.02, 0.02, 0.02, 0.02, 0.02], 0.02)).toEqual([1, 2, 4, 8, 8]);
  // 1 ms beside steps of 10 ms: two of them.
  expect(sizes(undefined, [0.001, 0.001, 0.001], 0.01)).toEqual([1, 2, 2]);
  expect(sizes(undefined, [0.001, 0.001, 0.001], 0.05)).toEqual([1, 1, 1]);
  // Once it was slow, for whatever reason: the shortest way counts.
  expect(sizes(undefined, [0.001, 0.9, 0.9], 0.05)).toEqual([1, 1, 1]);
});
