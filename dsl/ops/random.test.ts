import { describe, expect, test } from "@jest/globals";
import { expected } from "../../tests/ops/expected.ts";
import { checkProgram } from "../../tests/support/check-program.ts";
import { refusal } from "../../tests/support/refusal.ts";
import { axes, axis, randomBits, randomUniform } from "../index.ts";

const ax = axes({ key: 2, batch: 3, row: 2, column: 5 });
const names = ["a", "b", "c"];

describe("randomBits", () => {
  test("are those of jax.random.bits, and randomUniform those of jax.random.uniform, for the same key and shape", async () => {
    const cases = expected.randomBits;
    const { program } = await checkProgram(
      ({ input }) =>
        cases.map(({ shape }, n) => {
          const [key, of] = [input(`key${n}`, "u32", ax.key), shape.map((size, at) => axis(names[at] as string, size))];
          return { bits: randomBits(key, ...of), uniform: randomUniform(key, ...of) };
        }),
      {
        inputs: Object.fromEntries(cases.map(({ key }, n) => [`key${n}`, key])),
        expected: Object.fromEntries(
          cases.flatMap(({ bits, uniform }, n) => [
            [`${n}.bits`, bits],
            [`${n}.uniform`, uniform],
          ]),
        ),
      },
    );
    expect(program.signature.results[2]?.axes).toEqual(["a", "b"]);
  });

  test("depend on a row's own key and on nothing beside it", async () => {
    const one = await checkProgram(({ input }) => randomBits(input("key", "u32", ax.key), ax.column), {
      inputs: { key: [0, 42] },
    });
    const { results } = await checkProgram(
      ({ input }) => randomBits(input("keys", "u32", ax.batch, ax.key), ax.column),
      {
        inputs: {
          keys: [
            [0, 42],
            [7, 7],
            [0, 42],
          ],
        },
      },
    );
    const rows = results.result as readonly number[];
    expect(rows.slice(0, 5)).toEqual(one.results.result);
    expect(rows.slice(10)).toEqual(one.results.result);
    expect(rows.slice(5, 10)).not.toEqual(one.results.result);
  });

  test("are uniform enough that each bit is set about half the time", async () => {
    const { results } = await checkProgram(
      ({ input }) =>
        randomBits(input("key", "u32", ax.key), axis("n", 4096))
          .popcount()
          .sum("n"),
      {
        inputs: { key: [1, 2] },
      },
    );
    // The standard deviation of 131,072 fair bits is 181.
    expect(Math.abs(Number(results.result?.[0]) - 65536)).toBeLessThan(4 * 181);
  });

  test("refuse keys of another type or size, and more words than a counter has", () => {
    expect(refusal(({ input }) => randomBits(input("key", "i32", ax.key), ax.row))).toMatchInlineSnapshot(`
      ShapeError DTYPE
      randomBits takes a key of u32 with an axis 'key' of 2
        key  key  i32 [key 2]  random.test.ts:+0
    `);
    expect(refusal(({ input }) => randomBits(input("key", "u32", axis("key", 3)), ax.row))).toMatchInlineSnapshot(`
      ShapeError DTYPE
      randomBits takes a key of u32 with an axis 'key' of 2
        key  key  u32 [key 3]  random.test.ts:+0
    `);
    expect(
      refusal(({ input }) => randomBits(input("key", "u32", ax.key), axis("a", 2 ** 16), axis("b", 2 ** 17))),
    ).toMatchInlineSnapshot(`
      ShapeError NUMBER_RANGE
      randomBits makes at most 2^32 words at once, and 8589934592 were asked for
    `);
  });
});
