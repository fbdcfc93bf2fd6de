import { expect, test } from "@jest/globals";
import { duration, Transfer } from "./transfer.ts";

/** A transfer on a clock of its own; says what it says at a second. */
function clock() {
  let now = 0;
  const transfer = new Transfer(() => now);
  return (seconds: number, done: number, total = 10e9) => {
    now = seconds * 1000;
    return transfer.describe(done, total);
  };
}

test("a rate is of what came, not of what was there before", () => {
  const at = clock();
  expect(at(0, 4e9)).toBe("4.00 GB of 10.00 GB");
  expect(at(10, 5e9)).toBe("5.00 GB of 10.00 GB, 100.0 MB/s, 50 s left");
});

test("a rate is of the last seconds", () => {
  const at = clock();
  for (let n = 0; n <= 100; n += 1) at(n, n * 1e6);
  for (let n = 101; n <= 120; n += 1) at(n, 100e6 + (n - 100) * 50e6);
  expect(at(121, 1.15e9)).toBe("1.15 GB of 10.00 GB, 50.0 MB/s, 3 min left");
});

test("what stands still, and what is thrown away, are no negative speed", () => {
  const at = clock();
  at(0, 1e9);
  expect(at(20, 1e9)).toBe("1.00 GB of 10.00 GB, stalled");
  expect(at(21, 0)).toBe("0.0 kB of 10.00 GB");
  expect(at(22, 1e8)).toBe("100.0 MB of 10.00 GB, 100.0 MB/s, 99 s left");
});

test("durations have the unit that they need", () => {
  expect([0.2, 99, 100, 3600, 6000, 86_400].map(duration)).toEqual([
    "1 s",
    "99 s",
    "2 min",
    "60 min",
    "1 h 40 min",
    "24 h 0 min",
  ]);
});
