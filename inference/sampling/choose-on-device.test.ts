/** Tokens chosen by a program: the largest, and draws from a distribution, the same here and there. */
import { describe, expect, test } from "@jest/globals";
import { lower } from "../../compiler/index.ts";
import { axes, axis, trace } from "../../dsl/index.ts";
import { hostTensor, toInt32Array } from "../../runtime-bridge/index.ts";
import { checkProgram } from "../../tests/support/check-program.ts";
import { testWorker } from "../../tests/support/worker.ts";
import { chooseHere, chosenToken, type DeviceChoice, deviceKey, isAmongFirst } from "./choose-on-device.ts";

const count = 8;
/** Largest first, as a step gives them. */
const values = [2.5, 2.25, 2.25, 1, 0.5, -1, -3, Number.NEGATIVE_INFINITY];
const ids = [40, 7, 9, 3, 100, 0, 5, 8];

/** What a device draws in one program at so many positions from 0, from the same candidates. */
async function draws(choice: DeviceChoice, positions: number): Promise<Int32Array> {
  const ax = axes({ batch: positions, candidate: count, word: 2 });
  const program = lower(
    trace("draws", ({ input }) =>
      chosenToken(
        {
          values: input("values", "f32", ax.candidate).broadcast(ax.batch),
          ids: input("ids", "i32", ax.candidate).broadcast(ax.batch),
        },
        {
          temperature: input("temperature", "f32", ax.batch),
          topK: input("topK", "i32", ax.batch),
          key: input("key", "u32", ax.batch, ax.word),
          position: input("position", "i32", ax.batch),
        },
      ),
    ),
  );
  const worker = await testWorker();
  const rows = Array.from({ length: positions }, (_, n) => n);
  const given = {
    values: hostTensor("f32", [count], Float32Array.from(values)),
    ids: hostTensor("i32", [count], Int32Array.from(ids)),
    temperature: hostTensor(
      "f32",
      [positions],
      Float32Array.from(rows, () => choice.temperature),
    ),
    topK: hostTensor(
      "i32",
      [positions],
      Int32Array.from(rows, () => choice.topK),
    ),
    key: hostTensor("u32", [positions, 2], Uint32Array.from(rows.flatMap(() => choice.key))),
    position: hostTensor("i32", [positions], Int32Array.from(rows)),
  };
  const order = program.signature.arguments.map(({ name }) => given[name as keyof typeof given]);
  const { results } = await worker.execute(await worker.compile(program), order, { fetch: [0] });
  return toInt32Array(results[0] as ReturnType<typeof hostTensor>);
}

describe("a token chosen on the device", () => {
  test("is greedily the largest, the lowest id of equal ones, whatever the sign of a zero", async () => {
    const rows = [
      { values: [3, 2, 1, 0], ids: [9, 1, 4, 2], chosen: 9 },
      { values: [3, 3, 3, 0], ids: [5, 6, 2, 1], chosen: 2 },
      { values: [0, -0, -1, -2], ids: [8, 6, 1, 0], chosen: 6 },
      { values: [-Infinity, -Infinity, -Infinity, -Infinity], ids: [1, 2, 3, 4], chosen: 1 },
      { values: [-1e30, -2e30, -3e30, -Infinity], ids: [3, 2, 1, 0], chosen: 3 },
    ];
    const [batch, candidate, word] = [axis("batch", rows.length), axis("candidate", 4), axis("word", 2)];
    await checkProgram(
      ({ input }) =>
        chosenToken(
          { values: input("values", "f32", batch, candidate), ids: input("ids", "i32", batch, candidate) },
          {
            temperature: input("temperature", "f32", batch),
            topK: input("topK", "i32", batch),
            key: input("key", "u32", batch, word),
            position: input("position", "i32", batch),
          },
        ),
      {
        inputs: {
          values: rows.map((row) => row.values),
          ids: rows.map((row) => row.ids),
          temperature: rows.map(() => 0),
          topK: rows.map(() => 1),
          key: rows.map(() => [1, 2]),
          position: rows.map((_, n) => n),
        },
        expected: rows.map((row) => row.chosen),
      },
    );
    for (const { chosen, ...candidates } of rows) {
      const found = chooseHere({ ...candidates, logSumExp: 0 }, { temperature: 0, topK: 1, key: [0, 0] }, 0);
      expect(found).toBe(chosen);
    }
  });

  test.each([
    { temperature: 1, topK: 8, seed: 1n },
    { temperature: 0.7, topK: 6, seed: 2n },
    { temperature: 2, topK: 3, seed: 3n },
    { temperature: 1e-3, topK: 8, seed: 4n },
  ])("is drawn from the softmax of the first candidates: %p", async ({ temperature, topK, seed }) => {
    const choice = { temperature, topK, key: deviceKey(seed) };
    const all = 8192;
    const found = await draws(choice, all);
    const weights = values.slice(0, topK).map((value) => Math.exp((value - 2.5) / temperature));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    let chiSquare = 0;
    let cells = -1;
    for (const [rank, weight] of weights.entries()) {
      const wanted = (all * weight) / sum;
      const seen = found.filter((id) => id === ids[rank]).length;
      // Too rare for the statistic, and rare.
      if (wanted < 5) expect(seen).toBeLessThan(20);
      else {
        chiSquare += (seen - wanted) ** 2 / wanted;
        cells++;
      }
    }
    expect(found.every((id) => ids.slice(0, topK).includes(id))).toBe(true);
    // The 99.9 % quantiles of chi-square, by degrees of freedom; the seeds are fixed.
    expect(chiSquare).toBeLessThan([1e-9, 10.83, 13.82, 16.27, 18.47, 20.52, 22.46][cells] as number);
    // The same numbers in f64: near ties are rare.
    const here = Array.from(found, (_, n) => chooseHere({ values, ids, logSumExp: 0 }, choice, n));
    expect(here.filter((id, n) => id !== found[n]).length).toBeLessThan(3);
    // Neither how many rows there are nor where a row lies has a part in it.
    expect(await draws(choice, 5)).toEqual(found.slice(0, 5));
  });

  test("has other random numbers for another seed, and for a neighbouring seed at another position", async () => {
    const drawn = await Promise.all(
      [5n, 6n].map(async (seed) => await draws({ temperature: 2, topK: 8, key: deviceKey(seed) }, 300)),
    );
    const [one, other] = drawn as [Int32Array, Int32Array];
    for (const shift of [0, 1]) {
      const same = one.slice(shift).filter((id, n) => id === other[n]).length;
      // Two draws agree by chance about once in five.
      expect(same).toBeLessThan(150);
    }
  });

  test("is one of the first, or as likely as the last of them", () => {
    const candidates = { values: [3, 2, 2, 1], ids: [4, 9, 1, 0], logSumExp: 4 };
    expect([4, 1, 9, 0, 77].map((id) => isAmongFirst(candidates, 2, id))).toEqual([true, true, true, false, false]);
    expect(isAmongFirst(candidates, 64, 0)).toBe(true);
  });
});
