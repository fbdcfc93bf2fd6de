/**
 * Logits against transformers in f32. Half a minute on two idle cores, more on busy ones: `npm run jest -- tests/parity/logits.test.ts`.
 *
 * Tolerances: README.md here says how far two right f32 programs may be from each other. What was measured is left in
 * `.cache/parity.json`.
 */
import { execFile } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { cpu } from "../../compiler/index.ts";
import { loadModel, Model } from "../../inference/index.ts";
import { openModel } from "../../inference/programs/model-files.ts";
import { ModelPrograms } from "../../inference/programs/model-programs.ts";
import { loadWeights, planWeights } from "../../inference/programs/weights.ts";
import { Sequence } from "../../inference/steps/sequence.ts";
import type { NextLogits } from "../../inference/steps/step-call.ts";
import { toFloat32Array } from "../../runtime-bridge/index.ts";
import { projectPython } from "../../runtime-bridge/launch/environment-paths.ts";
import { readSafetensors } from "../../runtime-bridge/safetensors.ts";
import { root, runCli, smollm2, temporaryFolder } from "../support/cli.ts";
import { exhaustive, testCases, testTable } from "../support/exhaustive.ts";
import { onTestWorker, testWorker } from "../support/worker.ts";
import {
  collected,
  type Digest,
  type Distance,
  distanceFrom,
  fixtures,
  largestDifference,
  readDigests,
} from "./digest.ts";

/** transformers in f32 is within 7e-5 of itself in f64 for SmolLM2: a margin of 30. */
const realTolerance = 2e-3;
/** And within 3e-5 for the random checkpoints: a margin of 20. Every mistake that was tried moves logits by 0.07 or more. */
const randomTolerance = 5e-4;
/** One program computes both, so they differ by what a platform makes of a row's place in a matrix: on CPU nothing. */
const stepTolerance = 1e-4;

const measured: Record<string, Record<string, number>> = {};

afterAll(async () => {
  await mkdir(join(root, ".cache"), { recursive: true });
  await writeFile(join(root, ".cache/parity.json"), `${JSON.stringify(measured, null, 2)}\n`);
});

describe("SmolLM2", () => {
  let model: Model;
  let programs: ModelPrograms;
  let digests: (key: string) => Digest;

  beforeAll(async () => {
    digests = await readDigests("smollm2-logits.safetensors");
    const worker = await testWorker();
    const files = await openModel(worker, smollm2);
    const plan = planWeights(files, cpu());
    programs = new ModelPrograms(worker, files, cpu(), await loadWeights(worker, files, plan), plan.storageOf);
    model = new Model({ files, programs, target: cpu(), context: files.config.context });
  });
  afterAll(() => model?.close());

  // The third, `english`, goes through the command below.
  testCases(
    "gives transformers' logits after every token of the %s prompt, at once and step by step",
    ["code", "multilingual"],
    ["multilingual"],
    async (name) => {
      await expectParity(`smollm2 ${name}`, model, digests(name), realTolerance);
    },
  );

  test("gives them in the programs of generate too: a prefill, then a decode step for every token", async () => {
    const digest = digests("multilingual");
    const { vocab } = model.config;
    await using whole = await Sequence.open(programs, 256);
    expectNear(
      "smollm2 generate, prefill",
      distanceFrom(digest, full(await whole.prefill(digest.tokens, "full")), vocab, 63),
      realTolerance,
    );
    await using grown = await Sequence.open(programs, 256);
    await grown.prefill(digest.tokens.slice(0, 16), "full");
    const rows = new Float32Array(48 * vocab);
    for (const [n, token] of digest.tokens.slice(16).entries())
      rows.set(full(await grown.step(token, "full")), n * vocab);
    expectNear("smollm2 generate, decode", distanceFrom(digest, rows, vocab, 16), realTolerance);
  });

  test(
    exhaustive("gives them for the english prompt through the command and its --out file, at once and step by step"),
    async () => {
      const digest = digests("english");
      const folder = await temporaryFolder();
      const ask = async (out: string, ...more: string[]) => {
        const file = join(folder, out);
        const words = ["logits", "--model", smollm2, "--tokens", digest.tokens.join(), "--out", file, ...more];
        const { code, stderr } = await runCli([...words, ...(await onTestWorker())]);
        if (code !== 0) throw new Error(stderr);
        const tensors = await readSafetensors(file);
        expect([...tensors.keys()]).toEqual(["logits"]);
        expect(tensors.get("logits")).toMatchObject({ dtype: "f32", shape: [64, model.config.vocab] });
        return toFloat32Array(tensors.get("logits")!);
      };
      const atOnce = await ask("prefill.safetensors");
      const steps = await ask("steps.safetensors", "--step");
      expectNear("smollm2 english, command", distanceFrom(digest, atOnce, model.config.vocab), realTolerance);
      expect(largestDifference(atOnce, steps)).toBeLessThan(stepTolerance);
    },
  );
});

describe("random checkpoints", () => {
  let folder: string;

  beforeAll(async () => {
    folder = await temporaryFolder();
    const { checkpoints } = JSON.parse(await readFile(join(fixtures, "random.json"), "utf8")) as {
      checkpoints: Readonly<Record<string, { readonly weights_sha256: string }>>;
    };
    const wanted = Object.entries(checkpoints).map(
      ([name, each]) => `${name} ${join(folder, name)} ${each.weights_sha256}`,
    );
    // The same bits as those that transformers was given.
    expect((await make("all")).trim().split("\n")).toEqual(wanted);
  });

  const lengthsOf: Readonly<Record<string, readonly number[]>> = Object.fromEntries([
    ["untied", [300]],
    ["tied", [300]],
    ["biases", [300]],
    ["linear", [300]],
    // Up to the length that frequencies change at, one more, and far beyond; the longer ones need a larger context.
    ["dynamic", [128, 129, 300]],
    ["yarn", [300]],
    ["yarn-mscale", [300]],
    ["yarn-attention-factor", [300]],
    ["llama3", [300]],
    ["longrope", [128, 129, 300]],
    ["longrope-factor", [64, 300]],
    ["sharded", [300]],
    ["wide-heads", [300]],
  ]);
  testCases(
    "%s, from its folder, gives transformers' logits, at once and step by step",
    Object.keys(lengthsOf),
    ["dynamic", "llama3"],
    async (name) => {
      await using model = await loadModel(join(folder, name), { worker: await testWorker(), context: 512 });
      const digests = await readDigests(`random/${name}.safetensors`);
      for (const length of lengthsOf[name] ?? [])
        await expectParity(`${name} ${length}`, model, digests(`${length}`), randomTolerance);
    },
  );

  // Matrices in the checkpoint's own type or a wider one hold the same numbers as the folder; blocks round, and have their own.
  testTable(
    "%s, as GGUF with matrices of %s, gives transformers' logits",
    [
      ["untied", "F32", "300"],
      ["untied", "Q8_0", "Q8_0.300"],
      ["untied", "Q4_0", "Q4_0.300"],
      ["untied", "Q4_1", "Q4_1.300"],
      ["tied", "F32", "300"],
      ["tied", "BF16", "300"],
      ["tied", "Q4_1", "Q4_1.300"],
      ["biases", "F16", "300"],
      ["linear", "F32", "300"],
      ["yarn", "F32", "300"],
      ["llama3", "BF16", "300"],
      ["sharded", "F16", "300"],
      ["wide-heads", "F32", "300"],
    ],
    ([name, kind]) => ["untied Q8_0", "untied Q4_0", "llama3 BF16"].includes(`${name} ${kind}`),
    async (name, kind, key) => {
      await make(name, "--gguf", kind);
      await using model = await loadModel(join(folder, `${name}-${kind}.gguf`), { worker: await testWorker() });
      const digest = (await readDigests(`random/${name}.safetensors`))(key);
      const logits = await ask(model, digest, false);
      expectNear(`${name} ${kind}`, distanceFrom(digest, logits, model.config.vocab), randomTolerance);
    },
  );

  /** Has checkpoints written, and gives what random_llama.py says of them. */
  async function make(name: string, ...options: string[]): Promise<string> {
    const script = join(root, "tests/parity/random_llama.py");
    return (await promisify(execFile)(projectPython, [script, name, folder, ...options])).stdout;
  }
});

async function expectParity(name: string, model: Model, digest: Digest, tolerance: number): Promise<void> {
  const atOnce = await ask(model, digest, false);
  expectNear(name, distanceFrom(digest, atOnce, model.config.vocab), tolerance);
  const apart = largestDifference(atOnce, await ask(model, digest, true));
  measured[name] = { ...measured[name], stepsFromPrefill: apart };
  expect(apart).toBeLessThan(stepTolerance);
}

function expectNear(name: string, { largest, otherTop1 }: Distance, tolerance: number): void {
  measured[name] = { fromTransformers: largest };
  expect(otherTop1).toEqual([]);
  expect(largest).toBeLessThan(tolerance);
}

function ask(model: Model, { tokens }: Digest, step: boolean): Promise<Float32Array> {
  return collected(model.logits(tokens, { step }), tokens.length * model.config.vocab);
}

function full(next: NextLogits): Float32Array {
  if (next.kind !== "full") throw new Error("full logits were asked for");
  return next.logits;
}
