/**
 * scripts/verify-real as people run it: on SmolLM2's real weights, and on a small GPT-OSS whose weights are random.
 *
 * Half a minute: `npm run jest -- tests/verify-real/command.test.ts`.
 */
import { execFile, spawn } from "node:child_process";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, test } from "@jest/globals";
import { projectPython } from "../../runtime-bridge/launch/environment-paths.ts";
import { root, temporaryFolder } from "../support/cli.ts";
import { exhaustive } from "../support/exhaustive.ts";
import { onTestWorker } from "../support/worker.ts";

const run = promisify(execFile);
let folder: string;
let model: string;

/** A GPT-OSS of a few thousand weights, in the layout of the released one. */
const tiny = {
  architectures: ["GptOssForCausalLM"],
  model_type: "gpt_oss",
  num_hidden_layers: 2,
  num_local_experts: 4,
  num_experts_per_tok: 2,
  experts_per_token: 2,
  hidden_size: 128,
  intermediate_size: 64,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 32,
  vocab_size: 512,
  max_position_embeddings: 256,
  initial_context_length: 64,
  sliding_window: 16,
  layer_types: ["sliding_attention", "full_attention"],
  swiglu_limit: 7.0,
  rms_norm_eps: 1e-5,
  rope_theta: 150_000,
  attention_bias: true,
  attention_dropout: 0,
  hidden_act: "silu",
  initializer_range: 0.02,
  tie_word_embeddings: false,
  bos_token_id: 1,
  eos_token_id: 2,
  pad_token_id: 0,
  torch_dtype: "bfloat16",
  rope_scaling: {
    rope_type: "yarn",
    factor: 4.0,
    beta_fast: 32.0,
    beta_slow: 1.0,
    truncate: false,
    original_max_position_embeddings: 64,
  },
  quantization_config: { quant_method: "mxfp4", modules_to_not_convert: [] },
};

beforeAll(async () => {
  folder = await temporaryFolder();
  model = join(folder, "tiny");
  await writeFile(join(folder, "config.json"), JSON.stringify(tiny));
  const script = join(root, "scripts/synthetic_checkpoint");
  await run(projectPython, [script, "--config", join(folder, "config.json"), "--out", model]);
}, 120_000);

/** Runs to the end, whatever that is. */
async function verify(...words: readonly string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const all = [join(root, "scripts/verify-real.mjs"), ...words, ...(await onTestWorker())];
  const child = spawn(process.execPath, all, { stdio: ["ignore", "pipe", "pipe"] });
  const said = { stdout: "", stderr: "" };
  child.stdout.on("data", (text) => (said.stdout += text));
  child.stderr.on("data", (text) => (said.stderr += text));
  const code = await new Promise<number | null>((ended) => child.on("close", ended));
  return { code, ...said };
}

test("SmolLM2's real weights are what was published, and go on as transformers does", async () => {
  const { code, stdout } = await verify("smollm2");
  expect(stdout).not.toContain("DIFFERS");
  expect(stdout.match(/^ {2}holds /gm)).toHaveLength(8 + 5);
  expect(stdout).toContain("answers, beside those of transformers 5.");
  expect(code).toBe(0);
}, 180_000);

describe("a GPT-OSS", () => {
  test(exhaustive("has its scales counted as numpy counts them, and nothing to compare its answers with"), async () => {
    const { code, stdout } = await verify(model, "--json", "--context", "128");
    const { holds, scales } = JSON.parse(stdout) as {
      holds: boolean;
      scales: {
        verdict: string;
        matrices: { path: string; spread: { histogram: Record<string, number>; largestSpan: number } }[];
      };
    };
    const script = `
import json, sys
from pathlib import Path
import numpy as np
from safetensors import safe_open
found = {}
for file in sorted(Path(sys.argv[1]).glob("*.safetensors")):
    tensors = safe_open(file, "numpy")
    for name in tensors.keys():
        if not name.endswith("_scales"): continue
        scales, full = tensors.get_tensor(name), (tensors.get_tensor(name.replace("_scales", "_blocks")) & 0x77).any(-1)
        exponents = scales.astype(int) - 127
        rows, kept = exponents.reshape(-1, exponents.shape[-1]), full.reshape(-1, full.shape[-1])
        spans = [int(row[keep].max() - row[keep].min()) if keep.any() else 0 for row, keep in zip(rows, kept)]
        values, counts = np.unique(exponents[full], return_counts=True)
        found[name] = [dict(zip(map(str, values.tolist()), counts.tolist())), max(spans)]
print(json.dumps(found))
`;
    const wanted = JSON.parse((await run(projectPython, ["-c", script, model])).stdout) as Record<
      string,
      [Record<string, number>, number]
    >;
    expect(Object.keys(wanted)).toHaveLength(4);
    const ours = scales.matrices.map(({ path, spread }) => [path, spread.histogram, spread.largestSpan]);
    expect(ours.map(([, histogram, span]) => [histogram, span]).toSorted(byText)).toEqual(
      Object.values(wanted).toSorted(byText),
    );
    expect(scales.verdict).toMatch(/^exact as f8E5M2 with one power of two for each of 2048 output channels/);
    expect({ code, holds }).toEqual({ code: 1, holds: false });
  }, 120_000);

  test(exhaustive("has the same scales as a GGUF with the same numbers"), async () => {
    const gguf = join(folder, "gguf");
    const script = join(root, "scripts/synthetic_checkpoint");
    await run(projectPython, [script, "--config", join(folder, "config.json"), "--out", gguf, "--gguf"]);
    const name = (await readdir(gguf)).find((each) => each.endsWith(".gguf"))!;
    const spreads = async (path: string) => {
      const { stdout } = await verify(path, "--json", "--skip-answers");
      return (JSON.parse(stdout) as { scales: { matrices: unknown[] } }).scales.matrices;
    };
    const [theirs, ours] = [await spreads(join(gguf, name)), await spreads(model)];
    expect(ours).toHaveLength(4);
    expect(theirs).toEqual(ours);
  }, 120_000);

  test(exhaustive("is held to a server's answers, once these are recorded"), async () => {
    const server = createServer((request, response) => {
      let body = "";
      request.on("data", (text) => (body += text));
      request.on("end", () => {
        if (request.url === "/v1/models") return response.end(JSON.stringify({ data: [{ id: "some-model" }] }));
        const { prompt, temperature } = JSON.parse(body) as { prompt: string; temperature: number };
        expect(temperature).toBe(0);
        return response.end(JSON.stringify({ choices: [{ text: `so much for ${prompt}` }] }));
      });
    });
    await new Promise<void>((up) => server.listen(0, "127.0.0.1", up));
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const file = join(folder, "expectations.json");
    try {
      const words = [
        model,
        "--record",
        address,
        "--expectations",
        file,
        "--skip-scales",
        "--context",
        "128",
        "--max-tokens",
        "4",
      ];
      const { code, stdout } = await verify(...words);
      expect(code).toBe(1);
      expect(stdout.match(/DIFFERS {2}"/g)).toHaveLength(5);
      expect(stdout).toContain("(how close it was is not known)");
    } finally {
      server.close();
    }
    // What the model itself says, put in the other's place, holds.
    const recorded = JSON.parse(await readFile(file, "utf8")) as { answers: { prompt: string; text: string }[] };
    expect(recorded).toMatchObject({ recordedBy: "some-model at a server with OpenAI's API", maxTokens: 4, tie: 0.5 });
    const first = await verify(model, "--json", "--expectations", file, "--skip-scales", "--context", "128");
    const { answers } = JSON.parse(first.stdout) as { answers: { text: string }[] };
    recorded.answers.forEach((each, n) => {
      each.text = answers[n]!.text;
    });
    await writeFile(file, JSON.stringify(recorded));
    expect((await verify(model, "--expectations", file, "--skip-scales", "--context", "128")).code).toBe(0);
  }, 180_000);

  const byText = (a: unknown, b: unknown) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);
});

test.each<[string, readonly string[], string]>([
  [
    "no engine",
    ["smollm2", "--record", "llama"],
    "'llama' records nothing; wanted transformers, or a server's address",
  ],
  ["no file to record into", ["/nowhere", "--record", "transformers"], "needs --expectations FILE to be recorded into"],
  ["no Python", ["smollm2", "--record", "transformers", "--python", "/nowhere"], "/nowhere cannot be started: "],
  ["no expectations", ["smollm2", "--expectations", join(root, "package.json")], "package.json holds no expectations"],
])("%s is told in a sentence", async (_, words, sentence) => {
  const { code, stderr } = await verify(...words);
  expect(stderr).toContain(sentence);
  expect(code).toBe(2);
});
