/** Rope keys of config.json and what they come to: the numbers are those of transformers 5.23, `ROPE_INIT_FUNCTIONS`, f32. */
import { describe, expect, test } from "@jest/globals";
import { llamaFromHuggingFace } from "./llama.config.ts";
import { ropeAttentionFactor, ropeFrequencies } from "./rope-scaling.ts";

const plain = [1, 0.316227764, 0.100000001, 0.0316227786, 0.00999999978, 0.00316227786, 0.00100000005, 0.000316227786];
const dynamic = { rope_type: "dynamic", rope_theta: 10000, factor: 2 };
const longrope = {
  rope_type: "longrope",
  rope_theta: 10000,
  original_max_position_embeddings: 128,
  short_factor: [1, 1, 1.05, 1.1, 1.2, 1.3, 1.4, 1.5],
  long_factor: [1, 1.3, 1.8, 2.5, 3.5, 5, 7, 9],
};

/** What config.json says of rope, in a model of 512 positions unless `context` says otherwise. */
const ropeOf = (rope_parameters: object, context = 512) =>
  llamaFromHuggingFace({
    model_type: "llama",
    hidden_size: 64,
    intermediate_size: 64,
    num_hidden_layers: 1,
    num_attention_heads: 4,
    vocab_size: 64,
    max_position_embeddings: context,
    rope_parameters,
  }).rope;

function expectFrequencies(found: Float32Array, wanted: readonly number[]): void {
  expect(found.length).toBe(wanted.length);
  // transformers computes in f32, this in f64 before it rounds: a few units in the last place.
  for (const [n, value] of found.entries()) expect(Math.abs(value / (wanted[n] as number) - 1)).toBeLessThan(1e-6);
}

describe("rotary frequencies that config.json asks for", () => {
  test.each<[string, object, readonly number[], number]>([
    ["no scaling", { rope_type: "default", rope_theta: 10000 }, plain, 1],
    [
      "linear",
      { rope_type: "linear", rope_theta: 10000, factor: 4 },
      [0.25, 0.079056941, 0.0250000004, 0.00790569466, 0.00249999994, 0.000790569466, 0.000250000012, 7.90569466e-5],
      1,
    ],
    [
      "YaRN with its defaults",
      { rope_type: "yarn", rope_theta: 10000, factor: 8, original_max_position_embeddings: 64 },
      [1, 0.223994657, 0.0416666642, 0.00395284733, 0.00124999997, 0.000395284733, 0.000125000006, 3.95284733e-5],
      1.2079441541679836,
    ],
    [
      "YaRN with everything given",
      {
        rope_type: "yarn",
        rope_theta: 5000,
        factor: 4,
        original_max_position_embeddings: 128,
        truncate: false,
        beta_fast: 16,
        beta_slow: 0.5,
        mscale: 1,
        mscale_all_dim: 0.4,
      },
      [1, 0.283424705, 0.0703399852, 0.0148082525, 0.00353553402, 0.00121922465, 0.000420448196, 0.000144991063],
      1.0788076382845138,
    ],
    [
      "Llama 3",
      {
        rope_type: "llama3",
        rope_theta: 500000,
        factor: 8,
        low_freq_factor: 1,
        high_freq_factor: 4,
        original_max_position_embeddings: 64,
      },
      [1, 0.079403013, 0.00470075384, 0.000911583134, 0.000176776681, 3.42810235e-5, 6.64786967e-6, 1.28917316e-6],
      1,
    ],
  ])("of %s are transformers', whatever the row's length", (_, keys, wanted, attentionFactor) => {
    const rope = ropeOf(keys);
    for (const length of [1, 64, 512, 513]) expectFrequencies(ropeFrequencies(rope, length), wanted);
    expect(ropeAttentionFactor(rope)).toBeCloseTo(attentionFactor, 12);
  });

  test("of dynamic scaling are plain up to the model's context, and beyond it depend on the row's length", () => {
    const rope = ropeOf(dynamic, 128);
    expectFrequencies(ropeFrequencies(rope, 1), plain);
    expectFrequencies(ropeFrequencies(rope, 128), plain);
    const longer = [
      1, 0.262445003, 0.0688773692, 0.0180765204, 0.004744092, 0.00124506326, 0.000326760608, 8.57566774e-5,
    ];
    expectFrequencies(ropeFrequencies(rope, 300), longer);
  });

  test("of LongRoPE have the short factors up to the original context and the long ones from the next position", () => {
    const rope = ropeOf(longrope);
    const short = [
      1, 0.316227764, 0.095238097, 0.0287479796, 0.00833333284, 0.00243252143, 0.000714285707, 0.000210818514,
    ];
    const long = [
      1, 0.243252128, 0.055555556, 0.0126491114, 0.00285714283, 0.000632455572, 0.000142857141, 3.51364179e-5,
    ];
    expectFrequencies(ropeFrequencies(rope, 128), short);
    expectFrequencies(ropeFrequencies(rope, 129), long);
    expect(ropeAttentionFactor(rope)).toBeCloseTo(1.1338934190276817, 12);
  });

  test("are of as many pairs as turn, when only a part of a head does", () => {
    const rope = ropeOf({ rope_type: "default", rope_theta: 10000, partial_rotary_factor: 0.5 });
    expectFrequencies(ropeFrequencies(rope, 1), [1, 0.1, 0.01, 0.001]);
  });

  test("are read from the spellings of older files too", () => {
    const { rope } = llamaFromHuggingFace({
      model_type: "llama",
      hidden_size: 64,
      intermediate_size: 64,
      num_hidden_layers: 1,
      num_attention_heads: 4,
      vocab_size: 64,
      max_position_embeddings: 512,
      rope_theta: 10000,
      rope_scaling: { type: "linear", factor: 4 },
    });
    expect(rope).toEqual(ropeOf({ rope_type: "linear", rope_theta: 10000, factor: 4 }));
  });
});
