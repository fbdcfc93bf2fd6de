import { describe, test } from "@jest/globals";
import { checkProgram } from "../../tests/support/check-program.ts";
import type { Tolerance } from "../../tests/support/numbers.ts";
import { axes, rope, ropeAngles, type Tensor } from "../index.ts";

const ax = axes({ batch: 2, pos: 2, head: 1, dim: 4, freq: 2 });
const tolerance: Tolerance = { relative: 1e-5, absolute: 1e-6, because: "sines and cosines in f32" };

/** What the papers say: each pair (i, i + half) turned by position times frequency. */
function turned(x: readonly number[], position: number, frequencies: readonly number[], scale = 1): number[] {
  const half = frequencies.length;
  return x.map((own, n) => {
    if (n >= 2 * half) return own;
    const angle = position * (frequencies[n % half] as number);
    const other = n < half ? -(x[n + half] as number) : (x[n - half] as number);
    return scale * (own * Math.cos(angle) + other * Math.sin(angle));
  });
}

describe("rope", () => {
  test("turns pairs of halves by position times frequency, rows at positions of their own", async () => {
    const x = [
      [
        [1, 2, 3, 4],
        [5, 6, 7, 8],
      ],
      [
        [1, 0, 0, 0],
        [0, 0, 1, 1],
      ],
    ];
    const positions = [
      [0, 1],
      [7, 100],
    ];
    const frequencies = [
      [1, 0.1],
      [0.5, 0.01],
    ];
    await checkProgram(
      ({ input }) => {
        const angles = ropeAngles(
          input("positions", "i32", ax.batch, ax.pos),
          input("frequencies", "f32", ax.batch, ax.freq),
          1.25,
        );
        return rope(input("x", "f32", ax.batch, ax.pos, ax.head, ax.dim), angles, 2);
      },
      {
        inputs: { x, positions, frequencies },
        expected: x.map((row, b) => row.map((each, p) => turned(each, positions[b]![p]!, frequencies[b]!, 1.25))),
        tolerance,
      },
    );
  });

  test("keeps positions beyond 256 apart in bf16", async () => {
    const one = axes({ batch: 1, pos: 2, dim: 2, freq: 1 });
    await checkProgram(
      ({ input }) => {
        const angles = ropeAngles(
          input("positions", "i32", one.batch, one.pos),
          input("frequencies", "f32", one.batch, one.freq),
        );
        return { cos: angles.cos as Tensor<"batch" | "pos" | "dim"> };
      },
      {
        inputs: { positions: [[100001, 100002]], frequencies: [[0.001]] },
        expected: {
          cos: [
            [Math.cos(100.001), Math.cos(100.001)],
            [Math.cos(100.002), Math.cos(100.002)],
          ],
        },
        tolerance: { absolute: 1e-5, because: "an angle of 100 radians has a step of 8e-6 in f32" },
      },
    );
  });
});
