/** What is added up is added up in f32, in the text of every target and in what XLA makes of it between devices. */
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { parseTarget, parseWeightForms, readHlo } from "../../compiler/index.ts";
import {
  compileRequested,
  type DeclaredModel,
  dtypesOf,
  formatDTypes,
  lowerRequested,
  stepRequest,
  storageWithoutFiles,
  Worker,
} from "../../inference/index.ts";
import { type Architecture, gptOss, llama, publishedConfigs } from "../../models/index.ts";
import "../support/needs-python.ts";

const small = {
  hidden_size: 64,
  intermediate_size: 64,
  num_hidden_layers: 2,
  num_attention_heads: 8,
  num_key_value_heads: 4,
  head_dim: 32,
  vocab_size: 4096,
};
const models = {
  llama: [llama, { ...publishedConfigs["smollm2-135m"], ...small, tie_word_embeddings: false }],
  "gpt-oss": [
    gptOss,
    {
      ...publishedConfigs["gpt-oss-20b"],
      ...small,
      num_local_experts: 8,
      layer_types: ["sliding_attention", "full_attention"],
    },
  ],
} as const;

function declared(name: keyof typeof models, target: ReturnType<typeof parseTarget>): DeclaredModel {
  const [architecture, given] = models[name] as unknown as readonly [Architecture, Record<string, unknown>];
  return {
    architecture,
    config: architecture.fromHuggingFace(given),
    storageOf: storageWithoutFiles(architecture, target),
  };
}

const targets = [
  ["cpu", undefined, undefined],
  ["cpu:4", "model=4", undefined],
  ["cpu:4", "expert=2,model=2", undefined],
  ["tpu:v4:2x2x1", "model=4", "e5m2,bf16"],
  ["tpu:v3:2x2", "expert=2,model=4", "int8"],
  ["cuda:h100:4", "data=2,model=2", "q8_0"],
  ["cuda:a100:1", undefined, "f16"],
] as const;

describe.each(["llama", "gpt-oss"] as const)("%s in bf16", (name) => {
  test.each(targets)("adds up products and sums in f32 for %s %s %s", (spec, mesh, weights) => {
    const target = parseTarget(spec, {
      compute: "bf16",
      ...(mesh === undefined ? {} : { mesh }),
      ...(weights === undefined ? {} : { weights: parseWeightForms(weights) }),
    });
    for (const phase of ["decode", "prefill"] as const) {
      const request = stepRequest({ phase, batch: 4, length: 64 });
      const { text } = lowerRequested(declared(name, target), target, request, { locations: false }).program;
      const products = [...text.matchAll(/stablehlo\.dot_general .* -> tensor<(?:\d+x)*(\w+)>/g)].map(
        ([, type]) => type,
      );
      expect(new Set(products)).toEqual(new Set(["f32"]));
      const sums = [...text.matchAll(/stablehlo\.reduce\(.*applies stablehlo\.add .* -> tensor<(?:\d+x)*(\w+)>/g)];
      const types = new Set(sums.map(([, type]) => type as string));
      // On a CPU products of one row with a narrow matrix are written as sums.
      expect(products.length + sums.length).toBeGreaterThan(10);
      expect(Math.min(products.length, sums.length)).toBeGreaterThan(0);
      expect([...types].filter((type) => !/^(f32|[su]?i\d+)$/.test(type))).toEqual([]);
    }
    const said = dtypesOf(declared(name, target), target);
    expect(said).toMatchObject({ compute: "bf16", accumulate: "f32", cache: "bf16" });
  });
});

test("what a step's numbers are is said in words, with experts apart", () => {
  const target = parseTarget("tpu:v4:2x2x1");
  expect(formatDTypes(dtypesOf(declared("gpt-oss", target), target))).toBe(
    "experts mxfp4, weights bf16, products bf16, sums f32, cache bf16",
  );
  const cpu = parseTarget("cpu", { weights: parseWeightForms("int8") });
  expect(formatDTypes(dtypesOf(declared("llama", cpu), cpu))).toBe("weights int8, products f32, sums f32, cache f32");
});

describe("between devices", () => {
  let worker: Worker;
  beforeAll(async () => {
    worker = await Worker.launch({ devices: 4 });
  }, 60_000);
  afterAll(() => worker?.close());

  test.each([
    ["llama", "model=4"],
    ["gpt-oss", "expert=4"],
    ["gpt-oss", "expert=2,model=2"],
  ] as const)(
    "%s on %s adds up in f32, also where it computes in bf16",
    async (name, mesh) => {
      const target = parseTarget("cpu:4", { mesh, compute: "bf16", weights: parseWeightForms("bf16") });
      const model = declared(name, target);
      const request = stepRequest({ batch: 4, length: 64 });
      const lowered = lowerRequested(model, target, request);
      const made = await compileRequested(worker, model, target, request, lowered);
      const module = readHlo(made.optimizedHlo ?? "");
      const all = [...module.computations.values()].flatMap(({ instructions }) => instructions);
      const sums = all.filter(({ opcode }) => /^all-reduce(-start)?$/.test(opcode));
      expect(sums.length).toBeGreaterThan(3);
      const text = (made.optimizedHlo ?? "").split("\n").filter((line) => / all-reduce(-start)?\(/.test(line));
      expect(text.filter((line) => / = \(?(bf16|f16)\[/.test(line))).toEqual([]);
    },
    60_000,
  );
});
