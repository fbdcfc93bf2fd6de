/**
 * Broken checkpoints of GPT-OSS are refused before anything is compiled or loaded, and the text names the keys.
 *
 * Each is a sound tiny one with one thing wrong (tests/parity/random_gpt_oss.py makes the sound ones). Beyond that, only
 * the bytes of scales can be wrong; they are looked at as they are loaded.
 */
import { execFile } from "node:child_process";
import { cp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, jest, test } from "@jest/globals";
import { cpu, parseWeightForms } from "../../compiler/index.ts";
import { TsxlaError } from "../../dsl/index.ts";
import { loadModel, type Worker } from "../../inference/index.ts";
import type { HostTensor } from "../../runtime-bridge/index.ts";
import { projectPython } from "../../runtime-bridge/launch/environment-paths.ts";
import { readSafetensors, SafetensorsWriter } from "../../runtime-bridge/safetensors.ts";
import { root, temporaryFolder } from "../support/cli.ts";
import "../support/plain-snapshots.ts";
import { testWorker } from "../support/worker.ts";

/** A layout of the same checkpoint; `sharded` is `mxfp4` in three files. */
type Layout = "mxfp4" | "bf16" | "original" | "sharded";
type Tensors = Map<string, HostTensor>;
type Config = Record<string, unknown>;

let folder: string;
let worker: Worker;
let made = 0;

beforeAll(async () => {
  [folder, worker] = await Promise.all([temporaryFolder(), testWorker()]);
  const script = join(root, "tests/parity/random_gpt_oss.py");
  const make = (layout: Layout, name: string, ...options: string[]) =>
    promisify(execFile)(projectPython, [script, name, join(folder, layout), ...options]);
  // The name with the fewest weights that has words in every layout.
  await Promise.all([
    make("mxfp4", "plain-rope"),
    make("bf16", "plain-rope", "--layout", "bf16"),
    make("original", "plain-rope", "--layout", "original"),
    make("sharded", "plain-rope", "--shards", "3"),
  ]);
});

const read = (layout: Layout) => readSafetensors(join(folder, layout, "model.safetensors"));

/** A copy of a sound checkpoint, with its tensors or its config.json changed. */
async function changed(
  layout: Layout,
  change: { readonly tensors?: (tensors: Tensors) => void; readonly config?: (config: Config) => void },
): Promise<string> {
  const path = join(folder, `broken-${made++}`);
  await cp(join(folder, layout), path, { recursive: true });
  if (change.config !== undefined) {
    const config = JSON.parse(await readFile(join(path, "config.json"), "utf8")) as Config;
    change.config(config);
    await writeFile(join(path, "config.json"), JSON.stringify(config));
  }
  if (change.tensors === undefined) return path;
  const tensors = new Map(await read(layout));
  change.tensors(tensors);
  const file = join(path, "model.safetensors");
  await rm(file);
  await using writer = await SafetensorsWriter.open(file, Object.fromEntries(tensors));
  for (const { data } of tensors.values()) await writer.write(data);
  await writer.finish();
  return path;
}

/** The text of the refusal, with the place of the files left out. Nothing was compiled or loaded until then. */
async function refused(path: string): Promise<string> {
  const calls = (["compile", "load", "execute"] as const).map((name) => jest.spyOn(worker, name));
  try {
    await using _ = await loadModel(path, { worker });
  } catch (error) {
    if (!(error instanceof TsxlaError)) throw error;
    expect(error.exitCode).toBe(2);
    for (const call of calls) expect(call).not.toHaveBeenCalled();
    return `${error.code}\n${error.message.replaceAll(path, "DIR")}`;
  } finally {
    for (const call of calls) call.mockRestore();
  }
  throw new Error("nothing was refused");
}

const first = "model.layers.0.mlp.experts";
const reshaped = ({ dtype, data }: HostTensor, shape: readonly number[]): HostTensor => ({
  dtype,
  shape,
  data: data.subarray(
    0,
    shape.reduce((all, size) => all * size, 1),
  ),
});

test("the sound ones load", async () => {
  for (const layout of ["mxfp4", "bf16", "original", "sharded"] as const) {
    await using model = await loadModel(join(folder, layout), { worker });
    expect(model.config.layers).toBe(3);
  }
});

describe("tensors", () => {
  test("a matrix of experts is missing", async () => {
    const path = await changed("mxfp4", {
      tensors: (all) => {
        for (const part of ["blocks", "scales"]) all.delete(`${first}.down_proj_${part}`);
      },
    });
    expect(await refused(path)).toMatchInlineSnapshot(`
CHECKPOINT_MISMATCH
the checkpoint does not fit the model
  the model wants and the file lacks (2)
    model.layers.0.mlp.experts.down_proj_blocks  [expert 4, embed 32, mlpBlock 2, byte 16]  for layers.0.moe.experts.down
    model.layers.0.mlp.experts.down_proj_scales  [expert 4, embed 32, mlpBlock 2]  for layers.0.moe.experts.down
`);
  });

  test("blocks have no scales, or scales no blocks", async () => {
    const scaleless = await changed("mxfp4", { tensors: (all) => void all.delete(`${first}.gate_up_proj_scales`) });
    expect(await refused(scaleless)).toMatchInlineSnapshot(`
CHECKPOINT_MISMATCH
the checkpoint does not fit the model
  the model wants and the file lacks (1)
    model.layers.0.mlp.experts.gate_up_proj_scales  [expert 4, mlp 64, part 2, embedBlock 1]  for layers.0.moe.experts.gateUp
`);
    const blockless = await changed("mxfp4", { tensors: (all) => void all.delete(`${first}.gate_up_proj_blocks`) });
    expect(await refused(blockless)).toMatchInlineSnapshot(`
CHECKPOINT_MISMATCH
the checkpoint does not fit the model
  the model wants and the file lacks (1)
    model.layers.0.mlp.experts.gate_up_proj_blocks  [expert 4, mlp 64, part 2, embedBlock 1, byte 16]  for layers.0.moe.experts.gateUp
`);
    const original = await changed("original", { tensors: (all) => void all.delete("block.0.mlp.mlp2_weight.scales") });
    expect(await refused(original)).toMatchInlineSnapshot(`
CHECKPOINT_MISMATCH
the checkpoint does not fit the model
  the model wants and the file lacks (1)
    block.0.mlp.mlp2_weight.scales  [expert 4, embed 32, mlpBlock 2]  for layers.0.moe.experts.down
`);
  });

  test("scales are of another shape, or blocks of another type", async () => {
    const scales = `${first}.down_proj_scales`;
    const short = await changed("mxfp4", {
      tensors: (all) => void all.set(scales, reshaped(all.get(scales)!, [4, 32, 1])),
    });
    expect(await refused(short)).toMatchInlineSnapshot(`
CHECKPOINT_MISMATCH
the checkpoint does not fit the model
  do not fit (1)
    model.layers.0.mlp.experts.down_proj_scales: found [4, 32, 1], wanted [expert 4, embed 32, mlpBlock 2]
`);
    const turned = await changed("mxfp4", {
      tensors: (all) => void all.set(scales, reshaped(all.get(scales)!, [4, 2, 32])),
    });
    expect(await refused(turned)).toMatchInlineSnapshot(`
CHECKPOINT_MISMATCH
the checkpoint does not fit the model
  do not fit (1)
    model.layers.0.mlp.experts.down_proj_scales: found [4, 2, 32], wanted [expert 4, embed 32, mlpBlock 2]
`);
    const blocks = `${first}.down_proj_blocks`;
    const signed = await changed("mxfp4", {
      tensors: (all) => void all.set(blocks, { ...all.get(blocks)!, dtype: "i8" }),
    });
    expect(await refused(signed)).toMatchInlineSnapshot(`
CHECKPOINT_MISMATCH
the checkpoint does not fit the model
  do not fit (1)
    model.layers.0.mlp.experts.down_proj_blocks: found elements of i8, wanted u8
`);
  });

  test("one expert is missing from a matrix", async () => {
    const path = await changed("mxfp4", {
      tensors: (all) => {
        for (const part of ["blocks", "scales"] as const) {
          const key = `${first}.down_proj_${part}`;
          const each = all.get(key)!;
          all.set(key, reshaped(each, [3, ...each.shape.slice(1)]));
        }
      },
    });
    expect(await refused(path)).toMatchInlineSnapshot(`
CHECKPOINT_MISMATCH
the checkpoint does not fit the model
  do not fit (2)
    model.layers.0.mlp.experts.down_proj_blocks: found [3, 32, 2, 16], wanted [expert 4, embed 32, mlpBlock 2, byte 16]
    model.layers.0.mlp.experts.down_proj_scales: found [3, 32, 2], wanted [expert 4, embed 32, mlpBlock 2]
`);
  });

  test("a matrix is there both packed and dequantised", async () => {
    const plain = (await read("bf16")).get(`${first}.down_proj`)!;
    const path = await changed("mxfp4", { tensors: (all) => void all.set(`${first}.down_proj`, plain) });
    expect(await refused(path)).toMatchInlineSnapshot(`
CHECKPOINT_MISMATCH
the checkpoint does not fit the model
  the file has and the model does not want (1)
    model.layers.0.mlp.experts.down_proj  BF16 [4, 64, 32]
`);
  });

  test("a matrix is half packed: the blocks of one form and the name of the other", async () => {
    const path = await changed("bf16", {
      tensors: (all) => {
        const { data } = all.get(`${first}.down_proj`)!;
        all.set(`${first}.down_proj_blocks`, { dtype: "u8", shape: [4, 32, 2, 16], data: data.subarray(0, 4096) });
      },
    });
    expect(await refused(path)).toMatchInlineSnapshot(`
CHECKPOINT_MISMATCH
the checkpoint does not fit the model
  the model wants and the file lacks (1)
    model.layers.0.mlp.experts.down_proj_scales  [expert 4, embed 32, mlpBlock 2]  for layers.0.moe.experts.down
  the file has and the model does not want (1)
    model.layers.0.mlp.experts.down_proj  BF16 [4, 64, 32]
`);
  });

  test("dequantised experts are not transposed", async () => {
    const key = `${first}.gate_up_proj`;
    const path = await changed("bf16", {
      tensors: (all) => void all.set(key, { ...all.get(key)!, shape: [4, 128, 32] }),
    });
    expect(await refused(path)).toMatchInlineSnapshot(`
CHECKPOINT_MISMATCH
the checkpoint does not fit the model
  do not fit (1)
    model.layers.0.mlp.experts.gate_up_proj: found [4, 128, 32], wanted [expert 4, embed 32, mlp 64, part 2]
`);
  });

  test("Hugging Face's and OpenAI's keys are mixed", async () => {
    const original = await read("original");
    const hybrid = await changed("mxfp4", {
      tensors: (all) => {
        for (const name of ["embedding.weight", "block.0.attn.sinks"]) all.set(name, original.get(name)!);
      },
    });
    expect(await refused(hybrid)).toMatchInlineSnapshot(`
CHECKPOINT_MISMATCH
the checkpoint does not fit the model
  the file has and the model does not want (2)
    block.0.attn.sinks  BF16 [2]
    embedding.weight  BF16 [270, 32]
`);
    const renamed = await changed("original", {
      tensors: (all) => {
        all.set("model.layers.0.self_attn.sinks", all.get("block.0.attn.sinks")!);
        all.delete("block.0.attn.sinks");
      },
    });
    expect(await refused(renamed)).toMatchInlineSnapshot(`
CHECKPOINT_MISMATCH
the checkpoint does not fit the model
  the model wants and the file lacks (1)
    block.0.attn.sinks  [kvHead 2, group 1]  for layers.0.attn.sinks
  the file has and the model does not want (1)
    model.layers.0.self_attn.sinks  BF16 [2]
`);
  });

  test("a fused matrix of queries, keys and values has a row too few", async () => {
    const key = "block.1.attn.qkv.weight";
    const path = await changed("original", {
      tensors: (all) => {
        const { dtype, shape, data } = all.get(key)!;
        all.set(key, { dtype, shape: [383, 32], data: data.subarray(0, 383 * 32 * 2) });
        expect(shape).toEqual([384, 32]);
      },
    });
    expect(await refused(path)).toMatchInlineSnapshot(`
CHECKPOINT_MISMATCH
the checkpoint does not fit the model
  do not fit (1)
    block.1.attn.qkv.weight: found 383 rows, and layers.1.attn.q, layers.1.attn.k, layers.1.attn.v want 384
`);
  });

  test("a scale is 255, which is NaN: said when it is loaded", async () => {
    const key = `${first}.down_proj_scales`;
    const path = await changed("mxfp4", {
      tensors: (all) => {
        const { data, ...type } = all.get(key)!;
        const scales = Uint8Array.from(data);
        scales[3] = 255;
        scales[9] = 255;
        all.set(key, { ...type, data: scales });
      },
    });
    const answer = loadModel(path, { worker });
    await expect(answer).rejects.toThrow(TsxlaError);
    const error = (await answer.catch((each: unknown) => each)) as TsxlaError;
    expect(error.exitCode).toBe(2);
    expect(`${error.code}\n${error.message}`).toMatchInlineSnapshot(`
MXFP4_SCALE
the checkpoint has scales of 255, which is NaN in E8M0
  model.layers.0.mlp.experts.down_proj_scales: 2 scales
`);
  });
});

test("experts cannot be held as MXFP4 when the checkpoint has them dequantised", async () => {
  const calls = (["compile", "load"] as const).map((name) => jest.spyOn(worker, name));
  const target = cpu({ weights: parseWeightForms("mxfp4") });
  const error = (await loadModel(join(folder, "bf16"), { worker, target }).catch((each) => each)) as TsxlaError;
  for (const call of calls) {
    expect(call).not.toHaveBeenCalled();
    call.mockRestore();
  }
  expect(error.exitCode).toBe(2);
  expect(`${error.code}\n${error.message}`).toMatchInlineSnapshot(`
WEIGHTS
weights are held as mxfp4 only where the checkpoint has them so, and it has
  model.layers.0.mlp.experts.gate_up_proj  BF16
  model.layers.0.mlp.experts.down_proj  BF16
  model.layers.1.mlp.experts.gate_up_proj  BF16
  and 3 more
`);
});

describe("shards", () => {
  const index = "model.safetensors.index.json";

  test("one is missing from the disk", async () => {
    const path = await changed("sharded", {});
    await rm(join(path, "model-00002-of-00003.safetensors"));
    expect(await refused(path)).toMatchInlineSnapshot(`
CHECKPOINT_INVALID
DIR/model-00002-of-00003.safetensors: this shard is missing.
`);
  });

  test("one is missing from the index, or the index from the folder", async () => {
    const path = await changed("sharded", {});
    const { metadata, weight_map } = JSON.parse(await readFile(join(path, index), "utf8")) as {
      metadata: unknown;
      weight_map: Record<string, string>;
    };
    const kept = Object.entries(weight_map).filter(([, file]) => !file.includes("00002"));
    await writeFile(join(path, index), JSON.stringify({ metadata, weight_map: Object.fromEntries(kept) }));
    expect(await refused(path)).toMatchInlineSnapshot(`
CHECKPOINT_INVALID
DIR/model.safetensors.index.json: it does not mention model-00002-of-00003.safetensors, which lies beside it.
`);
    // Without an index, the files are all there is, and they are whole.
    await rm(join(path, index));
    await using model = await loadModel(path, { worker });
    expect(model.config.layers).toBe(3);
  });

  test("the index says of a tensor of experts that it is elsewhere", async () => {
    const path = await changed("sharded", {});
    const content = JSON.parse(await readFile(join(path, index), "utf8")) as { weight_map: Record<string, string> };
    content.weight_map[`${first}.down_proj_scales`] = "model-00003-of-00003.safetensors";
    await writeFile(join(path, index), JSON.stringify(content));
    expect(await refused(path)).toMatchInlineSnapshot(`
CHECKPOINT_INVALID
DIR/model.safetensors.index.json: it says that model.layers.0.mlp.experts.down_proj_scales is in model-00003-of-00003.safetensors, but model-00001-of-00003.safetensors holds it.
`);
  });
});

describe("configurations", () => {
  const without = (layout: Layout, ...keys: string[]) =>
    changed(layout, {
      config: (config) => {
        for (const key of keys) delete config[key];
      },
    });
  const withValues = (layout: Layout, values: Config) =>
    changed(layout, { config: (config) => void Object.assign(config, values) });

  test("keys of Hugging Face's set are missing: each alone is named", async () => {
    const keys = [
      ...["hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads"],
      ...["head_dim", "vocab_size", "sliding_window", "swiglu_limit", "num_local_experts", "rms_norm_eps"],
      ...["max_position_embeddings", "layer_types", "rope_parameters"],
    ];
    for (const key of keys) {
      const wanted = key === "rope_parameters" ? "rope_theta" : key;
      expect(await refused(await without("mxfp4", key))).toContain(`  ${wanted}: found nothing`);
    }
    const both = await without("mxfp4", "num_experts_per_tok", "experts_per_token");
    expect(await refused(both)).toMatchInlineSnapshot(`
CONFIG
config.json does not describe a model
  num_experts_per_tok: found nothing; one whole number is wanted
`);
    expect(await refused(await without("mxfp4", "head_dim", "swiglu_limit", "layer_types"))).toMatchInlineSnapshot(`
CONFIG
config.json does not describe a model
  head_dim: found nothing; wanted a whole number from 1 to 16777216
  swiglu_limit: found nothing; wanted a positive number
  layer_types: found nothing; wanted array
`);
  });

  test("keys of OpenAI's set are missing: each alone is named", async () => {
    const keys = [
      ...["hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads"],
      ...["head_dim", "vocab_size", "sliding_window", "initial_context_length", "rope_theta", "swiglu_limit"],
      ...["num_experts", "experts_per_token", "rope_scaling_factor", "rope_ntk_alpha", "rope_ntk_beta"],
    ];
    for (const key of keys) {
      expect(await refused(await without("original", key))).toContain(`  ${key}: found nothing`);
    }
  });

  test("YaRN's keys are missing, or the rope is of another kind", async () => {
    const rope = { rope_type: "yarn", factor: 1, beta_fast: 32, beta_slow: 1, truncate: false, rope_theta: 1e4 };
    const path = await withValues("mxfp4", { rope_parameters: rope });
    expect(await refused(path)).toMatchInlineSnapshot(`
CONFIG
config.json, rope_parameters or rope_scaling, does not describe a model
  original_max_position_embeddings: found nothing; wanted a whole number from 1 to 1073741824
`);
    const other = { ...rope, rope_type: "linear", original_max_position_embeddings: 512 };
    expect(await refused(await withValues("mxfp4", { rope_parameters: other }))).toMatchInlineSnapshot(`
CONFIG
config.json, rope_parameters or rope_scaling, does not describe a model
  rope_type: found "linear"; wanted "yarn", as every GPT-OSS has
`);
  });

  test("more experts are to be chosen than there are", async () => {
    const path = await withValues("mxfp4", { num_experts_per_tok: 5, experts_per_token: 5 });
    expect(await refused(path)).toMatchInlineSnapshot(`
CONFIG
the configuration does not describe a model
  5 of 4 experts are to be chosen
`);
  });

  test("a head has an odd size, heads do not divide, layer types are too few", async () => {
    const path = await withValues("mxfp4", {
      head_dim: 63,
      num_key_value_heads: 3,
      num_attention_heads: 4,
      layer_types: ["full_attention"],
    });
    expect(await refused(path)).toMatchInlineSnapshot(`
CONFIG
the configuration does not describe a model
  4 heads are no multiple of 3 key/value heads
  a head has 63 dimensions, and they turn in pairs
  layer_types names 1 layers of 3
`);
  });

  test("the two spellings of how many experts are chosen disagree", async () => {
    expect(await refused(await withValues("mxfp4", { num_experts_per_tok: 2 }))).toMatchInlineSnapshot(`
CONFIG
config.json does not describe a model
  num_experts_per_tok: found 2, and 1 as experts_per_token; one whole number is wanted
`);
  });

  test("a width is no multiple of 32, and experts are MXFP4", async () => {
    expect(await refused(await withValues("mxfp4", { intermediate_size: 40 }))).toMatchInlineSnapshot(`
CHECKPOINT_MISMATCH
the checkpoint does not fit the model
  do not fit (12)
    model.layers.0.mlp.experts.gate_up_proj_blocks: found [4, 128, 1, 16], wanted [expert 4, mlp 40, part 2, embedBlock 1, byte 16]
    model.layers.0.mlp.experts.gate_up_proj_scales: found [4, 128, 1], wanted [expert 4, mlp 40, part 2, embedBlock 1]
    model.layers.0.mlp.experts.gate_up_proj_bias: found [4, 128], wanted [expert 4, mlp 40, part 2]
    model.layers.0.mlp.experts.down_proj_blocks: MXFP4 packs 32 elements a block, and axis 'mlp' has 40
    model.layers.1.mlp.experts.gate_up_proj_blocks: found [4, 128, 1, 16], wanted [expert 4, mlp 40, part 2, embedBlock 1, byte 16]
    model.layers.1.mlp.experts.gate_up_proj_scales: found [4, 128, 1], wanted [expert 4, mlp 40, part 2, embedBlock 1]
    model.layers.1.mlp.experts.gate_up_proj_bias: found [4, 128], wanted [expert 4, mlp 40, part 2]
    model.layers.1.mlp.experts.down_proj_blocks: MXFP4 packs 32 elements a block, and axis 'mlp' has 40
    model.layers.2.mlp.experts.gate_up_proj_blocks: found [4, 128, 1, 16], wanted [expert 4, mlp 40, part 2, embedBlock 1, byte 16]
    model.layers.2.mlp.experts.gate_up_proj_scales: found [4, 128, 1], wanted [expert 4, mlp 40, part 2, embedBlock 1]
    and 2 more
`);
    expect(await refused(await withValues("original", { hidden_size: 48 }))).toMatchInlineSnapshot(`
CHECKPOINT_MISMATCH
the checkpoint does not fit the model
  do not fit (39)
    embedding.weight: found [270, 32], wanted [vocab 270, embed 48]
    block.0.attn.norm.scale: found [32], wanted [embed 48]
    block.0.attn.qkv.weight: found [384, 32], wanted [kvHead 2, group 1, dim 64, embed 48] in rows 0 to 127
    block.0.attn.qkv.weight: found [384, 32], wanted [kvHead 2, dim 64, embed 48] in rows 128 to 255
    block.0.attn.qkv.weight: found [384, 32], wanted [kvHead 2, dim 64, embed 48] in rows 256 to 383
    block.0.attn.out.weight: found [32, 128], wanted [embed 48, kvHead 2, group 1, dim 64]
    block.0.attn.out.bias: found [32], wanted [embed 48]
    block.0.mlp.norm.scale: found [32], wanted [embed 48]
    block.0.mlp.gate.weight: found [4, 32], wanted [expert 4, embed 48]
    block.0.mlp.mlp1_weight.blocks: MXFP4 packs 32 elements a block, and axis 'embed' has 48
    and 29 more
`);
  });
});
