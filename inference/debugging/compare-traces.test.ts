/** The figures are numpy's: `python -c` with the lines in the comments. */
import { describe, expect, test } from "@jest/globals";
import { hostTensor } from "../../runtime-bridge/index.ts";
import { compareTraces, type Trace, type TraceEntry } from "./compare-traces.ts";

type Given = Partial<TraceEntry> & { readonly values: readonly number[] };
type Values = Readonly<Record<string, readonly number[] | Given>>;

const isList = (given: readonly number[] | Given): given is readonly number[] => Array.isArray(given);

function traceOf(values: Values): Trace {
  const whole = Object.entries(values).map(([name, given]) => {
    const { values: numbers, ...entry } = isList(given) ? { values: given } : given;
    const plain = { name, also: [], axes: undefined, at: undefined, dtype: "f32", shape: [numbers.length] } as const;
    return { entry: { ...plain, ...entry } as TraceEntry, numbers };
  });
  return {
    entries: whole.map(({ entry }) => entry),
    read: async (name) => {
      const found = whole.find(({ entry }) => entry.name === name)!;
      return hostTensor(found.entry.dtype, found.entry.shape, found.numbers);
    },
  };
}

describe("compareTraces", () => {
  test("tells differences in deviations of the reference, with quantiles and the cosine", async () => {
    const reference = Array.from({ length: 200 }, (_, n) => Math.fround(Math.sin(n)));
    const mine = reference.map((value, n) => Math.fround(value + (n / 200) ** 4 / 100));
    const { rows } = await compareTraces(traceOf({ x: mine }), traceOf({ x: reference }));
    // y = np.sin(np.arange(200)).astype('f4').astype('f8'); x = (y + (np.arange(200)/200)**4/100).astype('f4').astype('f8')
    // d = np.sort(abs(x-y)); s = y.std(); d.max()/s, d.mean()/s, d[100]/s, d[180]/s, d[198]/s, x@y/np.sqrt((x@x)*(y@y)), s
    const [row] = rows;
    expect(row).toMatchObject({ name: "x", departs: true, worst: [199] });
    const figures = [row!.max, row!.mean, row!.p50, row!.p90, row!.p99, row!.cosine, row!.deviation];
    [0.013878702, 0.002796672, 0.000885005, 0.009290195, 0.013601811, 0.999989111, 0.706226466].forEach(
      (wanted, n) => void expect(figures[n]).toBeCloseTo(wanted, 7),
    );
  });

  test("names the first that departs, in this trace's order, and what only one side has", async () => {
    const mine = traceOf({ a: [1, 2], b: [3, 4.1], c: [9, 9], mine: [0, 1] });
    const theirs = traceOf({ c: [0, 1], theirs: [1], b: [3, 4], a: [1, 2] });
    const found = await compareTraces(mine, theirs);
    expect(found.first?.name).toBe("b");
    expect(found.rows.map(({ name, departs }) => [name, departs])).toEqual([
      ["a", false],
      ["b", true],
      ["c", true],
    ]);
    expect([found.onlyHere, found.onlyReference]).toEqual([["mine"], ["theirs"]]);
    expect((await compareTraces(mine, theirs, { tolerance: 0.5 })).first?.name).toBe("c");
  });

  test("finds a value by any of its names, or by a map of names with a word left open", async () => {
    const mine = traceOf({
      q: { values: [1, 2], also: ["model.q_proj"] },
      "layers.0.attn": [1, 2],
      "layers.1.attn": [3, 4],
    });
    const theirs = traceOf({ "model.q_proj": [1, 2], "h.0.a": [1, 2], "h.1.a": [3, 4] });
    const { rows, onlyHere } = await compareTraces(mine, theirs, { names: { "layers.{n}.attn": "h.{n}.a" } });
    expect(onlyHere).toEqual([]);
    expect(rows.map(({ name, reference }) => [name, reference])).toEqual([
      ["q", "model.q_proj"],
      ["layers.0.attn", "h.0.a"],
      ["layers.1.attn", "h.1.a"],
    ]);
  });

  test("treats NaN as equal to NaN alone, and counts what is no number", async () => {
    const nan = Number.NaN;
    const same = await compareTraces(traceOf({ x: [1, nan, Infinity] }), traceOf({ x: [1, nan, Infinity] }));
    expect(same.rows[0]).toMatchObject({ departs: false, max: 0, notFinite: { here: 2, reference: 2 } });
    const other = await compareTraces(traceOf({ x: [1, nan, 3] }), traceOf({ x: [1, 2, 3] }));
    expect(other.first).toMatchObject({
      max: Number.POSITIVE_INFINITY,
      worst: [1],
      notFinite: { here: 1, reference: 0 },
    });
  });

  test("is coarser where a side is bf16, and says what has another shape", async () => {
    // One element in 200 is far off, which rounding does to large ones.
    const values = Array.from({ length: 200 }, (_, n) => (n % 2 === 0 ? 1 : 2) as number);
    const x = values.with(7, 3);
    const bf16 = traceOf({ x: { dtype: "bf16", shape: [200], values: x } });
    expect((await compareTraces(bf16, traceOf({ x: values }))).rows[0]).toMatchObject({
      measure: "p99",
      departs: false,
    });
    expect((await compareTraces(traceOf({ x }), traceOf({ x: values }))).rows[0]).toMatchObject({
      measure: "max",
      departs: true,
    });
    expect((await compareTraces(traceOf({ x: [1, 2] }), traceOf({ x: [1, 2, 3] }))).unlike).toEqual([
      { name: "x", reference: "x", reason: "[2] here and [3] there" },
    ]);
  });

  test("holds a value that is the same everywhere against its size, and an empty one against nothing", async () => {
    const { rows } = await compareTraces(traceOf({ a: [4, 4], b: [] }), traceOf({ a: [4, 4.004], b: [] }));
    expect(rows[0]?.departs).toBe(true);
    expect((await compareTraces(traceOf({ a: [2, 2.001] }), traceOf({ a: [2, 2] }))).rows[0]?.max).toBeCloseTo(5e-4, 6);
    expect(rows[1]).toMatchObject({ name: "b", max: 0, departs: false });
  });
});
