/**
 * A model on a mesh of four virtual devices gives one device's logits, however its axes are split.
 *
 * Slow: every mesh compiles its programs. `npm run jest -- tests/sharding`
 */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { deviceCount, formatMesh, type Mesh, parseTarget } from "../../compiler/index.ts";
import { loadModel, Worker } from "../../inference/index.ts";
import { projectPython } from "../../runtime-bridge/launch/environment-paths.ts";
import { collected, largestDifference } from "../parity/digest.ts";
import { root, temporaryFolder } from "../support/cli.ts";
import { testTable } from "../support/exhaustive.ts";
import "../support/needs-python.ts";

/** In standard deviations of the logits: partial sums are added in another order. */
const tolerance = 1e-4;
const tokens = Array.from({ length: 24 }, (_, n) => (n * 37 + 11) % 97);

const sizes = [1, 2, 4];
const meshes: readonly Mesh[] = sizes
  .flatMap((data) => sizes.flatMap((expert) => sizes.map((model) => ({ data, expert, model }))))
  .filter((mesh) => [2, 4].includes(deviceCount(mesh)));

let worker: Worker;
let folder: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  worker = await Worker.launch({ devices: 4 });
}, 120_000);
afterAll(() => worker?.close());

describe.each([
  ["random_llama.py", "untied"],
  ["random_gpt_oss.py", "released"],
])("%s %s", (script, name) => {
  let path: string;
  let reference: Float32Array;
  beforeAll(async () => {
    path = join(folder, name);
    await promisify(execFile)(projectPython, [join(root, "tests/parity", script), name, path]);
    reference = await logitsOn(path, "cpu");
  }, 120_000);

  testTable<[string, number]>(
    "gives one device's logits on %s",
    meshes.map((mesh) => [formatMesh(mesh), deviceCount(mesh)]),
    ([mesh]) => ["data=4,expert=1,model=1", "data=1,expert=2,model=2"].includes(mesh),
    async (mesh, devices) => {
      const found = await logitsOn(path, `cpu:${devices}`, mesh);
      expect(largestDifference(reference, found) / deviation(reference)).toBeLessThan(tolerance);
    },
    120_000,
  );
});

test("rows of a batch are spread over data, and each is answered as it is alone", async () => {
  const path = join(folder, "untied");
  const prompts = [3, 9, 14, 5].map((length) => ({ tokens: tokens.slice(0, length) }));
  const answers = async (target: ReturnType<typeof parseTarget>, stepsPerCall = 1) => {
    await using model = await loadModel(path, { worker, target });
    const all = prompts.map((): number[] => []);
    for await (const event of model.generateAll(prompts, { maxTokens: 6, temperature: 0, stepsPerCall })) {
      if (event.kind === "piece") all[event.index]?.push(event.piece.token);
    }
    return all;
  };
  const wanted = await answers(parseTarget("cpu"));
  const spread = parseTarget("cpu:4", { mesh: "data=4" });
  expect(await answers(spread)).toEqual(wanted);
  expect(await answers(spread, 4)).toEqual(wanted);
  expect(await answers(parseTarget("cpu:4", { mesh: "data=2,model=2" }), 4)).toEqual(wanted);
}, 120_000);

async function logitsOn(path: string, spec: string, mesh?: string): Promise<Float32Array> {
  const target = parseTarget(spec, mesh === undefined ? {} : { mesh });
  await using model = await loadModel(path, { worker, target });
  return await collected(model.logits(tokens), tokens.length * model.config.vocab);
}

function deviation(of: Float32Array): number {
  const mean = of.reduce((sum, each) => sum + each, 0) / of.length;
  return Math.sqrt(of.reduce((sum, each) => sum + (each - mean) ** 2, 0) / of.length);
}
