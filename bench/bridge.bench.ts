/**
 * What the way through Node costs: one step per call, against the same executable driven inside the worker's process.
 *
 * The worker is in_process.py, which serves like any other and can run a session's call by itself: both sides use one
 * executable, one copy of the weights and the same cache, in turn, so that a slow minute of the machine is slow for both.
 */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DeviceBuffer, type Session, type SessionCall, Worker } from "../runtime-bridge/index.ts";
import { PythonHelper } from "./peers/python-helper.ts";
import { watchNoise } from "./support/noise.ts";
import { readOptions } from "./support/options.ts";
import { compileEmpty, defaultModel, loadForBench, type WiredStep } from "./support/step.ts";
import { median, printTable, range, ratios } from "./support/table.ts";

export const description = "one step per call through Node, against the same executable driven in process";

export async function bench(given: readonly string[]): Promise<void> {
  const options = readOptions(given, { model: defaultModel, compute: "f32", capacity: 512, rounds: 12, steps: 12 });
  const inside = await InProcess.start();
  const worker = await Worker.connect(inside.address, { token: inside.token });
  try {
    const { programs, compile } = await loadForBench(worker, options.model, options.compute);
    const noise = watchNoise(() => [inside.processId]);
    const rows: string[][] = [];
    const name = options.model.split("/").at(-1);
    const real = await compile({ pos: 1, capacity: options.capacity });
    rows.push(...(await compare(`${name}, ${options.compute}`, real, worker, inside, options)));
    const empty = await compileEmpty(worker, programs.config.vocab);
    rows.push(...(await compare("empty step", empty, worker, inside, { ...options, steps: 10 * options.steps })));
    console.log(`\none step per call, ${options.rounds} rounds of ${options.steps} steps (empty: ten times as many)\n`);
    printTable(["program", "results", "way", "ms a step", "in process", "ratio", "overhead ms"], rows);
    console.log(`\n${noise.report()}`);
  } finally {
    await worker.close();
    await inside.close();
  }
}

// Implementation

interface Amount {
  readonly rounds: number;
  readonly steps: number;
}

/** Times each way of calling in turn with the way that has no bridge. */
async function compare(
  program: string,
  step: WiredStep,
  worker: Worker,
  inside: InProcess,
  { rounds, steps }: Amount,
): Promise<string[][]> {
  const { session, call } = await step.open();
  let held: readonly DeviceBuffer[] = await step.empty();
  const viaExecute = async (fetch: readonly number[]) => {
    const { results } = await worker.execute(step.executable, step.arguments(step.inputs(1), held), { fetch });
    held = step.state(results);
  };
  const ways = [
    ["candidates", "session", step.candidates, (fetch: readonly number[]) => viaSession(session, call, step, fetch)],
    ["full logits", "session", step.logits, (fetch: readonly number[]) => viaSession(session, call, step, fetch)],
    ["candidates", "Execute", step.candidates, viaExecute],
    ["full logits", "Execute", step.logits, viaExecute],
  ] as const;
  const rows: string[][] = [];
  for (const [results, way, fetch, once] of ways) {
    const [through, direct]: [number[], number[]] = [[], []];
    for (let round = -1; round < rounds; round++) {
      const times: number[] = [];
      for (let n = 0; n < steps; n++) {
        const started = performance.now();
        await once(fetch);
        times.push(performance.now() - started);
      }
      const alone = await inside.steps(call.number, steps, fetch);
      if (round < 0) continue; // warms both up
      through.push(median(times));
      direct.push(median(alone));
    }
    const overheads = through.map((ms, n) => ms - direct[n]!);
    rows.push([
      program,
      results,
      way,
      range(through, 2),
      range(direct, 2),
      range(ratios(through, direct), 3),
      range(overheads, 2),
    ]);
  }
  await worker.release(held);
  await session.close();
  return rows;
}

async function viaSession(
  session: Session,
  call: SessionCall,
  step: WiredStep,
  fetch: readonly number[],
): Promise<void> {
  await session.step(call, step.inputs(1), { fetch });
}

/** The worker that can be driven from inside. */
class InProcess {
  static async start(): Promise<InProcess> {
    const folder = await mkdtemp(join(tmpdir(), "tsxla-bench-"));
    const token = randomBytes(16).toString("hex");
    await writeFile(join(folder, "token"), token, { mode: 0o600 });
    const helper = await PythonHelper.start("in_process.py", join(folder, "s"), "/", join(folder, "token"));
    return new InProcess(folder, token, helper);
  }

  readonly address: string;
  readonly token: string;
  readonly #folder: string;
  readonly #helper: PythonHelper;

  private constructor(folder: string, token: string, helper: PythonHelper) {
    this.address = `unix:${join(folder, "s")}`;
    this.token = token;
    this.#folder = folder;
    this.#helper = helper;
  }

  get processId(): number {
    return this.#helper.processId;
  }

  /** Milliseconds of each step. */
  async steps(call: number, steps: number, fetch: readonly number[]): Promise<number[]> {
    return ((await this.#helper.ask({ call, steps, fetch })) as number[]).map((seconds) => seconds * 1000);
  }

  async close(): Promise<void> {
    await this.#helper[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
