/**
 * From TypeScript to text: a whole step traced and lowered, each time in a new process.
 *
 * Peers in the same run, in turn: a Node process that does nothing, which is what nobody can go below, and for SmolLM2 JAX
 * doing the same for the same model (llama_in_jax.py). Stages are told in processor time, which other processes
 * disturb less than the clock; the whole process by the clock.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { projectPython } from "../runtime-bridge/launch/environment-paths.ts";
import { watchNoise } from "./support/noise.ts";
import { readOptions } from "./support/options.ts";
import { median, printTable, range, ratios } from "./support/table.ts";

export const description = "trace a step to StableHLO text, cold: SmolLM2 against JAX doing the same, and GPT-OSS-20B";

export async function bench(given: readonly string[]): Promise<void> {
  const { rounds, compute, capacity } = readOptions(given, { rounds: 5, compute: "f32", capacity: 512 });
  const noise = watchNoise();
  const steps = [
    { model: "smollm2-135m", pos: 1, peers: jaxForms },
    { model: "smollm2-135m", pos: 512, peers: jaxForms },
    { model: "gpt-oss-20b", pos: 1, peers: [] },
  ];
  for (const { model, pos, peers } of steps) {
    const sizes = [String(pos), String(Math.max(capacity, pos)), compute];
    const programs: readonly Program[] = [
      { name: "tsxla", run: () => run(node, [...loader, "trace-once.ts", model, ...sizes]) },
      ...peers.map((form) => ({
        name: `JAX, layers ${form}`,
        run: () => run(projectPython, ["peers/llama_in_jax.py", form, ...sizes]),
      })),
      { name: "node --eval 0", run: () => run(node, ["--eval", "0"]) },
    ];
    programs[0]?.run(); // fills the cache of transformed files
    const colds = programs.map((): Cold[] => []);
    for (let round = 0; round < rounds; round++) programs.forEach((program, n) => void colds[n]?.push(program.run()));
    console.log(
      `\n${model}, ${pos === 1 ? "decode" : `prefill of ${pos}`}, cache of ${sizes[1]}, ${compute}; ${rounds} processes each\n`,
    );
    printTable(
      ["", "process ms", "import CPU ms", "trace CPU ms", "lower CPU ms", "text kB", "tsxla's trace + lower / this"],
      programs.map(({ name }, n) => row(name, colds[n] as Cold[], colds[0] as Cold[])),
    );
  }
  console.log(`\n${noise.report()}`);
}

interface Program {
  readonly name: string;
  run(): Cold;
}

interface Cold {
  readonly processMs: number;
  readonly importMs: number;
  readonly traceMs: number;
  readonly lowerMs: number;
  readonly bytes: number;
}

const jaxForms = ["unrolled", "jitted", "scan"];
const node = process.execPath;
const here = fileURLToPath(new URL(".", import.meta.url));
const loader = ["--import", fileURLToPath(new URL("../bin/typescript-loader.mjs", import.meta.url))];

function row(name: string, colds: readonly Cold[], ours: readonly Cold[]): string[] {
  const cell = (of: (cold: Cold) => number) => range(colds.map(of), 0);
  const whole = cell(({ processMs }) => processMs);
  if (colds.every(({ bytes }) => bytes === 0)) return [name, whole, "", "", "", "", ""];
  const stages = (of: readonly Cold[]) => of.map(({ traceMs, lowerMs }) => traceMs + lowerMs);
  return [
    name,
    whole,
    cell(({ importMs }) => importMs),
    cell(({ traceMs }) => traceMs),
    cell(({ lowerMs }) => lowerMs),
    (median(colds.map(({ bytes }) => bytes)) / 1000).toFixed(0),
    range(ratios(stages(ours), stages(colds)), 2),
  ];
}

function run(program: string, given: readonly string[]): Cold {
  const started = performance.now();
  const { status, stdout, stderr } = spawnSync(program, given, {
    cwd: here,
    encoding: "utf8",
    env: { ...process.env, JAX_PLATFORMS: "cpu" },
  });
  const processMs = performance.now() - started;
  if (status !== 0) throw new Error(`${program} ${given.join(" ")} ended with ${status}\n${stderr}`);
  return { processMs, importMs: 0, traceMs: 0, lowerMs: 0, bytes: 0, ...JSON.parse(stdout.trim() || "{}") };
}
