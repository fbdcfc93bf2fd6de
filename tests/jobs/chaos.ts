/**
 * Jobs whose workers and orchestrators are killed at random moments: `npm run chaos -- --rounds 20 [--seed S]`.
 *
 * A round runs a job on two workers and a group of two hosts, kills one process after the other with SIGKILL, starts what
 * nobody else would start again, and compares what came out with the same job undisturbed: every request once, and every
 * greedy answer the same, but for those with a near tie.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { randomNumbers, requestLines, writeTinyModel } from "./tiny-job.ts";

// Public API

/** What a round is made of. */
export interface Round {
  readonly seed: number;
  readonly prompts: number;
  readonly kills: number;
  /** Whether a group of two hosts takes part. */
  readonly group: boolean;
  readonly say?: (text: string) => void;
}

/** What came of it. */
export interface RoundResult {
  /** Kills that hit something, by what they hit. */
  readonly killed: readonly Victim[];
  /** Requests that were not compared, since another program may decide their near ties otherwise. */
  readonly nearTies: number;
  readonly seconds: number;
}

export type Victim = "worker's Python process" | "worker's Node process" | "host of the group" | "orchestrator";

/** Runs a round. @throws Error that says what was lost, twice there, or different */
export async function chaosRound({ seed, prompts, kills, group, say = () => {} }: Round): Promise<RoundResult> {
  const started = performance.now();
  const folder = await mkdtemp(join(tmpdir(), "tsxla-chaos-"));
  const random = randomNumbers(seed);
  const machines: Machine[] = [];
  try {
    const model = await writeTinyModel(join(folder, "tiny"));
    const input = join(folder, "input.jsonl");
    await writeFile(input, `${requestLines(prompts, { seed }).join("\n")}\n`);
    machines.push(await startWorker(folder), await startWorker(folder));
    const hosts = group ? await startGroup(folder) : [];
    machines.push(...hosts);
    const target = ["--target", "cpu:2", "--mesh", "model=2"];
    const job = (output: string, workers: readonly string[]) => [
      ...["jobs", "run", "--model", model, "--input", input, "--output", output, "--batch", "1", ...target],
      ...workers.flatMap((address) => ["--worker", address]),
    ];
    const [one, two] = machines as [Machine, Machine];
    const undisturbed = join(folder, "undisturbed.jsonl");
    const first = startJob(job(undisturbed, [one.address, two.address]));
    const end = await first.ended;
    if (end.code !== 0) throw new Error(`the undisturbed job ended with ${end.code}:\n${end.said}`);

    const output = join(folder, "output.jsonl");
    const workers = [one.address, two.address, ...(group ? [hosts.map(({ address }) => address).join(",")] : [])];
    const victims: readonly Victim[] = [
      "worker's Python process",
      "worker's Node process",
      "orchestrator",
      ...(group ? (["host of the group"] as const) : []),
    ];
    // After so many lines, and a little later.
    const moments = Array.from({ length: kills }, () => Math.floor(random() * prompts * 0.9)).sort((a, b) => a - b);
    const killed: Victim[] = [];
    let running = startJob(job(output, workers));
    for (const moment of moments) {
      while ((await countLines(output)) < moment && running.process.exitCode === null) await sleep(5);
      await sleep(random() * 40);
      const victim = victims[Math.floor(random() * victims.length)] as Victim;
      const which = Math.floor(random() * 2);
      if (running.process.exitCode !== null) break;
      say(`  after ${await countLines(output)} lines: ${victim} ${victim === "orchestrator" ? "" : which}`);
      if (victim === "orchestrator") {
        running.process.kill("SIGKILL");
        await running.ended;
        running = startJob(job(output, workers));
      } else if (victim === "host of the group") killPython(hosts[which] as Machine);
      else if (victim === "worker's Python process") killPython([one, two][which] as Machine);
      else await restart([one, two][which] as Machine);
      killed.push(victim);
    }
    const last = await running.ended;
    if (last.code !== 0) throw new Error(`the job ended with ${last.code}:\n${last.said}`);
    const nearTies = compare(await readOutput(undisturbed), await readOutput(output), prompts);
    return { killed, nearTies, seconds: (performance.now() - started) / 1000 };
  } catch (error) {
    throw new Error(`round with seed ${seed}: ${(error as Error).message}`, { cause: error });
  } finally {
    await Promise.all(machines.map(stopMachine));
    await rm(folder, { recursive: true, force: true });
  }
}

/** A `tsxla worker` that is started again when its Node process is killed. */
export interface Machine {
  readonly address: string;
  readonly words: readonly string[];
  process: ChildProcess;
}

/** Starts `tsxla worker` on a port that is free. It serves a while later. */
export async function startMachine(folder: string, more: readonly string[]): Promise<Machine> {
  const address = `127.0.0.1:${await freePort()}`;
  const words = ["worker", "--listen", address, "--root", folder, ...more];
  const child = startTsxla(words);
  drain(child);
  return { address, words, process: child };
}

export async function stopMachine({ process: child }: Machine): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), 5_000);
  await once(child, "close");
  clearTimeout(timer);
}

// Implementation

const root = fileURLToPath(new URL("../../", import.meta.url));

interface Job {
  readonly process: ChildProcess;
  readonly ended: Promise<{ readonly code: number | null; readonly said: string }>;
}

interface OutputLine {
  readonly custom_id: string;
  readonly response: {
    readonly body: { readonly choices: readonly object[]; readonly tsxla?: { readonly near_ties?: readonly object[] } };
  } | null;
}

function startTsxla(words: readonly string[]): ChildProcess {
  return spawn(process.execPath, [join(root, "bin/tsxla.mjs"), ...words], { stdio: ["ignore", "pipe", "pipe"] });
}

function startJob(words: readonly string[]): Job {
  const child = startTsxla(words);
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
  }
  return { process: child, ended: once(child, "close").then(([code]) => ({ code: code as number | null, said })) };
}

async function startWorker(folder: string): Promise<Machine> {
  return startMachine(folder, ["--devices", "2"]);
}

async function startGroup(folder: string): Promise<readonly Machine[]> {
  const coordinator = `127.0.0.1:${await freePort()}`;
  const words = ["--devices", "1", "--coordinator", coordinator, "--num-processes", "2"];
  return await Promise.all([0, 1].map((index) => startMachine(folder, [...words, "--process-id", String(index)])));
}

async function restart(machine: Machine): Promise<void> {
  machine.process.kill("SIGKILL");
  await once(machine.process, "close");
  machine.process = startTsxla(machine.words);
  drain(machine.process);
}

/** A pipe that nobody reads would stop whoever writes. */
function drain(child: ChildProcess): void {
  child.stdout?.resume();
  child.stderr?.resume();
}

/** Kills the process that a `tsxla worker` has started. */
export function killPython({ process: { pid } }: Machine): void {
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const fields = readFileSync(`/proc/${name}/stat`, "utf8")
        .replace(/^.*\) /s, "")
        .split(" ");
      if (Number(fields[1]) === pid) process.kill(Number(name), "SIGKILL");
    } catch {
      // It has ended.
    }
  }
}

async function countLines(path: string): Promise<number> {
  const bytes = await readFile(path).catch(() => Buffer.alloc(0));
  return bytes.reduce((all, byte) => all + (byte === 0x0a ? 1 : 0), 0);
}

async function readOutput(path: string): Promise<readonly OutputLine[]> {
  const text = await readFile(path, "utf8");
  if (!text.endsWith("\n")) throw new Error(`${path} does not end with a whole line`);
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as OutputLine);
}

/** @returns how many answers had near ties, and were not compared */
function compare(wanted: readonly OutputLine[], found: readonly OutputLine[], prompts: number): number {
  const byId = new Map(found.map((line) => [line.custom_id, line]));
  if (byId.size !== found.length) throw new Error(`${found.length - byId.size} requests were answered twice`);
  if (wanted.length !== prompts) throw new Error(`${wanted.length} of ${prompts} requests were done undisturbed`);
  const lost = wanted.filter(({ custom_id: id }) => !byId.has(id)).map(({ custom_id: id }) => id);
  if (lost.length > 0) throw new Error(`without an answer: ${lost.join(", ")}`);
  let nearTies = 0;
  for (const line of wanted) {
    const other = byId.get(line.custom_id) as OutputLine;
    const hasTies = [line, other].some(({ response }) => (response?.body.tsxla?.near_ties ?? []).length > 0);
    if (hasTies) nearTies += 1;
    else if (JSON.stringify(line.response?.body.choices) !== JSON.stringify(other.response?.body.choices)) {
      throw new Error(`${line.custom_id} has another answer:\n  ${JSON.stringify(line)}\n  ${JSON.stringify(other)}`);
    }
  }
  return nearTies;
}

/** Below those that the system gives to connections: a worker that is started again must find it free. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => resolve(true));
    });
    if (!isFree) continue;
    server.close();
    await once(server, "close");
    return port;
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "1" },
      seed: { type: "string", default: String(Date.now() % 1e6) },
      prompts: { type: "string", default: "300" },
      kills: { type: "string", default: "8" },
      "no-group": { type: "boolean", default: false },
    },
  });
  const say = (text: string) => void process.stdout.write(`${text}\n`);
  for (let n = 0; n < Number(values.rounds); n++) {
    const seed = Number(values.seed) + n;
    say(`round ${n + 1} of ${values.rounds}, seed ${seed}`);
    const group = !values["no-group"];
    const round = { seed, prompts: Number(values.prompts), kills: Number(values.kills), group, say };
    const { killed, nearTies, seconds } = await chaosRound(round);
    say(`  the same answers after ${killed.length} kills, ${nearTies} near ties, ${seconds.toFixed(0)} s`);
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) await main();
