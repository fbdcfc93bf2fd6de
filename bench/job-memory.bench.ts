/**
 * The memory of a job's orchestrator and of its workers over `--requests` requests to a tiny model.
 *
 * The heap is measured after a collection, since the size of a process tells when it last had one. The first tenth is left out: programs are compiled and allocators fill up in it. What would grow with each request
 * shows as a slope, told in bytes a request.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { runJob } from "../inference/index.ts";
import { requestLines, writeTinyModel } from "../tests/jobs/tiny-job.ts";
import { readOptions } from "./support/options.ts";
import { treeMemory } from "./support/process-memory.ts";
import { printTable } from "./support/table.ts";

export const description = "the memory of a job's orchestrator and workers over many requests";

export async function bench(given: readonly string[]): Promise<void> {
  const options = readOptions(given, { requests: 20_000, workers: 2, tokens: 8 });
  const folder = await mkdtemp(join(tmpdir(), "tsxla-bench-"));
  try {
    const input = join(folder, "in.jsonl");
    const model = await writeTinyModel(join(folder, "tiny"));
    await writeFile(input, `${requestLines(options.requests, { maxTokens: options.tokens }).join("\n")}\n`);
    const samples: Sample[] = [];
    const every = Math.ceil(options.requests / parts / 10);
    let done = 0;
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const { seconds } = await runJob({
      model,
      input,
      output: join(folder, "out.jsonl"),
      local: options.workers,
      onEvent: ({ kind }) => {
        if (kind !== "answered" || ++done % every !== 0) return;
        collect();
        samples.push({ done, heap: process.memoryUsage().heapUsed, ...treeMemory() });
      },
    });
    print(samples, options.requests, seconds);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

// Implementation

/** Bytes after so many requests: of what this process can reach, of all of it, and of all that it started. */
interface Sample {
  readonly done: number;
  readonly heap: number;
  readonly own: number;
  readonly others: number;
}

type Field = Exclude<keyof Sample, "done">;

const parts = 10;

function print(samples: readonly Sample[], requests: number, seconds: number): void {
  const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);
  const mean = (of: readonly number[]) => of.reduce((sum, each) => sum + each, 0) / of.length;
  const rows = Array.from({ length: parts }, (_, n) => {
    const within = samples.filter(({ done }) => Math.ceil((done * parts) / requests) === n + 1);
    const of = (field: Field) => megabytes(mean(within.map((sample) => sample[field])));
    return [`${Math.round((requests * (n + 1)) / parts)}`, of("heap"), of("own"), of("others")];
  });
  console.log(`\n${requests} requests in ${seconds.toFixed(0)} s; means over a tenth of them\n`);
  printTable(["up to request", "orchestrator's heap MB", "orchestrator MB", "workers MB"], rows);
  const warm = samples.filter(({ done }) => done > requests / parts);
  const slope = (field: Field) => slopeOf(warm.map((sample) => [sample.done, sample[field]])).toFixed(0);
  console.log(
    `\nAfter the first tenth, bytes a request: heap ${slope("heap")}, orchestrator ${slope("own")}, workers ${slope("others")}.`,
  );
}

/** Of a straight line through points, by least squares. */
function slopeOf(points: readonly (readonly [number, number])[]): number {
  const middle = (n: 0 | 1) => points.reduce((sum, point) => sum + point[n], 0) / points.length;
  const [x, y] = [middle(0), middle(1)];
  const [above, below] = points.reduce(([a, b], [u, v]) => [a + (u - x) * (v - y), b + (u - x) ** 2], [0, 0]);
  return above / below;
}
