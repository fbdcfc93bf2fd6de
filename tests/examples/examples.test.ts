/**
 * Variants of GPT-OSS as users write them: they lower, run from a published checkpoint, and compute what they say.
 *
 * Example run: npm run jest -- tests/examples
 */
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "@jest/globals";
import { cpu, lower } from "../../compiler/index.ts";
import { countParameters, flattenParams, param, unused } from "../../dsl/index.ts";
import expertNorm from "../../examples/gpt-oss-expert-norm.ts";
import moreExperts from "../../examples/gpt-oss-more-experts.ts";
import noSinks from "../../examples/gpt-oss-no-sinks.ts";
import sharedExpert from "../../examples/gpt-oss-shared-expert.ts";
import windowPattern from "../../examples/gpt-oss-window-pattern.ts";
import { loadModel } from "../../inference/index.ts";
import { traceStep } from "../../inference/programs/step-program.ts";
import { type Architecture, type GptOssConfig, gptOss, gptOssMoe, gptOssOf, gptOssParts } from "../../models/index.ts";
import { toFloat32Array } from "../../runtime-bridge/index.ts";
import { readSafetensors } from "../../runtime-bridge/safetensors.ts";
import { checkText } from "../support/check-program.ts";
import { root, runCli, temporaryFolder } from "../support/cli.ts";
import { describeCases } from "../support/exhaustive.ts";
import { onTestWorker, testWorker } from "../support/worker.ts";
import { drawn, type Numbers, plainLogits, tinyConfig, tinyNumbers, writeTiny } from "./tiny-gpt-oss.ts";

type Variant = Architecture<GptOssConfig>;

const variants = {
  "gpt-oss-window-pattern": windowPattern,
  "gpt-oss-more-experts": moreExperts,
  "gpt-oss-no-sinks": noSinks,
  "gpt-oss-shared-expert": sharedExpert,
  "gpt-oss-expert-norm": expertNorm,
} as const satisfies Readonly<Record<string, Variant>>;

/** Another order of summing a few dozen products in f32, against logits of about 2. */
const otherOrder = 2e-5;
const target = cpu({ weights: { experts: "f32", dense: "f32" } });
const tokens = Array.from({ length: 80 }, (_, n) => (n * n + 3 * n) % 33);
const config = tinyConfig();
/** Drawn around 0 with a deviation of 0.02 where nothing else is declared. */
const usual = { mean: 0, deviation: 0.02 };

let folder: string;
let tiny: string;
let published: number[] | undefined;

beforeAll(async () => {
  folder = await temporaryFolder();
  tiny = await writeTiny(join(folder, "tiny"), config, tinyNumbers(config));
});

describeCases(Object.keys(variants), ["gpt-oss-no-sinks", "gpt-oss-expert-norm"], (name) => {
  const variant: Variant = variants[name as keyof typeof variants];

  test("lowers to text that MLIR prints, for a step and for a chunk", async () => {
    const c = variant.fromHuggingFace(config);
    for (const pos of [1, 4]) {
      const graph = traceStep(variant, c, target, { batch: 1, pos, capacity: 32 }, "last");
      const text = await checkText(graph);
      // Experts stay a choice that a kernel can take over.
      expect(text).toContain('stablehlo.composite "tsxla.for_chosen"');
    }
  });

  test("runs from the published checkpoint to other logits than the published model's, at once and step by step", async () => {
    published ??= await logitsOf(gptOss);
    const found = await logitsOf(variant);
    expect(found.every(Number.isFinite)).toBe(true);
    expect(largestDifference(found, published)).toBeGreaterThan(1e-3);
    expect(largestDifference(await logitsOf(variant, tiny, { step: true }), found)).toBeLessThan(otherOrder);
  });

  test("runs by --arch, which says what was drawn", async () => {
    const out = join(folder, `${name}.safetensors`);
    const words = ["logits", "--model", tiny, "--tokens", tokens.join(), "--out", out, "--weights", "f32"];
    const ended = await runCli([...words, "--arch", join(root, `examples/${name}.ts`), ...(await onTestWorker())]);
    expect(ended).toMatchObject({ code: 0 });
    const tensor = (await readSafetensors(out)).get("logits");
    expect(largestDifference([...toFloat32Array(tensor!)], await logitsOf(variant))).toBeLessThan(otherOrder);
    const said = /drawn at random with seed 0, for the checkpoint has none: (.*)/.exec(ended.stderr)?.[1] ?? "nothing";
    expect(said).toBe(drawnBy[name as keyof typeof variants]);
  });
});

const drawnBy = {
  "gpt-oss-window-pattern": "nothing",
  "gpt-oss-more-experts":
    "layers.{0…3}.moe.router, layers.{0…3}.moe.routerBias, layers.{0…3}.moe.experts.gateUp, layers.{0…3}.moe.experts.gateUpBias, layers.{0…3}.moe.experts.down, layers.{0…3}.moe.experts.downBias",
  "gpt-oss-no-sinks": "nothing",
  "gpt-oss-shared-expert":
    "layers.{0…3}.moe.shared.gateUp, layers.{0…3}.moe.shared.gateUpBias, layers.{0…3}.moe.shared.down, layers.{0…3}.moe.shared.downBias",
  "gpt-oss-expert-norm": "layers.{0…3}.moe.experts.scale",
} satisfies Record<keyof typeof variants, string>;

describe("what the variants compute", () => {
  test("the window pattern is that of a checkpoint whose config says so", async () => {
    const same = tinyConfig({
      sliding_window: 64,
      layer_types: [...Array(3).fill("sliding_attention"), "full_attention"],
    });
    const path = await writeTiny(join(folder, "windows"), same, tinyNumbers(config));
    expect(await logitsOf(windowPattern)).toEqual(await logitsOf(gptOss, path));
  });

  test("without sinks is with sinks of -1e9", async () => {
    const numbers = tinyNumbers(config);
    for (const [key, values] of numbers)
      if (key.endsWith("sinks"))
        numbers.set(
          key,
          values.map(() => -1e9),
        );
    const path = await writeTiny(join(folder, "sinks"), config, numbers);
    expect(await logitsOf(noSinks)).toEqual(await logitsOf(gptOss, path));
  });

  test("more experts are those of a checkpoint that holds the drawn ones", async () => {
    const finer = tinyConfig({ num_local_experts: 10, num_experts_per_tok: 4, intermediate_size: 10 });
    const numbers = tinyNumbers(finer);
    for (const [key, values] of tinyNumbers(config)) if (!/\.mlp\./.test(key)) numbers.set(key, values);
    for (const [, each] of flattenParams(moreExperts.weights(moreExperts.fromHuggingFace(config)))) {
      if (each.key.includes("finer.")) numbers.set(each.key.replace("finer.", ""), drawn(5, each, usual));
    }
    const path = await writeTiny(join(folder, "finer"), finer, numbers);
    const found = await logitsOf(moreExperts, tiny, { seed: 5 });
    expect(largestDifference(found, await logitsOf(gptOss, path))).toBeLessThan(otherOrder);
  });

  test("the published mixture, the shared expert and the norm inside experts are what plain loops compute", async () => {
    const one = tinyConfig({ num_hidden_layers: 1, layer_types: ["full_attention"] });
    const numbers = tinyNumbers(one);
    for (const key of ["weight", "bias"].map((kind) => `model.layers.0.self_attn.o_proj.${kind}`)) {
      numbers.set(key, new Float32Array((numbers.get(key) as Float32Array).length));
    }
    const path = await writeTiny(join(folder, "one"), one, numbers);
    const c = gptOss.fromHuggingFace(one);
    const added = (variant: Variant, how: typeof usual) =>
      flattenParams(variant.weights(c)).flatMap(([, each]) =>
        each.untrained === undefined ? [] : [drawn(0, each, how)],
      ) as [Float32Array, Float32Array, Float32Array, Float32Array];
    const [gateUp, gateUpBias, down, downBias] = added(sharedExpert, usual);
    const [scale] = added(expertNorm, { mean: 1, deviation: 0.02 });
    const cases = [
      [gptOss, {}],
      [sharedExpert, { shared: { gateUp, gateUpBias, down, downBias } }],
      [expertNorm, { scale }],
    ] as const;
    for (const [variant, extras] of cases) {
      const found = await logitsOf(variant, path);
      const wanted = tokens.flatMap((token) => plainLogits(c, numbers, token, extras));
      expect(largestDifference(found, wanted)).toBeLessThan(otherOrder);
    }
  });
});

test("the norm inside experts is computed in f32 where the model computes in bf16", () => {
  const bf16 = cpu({ compute: "bf16", weights: { experts: "bf16", dense: "bf16" } });
  const c = expertNorm.fromHuggingFace(config);
  const graph = traceStep(expertNorm, c, bf16, { batch: 1, pos: 4, capacity: 32 }, "last");
  const roots = lower(graph, { locations: false }).text.match(/stablehlo\.rsqrt .*/g) ?? [];
  const published = traceStep(gptOss, c, bf16, { batch: 1, pos: 4, capacity: 32 }, "last");
  const others = lower(published, { locations: false }).text.match(/stablehlo\.rsqrt .*/g) ?? [];
  expect(roots.length).toBeGreaterThan(others.length);
  expect(roots.filter((line) => line.includes("bf16"))).toEqual([]);
});

describe("untrained weights", () => {
  test("are the same for a seed and others for another", async () => {
    const [first, again, other] = [
      await logitsOf(sharedExpert, tiny, { seed: 1 }),
      await logitsOf(sharedExpert, tiny, { seed: 1 }),
      await logitsOf(sharedExpert, tiny, { seed: 2 }),
    ];
    expect(again).toEqual(first);
    expect(largestDifference(other, first)).toBeGreaterThan(1e-4);
  });

  test("are loaded when the checkpoint has them, and refused when it has them in another shape", async () => {
    const c = sharedExpert.fromHuggingFace(config);
    const shared = flattenParams(sharedExpert.weights(c)).filter(([, each]) => each.untrained !== undefined);
    const numbers: Numbers = new Map([
      ...tinyNumbers(config),
      ...shared.map(([, each]) => [each.key, drawn(3, each, usual)] as const),
    ]);
    const path = await writeTiny(
      join(folder, "trained"),
      config,
      numbers,
      shared.map(([, each]) => each),
    );
    await using model = await loadModel(path, { worker: await testWorker(), architecture: sharedExpert, target });
    expect(model.untrained).toEqual([]);
    expect(await logitsOf(sharedExpert, path)).toEqual(await logitsOf(sharedExpert, tiny, { seed: 3 }));

    const [, first] = shared[0] as (typeof shared)[number];
    const wrong = new Map(numbers).set(first.key, new Float32Array(7));
    const odd = await writeTiny(
      join(folder, "odd"),
      config,
      wrong,
      shared.slice(1).map(([, each]) => each),
    );
    await expect(logitsOf(sharedExpert, odd)).rejects.toThrow(
      "model.layers.0.mlp.shared_expert.gate_up_proj.weight: found [7], wanted [mlp 20, part 2, embed 24]",
    );
  });

  test("are counted with the model's", () => {
    const count = (variant: Variant) => countParameters(variant.weights(variant.fromHuggingFace(config)));
    expect(count(sharedExpert) - count(gptOss)).toBe(4 * (20 * 2 * 24 + 20 * 2 + 24 * 20 + 24));
    expect(count(gptOss) - count(noSinks)).toBe(4 * 6);
  });

  test("must be declared so, as must be what is left out", async () => {
    const careless = gptOssOf({
      ...gptOssParts,
      moe: {
        weights: (ax) => {
          const { router, ...rest } = gptOssParts.moe.weights(ax);
          return { ...rest, router: param("mlp.gate.weight", ax.expert, ax.embed) };
        },
        forward: (w, x, ax, c) => gptOssMoe(w, x, ax, c),
      },
    });
    await expect(logitsOf(careless)).rejects.toThrowErrorMatchingInlineSnapshot(`
the checkpoint does not fit the model
  the model wants and the file lacks (4)
    model.layers.0.mlp.gate.weight  [expert 5, embed 24]  for layers.0.moe.router
    model.layers.1.mlp.gate.weight  [expert 5, embed 24]  for layers.1.moe.router
    model.layers.2.mlp.gate.weight  [expert 5, embed 24]  for layers.2.moe.router
    model.layers.3.mlp.gate.weight  [expert 5, embed 24]  for layers.3.moe.router
  the file has and the model does not want (4)
    model.layers.0.mlp.router.weight  F32 [5, 24]
    model.layers.1.mlp.router.weight  F32 [5, 24]
    model.layers.2.mlp.router.weight  F32 [5, 24]
    model.layers.3.mlp.router.weight  F32 [5, 24]
  hint  a weight that an architecture adds is declared untrained(param(…)); what it leaves out, unused(param(…))
`);
  });
});

test("what is left out need not be there", async () => {
  const more = gptOssOf({
    ...gptOssParts,
    moe: {
      weights: (ax) => ({ ...gptOssParts.moe.weights(ax), gone: unused(param("mlp.gone.weight", ax.embed)) }),
      forward: (w, x, ax, c) => gptOssMoe(w, x, ax, c),
    },
  });
  published ??= await logitsOf(gptOss);
  expect(await logitsOf(more)).toEqual(published);
});

async function logitsOf(
  architecture: Variant,
  path = tiny,
  { step = false, seed }: { readonly step?: boolean; readonly seed?: number } = {},
): Promise<number[]> {
  await using model = await loadModel(path, {
    worker: await testWorker(),
    target,
    architecture,
    ...(seed === undefined ? {} : { untrainedSeed: seed }),
  });
  const rows: number[] = [];
  for await (const chunk of model.logits(tokens, { step })) rows.push(...chunk);
  return rows;
}

function largestDifference(found: readonly number[], wanted: readonly number[]): number {
  expect(found.length).toBe(wanted.length);
  return found.reduce((largest, value, n) => Math.max(largest, Math.abs(value - (wanted[n] as number))), 0);
}
