/**
 * Two layers of GPT-OSS-20B compiled for four TPU v4 chips, on a machine that has none.
 *
 * Installs libtpu, some 140 MB, into the project's environment when it is not there; where it can't be had, the tests
 * say so and are skipped. `npm run jest -- tests/sharding/ahead-of-time.test.ts`
 */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { lower, parseTarget, parseTopology, parseWeightForms, type Target } from "../../compiler/index.ts";
import { axis, trace } from "../../dsl/index.ts";
import {
  compileRequested,
  describeExecutable,
  ensurePlugin,
  lowerRequested,
  storageWithoutFiles,
  Worker,
} from "../../inference/index.ts";
import type { Architecture } from "../../models/index.ts";
import { gptOss, publishedConfigs } from "../../models/index.ts";
import "../support/needs-python.ts";
import { describeNeeding } from "../support/needs.ts";

const missing = await ensurePlugin("tpu", (text) => console.log(text)).then(
  () => undefined,
  (error: Error) => error.message,
);
if (missing !== undefined) console.log(`not tested: compiling for TPUs\n${missing}`);

const config = gptOss.fromHuggingFace({
  ...publishedConfigs["gpt-oss-20b"],
  num_hidden_layers: 2,
  layer_types: ["sliding_attention", "full_attention"],
});
const architecture = gptOss as unknown as Architecture;

describeNeeding(missing && "libtpu cannot be installed here", "for tpu:v4:2x2x1", () => {
  let worker: Worker;
  beforeAll(async () => {
    worker = await Worker.launch();
  }, 60_000);
  afterAll(() => worker?.close());

  const compile = async (target: Target, batch: number) => {
    const model = { architecture, config, storageOf: storageWithoutFiles(architecture, target) };
    const request = { phase: "decode", batch, tokens: 1, positions: 2048 } as const;
    return await compileRequested(worker, model, target, request, lowerRequested(model, target, request));
  };
  const count = (hlo: string | undefined, operation: string) =>
    (hlo?.match(new RegExp(` ${operation}(-start)?\\(`, "g")) ?? []).length;

  test("experts over four chips take a quarter of them, and only results travel", async () => {
    const target = parseTarget("tpu:v4:2x2x1", { mesh: "expert=4", weights: parseWeightForms("e5m2") });
    const made = await compile(target, 16);
    // Two layers of 796 MB of experts, embedding and unembedding of 1.16 GB each, attention and caches: over four.
    expect(made.argumentBytes).toBeLessThan(1.1e9);
    expect(made.tempBytes).toBeLessThan(51e6);
    expect(made.argumentLayouts).toHaveLength(made.arguments.length);
    // Each layer adds up attention's heads and the experts' shares, and gathers the router's logits; the ends add up an embedded
    // row and a sum of exponentials, look for the largest logit, and gather candidates and their ids.
    expect(count(made.optimizedHlo, "all-reduce")).toBe(2 * 2 + 3);
    expect(count(made.optimizedHlo, "all-gather")).toBe(2 * 1 + 2);
    // What is added up over layers is added up in f32.
    expect(made.optimizedHlo).toMatch(/= f32\[16,2880\][^ ]* all-reduce/);
    expect(count(made.optimizedHlo, "all-to-all") + count(made.optimizedHlo, "collective-permute")).toBe(0);
  }, 180_000);

  test("what is compiled for it can be saved, and is refused by name where it can't run", async () => {
    const text = lower(
      trace("double", ({ input }) => input("x", "bf16", axis("row", 8)).mul(2)),
      { locations: false },
    );
    const made = await worker.compile(text, { topology: parseTopology("tpu:v4:2x2x1"), keep: true });
    const saved = await worker.saveExecutable(made);
    expect(describeExecutable(saved, "double")).toMatchObject({
      program: "double",
      platform: "tpu",
      deviceKind: "TPU v4",
      facts: { plugins: { libtpu: "0.0.50" }, layouts: [expect.stringMatching(/^\[\[0\]/)] },
    });
    await expect(worker.loadExecutable(saved)).rejects.toThrow(
      "The executable of 'double' was compiled for tpu, and here is cpu: compile it again with this worker.",
    );
    await expect(worker.execute(made, [])).rejects.toThrow(/It may be for devices that are not here/);
    const { id } = await worker.compile(text, { topology: parseTopology("tpu:v4:2x2x1") });
    expect(id).toBe("");
  }, 60_000);

  test("a target that the compiler does not know is refused by name", async () => {
    const target = parseTarget("tpu:v4:3x5x7", { weights: parseWeightForms("e5m2") });
    await expect(compile(target, 1)).rejects.toThrow(/knows no v4:3x5x7/);
  }, 60_000);
});
