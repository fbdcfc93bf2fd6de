/**
 * What each kind of `--weights` costs in accuracy and saves in memory: the Kullback-Leibler divergence of its next-token
 * distributions from those of f32, over 200 tokens, and the bytes of its weights.
 *
 * Nothing is timed. Computation is in f32 throughout, so only the weights differ.
 */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { cpu, parseWeightForms, weightForms } from "../compiler/index.ts";
import { type Axis, type DType, dtypes, packingOf, type Storage } from "../dsl/index.ts";
import { loadModel, openModel, Worker } from "../inference/index.ts";
import { planWeights } from "../inference/programs/weights.ts";
import { projectPython } from "../runtime-bridge/launch/environment-paths.ts";
import { readOptions } from "./support/options.ts";
import { defaultModel } from "./support/step.ts";
import { printTable } from "./support/table.ts";

export const description = "how far each kind of --weights is from f32, and its bytes";

export async function bench(given: readonly string[]): Promise<void> {
  const options = readOptions(given, { model: defaultModel, "gpt-oss": "released", tokens: 200 });
  const folder = await mkdtemp(join(tmpdir(), "tsxla-bench-"));
  try {
    await using worker = await Worker.launch();
    const kinds = ["f32", "bf16", "f16", ...weightForms.filter(isForAll)];
    await compare(worker, options.model, kinds, options.tokens);
    const script = fileURLToPath(new URL("../tests/parity/random_gpt_oss.py", import.meta.url));
    await promisify(execFile)(projectPython, [script, options["gpt-oss"], join(folder, options["gpt-oss"])]);
    const packed = ["mxfp4,f32", "mxfp4,bf16", "e5m2,bf16", "mxfp4,q8_0", "mxfp4,int8"];
    await compare(worker, join(folder, options["gpt-oss"]), [...kinds, "published", ...packed], options.tokens);
  } finally {
    await rm(folder, { recursive: true });
  }
}

// Implementation

/** Whether a packed form is made of any matrix. */
function isForAll(form: Storage): boolean {
  const packing = packingOf(form);
  return packing?.pack !== undefined && packing.expertsOnly !== true;
}

async function compare(worker: Worker, path: string, kinds: readonly string[], count: number): Promise<void> {
  const rows: string[][] = [];
  let exact: Float64Array[] = [];
  for (const kind of kinds) {
    const target = kind === "published" ? cpu() : cpu({ weights: parseWeightForms(kind) });
    const bytes = bytesOf(planWeights(await openModel(worker, path), target));
    await using model = await loadModel(path, { worker, target, context: 512 });
    const { vocab } = model.config;
    const tokens = path === defaultModel ? model.encode(text).slice(0, count) : numbers(count, vocab);
    const found: Float64Array[] = [];
    for await (const chunk of model.logits(tokens)) {
      for (let at = 0; at < chunk.length; at += vocab) found.push(logShares(chunk.subarray(at, at + vocab)));
    }
    if (exact.length === 0) exact = found;
    const far = found.map((each, n) => divergence(exact[n] as Float64Array, each));
    const mean = far.reduce((sum, each) => sum + each, 0) / far.length;
    const isSame = found.filter((each, n) => largest(each) === largest(exact[n] as Float64Array)).length;
    const show = (value: number) => (value < 1e-9 ? "0" : value.toExponential(1));
    rows.push([kind, (bytes / 1e6).toFixed(2), show(mean), show(Math.max(...far)), `${isSame} of ${found.length}`]);
  }
  console.log(`\n${path.split("/").at(-1)}\n`);
  printTable(["weights", "MB", "mean KL, nats", "largest KL", "same top-1"], rows);
}

/** A text of more than 200 tokens for SmolLM2. */
const text = `The sea was calm that morning, and the fishermen had already left when the old keeper came down from the
lighthouse. He walked slowly along the wall, counting the boats that were still there: three, then four, and the blue one
that nobody used any more. Since his wife had died he talked to the gulls, which did not mind. "There will be wind," he
told them, "from the west, and rain before night." In the village they said that he was never wrong about the weather,
and never right about anything else. A train left the station at nine o'clock with 48 passengers, and at each of the
next 5 stops 7 people got on and 4 got off; how many were there in the end? def area(radius): return 3.14159 * radius ** 2
Photosynthesis turns light, water and carbon dioxide into sugar and oxygen. It takes place in the leaves of plants, in
small bodies called chloroplasts, and nearly all life on Earth depends on it. The capital of France is Paris; that of
Italy is Rome; that of Mongolia is Ulaanbaatar, where the winters are the coldest of any capital in the world.`;

function numbers(count: number, below: number): number[] {
  return Array.from({ length: count }, (_, n) => (Math.imul(n + 1, 2654435761) >>> 8) % below);
}

function bytesOf({ feeds, storageOf }: ReturnType<typeof planWeights>): number {
  const size = (dtype: DType, axes: readonly Axis[]) =>
    axes.reduce((all, axis) => all * axis.size, dtypes[dtype].bits / 8);
  return feeds.reduce((all, { param }) => {
    const storage = storageOf(param);
    const parts = packingOf(storage)?.parts(param.axes) ?? [{ dtype: storage as DType, axes: param.axes }];
    return all + parts.reduce((sum, { dtype, axes }) => sum + size(dtype, axes), 0);
  }, 0);
}

function logShares(logits: Float32Array): Float64Array {
  const peak = logits.reduce((most, each) => Math.max(most, each), Number.NEGATIVE_INFINITY);
  let sum = 0;
  for (const each of logits) sum += Math.exp(each - peak);
  return Float64Array.from(logits, (each) => each - peak - Math.log(sum));
}

/** How many nats it costs to take `found` for `exact`. */
function divergence(exact: Float64Array, found: Float64Array): number {
  return exact.reduce((sum, each, n) => sum + Math.exp(each) * (each - (found[n] as number)), 0);
}

function largest(of: Float64Array): number {
  return of.reduce((best, each, n) => (each > (of[best] as number) ? n : best), 0);
}
