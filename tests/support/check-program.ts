/**
 * Holds a program to all that is promised of it: its text is what MLIR prints, with and without locations, and XLA and
 * StableHLO's reference interpreter both compute the expected numbers from it.
 */
import { expect } from "@jest/globals";
import { type LowerOptions, lower, type Program, type Signature } from "../../compiler/index.ts";
import { type Graph, type Inputs, type TraceOptions, trace } from "../../dsl/index.ts";
import { type EngineName, WorkerError } from "../../runtime-bridge/index.ts";
import { walk } from "../../testing/difference/walk.ts";
import { withoutLocations } from "../../testing/mlir/locations.ts";
import { readModule } from "../../testing/mlir/read-module.ts";
import { recordGolden, recordRun, watch } from "./coverage.ts";
import { decode, difference, type Element, encode, flat, type Nested, type Tolerance } from "./numbers.ts";
import { testWorker } from "./worker.ts";
import "./plain-snapshots.ts";

// Public API

/** What a program is given and what must come out. */
export interface Expectation {
  /** By the argument's name; row-major in the order in which its axes were declared. */
  readonly inputs?: Readonly<Record<string, Nested>>;
  /** By the result's path, or the one result itself; row-major over the result's axes. Left out, both engines only agree. */
  readonly expected?: Nested | Readonly<Record<string, Nested>>;
  /** Left out, every bit counts but for NaN's. By the result's path where they differ. */
  readonly tolerance?: Tolerance | Readonly<Record<string, Tolerance>>;
  /** Why the text is not what MLIR prints, though MLIR reads it. */
  readonly printsOtherwise?: string;
  /** Why the reference interpreter refuses this program. It must. */
  readonly interpreterRefuses?: string;
  /** Why the interpreter's numbers are not compared: it is known to compute something else. By the result's path. */
  readonly interpreterDiffers?: Readonly<Record<string, string>>;
  /** How the program is traced. */
  readonly tracing?: TraceOptions;
}

/** A program that held. */
export interface Checked {
  /** Its text without locations, for a snapshot. A lone function stands without the module around it. */
  readonly text: string;
  readonly program: Program;
  /** What XLA computed, by the result's path. */
  readonly results: Readonly<Record<string, readonly Element[]>>;
}

/** Traces, lowers, prints and runs a program, and compares. */
export async function checkProgram(body: (given: Inputs) => unknown, expectation: Expectation): Promise<Checked> {
  const { result: graph, called } = watch(() => trace("test", body, expectation.tracing));
  const program = lower(graph);
  const plain =
    expectation.printsOtherwise === undefined
      ? await checkText(graph, {}, program)
      : lower(graph, { locations: false }).text;
  const { interpreterRefuses } = expectation;
  const engines = interpreterRefuses === undefined ? (["xla", "reference"] as const) : (["xla"] as const);
  const [byXla, byInterpreter] = await Promise.all(engines.map((engine) => run(program, engine, expectation)));
  compare("XLA", program.signature, byXla as Results, expectation);
  if (byInterpreter !== undefined) {
    const differs = expectation.interpreterDiffers ?? {};
    compare("the reference interpreter", program.signature, byInterpreter, expectation, differs);
    if (expectation.expected === undefined)
      compareWithEachOther(program.signature, byXla as Results, byInterpreter, expectation);
  } else {
    await expect(run(program, "reference", expectation)).rejects.toThrow(WorkerError);
  }
  recordRun(graph, called);
  const text = bare(plain);
  uncounted.add(text);
  return { text, program, results: byXla as Results };
}

/** Asserts that a program's text is byte for byte what MLIR prints for it, and returns it without locations. */
export async function checkText(
  graph: Graph,
  how: Omit<LowerOptions, "locations"> = {},
  program = lower(graph, how),
): Promise<string> {
  const plain = lower(graph, { ...how, locations: false }).text;
  await checkTexts(program.text, plain);
  return plain;
}

/** Asserts that a text with locations and the same without are byte for byte what MLIR prints. */
export async function checkTexts(text: string, plain: string): Promise<void> {
  const worker = await testWorker();
  const [located, stripped] = await Promise.all([
    worker.formatModule(text, { locations: true }),
    worker.formatModule(plain, { locations: false }),
  ]);
  expect(plain).toBe(stripped);
  expect(text).toBe(located);
  checkReading(text, plain);
}

/** Whatever is printed can be read again, for differences: line by line, with and without locations. */
function checkReading(text: string, plain: string): void {
  expect(withoutLocations(text)).toBe(plain);
  const [own, located] = [plain, text].map((each) =>
    readModule(each, "the text").functions.map((func) =>
      walk(func).steps.map(({ operation: { kind, form, types, operands } }) => [
        kind,
        form,
        types,
        operands.map(({ name }) => name),
      ]),
    ),
  );
  expect(located).toEqual(own);
  const lines = plain
    .split("\n")
    .filter((line) => /^ +(?:%\S+ = |[a-z_]+\.?[a-z_]* ?%|return|stablehlo\.return|call)/.test(line));
  expect(own?.flat().length).toBeGreaterThanOrEqual(lines.length);
}

// Implementation

/** Texts that no snapshot has been compared with yet. */
const uncounted = new Set<string>();

// Jest prints a value when it compares it with a snapshot: only such a text counts as a golden.
expect.addSnapshotSerializer({
  test: (value) => uncounted.has(value as string),
  print: (value) => {
    uncounted.delete(value as string);
    recordGolden();
    return value as string;
  },
});

function bare(text: string): string {
  const lines = text.trimEnd().split("\n");
  if (lines.filter((line) => line.startsWith("  func.func")).length > 1) return lines.join("\n");
  return lines
    .slice(1, -1)
    .map((line) => line.slice(2))
    .join("\n");
}

type Results = Readonly<Record<string, readonly Element[]>>;

async function run(program: Program, engine: EngineName, { inputs = {} }: Expectation): Promise<Results> {
  const worker = await testWorker();
  const executable = await worker.compile(program, { engine });
  const given = program.signature.arguments.map(({ name, dtype, shape }) => {
    const value = inputs[name];
    if (value === undefined) throw new Error(`the test gives no '${name}'`);
    return { dtype, shape, data: encode(flat(value), dtype) };
  });
  const { results } = await worker.execute(executable, given, { fetch: "all" });
  return Object.fromEntries(
    program.signature.results.map(({ name, dtype }, n) => [
      name,
      decode((results[n] as { data: Uint8Array }).data, dtype),
    ]),
  );
}

function compare(
  engine: string,
  { results }: Signature,
  found: Results,
  { expected, tolerance }: Expectation,
  skip: Readonly<Record<string, string>> = {},
): void {
  if (expected === undefined) return;
  const wanted = isNested(expected) ? { [results[0]?.name ?? ""]: expected } : expected;
  expect(Object.keys(wanted).sort()).toEqual(results.map(({ name }) => name).sort());
  const wrong = results.flatMap(({ name, dtype, axes, shape }) => {
    const reason = difference(
      found[name] as Element[],
      flat(wanted[name] as Nested),
      dtype,
      toleranceFor(name, tolerance),
    );
    if (name in skip) return reason === undefined ? [`'${name}' is said to differ by ${engine}, and does not`] : [];
    const type = `${dtype} [${axes.map((axis, n) => `${axis} ${shape[n]}`).join(", ")}]`;
    return reason === undefined ? [] : [`'${name}' by ${engine}, ${type}: ${reason}`];
  });
  if (wrong.length > 0) throw new Error(wrong.join("\n"));
}

function compareWithEachOther({ results }: Signature, one: Results, other: Results, { tolerance }: Expectation): void {
  for (const { name, dtype } of results) {
    const reason = difference(one[name] as Element[], other[name] as Element[], dtype, toleranceFor(name, tolerance));
    if (reason !== undefined) throw new Error(`'${name}': XLA and the reference interpreter disagree: ${reason}`);
  }
}

function toleranceFor(name: string, tolerance: Expectation["tolerance"]): Tolerance | undefined {
  if (tolerance === undefined || typeof tolerance.because === "string") return tolerance as Tolerance | undefined;
  return (tolerance as Readonly<Record<string, Tolerance>>)[name];
}

function isNested(value: Nested | Readonly<Record<string, Nested>>): value is Nested {
  return typeof value !== "object" || Array.isArray(value);
}
