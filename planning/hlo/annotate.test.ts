import { readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";
import { chips } from "../../chips/index.ts";
import { annotate } from "./annotate.ts";
import { type Attribution, attribute } from "./attribution.ts";
import { modelTime, readHlo, type TimeOptions } from "./index.ts";

const fixture = (name: string) => readFileSync(new URL(`fixtures/${name}`, import.meta.url), "utf8");

const tables = `HloModule m

FileNames
1 "models/a.ts"
2 "dsl/layers/norm.ts"

FunctionNames
1 "layers.0"
2 "attn.dot"
3 "attn.update"
4 "mlp.mul"

FileLocations
1 {file_name_id=1 function_name_id=1 line=2 end_line=2 column=3 end_column=3}
2 {file_name_id=1 function_name_id=2 line=3 end_line=3 column=3 end_column=3}
3 {file_name_id=1 function_name_id=3 line=4 end_line=4 column=3 end_column=3}
4 {file_name_id=2 function_name_id=4 line=9 end_line=9 column=3 end_column=3}

StackFrames
1 {file_location_id=1 parent_frame_id=1}
2 {file_location_id=2 parent_frame_id=2}
3 {file_location_id=3 parent_frame_id=2}
4 {file_location_id=4 parent_frame_id=2}

`;
const call = 'metadata={op_name="jit(f)/layers.0" stack_frame_id=1}';
const dot = 'metadata={op_name="jit(f)/layers.0/attn.dot" stack_frame_id=2}';
const update = 'metadata={op_name="jit(f)/layers.0/attn.update" stack_frame_id=3}';
const mul = 'metadata={op_name="jit(f)/layers.0/mlp.mul" stack_frame_id=4}';
/** As many microseconds by the estimate. */
const takes = (microseconds: number) =>
  `backend_config={"window_config":{"estimated_cycles":"${microseconds * 1050}"}}`;

const body = (...lines: readonly string[]) => [...lines.map((each) => `  ${each}`), "}", ""].join("\n");
const entry = (...lines: readonly string[]) =>
  `ENTRY %main (x: f32[8]) -> f32[8] {\n${body("%x = f32[8]{0:S(1)} parameter(0)", ...lines)}`;

const attributionOf = (text: string, options: TimeOptions = {}): Attribution => {
  const module = readHlo(tables + text);
  return attribute(module, modelTime(module, chips.v4, options));
};
/** Microseconds by line. */
const byLine = (text: string) => {
  const { lines, unattributed } = attributionOf(text);
  const known = lines.map(({ file, line, seconds }) => [`${file}:${line}`, +(seconds * 1e6).toFixed(6)] as const);
  return Object.fromEntries([...known, ...(unattributed.seconds > 0 ? [["none", unattributed.seconds * 1e6]] : [])]);
};

const fusion = (name: string, ...lines: readonly string[]) =>
  `%${name} (p: f32[8], q: f32[2]) -> f32[8] {\n${body("%p = f32[8]{0} parameter(0)", "%q = f32[2]{0} parameter(1)", ...lines)}\n`;

test("a fusion with a product is the product's, whatever else it holds", () => {
  const fused = fusion(
    "f",
    `%d = f32[2]{0} dot(%p, %p), ${dot}`,
    `%a = f32[2]{0} add(%d, %q), ${update}`,
    `ROOT %m = f32[8]{0} multiply(%p, %p), ${mul}`,
  );
  expect(
    byLine(fused + entry(`ROOT %y = f32[8]{0:S(1)} fusion(%x, %x), kind=kOutput, calls=%f, ${mul}, ${takes(10)}`)),
  ).toEqual({
    "models/a.ts:3": 10,
  });
});

test("a fusion without one is split by the bytes that each instruction reads or makes", () => {
  const inner = fusion("inner", `ROOT %m = f32[8]{0} multiply(%p, %p), ${mul}`);
  const fused = fusion(
    "f",
    `%a = f32[2]{0} add(%q, %q), ${update}`,
    `%b = f32[8]{0} broadcast(%a), ${update}`,
    "%c = f32[8]{0} negate(%p)",
    "ROOT %m = f32[8]{0} fusion(%p, %q), kind=kLoop, calls=%inner",
  );
  // 8 bytes and 32; what has no line takes no part, and a broadcast is free.
  expect(
    byLine(inner + fused + entry(`ROOT %y = f32[8]{0:S(1)} fusion(%x, %x), kind=kLoop, calls=%f, ${takes(10)}`)),
  ).toEqual({
    "dsl/layers/norm.ts:9": 8,
    "models/a.ts:4": 2,
  });
});

test("what the compiler made without a line belongs to its use, or else to where it came from", () => {
  const text = entry(
    `%c = f32[8]{0:S(1)} copy(%x), ${takes(1)}`,
    `%b = f32[8]{0:S(1)} bitcast(%c)`,
    `%n = f32[8]{0:S(1)} negate(%b), ${dot}, ${takes(2)}`,
    `%u = f32[8]{0:S(1)} add(%n, %n), ${mul}, ${takes(4)}`,
    `ROOT %r = f32[8]{0:S(1)} copy(%u), ${takes(8)}`,
  );
  expect(byLine(text)).toEqual({ "models/a.ts:3": 3, "dsl/layers/norm.ts:9": 12 });
  expect(byLine(entry(`ROOT %r = f32[8]{0:S(1)} copy(%x), ${takes(8)}`))).toEqual({ none: 8 });
});

test("in a loop, what has only the line of a call around it belongs to the loop", () => {
  const loop = (metadata: string) =>
    `%step (s: f32[8]) -> f32[8] {\n${body(
      "%s = f32[8]{0:S(1)} parameter(0)",
      `%a = f32[8]{0:S(1)} negate(%s), ${call}, ${takes(1)}`,
      `%b = f32[8]{0:S(1)} negate(%a), ${mul}, ${takes(2)}`,
      `ROOT %c = f32[8]{0:S(1)} copy(%b), ${takes(1)}`,
    )}\n${entry(
      `ROOT %w = f32[8]{0:S(1)} while(%x), condition=%none, body=%step, ${metadata}, backend_config={"known_trip_count":{"n":"3"}}`,
    )}`;
  // The copy has no use in the body: it is what the multiplication made.
  expect(byLine(loop(update))).toEqual({ "models/a.ts:4": 3, "dsl/layers/norm.ts:9": 9 });
  // Outside of a loop a call's line is the best that there is.
  expect(byLine(entry(`ROOT %a = f32[8]{0:S(1)} negate(%x), ${call}, ${takes(1)}`))).toEqual({ "models/a.ts:2": 1 });
});

test("collectives count by their runs, and a program that waits for its memory says so", () => {
  const text = entry(
    `%r = f32[8]{0:S(1)} all-reduce(%x), to_apply=%add, ${dot}`,
    "%big = f32[1000000]{0} parameter(1)",
    "%s = (f32[1000000]{0:S(1)}, f32[1000000]{0}, u32[]) copy-start(%big)",
    "%d = f32[1000000]{0:S(1)} copy-done(%s)",
    `ROOT %y = f32[8]{0:S(1)} slice(%d), slice={[0:8]}, ${mul}`,
  );
  const { lines, waitingSeconds, total, unattributed } = attributionOf(text);
  expect(lines.map(({ line, bytes, collectives }) => [line, bytes, [...collectives]])).toEqual([
    [3, 0, [["all-reduce", 1]]],
    [9, 4e6, []],
  ]);
  expect(total.seconds).toBeCloseTo(4e6 / 1.2e12, 12);
  expect(waitingSeconds).toBeCloseTo(4e6 / 1.2e12 - 1e-6 - 32 / 270e9, 12);
  expect(unattributed.seconds).toBe(0);
});

test.each(["sharded", "choice", "kernel"])("all lines together are the model time and the traffic: %s", (name) => {
  const module = readHlo(fixture(`${name}.hlo`));
  const time = modelTime(module, chips.v4, { trips: 3 });
  const { lines, unattributed, waitingSeconds, total } = attribute(module, time);
  const sum = (of: "seconds" | "bytes") => [...lines, unattributed].reduce((all, each) => all + each[of], 0);
  expect((sum("seconds") + waitingSeconds) * 1e3).toBeCloseTo(time.modelMs, 9);
  expect(total.seconds * 1e3).toBeCloseTo(time.modelMs, 9);
  expect(sum("bytes") / time.hbmBytes).toBeCloseTo(1, 9);
});

test("a real program's file is printed with its costs", () => {
  const text = fixture("make_modules.py");
  const printed = annotate({ path: "make_modules.py", text }, readHlo(fixture("sharded.hlo")), chips.v4);
  const rows = printed.split("\n");
  // Every line of the file stands as it is behind its number, whatever is written before it.
  const start = (rows[1] as string).indexOf('1  """') + 3;
  const lines = text.trimEnd().split("\n");
  expect(rows.slice(1, lines.length + 1).map((row) => row.slice(start))).toEqual(lines);
  expect(rows.filter((row) => row.includes("%")).join("\n")).toMatchInlineSnapshot(`
"   18.572   99.3%   16106.128  60 all-reduce   38              return x + jnp.tanh(x @ w[0]) @ w[1].T, x[0]
    0.001    0.0%       0.132                  40      x, rows = lax.scan(layer, x, weights)
    0.132    0.7%     125.829                  41      return x, lax.dynamic_update_slice(cache, rows[None], (at, 0, 0))
   18.705  100.0%   16232.089  60 all-reduce  in all"
`);
});

test("a file from which nothing comes is refused with those from which something does", () => {
  const module = readHlo(tables + entry(`ROOT %y = f32[8]{0:S(1)} negate(%x), ${dot}, ${takes(1)}`));
  const other = { path: "models/b.ts", text: "" };
  expect(() => annotate(other, module, chips.v4)).toThrowErrorMatchingInlineSnapshot(
    `"no operation of the module comes from 'models/b.ts'; operations come from models/a.ts"`,
  );
});

test("a line behind the file's end stands with those of other files", () => {
  const module = readHlo(tables + entry(`ROOT %y = f32[8]{0:S(1)} negate(%x), ${dot}, ${takes(1)}`));
  expect(annotate({ path: "models/a.ts", text: "short\n" }, module, chips.v4)).toMatchInlineSnapshot(`
"       ms   share      HBM MB  collectives     models/a.ts, model time on one device of a v4
                                            1  short

    0.001  100.0%       0.000               models/a.ts:3
    0.001  100.0%       0.000               in all
"
`);
});
