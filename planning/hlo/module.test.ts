import { readFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import { InputError } from "../../dsl/errors.ts";
import { branchesOf, called, knownTrips, readHlo, sourceLine } from "./module.ts";
import { bytesOf, type HloType, mainMemoryBytes, readType } from "./types.ts";

const fixture = (name: string) => readFileSync(new URL(`fixtures/${name}`, import.meta.url), "utf8");
const typeOf = (text: string): HloType => readType(text, 0).type;
const entry = (...lines: readonly string[]) =>
  readHlo(
    ["HloModule m", "", "ENTRY %main (x: f32[2]) -> f32[2] {", ...lines.map((each) => `  ${each}`), "}"].join("\n"),
  );

describe("types", () => {
  test.each([
    ["f32[2,3]{1,0}", 24, 24],
    ["bf16[8,2880]{1,0:T(8,128)(2,1)S(3)}", 46080, 0],
    ["f4e2m1fn[3]", 1.5, 1.5],
    ["pred[]", 1, 1],
    ["c64[2]{0}", 16, 16],
    ["f8e8m0fnu[4]{0:T(512)(4,1)}", 4, 4],
    ["token[]", 0, 0],
    ["f32[<=8,2]{1,0}", 64, 64],
    ["f32[0,4]{1,0}", 0, 0],
    ["((f32[2]{0}), /*index=1*/bf16[2]{0:S(1)}, u32[]{:S(2)})", 16, 8],
    ["()", 0, 0],
  ])("%s has %d bytes, %d of them in main memory", (text, all, inMain) => {
    expect(readType(text, 0).end).toBe(text.length);
    expect(bytesOf(typeOf(text))).toBe(all);
    expect(mainMemoryBytes(typeOf(text))).toBe(inMain);
  });
});

test("a real module of every back end is read whole", () => {
  for (const name of ["sharded", "choice", "kernel", "cpu"]) {
    const text = fixture(`${name}.hlo`);
    const module = readHlo(text);
    const instructions = [...module.computations.values()].flatMap((each) => each.instructions);
    // Every line with a sign of equality behind a name is an instruction.
    expect(instructions).toHaveLength(text.match(/^ +(ROOT )?%\S+ = /gm)?.length ?? 0);
    expect(text.match(/^(ENTRY )?%\S+ \(/gm)).toHaveLength(module.computations.size);
    for (const { opcode, name, operands } of instructions) {
      expect([name, opcode]).toEqual([name, expect.stringMatching(/^[a-z][a-z0-9-]*$/)]);
      expect(operands).not.toContain("");
    }
    for (const { instructions, byName } of module.computations.values()) {
      for (const each of instructions) for (const operand of each.operands) expect(byName.has(operand)).toBe(true);
    }
  }
});

test("what an instruction says is found: estimate, path, line, trips, bodies", () => {
  const module = readHlo(fixture("cpu.hlo"));
  const loop = module.entry.instructions.find(({ opcode }) => opcode === "while");
  expect(loop).toMatchObject({ name: "while.5", operands: ["tuple"], opName: "jit(loop)/while", isRoot: false });
  expect(knownTrips(loop as never)).toBe(5);
  expect([called(loop as never, "body"), called(loop as never, "condition")]).toEqual(["region_0.1", "region_1.2"]);
  const line = sourceLine(module, loop as never);
  expect(line).toMatchObject({ file: "make_modules.py", within: "loop" });
  const source = fixture("make_modules.py").split("\n")[(line?.line ?? 0) - 1];
  expect(source).toContain("lax.fori_loop(0, 5");
  const branch = readHlo(fixture("choice.hlo")).entry.instructions.find(({ opcode }) => opcode === "conditional");
  expect(branchesOf(branch as never)).toEqual(["region_3.7", "region_4.8"]);
  const add = readHlo(fixture("sharded.hlo")).computations.get("fused_computation.4.clone.1");
  expect(add?.root?.opcode).toBe("convert");
});

test("operands are found whether or not the text gives their types, or signs before names", () => {
  const forms = [
    "%y = f32[2]{0} add(%x, /*index=5*/%z.1)",
    "%y = f32[2]{0} add(f32[2]{0} %x, f32[2]{0} %z.1)",
    "y = f32[2]{0} add(x, z.1)",
    "y = f32[2]{0} add(f32[2]{0} x, (f32[2]{0}, s32[]) z.1)",
  ];
  for (const form of forms) {
    expect(entry(form).entry.instructions[0]).toMatchObject({ name: "y", opcode: "add", operands: ["x", "z.1"] });
  }
});

test("strings may hold what would else end something", () => {
  const [call, next] = entry(
    '%y = f32[2]{0} custom-call(%x), custom_call_target="a)b", backend_config="{\\"a\\": \\"}) %no\\"}", metadata={op_name="f(\\"x\\")/g" stack_frame_id=3}',
    "ROOT %z = f32[2]{0} negate(%y)",
  ).entry.instructions;
  expect(call).toMatchObject({ operands: ["x"], opName: 'f(\\"x\\")/g', frame: 3 });
  expect(next).toMatchObject({ name: "z", isRoot: true });
});

test("a constant of several lines is one instruction, and an attribute that is not known is kept", () => {
  const [constant, odd] = entry(
    "%c = f32[2,2]{1,0} constant({",
    "  { 1, 2 },",
    "  { 3, 4 }",
    "})",
    "ROOT %o = f32[2]{0} odd-op(%c), never_seen={a={b}, c}",
  ).entry.instructions;
  expect(constant?.argument.replace(/\s/g, "")).toBe("{{1,2},{3,4}}");
  expect(constant?.operands).toEqual([]);
  expect(odd).toMatchObject({ opcode: "odd-op", operands: ["c"], attributes: ", never_seen={a={b}, c}" });
});

test("a text that is no module is refused with how it starts", () => {
  expect(() => readHlo("module @step {\n}\n")).toThrow(InputError);
  expect(() => readHlo("module @step {\n}\n")).toThrowErrorMatchingInlineSnapshot(
    `"this is not the text of an optimised module: it has no ENTRY computation; it starts with 'module @step {'"`,
  );
});
