/**
 * Variants of Llama against numpy, which is held to transformers first: `npm run jest -- tests/parity/variants.test.ts`.
 *
 * Every way of stretching the rope stays what it was: a variant that overrides a part of the model copies nothing else.
 */
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, expect, test } from "@jest/globals";
import squaredRelu from "../../examples/llama-squared-relu.ts";
import { loadModel } from "../../inference/index.ts";
import { readSafetensors, toFloat32Array } from "../../runtime-bridge/index.ts";
import { projectPython } from "../../runtime-bridge/launch/environment-paths.ts";
import { fileOf } from "../docs/walk.ts";
import { root, temporaryFolder } from "../support/cli.ts";
import { describeCases } from "../support/exhaustive.ts";
import { testWorker } from "../support/worker.ts";
import { collected, distanceFrom, largestDifference, readDigests } from "./digest.ts";

/** As for the published model: README.md here says how far two right f32 programs may be from each other. */
const tolerance = 5e-4;

/** Lengths on both sides of where frequencies change. */
const checkpoints = { longrope: [128, 129, 300], "longrope-factor": [64, 300], yarn: [300], llama3: [300] } as const;

const run = promisify(execFile);
let folder: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  for (const name of Object.keys(checkpoints))
    await run(projectPython, [join(root, "tests/parity/random_llama.py"), name, join(folder, name)]);
  await run(projectPython, [join(root, "tests/parity/random_llama.py"), "llama3", folder, "--gguf", "F32"]);
});

describeCases(Object.keys(checkpoints), ["longrope"], (name) => {
  const lengths = checkpoints[name as keyof typeof checkpoints];

  test("has in numpy the logits that transformers computes", async () => {
    const digests = await readDigests(`random/${name}.safetensors`);
    const { vocab_size: vocab } = JSON.parse(await readFile(join(folder, name, "config.json"), "utf8"));
    for (const [length, logits] of await inNumpy(name, lengths)) {
      const { largest, otherTop1 } = distanceFrom(digests(length), logits, vocab);
      expect(otherTop1).toEqual([]);
      expect(largest).toBeLessThan(tolerance);
    }
  });

  test("with a squared ReLU has numpy's logits, which are not the published model's", async () => {
    await expectNumpys(name, lengths, join(folder, name));
  });
});

test("a GGUF file with divisors of its frequencies has the same logits as its folder, with a squared ReLU too", async () => {
  await expectNumpys("llama3", checkpoints.llama3, join(folder, "llama3-F32.gguf"));
});

test("the variant is the one that docs/define-a-model.md shows", async () => {
  const page = await readFile(join(root, "docs/define-a-model.md"), "utf8");
  expect(fileOf(page, "squared-relu.ts")).toBe(await readFile(join(root, "examples/llama-squared-relu.ts"), "utf8"));
});

async function expectNumpys(name: string, lengths: readonly number[], path: string): Promise<void> {
  const digests = await readDigests(`random/${name}.safetensors`);
  const wanted = await inNumpy(name, lengths, "--squared-relu");
  const published = await inNumpy(name, lengths);
  await using model = await loadModel(path, { worker: await testWorker(), architecture: squaredRelu, context: 512 });
  for (const [length, logits] of wanted) {
    const { tokens } = digests(length);
    const found = await collected(model.logits(tokens), logits.length);
    expect(largestDifference(found, logits)).toBeLessThan(tolerance);
    expect(largestDifference(found, published.get(length) as Float32Array)).toBeGreaterThan(0.1);
  }
}

/** The logits of a checkpoint's prompts, by their length. */
async function inNumpy(name: string, lengths: readonly number[], ...options: string[]) {
  const digests = await readDigests(`random/${name}.safetensors`);
  const prompts = join(folder, `${name}.json`);
  const out = join(folder, `${name}${options.join("")}.safetensors`);
  await writeFile(
    prompts,
    JSON.stringify(Object.fromEntries(lengths.map((each) => [each, digests(`${each}`).tokens]))),
  );
  const files = ["config.json", "model.safetensors"].map((file) => join(folder, name, file));
  await run(projectPython, [join(root, "tests/parity/llama_numpy.py"), ...files, prompts, out, ...options]);
  return new Map([...(await readSafetensors(out))].map(([length, tensor]) => [length, toFloat32Array(tensor)]));
}
