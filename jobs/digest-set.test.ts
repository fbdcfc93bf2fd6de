/** A set of digests against JavaScript's own. */
import { createHash } from "node:crypto";
import { expect, test } from "@jest/globals";
import { DigestSet } from "./digest-set.ts";

test("tens of thousands of digests are told apart, also those that begin alike", () => {
  const set = new DigestSet();
  const known = new Set<string>();
  const digests = Array.from({ length: 50_000 }, (_, n) => {
    const digest = createHash("sha256")
      .update(String(n % 40_000))
      .digest();
    // One slot's neighbours, and zeros, which mark what is empty.
    if (n % 10 === 0) digest.fill(n % 20 === 0 ? 0 : 0xab, 0, 8);
    return digest;
  });
  // One expectation for all: a hundred thousand take seconds.
  const wrong: string[] = [];
  for (const digest of digests) {
    const key = digest.toString("hex", 0, 16);
    if (set.has(digest) !== known.has(key) || set.add(digest) === known.has(key)) wrong.push(key);
    known.add(key);
  }
  expect(wrong).toEqual([]);
  expect(set.size).toBe(known.size);
  expect(digests.every((digest) => set.has(digest))).toBe(true);
});
