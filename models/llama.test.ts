import { describe, expect, test } from "@jest/globals";
import { cpu, lower } from "../compiler/index.ts";
import { countParameters, type ParamTree, TsxlaError } from "../dsl/index.ts";
import { traceStep } from "../inference/programs/step-program.ts";
import { tableOf } from "./checkpoints/layouts.ts";
import {
  type Architecture,
  attention,
  llama,
  llamaAttention,
  llamaFromGguf,
  llamaFromHuggingFace,
  llamaOf,
  llamaParts,
  matchCheckpoint,
  mlp,
  publishedConfigs,
  type StoredTensor,
} from "./index.ts";

const smollm2 = publishedConfigs["smollm2-135m"] as Readonly<Record<string, unknown>>;

const tiny = {
  ...smollm2,
  hidden_size: 8,
  intermediate_size: 6,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  vocab_size: 11,
};

/** The tensors that a configuration wants, as a file has them. */
function stored(config: Readonly<Record<string, unknown>>): Map<string, StoredTensor> {
  const { embed, heads, kvHeads, headDim, mlp, vocab } = llamaFromHuggingFace(config);
  const shapes: Record<string, number[]> = {
    "model.embed_tokens.weight": [vocab, embed],
    "model.norm.weight": [embed],
    "model.layers.0.input_layernorm.weight": [embed],
    "model.layers.0.self_attn.q_proj.weight": [heads * headDim, embed],
    "model.layers.0.self_attn.k_proj.weight": [kvHeads * headDim, embed],
    "model.layers.0.self_attn.v_proj.weight": [kvHeads * headDim, embed],
    "model.layers.0.self_attn.o_proj.weight": [embed, heads * headDim],
    "model.layers.0.post_attention_layernorm.weight": [embed],
    "model.layers.0.mlp.gate_proj.weight": [mlp, embed],
    "model.layers.0.mlp.up_proj.weight": [mlp, embed],
    "model.layers.0.mlp.down_proj.weight": [embed, mlp],
  };
  return new Map(
    Object.entries(shapes).map(([name, shape]) => [
      name,
      { name, format: "F32", shape, type: { dtype: "f32", shape } },
    ]),
  );
}

function match(tensors: ReadonlyMap<string, StoredTensor>) {
  return matchCheckpoint(llama.weights(llamaFromHuggingFace(tiny)), tensors, tableOf(llama, "safetensors"));
}

function refusal(body: () => unknown): string {
  try {
    body();
  } catch (error) {
    if (error instanceof TsxlaError) return error.message;
    throw error;
  }
  return "nothing was refused";
}

describe("a Llama", () => {
  test("of SmolLM2's sizes has SmolLM2's number of parameters", () => {
    expect(countParameters(llama.weights(llamaFromHuggingFace(smollm2)) as ParamTree)).toBe(134_515_008);
  });

  test("has its own unembedding when it is not tied, and biases where the configuration says so", () => {
    const count = (keys: object) =>
      countParameters(llama.weights(llamaFromHuggingFace({ ...tiny, ...keys })) as ParamTree);
    const least = count({});
    expect(count({ tie_word_embeddings: false }) - least).toBe(11 * 8);
    expect(count({ attention_bias: true }) - least).toBe(8 + 4 + 4 + 8);
    expect(count({ mlp_bias: true }) - least).toBe(6 + 6 + 8);
  });

  test("reads a GGUF header, and from the tensors what no key says", () => {
    const metadata = new Map<string, unknown>([
      ["llama.block_count", 2],
      ["llama.embedding_length", 64],
      ["llama.feed_forward_length", 96],
      ["llama.attention.head_count", 4],
      ["llama.attention.head_count_kv", 2],
      ["llama.attention.layer_norm_rms_epsilon", 1e-5],
      ["llama.context_length", 512],
      ["llama.vocab_size", 331],
    ]);
    const config = llamaFromGguf(metadata, new Set(["output.weight", "blk.0.attn_q.bias", "rope_freqs.weight"]));
    expect(config).toMatchObject({
      layers: 2,
      headDim: 16,
      tied: false,
      attentionBias: true,
      mlpBias: false,
      ropeFactors: true,
    });
  });
});

describe("the parts of a Llama", () => {
  const config = llamaFromHuggingFace({ ...tiny, attention_bias: true, mlp_bias: true });
  const text = (architecture: Architecture) =>
    lower(traceStep(architecture, config, cpu(), { batch: 1, pos: 3, capacity: 8 }, "last"), { locations: false }).text;

  test("under their older names mean the same", () => {
    const older = llamaOf({
      ...llamaParts,
      attention: {
        ...llamaParts.attention,
        forward: (w, x, { cache, angles }, c) => attention(w, x, cache, angles, c),
      },
      mlp: { ...llamaParts.mlp, forward: (w, x, c) => mlp(w, x, c) },
      // They add to the stream themselves.
      layer: (x, attend, gated) => gated(attend(x)),
    });
    expect(text(older)).toBe(text(llama));
  });

  test("are each used: another window, scale, embedding or order of a layer makes another program", () => {
    const published = text(llama);
    const variants: Architecture[] = [
      llamaOf({ ...llamaParts, window: () => 2 }),
      llamaOf({ ...llamaParts, embed: (x, c) => x.mul(Math.sqrt(c.embed)) }),
      llamaOf({ ...llamaParts, layer: (x, attend, gated) => x.add(attend(x)).add(gated(x)) }),
      llamaOf({
        ...llamaParts,
        attention: {
          ...llamaParts.attention,
          forward: (w, x, place, c) => llamaAttention(w, x, place, c, { scale: 0.125 }),
        },
      }),
    ];
    expect(new Set([published, ...variants.map(text)]).size).toBe(1 + variants.length);
  });
});

describe("a checkpoint", () => {
  test("feeds every weight once", () => {
    expect(
      match(stored(tiny))
        .map(({ path }) => path)
        .sort(),
    ).toEqual([
      ...["embed", "layers.0.attn.k", "layers.0.attn.norm", "layers.0.attn.out", "layers.0.attn.q", "layers.0.attn.v"],
      ...["layers.0.mlp.down", "layers.0.mlp.gate", "layers.0.mlp.norm", "layers.0.mlp.up", "norm"],
    ]);
  });

  test("may hold a tied model's embedding twice", () => {
    const tensors = stored(tiny);
    tensors.set("lm_head.weight", {
      ...(tensors.get("model.embed_tokens.weight") as StoredTensor),
      name: "lm_head.weight",
    });
    expect(match(tensors)).toHaveLength(11);
  });

  test("that lacks, adds and misshapes tensors is refused with all three", () => {
    const tensors = stored(tiny);
    tensors.delete("model.norm.weight");
    const extra = { name: "model.extra", format: "F32", shape: [3], type: { dtype: "f32", shape: [3] } } as const;
    tensors.set("model.extra", extra);
    const up = tensors.get("model.layers.0.mlp.up_proj.weight") as StoredTensor;
    tensors.set(up.name, { ...up, shape: [8, 6] });
    expect(refusal(() => match(tensors))).toMatchInlineSnapshot(`
"the checkpoint does not fit the model
  the model wants and the file lacks (1)
    model.norm.weight  [embed 8]  for norm
  the file has and the model does not want (1)
    model.extra  F32 [3]
  do not fit (1)
    model.layers.0.mlp.up_proj.weight: found [8, 6], wanted [mlp 6, embed 8]"
`);
  });
});
