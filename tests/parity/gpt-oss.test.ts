/**
 * GPT-OSS against transformers in f32: ten random models that differ in everything, from every published layout.
 *
 * Example run: npm run jest -- tests/parity/gpt-oss.test.ts
 *
 * The judge and the mistakes that it tells apart: README.md and gpt-oss-mutations.md here.
 */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, expect, test } from "@jest/globals";
import { cpu, parseWeightForms } from "../../compiler/index.ts";
import { countParameters, type ParamTree } from "../../dsl/index.ts";
import { loadModel, type Model } from "../../inference/index.ts";
import { countActiveParameters, gptOss, publishedConfigs } from "../../models/index.ts";
import { projectPython } from "../../runtime-bridge/launch/environment-paths.ts";
import { root, temporaryFolder } from "../support/cli.ts";
import { describeCases, exhaustive } from "../support/exhaustive.ts";
import { testWorker } from "../support/worker.ts";
import { collected, distanceFrom, fixtures, largestDifference, readDigests } from "./digest.ts";

/** In standard deviations of the logits. transformers in f32 is within 2e-5 of itself in f64, 3e-5 of numpy in f64. */
const tolerance = 1e-4;
/** How many tokens are fed one at a time. */
const stepped = 40;

interface Case {
  readonly key: string;
  readonly tokens: number;
  readonly gguf: string | null;
  readonly deviation: number;
}

interface Checkpoint {
  readonly layouts: readonly string[];
  readonly cases: readonly Case[];
}

const { checkpoints } = JSON.parse(readFileSync(join(fixtures, "gpt-oss.json"), "utf8")) as {
  readonly checkpoints: Readonly<Record<string, Checkpoint>>;
};
const names = Object.keys(checkpoints);

let folder: string;

beforeAll(async () => {
  folder = await temporaryFolder();
});

describeCases(names, ["released", "layer-types"], (name) => {
  const { layouts, cases } = checkpoints[name] as Checkpoint;

  test("gives transformers' logits from the layout that is published, at once and step by step", async () => {
    await using model = await load(await make(name));
    for (const each of cases.filter(({ gguf }) => gguf === null)) {
      const digest = await digestOf(name, each);
      const atOnce = await ask(model, digest.tokens, false);
      expectNear(distanceFrom(digest, atOnce, model.config.vocab), each.deviation);
      if (each.tokens > 200) {
        // Past the small windows; a step costs as much as a chunk, so not all of them.
        const steps = await ask(model, digest.tokens.slice(0, stepped), true);
        expect(largestDifference(atOnce.subarray(0, steps.length), steps) / each.deviation).toBeLessThan(1e-5);
      }
    }
  });

  const fromLayout = "gives the same from layout %s";
  const others = layouts.filter((layout) => layout !== "mxfp4");
  test.each(others)(name === "released" ? fromLayout : exhaustive(fromLayout), async (layout) => {
    const path = layout === "gguf" ? await make(name, "--gguf", "BF16") : await make(name, "--layout", layout);
    await using model = await load(path);
    const each = cases.find(({ tokens, gguf }) => tokens === 300 && gguf === null) as Case;
    const digest = await digestOf(name, each);
    expectNear(distanceFrom(digest, await ask(model, digest.tokens, false), model.config.vocab), each.deviation);
  });
});

test("a file in shards is the file", async () => {
  const [whole, shards] = [await make("released"), await make("released", "--shards", "3")];
  const digest = await digestOf("released", checkpoints.released?.cases.find(({ tokens }) => tokens === 129) as Case);
  const answers: Float32Array[] = [];
  for (const path of [whole, shards]) {
    await using model = await load(path);
    answers.push(await ask(model, digest.tokens, false));
  }
  expect(answers[1]).toEqual(answers[0]);
});

test("experts re-encoded as e5m2 give MXFP4's logits: nothing is lost", async () => {
  const path = await make("released");
  const digest = await digestOf("released", checkpoints.released?.cases.find(({ tokens }) => tokens === 129) as Case);
  const answers: Float32Array[] = [];
  for (const weights of ["mxfp4", "e5m2"]) {
    const target = cpu({ weights: parseWeightForms(weights) });
    await using model = await loadModel(path, { worker: await testWorker(), context: 512, target });
    answers.push(await ask(model, digest.tokens, false));
  }
  const [mxfp4, e5m2] = answers as [Float32Array, Float32Array];
  const deviation = checkpoints.released?.cases[0]?.deviation as number;
  // A row is scaled before its product or after it, so sums differ by f32's rounding.
  expect(largestDifference(mxfp4, e5m2) / deviation).toBeLessThan(1e-5);
});

test.each([
  ["gpt-oss-20b", 20_914_757_184, 3.61],
  ["gpt-oss-120b", 116_829_156_672, 5.13],
])("%s has as many parameters as OpenAI says, and as many billions of them are active", (name, all, active) => {
  const config = gptOss.fromHuggingFace(publishedConfigs[name]);
  expect(countParameters(gptOss.weights(config) as ParamTree)).toBe(all);
  expect((countActiveParameters(gptOss, config) / 1e9).toFixed(2)).toBe(String(active));
});

/** Writes a checkpoint and gives its path. */
async function make(name: string, ...options: string[]): Promise<string> {
  const script = join(root, "tests/parity/random_gpt_oss.py");
  const out = join(folder, [name, ...options].join("-"));
  await promisify(execFile)(projectPython, [script, name, out, ...options]);
  return options[0] === "--gguf" ? join(out, `${name}-${options[1]}.gguf`) : out;
}

async function load(path: string): Promise<Model> {
  return await loadModel(path, { worker: await testWorker(), context: 512 });
}

async function digestOf(name: string, { key }: Case) {
  return (await readDigests(`gpt-oss/${name}.safetensors`))(key);
}

function ask(model: Model, tokens: readonly number[], step: boolean): Promise<Float32Array> {
  return collected(model.logits(tokens, { step }), tokens.length * model.config.vocab);
}

function expectNear(
  { largest, otherTop1 }: { largest: number; otherTop1: readonly number[] },
  deviation: number,
): void {
  expect(otherTop1).toEqual([]);
  expect(largest / deviation).toBeLessThan(tolerance);
}
