/**
 * Two processes of two devices each run one model together, and are lost: `npm run jest -- tests/hosts/groups.test.ts`.
 *
 * Starting a group takes most of the time; so each case ends the group that the one before it started anew.
 */
import { execFile } from "node:child_process";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { parseTarget } from "../../compiler/index.ts";
import { loadModel, type Model, Worker } from "../../inference/index.ts";
import { type LoadProgress, WorkerLost } from "../../runtime-bridge/index.ts";
import { projectPython } from "../../runtime-bridge/launch/environment-paths.ts";
import { root, temporaryFolder } from "../support/cli.ts";
import { testTable } from "../support/exhaustive.ts";
import { testWorker } from "../support/worker.ts";

const target = parseTarget("cpu:4", { mesh: "expert=2,model=2" });
const prompt = { tokens: [5, 7, 11, 13] };
const count = 8;

let checkpoint: string;
let wanted: readonly number[];
let worker: Worker;

beforeAll(async () => {
  checkpoint = join(await temporaryFolder(), "tiny");
  await promisify(execFile)(projectPython, [join(root, "tests/parity/random_gpt_oss.py"), "plain-rope", checkpoint]);
  await using alone = await loadModel(checkpoint, { worker: await testWorker() });
  wanted = await greedy(alone);
  worker = await Worker.launch({ hosts: 2, devices: 2 });
}, 60_000);
afterAll(() => worker?.close());

async function greedy(model: Model, stepsPerCall = 1): Promise<readonly number[]> {
  const tokens: number[] = [];
  const options = { maxTokens: count, temperature: 0, stepsPerCall };
  for await (const { token } of model.generate(prompt, options)) tokens.push(token);
  return tokens;
}

test("a group saves and loads no executables, and says so", async () => {
  const why = /executables are saved and loaded by a worker on its own, and this is a group of 2 hosts/;
  await expect(worker.loadExecutable(new Uint8Array(0))).rejects.toThrow(why);
  await expect(worker.saveExecutable({ id: "x-none" })).rejects.toThrow(why);
});

test("a group gives one process's tokens, and each host reads the bytes of its own devices", async () => {
  let progress: LoadProgress | undefined;
  const onLoad = (now: LoadProgress) => {
    progress = now;
  };
  await using model = await loadModel(checkpoint, { worker, target, onLoad });
  expect(await greedy(model)).toEqual(wanted);
  // What a step leaves on every host feeds the next.
  expect(await greedy(model, 8)).toEqual(wanted);
  expect((await worker.info()).devices).toHaveLength(4);

  const { size } = await stat(join(checkpoint, "model.safetensors"));
  const { hosts, bytesDone, bytesStored } = progress as LoadProgress;
  // The rest is the file's header.
  expect(bytesStored).toBeGreaterThan(0.9 * size);
  expect(bytesDone).toBeGreaterThanOrEqual(bytesStored);
  expect(bytesDone).toBeLessThan(2 * size);
  expect(hosts.map(({ address }) => address)).toEqual(worker.hosts.map(({ address }) => address));
  const name = "model.layers.0.mlp.experts.gate_up_proj_blocks";
  const [first, second] = hosts.map(({ parts }) => parts.find(({ tensor }) => tensor === name));
  expect(first?.start[0]).toBe(0);
  expect(first?.stop[0]).toBe(2);
  expect(second?.start[0]).toBe(2);
  expect(second?.stop[0]).toBe(4);
  expect(first?.stop.slice(1)).toEqual(second?.stop.slice(1));
  for (const { parts, bytesTotal, bytesDone } of hosts) {
    expect(parts.reduce((all, { bytes }) => all + bytes, 0)).toBe(bytesTotal);
    expect(bytesDone).toBe(bytesTotal);
  }
}, 60_000);

testTable(
  "%s of host %i while tokens are made is one error that names it, and a new group works",
  [
    ["SIGKILL", 1, /^host 1 of the group of 2, the worker at unix:\S+ was lost: its process \d+ ended by SIGKILL\n/],
    [
      "SIGSTOP",
      0,
      /^host 0 of the group of 2, the worker at unix:\S+ was lost: it has given no sign of life for \d+ s\n/,
    ],
    ["SIGKILL", 0, /^host 0 of the group of 2, the worker at unix:\S+ was lost: its process \d+ ended by SIGKILL\n/],
  ],
  ([signal, victim]) => signal === "SIGKILL" && victim === 1,
  async (signal, victim, text) => {
    const model = await loadModel(checkpoint, { worker, target });
    let seen = 0;
    const work = (async () => {
      for await (const _ of model.generate(prompt, { maxTokens: 200, temperature: 0 })) {
        seen += 1;
        if (seen === 3) process.kill(worker.hosts[victim]?.processId as number, signal);
      }
    })();
    const error = await work.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(WorkerLost);
    expect((error as Error).message).toMatch(text);
    expect((error as Error).message).toContain("\n  the group is lost with it; close it and start it again\n");
    expect(error).toMatchObject({ code: "WORKER_LOST", exitCode: 1, fields: { host: { index: victim, count: 2 } } });
    expect(seen).toBeLessThan(200);
    // And every later call at once.
    await expect(worker.info()).rejects.toBe(error);
    await model[Symbol.asyncDispose]();
    await worker.close();

    worker = await Worker.launch({ hosts: 2, devices: 2 });
    await using again = await loadModel(checkpoint, { worker, target });
    expect(await greedy(again)).toEqual(wanted);
  },
  90_000,
);
