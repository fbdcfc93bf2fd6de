/** `tsxla jobs manifest`: a job as Kubernetes objects, its workers and an orchestrator that answers a file over them. */
import { writeFile } from "node:fs/promises";
import { Command } from "commander";
import { oneDevice, parseMesh, parseTarget } from "../../compiler/index.ts";
import { type JobManifestOptions, printJobManifest } from "../../deploy/kubernetes/index.ts";
import { InputError } from "../../dsl/index.ts";
import { isConfig, readModelConfig, requireMesh } from "../../inference/index.ts";
import { addManifestOptions, type ManifestWords, manifestOptions } from "../compile/manifest.ts";
import { wholeNumber } from "../options.ts";

// Public API

/** The command, for `jobs` to take in. */
export function jobsManifestCommand(): Command {
  const command = new Command("manifest")
    .description("Writes Kubernetes objects that answer a file of requests on workers of a target's chips.")
    .requiredOption("--model <model>", "a published model's name, or a path below the workers' --root")
    .requiredOption("--target <spec>", "the chips of each worker, such as tpu:v4:2x2x1 or cuda:h100:8")
    .requiredOption("--workers <n>", "how many workers, each with all chips of the target", wholeNumber)
    .requiredOption("--data-claim <name>", "a PersistentVolumeClaim with the input, where the output is written, too")
    .requiredOption("--input <file>", "requests, below the claim")
    .requiredOption("--output <file>", "answers, below the claim")
    .option("--mesh <axes>", "how a worker's devices are arranged: data=1,expert=1,model=4 (all along model)")
    .option("--weights <kinds>", "how matrices are held, as `jobs run` takes it")
    .option("--context <n>", "how many positions a text may have", wholeNumber)
    .option("--batch <b>", "how many requests a worker answers at once", wholeNumber)
    .option("--file <file>", "where to write the objects (standard output)");
  return addManifestOptions(command, ["replicas"]).action(run);
}

// Implementation

interface JobWords extends ManifestWords {
  readonly model: string;
  readonly target: string;
  readonly workers: number;
  readonly dataClaim: string;
  readonly input: string;
  readonly output: string;
  readonly mesh?: string;
  readonly weights?: string;
  readonly context?: number;
  readonly batch?: number;
  readonly file?: string;
}

async function run(words: JobWords): Promise<void> {
  const target = parseTarget(words.target);
  const { topology } = target;
  if (topology === undefined) {
    throw new InputError(
      "TARGET",
      `--target is '${words.target}'; a job needs to be told which chips, and how many: tpu:v4:2x2x1 or cuda:h100:8`,
      { option: "target" },
    );
  }
  const { devices } = topology;
  const mesh = words.mesh === undefined ? { ...oneDevice, model: devices } : parseMesh(words.mesh, devices);
  // What is wrong with a mesh is better told before chips are rented.
  if (isConfig(words.model)) requireMesh(await readModelConfig(words.model), { mesh });
  const text = printJobManifest(topology, jobOptions(words, mesh));
  if (words.file === undefined) {
    process.stdout.write(text);
    return;
  }
  const { file } = words;
  await writeFile(file, text).catch((cause: Error) => {
    throw new InputError("OUTPUT", `${file} cannot be written: ${cause.message}`, { path: file }, { cause });
  });
}

function jobOptions(words: JobWords, mesh: JobManifestOptions["mesh"]): JobManifestOptions {
  const { model, workers, dataClaim, input, output, weights, context, batch } = words;
  const options = { ...manifestOptions(words, model), replicas: workers };
  // What the hub holds is fetched into a folder of the repository's name.
  const path = options.weights.kind === "hub" ? (options.weights.repository.split("/").at(-1) as string) : model;
  const more = { weights, context, batch };
  const passed = Object.entries(more).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name}`, String(value)],
  );
  return { ...options, model: path, mesh, dataClaim, input, output, words: passed };
}
