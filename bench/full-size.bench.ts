/**
 * A model that nearly fills this machine: load, prefill, decode, and the most memory that it all took.
 *
 * The bound is what a token reads, experts that are not chosen left out, at the speed of a plain read in the same run.
 * GPT-OSS-20B needs a checkpoint; `npm run checkpoint:synthetic` writes one with random weights, which say nothing of
 * the model's answers and all of its speed, except that their router may spread more evenly than a trained one's.
 */
import { cpu, parseWeightForms } from "../compiler/index.ts";
import {
  countParameters,
  type DType,
  flattenParams,
  InputError,
  type ParamTree,
  packingOf,
  type StorageOf,
} from "../dsl/index.ts";
import { loadModel, type ModelFiles, openModel, planWeights, Worker } from "../inference/index.ts";
import { byteLength } from "../runtime-bridge/index.ts";
import { PythonHelper } from "./peers/python-helper.ts";
import { watchNoise } from "./support/noise.ts";
import { readOptions } from "./support/options.ts";
import { watchMemory } from "./support/process-memory.ts";
import { printTable } from "./support/table.ts";

export const description = "load, prefill and decode a large model: tokens a second, and the peak of memory";

export async function bench(given: readonly string[]): Promise<void> {
  const options = readOptions(given, {
    model: "",
    weights: "",
    compute: "f32",
    prompt: 128,
    tokens: 16,
    context: 1024,
  });
  if (options.model === "") {
    throw new InputError(
      "OPTION_MISSING",
      "--model PATH is wanted; `npm run checkpoint:synthetic -- --config 20b --out PATH` writes one",
    );
  }
  const target = cpu({
    compute: options.compute,
    ...(options.weights === "" ? {} : { weights: parseWeightForms(options.weights) }),
  });
  const noise = watchNoise();
  const memory = watchMemory();
  const before = await readSpeed();
  await using worker = await Worker.launch();
  const files = await openModel(worker, options.model);
  const { held, read } = weightBytes(files, planWeights(files, target).storageOf);

  const started = performance.now();
  await using model = await loadModel(options.model, { worker, target, context: options.context });
  const loadSeconds = (performance.now() - started) / 1000;
  // Ids that any vocabulary has, the same in each run; what they say makes no difference to the speed.
  const tokens = Array.from({ length: options.prompt }, (_, n) => (n * 7919 + 13) % model.config.vocab);
  const answer = model.generate({ tokens }, { maxTokens: options.tokens, temperature: 1, seed: 1 });
  for (;;) {
    const next = await answer.next();
    if (!next.done) continue;
    const { prefillSeconds, decodeSeconds, promptTokens, answerTokens } = next.value;
    const peak = memory.stop();
    const after = await readSpeed();
    const bound = Math.max(before, after);
    // The first token comes out of the prefill.
    const perSecond = (answerTokens - 1) / decodeSeconds;
    console.log(
      `\n${options.model.split("/").at(-1)}, ${options.compute}, ${count(files)}; ${gigabytes(held)} of weights\n`,
    );
    printTable(
      ["", "seconds", "a second", ""],
      [
        ["load", loadSeconds.toFixed(1), gigabytes(held / loadSeconds), "programs included"],
        [
          `prefill of ${promptTokens}`,
          prefillSeconds.toFixed(1),
          `${(promptTokens / prefillSeconds).toFixed(2)} tokens`,
          "",
        ],
        [
          `decode of ${answerTokens - 1}`,
          decodeSeconds.toFixed(1),
          `${perSecond.toFixed(2)} tokens`,
          `${((perSecond * read) / bound).toFixed(3)} of the bound`,
        ],
        [
          "the bound of a token",
          (read / bound).toFixed(3),
          `${(bound / read).toFixed(2)} tokens`,
          `${gigabytes(read)} at ${gigabytes(bound)}/s`,
        ],
        ["peak of memory", "", "", `${(peak / 2 ** 30).toFixed(2)} GiB, the sum of PSS over all processes`],
      ],
    );
    console.log(`\n${noise.report()}`);
    return;
  }
}

/** Bytes of all weights as they lie in memory, and of what one token reads of them. */
function weightBytes({ architecture, config }: ModelFiles, storageOf: StorageOf): { held: number; read: number } {
  const each = flattenParams(architecture.weights(config) as ParamTree).map(([, param]) => {
    const storage = storageOf(param);
    const parts = packingOf(storage)?.parts(param.axes) ?? [{ dtype: storage as DType, axes: param.axes }];
    const held = parts.reduce(
      (sum, { dtype, axes }) => sum + byteLength({ dtype, shape: axes.map(({ size }) => size) }),
      0,
    );
    return { held, read: held * (architecture.activeShare?.(param, config) ?? 1) };
  });
  return each.reduce((sum, { held, read }) => ({ held: sum.held + held, read: sum.read + read }), { held: 0, read: 0 });
}

/** Bytes a second of a plain read, the best of several. */
async function readSpeed(): Promise<number> {
  await using helper = await PythonHelper.start("read_memory.py", String(readBytes));
  const seconds = [await helper.ask(null), await helper.ask(null)].flat() as number[];
  return readBytes / Math.min(...seconds);
}

/** More than any cache holds. */
const readBytes = 2 ** 30;

function count({ architecture, config }: ModelFiles): string {
  return `${(countParameters(architecture.weights(config) as ParamTree) / 1e9).toFixed(2)} B parameters`;
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(2)} GB`;
}
