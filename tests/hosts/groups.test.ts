/**
 * Two processes of two devices each run one model together: `npm run jest -- tests/hosts/groups.test.ts`.
 */
import { execFile } from "node:child_process";
import { cp, open, stat } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { parseTarget } from "../../compiler/index.ts";
import { loadModel, type Model, Worker } from "../../inference/index.ts";
import { hostTensor, type LoadProgress, toNumbers, WorkerLost } from "../../runtime-bridge/index.ts";
import { projectPython } from "../../runtime-bridge/places.ts";
import { root, temporaryFolder } from "../support/cli.ts";
import { testWorker } from "../support/worker.ts";

const target = parseTarget("cpu:4", { mesh: "expert=2,model=2" });
const prompt = { tokens: [5, 7, 11, 13] };

let folder: string;
let checkpoint: string;
const workers: Worker[] = [];

beforeAll(async () => {
  folder = await temporaryFolder();
  checkpoint = join(folder, "released");
  await promisify(execFile)(projectPython, [join(root, "tests/parity/random_gpt_oss.py"), "released", checkpoint]);
});
afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.close()));
});

async function startGroup(): Promise<Worker> {
  const worker = await Worker.launch({ hosts: 2, devices: 2 });
  workers.push(worker);
  return worker;
}

async function greedy(model: Model, maxTokens = 8): Promise<readonly number[]> {
  const tokens: number[] = [];
  for await (const { token } of model.generate(prompt, { maxTokens, temperature: 0 })) tokens.push(token);
  return tokens;
}

test("gives one process's tokens, and each host reads the bytes of its own devices", async () => {
  await using alone = await loadModel(checkpoint, { worker: await testWorker() });
  const wanted = await greedy(alone);

  const worker = await startGroup();
  let progress: LoadProgress | undefined;
  const onLoad = (now: LoadProgress) => {
    progress = now;
  };
  await using model = await loadModel(checkpoint, { worker, target, onLoad });
  expect(await greedy(model)).toEqual(wanted);

  const { size } = await stat(join(checkpoint, "model.safetensors"));
  const { hosts, bytesDone, bytesStored } = progress as LoadProgress;
  expect(bytesStored).toBeGreaterThan(0.9 * size);
  expect(bytesDone).toBeLessThan(1.5 * bytesStored);
  expect(bytesDone).toBeGreaterThanOrEqual(bytesStored);
  expect(hosts.map(({ address }) => address)).toEqual(worker.hosts.map(({ address }) => address));
  const experts = hosts.map(({ parts }) =>
    parts.find(({ tensor }) => tensor.endsWith("layers.0.mlp.experts.gate_up_proj_blocks")),
  );
  expect(experts).toMatchObject([
    { start: [0, 0, 0, 0], stop: [16, 192, 3, 16] },
    { start: [16, 0, 0, 0], stop: [32, 192, 3, 16] },
  ]);
  for (const { parts, bytesTotal } of hosts) {
    expect(parts.reduce((all, { bytes }) => all + bytes, 0)).toBe(bytesTotal);
  }
});

describe("a host that is lost while tokens are made", () => {
  test.each([
    ["SIGKILL", 0, /^host 0 of the group of 2, the worker at unix:\S+ was lost: its process \d+ ended by SIGKILL/],
    ["SIGKILL", 1, /^host 1 of the group of 2, the worker at unix:\S+ was lost: its process \d+ ended by SIGKILL/],
    [
      "SIGSTOP",
      1,
      /^host 1 of the group of 2, the worker at unix:\S+ was lost: it has given no sign of life for \d+ s/,
    ],
  ] as const)("by %s of host %i is one error that names it, and a new group works", async (signal, victim, text) => {
    const worker = await startGroup();
    const model = await loadModel(checkpoint, { worker, target });
    let count = 0;
    const work = (async () => {
      for await (const _ of model.generate(prompt, { maxTokens: 2000, temperature: 0, stop: [] })) {
        count += 1;
        if (count === 3) process.kill(worker.hosts[victim]?.processId as number, signal);
      }
    })();
    const error = await work.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(WorkerLost);
    expect((error as Error).message).toMatch(text);
    expect((error as Error).message).toContain("the group is lost with it; close it and start it again");
    expect(error).toMatchObject({ code: "WORKER_LOST", exitCode: 1, fields: { host: { index: victim, count: 2 } } });
    // And every later call at once.
    await expect(worker.info()).rejects.toBe(error);
    await model[Symbol.asyncDispose]();
    await worker.close();

    const next = await startGroup();
    await using again = await loadModel(checkpoint, { worker: next, target });
    expect(await greedy(again, 3)).toHaveLength(3);
  });
});
