/**
 * From TypeScript to text: the whole step of SmolLM2-135M traced and lowered, each time in a new process.
 *
 * Two peers in the same run, in turn: a Node process that does nothing, which is what nobody can go below, and JAX
 * doing the same for the same model (llama_in_jax.py). Stages are told in processor time, which other processes
 * disturb less than the clock; the whole process by the clock.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { projectPython } from "../runtime-bridge/places.ts";
import { watchNoise } from "./noise.ts";
import { readOptions } from "./options.ts";
import { median, printTable, range, ratios } from "./table.ts";

export const description = "trace SmolLM2's step to StableHLO text, cold, against JAX doing the same";

export async function bench(given: readonly string[]): Promise<void> {
  const { rounds, compute, capacity } = readOptions(given, { rounds: 5, compute: "f32", capacity: 512 });
  const noise = watchNoise();
  for (const pos of [1, 512]) {
    const room = Math.max(capacity, pos);
    const sizes = [String(pos), String(room), compute];
    const peers = Object.fromEntries(["unrolled", "jitted", "scan"].map((form) => [form, [] as Cold[]]));
    const [ours, empty]: [Cold[], Cold[]] = [[], []];
    run(node, [...loader, "trace-once.ts", ...sizes]); // fills the cache of transformed files
    for (let round = 0; round < rounds; round++) {
      ours.push(run(node, [...loader, "trace-once.ts", ...sizes]));
      empty.push(run(node, ["--eval", "0"]));
      for (const [form, colds] of Object.entries(peers)) {
        colds.push(run(projectPython, ["llama_in_jax.py", form, ...sizes]));
      }
    }
    const own = (colds: readonly Cold[]) => colds.map(({ traceMs, lowerMs }) => traceMs + lowerMs);
    const row = (what: string, colds: readonly Cold[]) => [
      what,
      range(
        colds.map(({ processMs }) => processMs),
        0,
      ),
      range(
        colds.map(({ importMs }) => importMs),
        0,
      ),
      range(
        colds.map(({ traceMs }) => traceMs),
        0,
      ),
      range(
        colds.map(({ lowerMs }) => lowerMs),
        0,
      ),
      (median(colds.map(({ bytes }) => bytes)) / 1000).toFixed(0),
      range(ratios(own(ours), own(colds)), 2),
    ];
    console.log(
      `\n${pos === 1 ? "decode" : `prefill of ${pos}`}, cache of ${room}, ${compute}; ${rounds} processes each\n`,
    );
    printTable(
      ["", "process ms", "import CPU ms", "trace CPU ms", "lower CPU ms", "text kB", "tsxla's trace + lower / this"],
      [
        row("tsxla", ours),
        ...Object.entries(peers).map(([form, colds]) => row(`JAX, layers ${form}`, colds)),
        [
          "node --eval 0",
          range(
            empty.map(({ processMs }) => processMs),
            0,
          ),
          "",
          "",
          "",
          "",
          "",
        ],
      ],
    );
  }
  console.log(`\n${noise.report()}`);
}

interface Cold {
  readonly processMs: number;
  readonly importMs: number;
  readonly traceMs: number;
  readonly lowerMs: number;
  readonly bytes: number;
}

const node = process.execPath;
const here = fileURLToPath(new URL(".", import.meta.url));
const loader = ["--import", fileURLToPath(new URL("../bin/typescript-loader.mjs", import.meta.url))];

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
