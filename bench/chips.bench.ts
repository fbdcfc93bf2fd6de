/**
 * GPT-OSS-20B's step on four TPU v4 chips, as XLA's own cycle estimates have it: no chip is needed, and none is asked.
 *
 * The peer is jax-llm-examples' hand-written GPT-OSS (int8 experts, which lose precision, and an int8 cache; 2 x 2 tensor
 * and expert parallel), compiled for the same chips and context and read by the same rules: 55.1 ms at batch 16 and
 * 10.2 ms at batch 1. Its figures stand here as they were measured once, since it is not installed with this project.
 */
import { chipOf, modelTime, parseTarget, parseWeightForms, perDevice, readHlo } from "../compiler/index.ts";
import {
  compileRequested,
  ensurePlugin,
  lowerRequested,
  type StepRequest,
  storageWithoutFiles,
  Worker,
} from "../inference/index.ts";
import { type Architecture, gptOss, publishedConfigs } from "../models/index.ts";
import { readOptions } from "./support/options.ts";
import { printTable } from "./support/table.ts";

export const description = "GPT-OSS-20B's step on four TPU v4 chips by XLA's estimates, against a peer in JAX";

export async function bench(given: readonly string[]): Promise<void> {
  const { model, context } = readOptions(given, { model: "gpt-oss-20b", context: 2048 });
  await ensurePlugin("tpu", (text) => console.error(text));
  await using worker = await Worker.launch();
  const architecture = gptOss as unknown as Architecture;
  const config = architecture.fromHuggingFace(publishedConfigs[model]);
  const chip = perDevice(chipOf("v4"));
  const rows: string[][] = [];
  for (const { batch, phase, mesh, peer } of steps) {
    const target = parseTarget("tpu:v4:2x2x1", { mesh, weights: parseWeightForms("e5m2") });
    const declared = { architecture, config, storageOf: storageWithoutFiles(architecture, target) };
    const request = { phase, batch, tokens: phase === "decode" ? 1 : context, positions: context };
    const lowered = lowerRequested(declared, target, request);
    const made = await compileRequested(worker, declared, target, request, lowered);
    const { modelMs } = modelTime(readHlo(made.optimizedHlo ?? ""), chip);
    rows.push([
      phase === "decode" ? `decode, batch ${batch}` : `prefill of ${context}`,
      mesh,
      modelMs.toFixed(2),
      peer === undefined ? "" : peer.toFixed(1),
      peer === undefined ? "" : (modelMs / peer).toFixed(2),
      (made.argumentBytes / 1e9).toFixed(2),
      (made.tempBytes / 1e9).toFixed(3),
      made.compileSeconds.toFixed(0),
    ]);
  }
  console.log(
    `\n${model}, experts as e5m2 without loss, the rest bf16, context of ${context}, tpu:v4:2x2x1, per chip\n`,
  );
  printTable(["", "mesh", "model ms", "peer ms", "ratio", "arguments GB", "scratch GB", "compile s"], rows);
}

const steps: readonly (Pick<StepRequest, "batch" | "phase"> & { readonly mesh: string; readonly peer?: number })[] = [
  { phase: "decode", batch: 16, mesh: "expert=4", peer: 55.1 },
  { phase: "decode", batch: 1, mesh: "model=4", peer: 10.2 },
  { phase: "prefill", batch: 1, mesh: "expert=4", peer: 184 },
];
