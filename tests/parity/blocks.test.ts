/** A whole model in GGML's blocks, beside the same model with the numbers that gguf-py makes of them. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, expect } from "@jest/globals";
import { loadModel } from "../../inference/index.ts";
import { projectPython } from "../../runtime-bridge/launch/environment-paths.ts";
import { root, temporaryFolder } from "../support/cli.ts";
import { testCases } from "../support/exhaustive.ts";
import { testWorker } from "../support/worker.ts";

let folder: string;

beforeAll(async () => {
  folder = await temporaryFolder();
});

async function logitsOf(name: string): Promise<Float32Array> {
  await using model = await loadModel(join(folder, `${name}.gguf`), { worker: await testWorker() });
  const chunks: number[] = [];
  for await (const rows of model.logits([1, 5, 9, 33, 2, 95])) chunks.push(...rows);
  return Float32Array.from(chunks);
}

testCases(
  "a Llama in %s has the very logits of its numbers in F32",
  ["Q4_K", "Q5_K", "Q6_K", "Q5_0", "Q5_1"],
  ["Q4_K", "Q5_0"],
  async (kind) => {
    await promisify(execFile)(projectPython, [join(root, "tests/parity/block_llama.py"), kind, folder]);
    const [packed, plain] = [await logitsOf(kind), await logitsOf(`${kind}-F32`)];
    expect(packed).toHaveLength(6 * 96);
    expect(packed.every(Number.isFinite)).toBe(true);
    expect(new Set(packed).size).toBeGreaterThan(500);
    expect(packed).toEqual(plain);
  },
);
