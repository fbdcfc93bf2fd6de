import { describe, expect, test } from "@jest/globals";
import { type RopeConfig, ropeAttentionFactor, ropeFrequencies, yarnAttentionFactor } from "./rope-scaling.ts";

const plain: RopeConfig = { theta: 10_000, rotaryDim: 8, scaling: { kind: "default" } };

/** GPT-OSS, whose table is published to nine digits. */
const gptOss: RopeConfig = {
  theta: 150_000,
  rotaryDim: 64,
  scaling: {
    kind: "yarn",
    factor: 32,
    originalContext: 4096,
    betaFast: 32,
    betaSlow: 1,
    attentionFactor: yarnAttentionFactor(32),
    truncate: false,
  },
};

describe("rotary frequencies", () => {
  test("fall by equal ratios from 1", () => {
    expect([...ropeFrequencies(plain, 1)]).toEqual([1, 0.1, 0.01, 0.001].map(Math.fround));
  });

  test("of GPT-OSS are OpenAI's, with the ramp's ends unrounded", () => {
    const found = ropeFrequencies(gptOss, 1);
    const published = new Map([
      [0, 1],
      [1, 0.689044306],
      [2, 0.474782055],
      [3, 0.327145872],
      [8, 0.0508132748],
      [9, 0.0317056962],
      [12, 0.00679495949],
      [16, 4.56483919e-4],
      [17, 1.29318701e-4],
      [18, 3.83088124e-5],
      [31, 3.02351143e-7],
    ]);
    // Nine digits were published, and f32 holds seven.
    for (const [pair, wanted] of published) expect((found[pair] as number) / wanted).toBeCloseTo(1, 6);
    expect(ropeAttentionFactor(gptOss)).toBeCloseTo(1.3465735902799727, 15);
  });

  test("of a linear stretch are divided by it", () => {
    const stretched = ropeFrequencies({ ...plain, scaling: { kind: "linear", factor: 4 } }, 1);
    expect([...stretched]).toEqual([0.25, 0.025, 0.0025, 0.00025].map(Math.fround));
  });

  test("of a dynamic stretch change with the row's length, and only beyond the original one", () => {
    const dynamic: RopeConfig = { ...plain, scaling: { kind: "dynamic", factor: 2, originalContext: 128 } };
    expect(ropeFrequencies(dynamic, 128)).toEqual(ropeFrequencies(plain, 1));
    // The base grows by (2 · 256 / 128 - 1)^(8 / 6).
    const base = 10_000 * 3 ** (8 / 6);
    expect([...ropeFrequencies(dynamic, 256)]).toEqual([0, 1, 2, 3].map((pair) => Math.fround(base ** (-pair / 4))));
  });

  test("of LongRoPE are the short ones up to the original length and the long ones beyond", () => {
    const scaling = {
      kind: "longrope",
      shortFactor: [1, 1, 2, 2],
      longFactor: [1, 2, 4, 8],
      attentionFactor: 1,
      originalContext: 64,
    } as const;
    expect([...ropeFrequencies({ ...plain, scaling }, 64)]).toEqual([1, 0.1, 0.005, 0.0005].map(Math.fround));
    expect([...ropeFrequencies({ ...plain, scaling }, 65)]).toEqual([1, 0.05, 0.0025, 0.000125].map(Math.fround));
  });

  test("of Llama 3 keep fast pairs, stretch slow ones, and blend those between", () => {
    const scaling = { kind: "llama3", factor: 8, lowFreqFactor: 1, highFreqFactor: 4, originalContext: 1024 } as const;
    const found = ropeFrequencies({ ...plain, scaling }, 1);
    // Wavelengths are 6, 63, 628 and 6283 positions; the borders are at 256 and 1024.
    const smooth = (1024 / (2 * Math.PI * 100) - 1) / 3;
    const blended = (1 - smooth) * (0.01 / 8) + smooth * 0.01;
    expect([...found]).toEqual([1, 0.1, blended, 0.001 / 8].map(Math.fround));
  });
});
