/**
 * Parts of models: their text is the file in this folder, and their numbers are numpy's.
 *
 * Example run: npm run jest -- tests/golden
 * After an intended change: npm run golden:update, and read the difference.
 */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "@jest/globals";
import type { Program } from "../../compiler/index.ts";
import type { EngineName, HostTensor } from "../../runtime-bridge/index.ts";
import { readSafetensors } from "../../runtime-bridge/safetensors.ts";
import { checkCase, openGoldens } from "../../testing/folder.ts";
import { lowerIt } from "../../testing/lowerable.ts";
import { checkTexts } from "../support/check-program.ts";
import { recordGolden } from "../support/coverage.ts";
import { decode, type Element } from "../support/numbers.ts";
import { testWorker } from "../support/worker.ts";
import goldens from "./parts.golden.ts";

const here = fileURLToPath(new URL(".", import.meta.url));

/** What f32 arithmetic in another order than numpy's f64 may cost, on values of about 1 to 10. */
const f32Tolerance = 2e-5;
/** Each of some thirty operations in a row rounds to eight bits. */
const bf16Tolerance = 0.15;

describe.each(Object.entries(goldens))("%s", (name, golden) => {
  test("lowers to the text in its file, which is what MLIR prints", async () => {
    const lowered = lowerIt(golden, name);
    await checkTexts(lowered.text, lowered.plainText);
    expect(golden).toLowerTo(`${name}.mlir`);
    recordGolden();
  });

  test.each<EngineName>(["xla", "reference"])("computes numpy's numbers by %s", async (engine) => {
    const given = await readSafetensors(`${here}expected/${name}.safetensors`);
    const program = lowerIt(golden, name);
    const results = await run(program, given, engine);
    const wrong = program.signature.results.flatMap(({ name: path }, n) => {
      const expected = given.get(`expected.${path}`);
      if (expected === undefined) return [`numpy has no '${path}'`];
      return differences(path, results[n] as HostTensor, expected, name.endsWith("bf16"));
    });
    expect(wrong).toEqual([]);
  });
});

test("the folder holds the files of these parts, each with its map, and no other", async () => {
  const { cases, orphans } = await openGoldens(here);
  expect(cases.map((each) => [each.name, checkCase(each).status, existsSync(`${each.path}.map`)])).toEqual(
    Object.keys(goldens).map((name) => [name, "same", true]),
  );
  expect(orphans).toEqual([]);
});

async function run(
  program: Program,
  given: ReadonlyMap<string, HostTensor>,
  engine: EngineName,
): Promise<readonly HostTensor[]> {
  const worker = await testWorker();
  const executable = await worker.compile(program, { engine });
  const inputs = program.signature.arguments.map(({ name: argument }) => {
    const tensor = given.get(argument);
    if (tensor === undefined) throw new Error(`numpy has no input '${argument}'`);
    return tensor;
  });
  return (await worker.execute(executable, inputs, { fetch: "all" })).results;
}

function differences(path: string, found: HostTensor, expected: HostTensor, narrow: boolean): string[] {
  const [ours, theirs] = [found, expected].map(({ data, dtype }) => decode(data, dtype)) as [Element[], Element[]];
  if (found.dtype !== expected.dtype || ours.length !== theirs.length) {
    return [`'${path}' is ${found.dtype}[${found.shape}], numpy's ${expected.dtype}[${expected.shape}]`];
  }
  // In bf16 near candidates may change places; the values tell whether they are right.
  if (found.dtype === "i32" && narrow) return [];
  const tolerance = found.dtype === "i32" ? 0 : narrow ? bf16Tolerance : f32Tolerance;
  const largest = Math.max(...ours.map((value, n) => Math.abs(Number(value) - Number(theirs[n]))));
  return largest <= tolerance ? [] : [`'${path}' differs by ${largest}`];
}
