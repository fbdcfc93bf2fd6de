/**
 * The last logits of a long prompt, prefilled in chunks, against numpy (tests/parity/gpt_oss_long.py).
 *
 * 16,384 tokens in every run; all 131,072 of the released context, which take minutes, with TSXLA_LONG_CONTEXT=1:
 * work in the full layer grows with the square.
 */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "@jest/globals";
import { cpu } from "../../compiler/index.ts";
import { lowerRequested } from "../../inference/programs/compile-step.ts";
import { openModel } from "../../inference/programs/model-files.ts";
import { cacheBytes } from "../../inference/programs/step-program.ts";
import { loadWeights, planWeights } from "../../inference/programs/weights.ts";
import { type GptOssConfig, gptOss } from "../../models/index.ts";
import { type DeviceBuffer, type HostTensor, hostTensor, toFloat32Array } from "../../runtime-bridge/index.ts";
import { projectPython } from "../../runtime-bridge/launch/environment-paths.ts";
import { fixtures } from "../parity/digest.ts";
import { root, temporaryFolder } from "../support/cli.ts";
import { testWorker } from "../support/worker.ts";

interface Case {
  readonly tokens: number;
  readonly deviation: number;
  readonly logits: readonly number[];
}

const { cases } = JSON.parse(readFileSync(join(fixtures, "gpt-oss-long.json"), "utf8")) as {
  readonly cases: readonly Case[];
};
const isWhole = process.env.TSXLA_LONG_CONTEXT !== undefined;
const chunk = 512;

test.each(cases.filter(({ tokens }) => isWhole || tokens < 20_000))(
  "$tokens tokens in chunks end in the logits that numpy has",
  async ({ tokens: count, deviation, logits: wanted }) => {
    const folder = await temporaryFolder();
    await promisify(execFile)(projectPython, [join(root, "tests/parity/gpt_oss_long.py"), folder]);
    const bytes = await readFile(join(folder, "tokens.i32"));
    const tokens = new Int32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));

    const worker = await testWorker();
    const files = await openModel(worker, folder);
    const plan = planWeights(files, cpu());
    const weights = await loadWeights(worker, files, plan);
    const model = { ...files, storageOf: plan.storageOf };
    const request = { phase: "prefill", batch: 1, tokens: chunk, positions: count } as const;
    const { program } = lowerRequested(model, cpu(), request);
    const executable = await worker.compile(program);
    const { arguments: wants, results: gives } = program.signature;
    const frequencies = gptOss.frequencies(files.config as GptOssConfig, count);

    // The ring of the layer with a window does not grow with the context; the other layer's cache is all of it.
    const held = wants.filter(({ name }) => name.startsWith("caches.")).map(({ shape }) => product(shape) * 4);
    expect(held).toEqual([...Array(2).fill((128 + chunk) * 32 * 4), ...Array(2).fill(count * 32 * 4)]);
    expect(cacheBytes(gptOss, files.config as GptOssConfig, { batch: 1, capacity: count }, cpu())).toBe(
      held.reduce((all, each) => all + each),
    );

    let state = new Map<string, HostTensor | DeviceBuffer>(
      wants.flatMap(({ name, shape }) =>
        name.startsWith("caches.") ? [[name, hostTensor("f32", shape, new Float32Array(product(shape)))]] : [],
      ),
    );
    let found = new Float32Array();
    for (let start = 0; start < count; start += chunk) {
      const isLast = start + chunk === count;
      const given = new Map<string, HostTensor | DeviceBuffer>([
        ...[...weights].map(([name, buffer]) => [`weights.${name}`, buffer] as const),
        ...state,
        ["tokens", hostTensor("i32", [1, chunk], tokens.slice(start, start + chunk))],
        ["start", hostTensor("i32", [1], Int32Array.of(start))],
        ["length", hostTensor("i32", [1], Int32Array.of(chunk))],
        ["frequencies", hostTensor("f32", [1, frequencies.length], frequencies)],
      ]);
      const logits = gives.findIndex(({ name }) => name === "logits");
      const args = wants.map(({ name }) => given.get(name) as HostTensor | DeviceBuffer);
      const { results } = await worker.execute(executable, args, { fetch: isLast ? [logits] : [] });
      const buffers = gives.map(({ name }, n) => [name, results[n] as HostTensor | DeviceBuffer] as const);
      if (isLast) found = toFloat32Array(results[logits] as HostTensor) as typeof found;
      const [kept, done] = [buffers.filter(isCache), buffers.filter((each) => !isCache(each) && "release" in each[1])];
      await worker.release(done.map(([, buffer]) => buffer as DeviceBuffer));
      state = new Map(kept);
    }
    await worker.release([...weights.values(), ...state.values()] as DeviceBuffer[]);
    const largest = Math.max(...wanted.map((each, n) => Math.abs(each - (found[n] as number))));
    expect(found).toHaveLength(wanted.length);
    expect(largest / deviation).toBeLessThan(1e-4);
  },
  isWhole ? 1_200_000 : 60_000,
);

const isCache = ([name]: readonly [string, unknown]) => name.startsWith("caches.");

function product(shape: readonly number[]): number {
  return shape.reduce((all, size) => all * size, 1);
}
