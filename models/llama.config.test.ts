import { describe, expect, test } from "@jest/globals";
import { refusalOf } from "../tests/support/refusal.ts";
import { llamaFromGguf, llamaFromHuggingFace } from "./llama.config.ts";

const smallest = {
  model_type: "llama",
  hidden_size: 64,
  intermediate_size: 160,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  vocab_size: 331,
};

const header = (keys: Readonly<Record<string, unknown>> = {}) =>
  new Map<string, unknown>(
    Object.entries({
      "general.architecture": "llama",
      "llama.block_count": 2,
      "llama.embedding_length": 64,
      "llama.feed_forward_length": 160,
      "llama.attention.head_count": 4,
      "llama.attention.layer_norm_rms_epsilon": 1e-5,
      "llama.context_length": 512,
      "llama.vocab_size": 331,
      ...keys,
    }),
  );

describe("config.json", () => {
  test("has transformers' defaults for keys that published files leave out", () => {
    expect(llamaFromHuggingFace(smallest)).toEqual({
      layers: 2,
      vocab: 331,
      context: 2048,
      embed: 64,
      heads: 4,
      kvHeads: 4,
      headDim: 16,
      mlp: 160,
      normEps: 1e-6,
      tied: false,
      attentionBias: false,
      mlpBias: false,
      rope: { theta: 10000, rotaryDim: 16, scaling: { kind: "default" } },
      ropeFactors: false,
    });
  });

  test("is refused with every key that is missing or wrong, what was found and what was wanted", () => {
    const wrong = { model_type: "llama", hidden_size: -1, num_hidden_layers: 1e9, vocab_size: "many", rms_norm_eps: 0 };
    expect(refusalOf(() => llamaFromHuggingFace({ ...wrong, tie_word_embeddings: "no" }))).toMatchInlineSnapshot(`
InputError CONFIG
config.json does not describe a model
  hidden_size: found -1; wanted a whole number from 1 to 16777216
  intermediate_size: found nothing; wanted a whole number from 1 to 16777216
  num_hidden_layers: found 1000000000; wanted a whole number from 1 to 10000
  num_attention_heads: found nothing; wanted a whole number from 1 to 16777216
  vocab_size: found "many"; wanted a whole number from 1 to 16777216
  rms_norm_eps: found 0; wanted a positive number
  tie_word_embeddings: found "no"; wanted boolean
`);
  });

  test("is refused when its numbers fit each by itself and not together", () => {
    const wrong = { ...smallest, num_attention_heads: 5, num_key_value_heads: 3 };
    expect(refusalOf(() => llamaFromHuggingFace(wrong))).toMatchInlineSnapshot(`
InputError CONFIG
config.json does not describe a model
  the width 64 is no multiple of 5 heads, and no head size is given
  5 heads are no multiple of 3 key/value heads
`);
  });

  test.each<[string, object, string]>([
    ["a kind that is not known", { rope_type: "spiral" }, 'rope scaling "spiral" is not known'],
    ["a kind without its factor", { rope_type: "linear" }, 'rope scaling "linear" lacks its factor'],
    [
      "Llama 3's without its bounds",
      { rope_type: "llama3", factor: 8 },
      'rope scaling "llama3" lacks its low_freq_factor',
    ],
    ["LongRoPE's without factors", { rope_type: "longrope" }, 'rope scaling "longrope" lacks its short_factor'],
  ])("refuses rope scaling of %s", (_, rope_scaling, said) => {
    expect(() => llamaFromHuggingFace({ ...smallest, rope_scaling })).toThrow(said);
  });
});

describe("a GGUF header", () => {
  test("says the same as config.json, tying and biases by the tensors that are there", () => {
    const tensors = new Set(["blk.0.attn_q.bias", "rope_freqs.weight"]);
    expect(llamaFromGguf(header(), tensors)).toEqual({
      ...llamaFromHuggingFace({ ...smallest, rms_norm_eps: 1e-5, max_position_embeddings: 512 }),
      tied: true,
      attentionBias: true,
      ropeFactors: true,
    });
    expect(llamaFromGguf(header(), new Set(["output.weight", "blk.0.ffn_gate.bias"]))).toMatchObject({
      tied: false,
      mlpBias: true,
    });
  });

  test("counts its tokens where it has no vocab_size", () => {
    const metadata = header({ "tokenizer.ggml.tokens": ["a", "b", "c"] });
    metadata.delete("llama.vocab_size");
    expect(llamaFromGguf(metadata, new Set()).vocab).toBe(3);
  });

  test("is refused by the names of its keys", () => {
    const metadata = header({ "llama.rope.scaling.type": "longrope", "llama.context_length": 0.5 });
    metadata.delete("llama.block_count");
    expect(refusalOf(() => llamaFromGguf(metadata, new Set()))).toMatchInlineSnapshot(`
InputError CONFIG
the GGUF header's llama.* keys does not describe a model
  block_count: found nothing; wanted a whole number from 1 to 10000
  context_length: found 0.5; wanted a whole number from 1 to 1073741824
  rope.scaling.type: found "longrope"; wanted one of those that are known: none, linear and yarn
`);
  });
});
