import { readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";
import { chips } from "../../chips/index.ts";
import { modelTime, readHlo, type TimeOptions } from "./index.ts";

const fixture = (name: string) => readFileSync(new URL(`fixtures/${name}`, import.meta.url), "utf8");

interface Expected {
  readonly estimate_ms: number;
  readonly floor_ms: number;
  readonly model_ms: number;
  readonly hbm_gb: number;
  readonly custom_call_gb: Readonly<Record<string, number>>;
  readonly without_estimate: Readonly<Record<string, number>>;
}

/** What another tool says of each module, written by fixtures/make_modules.py. */
const expected = JSON.parse(fixture("expected.json")) as Record<string, Expected>;

function optionsOf(words: readonly string[]): TimeOptions {
  const trips = words.indexOf("--trips");
  return {
    ...(trips < 0 ? {} : { trips: Number(words[trips + 1]) }),
    tripsFromConditions: !words.includes("--ignore-constants"),
  };
}

test.each(Object.entries(expected))("agrees with another tool: %s", (key, wanted) => {
  const [name, ...words] = key.split(" ");
  const found = modelTime(readHlo(fixture(`${name}.hlo`)), chips.v4, optionsOf(words));
  // It prints three digits behind the point, so of small numbers not more can be asked.
  const close = (a: number, b: number) => expect(Math.abs(a - b)).toBeLessThanOrEqual(0.0005 + 0.0001 * b);
  close(found.estimateMs, wanted.estimate_ms);
  close(found.floorMs, wanted.floor_ms);
  close(found.modelMs, wanted.model_ms);
  close(found.hbmBytes / 1e9, wanted.hbm_gb);
  for (const [target, gigabytes] of Object.entries(wanted.custom_call_gb)) {
    close((found.customCallBytes.get(target) ?? 0) / 1e9, gigabytes);
  }
  const { "loops of unknown length": unknown = 0, ...silent } = wanted.without_estimate;
  expect(found.loopsOfUnknownLength).toBe(unknown);
  expect(Object.fromEntries(found.withoutEstimate)).toEqual(silent);
});

test("the charges add up to the model time where nothing waits for memory", () => {
  const { charges, modelMs, floorMs, hbmBytes } = modelTime(readHlo(fixture("sharded.hlo")), chips.v4);
  expect(floorMs).toBeLessThan(modelMs);
  expect(charges.reduce((all, { seconds }) => all + seconds * 1e3, 0)).toBeCloseTo(modelMs, 9);
  expect(charges.reduce((all, { bytes }) => all + bytes, 0)).toBeCloseTo(hbmBytes, 0);
});

const small = (body: string) => `HloModule small

%doubled (p: f32[1000000]) -> f32[1000000] {
  %p = f32[1000000]{0} parameter(0)
  ROOT %d = f32[1000000]{0} add(%p, %p), backend_config={"window_config":{"estimated_cycles":"1050000"}}
}

%same (p: f32[1000000]) -> f32[1000000] {
  ROOT %p = f32[1000000]{0} parameter(0)
}

%below (n: s32[]) -> pred[] {
  %n = s32[] parameter(0)
  %bound = s32[] constant(9)
  ROOT %lt = pred[] compare(%n, %bound), direction=LT
}

ENTRY %main (x: f32[1000000], which: s32[]) -> f32[1000000] {
  %x = f32[1000000]{0} parameter(0)
  %which = s32[] parameter(1)
${body}
}
`;
const millisecondsOf = (body: string, options: TimeOptions = {}) =>
  modelTime(readHlo(small(body)), chips.v4, options).modelMs;

test("an instruction costs the larger of its cycles and its traffic", () => {
  const add = (cycles: number) =>
    `  ROOT %y = f32[1000000]{0} add(%x, %x), backend_config={"window_config":{"estimated_cycles":"${cycles}"}}`;
  // 1,050,000 cycles at 1.05 GHz; 3 · 4 MB at 1.2 TB/s.
  expect(millisecondsOf(add(1_050_000))).toBeCloseTo(1, 9);
  expect(millisecondsOf(add(1))).toBeCloseTo(0.01, 9);
});

test("a choice costs its dearest branch, whichever it is", () => {
  const choice = (branches: string) =>
    `  ROOT %y = f32[1000000]{0} conditional(%which, %x, %x), branch_computations={${branches}}`;
  expect(millisecondsOf(choice("%same, %doubled"))).toBeCloseTo(1, 9);
  expect(millisecondsOf(choice("%doubled, %same"))).toBeCloseTo(1, 9);
});

test("a loop's length is the compiler's word, else the bound in its condition, else what the caller says", () => {
  const loop = (more: string, condition = "below") =>
    `  ROOT %y = f32[1000000]{0} while(%x), condition=%${condition}, body=%doubled${more}`;
  expect(millisecondsOf(loop(', backend_config={"known_trip_count":{"n":"5"}}'), { trips: 2 })).toBeCloseTo(5, 9);
  expect(millisecondsOf(loop(""), { trips: 2 })).toBeCloseTo(9, 9);
  expect(millisecondsOf(loop(""), { trips: 2, tripsFromConditions: false })).toBeCloseTo(2, 9);
  expect(millisecondsOf(loop("", "same"), { trips: 2 })).toBeCloseTo(2, 9);
});

test("a collective costs a fixed time and its bytes over the links", () => {
  const reduce = "  ROOT %y = f32[1000000]{0} all-reduce(%x), replica_groups={{0,1}}, to_apply=%doubled";
  expect(millisecondsOf(reduce)).toBeCloseTo(0.001 + (4e6 / 270e9) * 1e3, 9);
  expect(millisecondsOf(reduce, { collectiveSeconds: 0.01 })).toBeCloseTo(10 + (4e6 / 270e9) * 1e3, 9);
});

test("an asynchronous copy takes no time of its own, but no program is faster than its memory", () => {
  const copy = `  %start = (f32[1000000]{0:S(1)}, f32[1000000]{0}, u32[]{:S(2)}) copy-start(%x)
  ROOT %y = f32[1000000]{0:S(1)} copy-done(%start)`;
  const { modelMs, floorMs, charges } = modelTime(readHlo(small(copy)), chips.v4);
  expect(floorMs).toBeCloseTo((4e6 / 1.2e12) * 1e3, 12);
  expect(modelMs).toBe(floorMs);
  expect(charges.map(({ seconds }) => seconds)).toEqual([0]);
});
