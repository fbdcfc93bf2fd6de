import { expect, test } from "@jest/globals";
import { type Chip, perDevice } from "./chip.ts";
import { chipOf, chips, chipsOf } from "./index.ts";
import { chipCount } from "./slice-shapes.ts";

const all: readonly Chip[] = Object.values(chips);

test("a chip is found by the name that targets write", () => {
  for (const [name, chip] of Object.entries(chips)) {
    expect(chip.name).toBe(name);
    expect(chipOf(name)).toBe(chip);
  }
  expect(() => chipOf("v9")).toThrowErrorMatchingInlineSnapshot(
    `"chip 'v9' is not known; known are v3, v4, v5e, v5p, v6e, h100, a100"`,
  );
  expect(() => chipOf("toString")).toThrow("is not known");
});

test("devices of a chip share it", () => {
  const half = perDevice(chips.v3);
  expect(half).toMatchObject({ hbmBytes: 16 * 2 ** 30, hbmBytesPerSecond: 450e9, bf16FlopsPerSecond: 61.5e12 });
  expect(half).toMatchObject({ cores: 1, devices: 1, clockHz: chips.v3.clockHz });
  expect(perDevice(chips.v4)).toEqual(chips.v4);
  expect(perDevice(chips.v4, 2).hbmBytesPerSecond).toBe(600e9);
});

test("every chip is of one platform, and keeps its place in the list", () => {
  const names = (platform: Chip["platform"]) => chipsOf(platform).map(({ name }) => name);
  expect([...names("tpu"), ...names("cuda")]).toEqual(Object.keys(chips));
});

test("a slice is of a TPU's dimensions, and its chips fill whole hosts", () => {
  for (const { dimensions, gke } of chipsOf("tpu")) {
    for (const shape of gke?.shapes ?? []) {
      expect(shape).toHaveLength(dimensions);
      const { single, multi } = gke?.chipsPerHost ?? { single: 0, multi: 0 };
      expect(chipCount(shape) <= single || chipCount(shape) % multi === 0).toBe(true);
    }
  }
});

test("a TPU's peak is what its matrix units do in a cycle, times its clock", () => {
  // Multiply-add of a square of numbers in each unit; units of a core: v3 2, v4, v5e and v5p 4, v6e 4 of twice the width.
  const macs = { v3: 2 * 128 ** 2, v4: 4 * 128 ** 2, v5e: 4 * 128 ** 2, v5p: 4 * 128 ** 2, v6e: 4 * 256 ** 2 };
  for (const [name, perCore] of Object.entries(macs)) {
    const { bf16FlopsPerSecond, clockHz, cores } = chipOf(name);
    expect((2 * perCore * cores * clockHz) / bf16FlopsPerSecond).toBeCloseTo(1, 1);
  }
});

test("no chip moves a byte in less than 100 operations, nor faster to others than to its own memory", () => {
  for (const { hbmBytesPerSecond, linkBytesPerSecond, bf16FlopsPerSecond } of all) {
    expect(bf16FlopsPerSecond / hbmBytesPerSecond).toBeGreaterThan(100);
    expect(linkBytesPerSecond).toBeLessThan(hbmBytesPerSecond);
  }
});
