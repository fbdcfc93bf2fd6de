import { expect, test } from "@jest/globals";
import { formatBytes } from "./format-bytes.ts";

test("bytes are counted in powers of ten", () => {
  expect([0, 999, 1e6, 96_600_000, 1.07e9].map(formatBytes)).toEqual([
    "0.0 kB",
    "1.0 kB",
    "1.0 MB",
    "96.6 MB",
    "1.07 GB",
  ]);
});
