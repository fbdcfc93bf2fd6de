import { describe, expect, test } from "@jest/globals";
import { checkProgram } from "../../tests/support/check-program.ts";
import type { Tolerance } from "../../tests/support/numbers.ts";
import { refusal } from "../../tests/support/refusal.ts";
import { type Axis, axes, axis, dot, type Inputs, param, type Tensor } from "../index.ts";

const ax = axes({ batch: 2, row: 2, column: 3, inner: 3, out: 4, long: 512 });

describe("dot", () => {
  test("contracts axes by name and keeps the others", async () => {
    const { text, program } = await checkProgram(
      ({ input }) => input("x", "f32", ax.row, ax.inner).dot(input("y", "f32", ax.column, ax.inner), "inner"),
      {
        inputs: {
          x: [
            [1, 2, 3],
            [4, 5, 6],
          ],
          y: [
            [1, 0, 0],
            [0, 1, 0],
            [1, 1, 1],
          ],
        },
        expected: [
          [1, 2, 6],
          [4, 5, 15],
        ],
      },
    );
    expect(text).toMatchInlineSnapshot(`
      func.func public @main(%arg0: tensor<2x3xf32>, %arg1: tensor<3x3xf32>) -> tensor<2x3xf32> {
        %0 = stablehlo.dot_general %arg0, %arg1, contracting_dims = [1] x [1], precision = [HIGHEST, HIGHEST] : (tensor<2x3xf32>, tensor<3x3xf32>) -> tensor<2x3xf32>
        return %0 : tensor<2x3xf32>
      }
    `);
    expect(program.signature.results[0]?.axes).toEqual(["row", "column"]);
  });

  test("batches the axes that both operands have", async () => {
    const { text } = await checkProgram(
      ({ input }) => input("x", "f32", ax.batch, ax.inner).dot(input("y", "f32", ax.inner, ax.batch), "inner"),
      {
        inputs: {
          x: [
            [1, 2, 3],
            [4, 5, 6],
          ],
          y: [
            [1, 10],
            [2, 20],
            [3, 30],
          ],
        },
        expected: [14, 320],
      },
    );
    expect(text).toMatchInlineSnapshot(`
      func.func public @main(%arg0: tensor<2x3xf32>, %arg1: tensor<3x2xf32>) -> tensor<2xf32> {
        %0 = stablehlo.dot_general %arg0, %arg1, batching_dims = [0] x [1], contracting_dims = [1] x [0], precision = [HIGHEST, HIGHEST] : (tensor<2x3xf32>, tensor<3x2xf32>) -> tensor<2xf32>
        return %0 : tensor<2xf32>
      }
    `);
  });

  test("contracts several axes, and none: then only batching is left", async () => {
    await checkProgram(
      ({ input }) => {
        const [x, y] = [input("x", "f32", ax.row, ax.inner), input("y", "f32", ax.inner, ax.row)];
        return { both: x.dot(y, "row", "inner"), none: x.dot(y) };
      },
      {
        inputs: {
          x: [
            [1, 2, 3],
            [4, 5, 6],
          ],
          y: [
            [1, 1],
            [1, 2],
            [1, 3],
          ],
        },
        expected: {
          both: 1 + 2 + 3 + 4 + 10 + 18,
          none: [
            [1, 2, 3],
            [4, 10, 18],
          ],
        },
      },
    );
  });

  test("puts a weight on the left, whichever side it has in the program", async () => {
    const { text, program } = await checkProgram(
      ({ input, weights }) => {
        const w = weights("w", { up: param("up.weight", ax.out, ax.inner) }, "f32", "f32");
        return input("x", "f32", ax.batch, ax.inner).dot(w.up, "inner");
      },
      {
        inputs: {
          x: [
            [1, 2, 3],
            [4, 5, 6],
          ],
          "w.up": [
            [1, 0, 0],
            [0, 1, 0],
            [0, 0, 1],
            [1, 1, 1],
          ],
        },
        expected: [
          [1, 2, 3, 6],
          [4, 5, 6, 15],
        ],
      },
    );
    expect(text).toMatchInlineSnapshot(`
      func.func public @main(%arg0: tensor<4x3xf32>, %arg1: tensor<2x3xf32>) -> tensor<2x4xf32> {
        %0 = stablehlo.dot_general %arg0, %arg1, contracting_dims = [1] x [1], precision = [HIGHEST, HIGHEST] : (tensor<4x3xf32>, tensor<2x3xf32>) -> tensor<4x2xf32>
        %1 = stablehlo.transpose %0, dims = [1, 0] : (tensor<4x2xf32>) -> tensor<2x4xf32>
        return %1 : tensor<2x4xf32>
      }
    `);
    expect(program.signature.results[0]?.axes).toEqual(["batch", "out"]);
  });

  test("multiplies bf16, sums in f32 and rounds once", async () => {
    const { text } = await checkProgram(
      ({ input }) => input("x", "bf16", ax.long).dot(input("y", "bf16", ax.long), "long"),
      { inputs: { x: Array(512).fill(1), y: Array(512).fill(1) }, expected: 512 },
    );
    expect(text).toMatchInlineSnapshot(`
      func.func public @main(%arg0: tensor<512xbf16>, %arg1: tensor<512xbf16>) -> tensor<bf16> {
        %0 = stablehlo.dot_general %arg0, %arg1, contracting_dims = [0] x [0], precision = [DEFAULT, DEFAULT] : (tensor<512xbf16>, tensor<512xbf16>) -> tensor<f32>
        %1 = stablehlo.convert %0 : (tensor<f32>) -> tensor<bf16>
        return %1 : tensor<bf16>
      }
    `);
  });

  test("converts the right operand to the left one's type", async () => {
    const { program } = await checkProgram(
      ({ input }) => input("x", "f32", ax.inner).dot(input("y", "bf16", ax.inner), "inner"),
      {
        inputs: { x: [0.1, 0.2, 0.3], y: [1, 2, 3] },
        expected: 1.4,
        tolerance: { relative: 1e-6, because: "three roundings of f32" },
      },
    );
    expect(program.signature.results[0]?.dtype).toBe("f32");
  });

  test("of integers wraps around in their own type", async () => {
    await checkProgram(
      ({ input }) => ({
        wide: input("x", "i32", ax.inner).dot(input("y", "i32", ax.inner), "inner"),
        narrow: input("u", "u8", ax.inner).dot(input("v", "u8", ax.inner), "inner"),
      }),
      {
        inputs: { x: [1, -2, 3], y: [4, 5, 6], u: [100, 100, 0], v: [2, 1, 0] },
        expected: { wide: 12, narrow: 300 - 256 },
      },
    );
  });

  test("refuses an axis of two sizes, contracted or batched", () => {
    expect(
      refusal(({ input }) => {
        const x = input("x", "f32", ax.row, axis("inner", 6));
        return x.dot(input("y", "f32", ax.column, ax.inner).mul(2), "inner");
      }),
    ).toMatchInlineSnapshot(`
      ShapeError SIZE_MISMATCH
      dot over 'inner': 6 on the left, 3 on the right
        left   x    f32 [row 2, inner 6]     dot.test.ts:+1
        right  mul  f32 [column 3, inner 3]  dot.test.ts:+2
        hint  6 = 2 × 3: a flat dimension may hold a pair; split it where the parameter is declared, param(key, …, ax.part, ax.inner)
    `);
    expect(
      refusal(({ input }) =>
        input("x", "f32", ax.batch, ax.inner).dot(input("y", "f32", axis("batch", 5), ax.inner), "inner"),
      ),
    ).toMatchInlineSnapshot(`
      ShapeError SIZE_MISMATCH
      dot batched over 'batch': 2 on the left, 5 on the right
        left   x  f32 [batch 2, inner 3]  dot.test.ts:+1
        right  y  f32 [batch 5, inner 3]  dot.test.ts:+1
    `);
  });

  test("refuses an axis that one side lacks, or one named twice", () => {
    expect(
      refusal(({ input }) => {
        const [x, down] = [input("x", "f32", ax.row, ax.inner), input("down", "f32", ax.out, ax.inner)];
        // @ts-expect-error  the left operand has no `out`
        return x.dot(down, "out");
      }),
    ).toMatchInlineSnapshot(`
      ShapeError AXIS_MISSING
      dot over 'out': the left operand has no such axis
        left   x     f32 [row 2, inner 3]  dot.test.ts:+1
        right  down  f32 [out 4, inner 3]  dot.test.ts:+1
    `);
    expect(
      refusal(({ input }) => input("x", "f32", ax.inner).dot(input("y", "f32", ax.inner), "inner", "inner")),
    ).toMatchInlineSnapshot(`
      ShapeError AXIS_TWICE
      dot over 'inner', 'inner': an axis is named twice
        operand  x  f32 [inner 3]  dot.test.ts:+0
    `);
  });

  test("refuses elements that are no numbers, or of two kinds", () => {
    expect(
      refusal(({ input }) => input("x", "bool", ax.row).dot(input("y", "bool", ax.row), "row")),
    ).toMatchInlineSnapshot(`
      ShapeError DTYPE
      dot takes floats, signed integers or unsigned integers, and the left operand is bool
        left  x  bool [row 2]  dot.test.ts:+0
        hint  left.cast("f32")
    `);
    expect(
      refusal(({ input }) => input("x", "f32", ax.row).dot(input("y", "i32", ax.row), "row")),
    ).toMatchInlineSnapshot(`
      ShapeError DTYPE
      dot takes floats, and the right operand is i32
        left   x  f32 [row 2]  dot.test.ts:+0
        right  y  i32 [row 2]  dot.test.ts:+0
        hint  right.cast("f32")
    `);
  });

  test("costs a multiplication and an addition for each pair that meets", () => {
    const type = (...of: Axis[]) => ({ dtype: "f32", axes: of }) as const;
    const flops = (left: Axis[], right: Axis[], over: string[]) =>
      dot.flops?.([type(...left), type(...right)], { over } as never);
    expect(flops([ax.batch, ax.inner], [ax.inner, ax.out], ["inner"])).toBe(2 * 2 * 3 * 4);
    expect(flops([ax.batch, ax.inner], [ax.inner, ax.batch], [])).toBe(2 * 3);
  });
});

describe("whatever the order of axes in memory, dot", () => {
  const exact: Tolerance = { because: "sums of small whole numbers are exact; only the sign of zero may differ" };

  // Small whole numbers, so that sums are exact in any order of addition.
  const cases = Array.from({ length: 24 }, (_, seed) => randomCase(seed + 1));

  test("agrees with the sum that its axes mean, also when an operand is a weight", async () => {
    const inputs = Object.fromEntries(
      cases.flatMap(({ x, y }, n) => [
        [`w.x${n}`, x.values],
        [`x${n}`, x.values],
        [`w.y${n}`, y.values],
        [`y${n}`, y.values],
      ]),
    );
    const { program } = await checkProgram(
      ({ input, weights }: Inputs) =>
        cases.map(({ x, y, over }, n) => {
          // Every third case has no weight, every third one on the left, every third one on the right.
          const given = (name: string, of: readonly Axis[], weight: boolean) =>
            (weight
              ? weights("w", { [name]: param(name, ...of) }, "f32", "f32")[name]
              : input(name, "f32", ...of)) as Tensor<string>;
          return given(`x${n}`, x.axes, n % 3 === 1).dot(given(`y${n}`, y.axes, n % 3 === 2), ...over);
        }),
      {
        inputs,
        expected: Object.fromEntries(cases.map(({ x, y, over }, n) => [n, einsum(x, y, over)])),
        tolerance: exact,
      },
    );
    expect(program.signature.results.length).toBe(cases.length);
  });
});

interface Dense {
  readonly axes: readonly Axis[];
  readonly values: readonly number[];
}

/** Two operands over some of five axes in any order, and some of the shared ones to contract. */
function randomCase(seed: number): { x: Dense; y: Dense; over: string[] } {
  let state = seed * 2654435761;
  const random = (below: number) => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0;
    return (state >>> 8) % below;
  };
  const shuffle = <T>(of: readonly T[]): T[] => {
    const left = [...of];
    return of.map(() => left.splice(random(left.length), 1)[0] as T);
  };
  const sizes = [2, 3, 2, 4, 3];
  const all = ["a", "b", "c", "d", "e"].map((name, n) => axis(name, sizes[n] as number));
  const some = () => shuffle(all).slice(0, 2 + random(4));
  const dense = (of: readonly Axis[]): Dense => ({
    axes: of,
    values: Array.from({ length: of.reduce((count, { size }) => count * size, 1) }, () => random(7) - 3),
  });
  const [x, y] = [dense(some()), dense(some())];
  const shared = x.axes.filter(({ name }) => y.axes.some((other) => other.name === name)).map(({ name }) => name);
  return { x, y, over: shuffle(shared).slice(0, random(shared.length + 1)) };
}

/** The sum of products over every position of every axis; the left's axes and then the right's are kept, in order. */
function einsum(x: Dense, y: Dense, over: readonly string[]): number[] {
  const kept = [...x.axes, ...y.axes.filter(({ name }) => !x.axes.some((other) => other.name === name))].filter(
    ({ name }) => !over.includes(name),
  );
  const summed = x.axes.filter(({ name }) => over.includes(name));
  const at = (of: Dense, place: ReadonlyMap<string, number>) =>
    of.values[of.axes.reduce((index, { name, size }) => index * size + (place.get(name) as number), 0)] as number;
  return places(kept).map((outer) =>
    places(summed).reduce((sum, inner) => {
      const place = new Map([...outer, ...inner]);
      return sum + at(x, place) * at(y, place);
    }, 0),
  );
}

/** Every position, the last axis fastest. */
function places(of: readonly Axis[]): ReadonlyMap<string, number>[] {
  return of.reduce<ReadonlyMap<string, number>[]>(
    (before, { name, size }) =>
      before.flatMap((place) => Array.from({ length: size }, (_, n) => new Map([...place, [name, n]]))),
    [new Map()],
  );
}
