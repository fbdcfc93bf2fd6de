import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { refusalOf } from "../../tests/support/refusal.ts";
import { testWorker } from "../../tests/support/worker.ts";
import { compile, stepRequest } from "./compile.ts";

let folder: string;
let config: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tsxla-compile-"));
  config = join(folder, "config.json");
  const sizes = {
    model_type: "llama",
    hidden_size: 16,
    intermediate_size: 24,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    vocab_size: 50,
    max_position_embeddings: 64,
    rms_norm_eps: 1e-5,
    rope_theta: 10_000,
    tie_word_embeddings: true,
    hidden_act: "silu",
  };
  await writeFile(config, JSON.stringify(sizes));
});
afterAll(() => rm(folder, { recursive: true }));

describe("compile", () => {
  test("makes a step of a configuration alone, with the command line's words", async () => {
    const made = await compile(config, {
      worker: await testWorker(),
      phase: "prefill",
      length: 8,
      context: 32,
      computeDtype: "bf16",
    });
    expect(made.request).toEqual({ phase: "prefill", batch: 1, tokens: 8, positions: 32 });
    expect(made.program.text).toMatch(/module @prefill .*%arg0: tensor<1x8xi32>/s);
    expect(made.model.storageOf(made.model.architecture.weights(made.model.config) as never)).toBe("bf16");
    expect(made.executable.arguments).toHaveLength(made.program.signature.arguments.length);
    expect(made.executable.optimizedHlo).toMatch(/^HloModule/);
  });

  test("refuses sizes that are not whole numbers from 1, by name", () => {
    expect(refusalOf(() => stepRequest({ batch: 0 }))).toMatchInlineSnapshot(`
InputError OPTION_VALUE
batch is 0, and it is a whole number from 1
`);
    expect(refusalOf(() => stepRequest({ length: 1.5 }))).toMatchInlineSnapshot(`
InputError OPTION_VALUE
length is 1.5, and it is a whole number from 1
`);
  });

  test("names what is wrong with a file", async () => {
    await expect(compile(join(folder, "none.json"), { worker: await testWorker() })).rejects.toThrow(
      /none.json cannot be read as JSON: ENOENT/,
    );
  });
});
