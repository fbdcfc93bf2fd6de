/** `tsxla compile`: one step of a model as StableHLO text, and what XLA makes of it. No weight is loaded. */
import { writeFile } from "node:fs/promises";
import { Command, Option } from "commander";
import { formatMesh, type Program, placementFor, type Topology } from "../compiler/index.ts";
import { InputError, type StorageOf } from "../dsl/index.ts";
import {
  ensurePlugin,
  lowerStep,
  openModel,
  planWeights,
  storageWithoutFiles,
  type Worker,
} from "../inference/index.ts";
import { type ManifestWords, withManifest, writeManifest } from "./manifest.ts";
import { type ConfiguredModel, isConfig, readModelConfig } from "./model-config.ts";
import { importArchitecture, type ModelOptions, openWorker, targetOf, wholeNumber, withModel } from "./options.ts";
import { placeArguments, placementTable } from "./placement-table.ts";
import { bytes, Progress } from "./progress.ts";

// Public API

export function compileCommand(signal: AbortSignal): Command {
  const command = withModel(
    new Command("compile"),
    "a Hugging Face folder, a .gguf file, a config.json or the name of a published model",
  )
    .description("Lowers one step of a model to StableHLO and compiles it with XLA. A configuration is enough.")
    .addOption(new Option("--phase <phase>", "which step").choices(["decode", "prefill"]).default("decode"))
    .option("--batch <b>", "how many texts at once", wholeNumber, 1)
    .option("--length <n>", "tokens of a prefill; positions that a decode step has behind it", wholeNumber, 1024)
    .option("--emit <file>", "write the StableHLO text")
    .option("--no-locations", "leave the TypeScript lines out of the text")
    .option("--text-only", "stop at the text: no XLA, and no worker where a configuration is given")
    .option("--hlo <file>", "write the optimised module as XLA prints it")
    .option("--report <file>", "write the report as JSON")
    .option("--json", "print the report as one JSON object")
    .action((options: CompileCommandOptions) => run(options, signal));
  return withManifest(command);
}

// Implementation

interface CompileCommandOptions extends ModelOptions, ManifestWords {
  readonly phase: "decode" | "prefill";
  readonly batch: number;
  readonly length: number;
  readonly emit?: string;
  readonly locations: boolean;
  readonly textOnly?: true;
  readonly hlo?: string;
  readonly report?: string;
  readonly json?: true;
}

/** Names to values. Byte counts are those of one device. */
type Report = Readonly<Record<string, string | number | boolean>>;

async function run(options: CompileCommandOptions, signal: AbortSignal): Promise<void> {
  if (options.textOnly && options.hlo !== undefined) {
    throw new InputError("OPTION", "--hlo is what XLA makes of the text, and --text-only stops before it", {
      option: "hlo",
    });
  }
  const { topology } = targetOf(options);
  const progress = new Progress();
  await writeManifest(options, options.model, topology, progress);
  if (topology !== undefined && options.textOnly === undefined && options.worker === undefined) {
    await ensurePlugin(topology.platform, (text) => progress.say(text), signal);
  }
  const needsWorker = options.textOnly === undefined || !isConfig(options.model);
  await using worker = needsWorker ? await openWorker(options, progress, signal) : undefined;
  const model = await declared(options, worker);
  const { program, report: lowered } = lowerModel(model, options, progress);
  if (options.emit !== undefined) await write(options.emit, program.text);
  const compiled = options.textOnly ? {} : await compile(worker as Worker, model, program, options, progress, signal);
  const figures = { ...lowered, ...compiled };
  const placement = placementFor(targetOf(options).mesh, model.architecture.roles);
  const placed = placeArguments(program.signature.arguments, placement);
  const report = { ...figures, placement: placed };
  if (options.report !== undefined) await write(options.report, `${JSON.stringify(report, undefined, 2)}\n`);
  process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : `${asTable(figures)}\n${placementTable(placed)}`);
}

function lowerModel(
  { architecture, config, storageOf }: DeclaredModel,
  options: CompileCommandOptions,
  progress: Progress,
): { readonly program: Program; readonly report: Report } {
  const { phase, batch, length, locations } = options;
  const target = targetOf(options);
  const sizes = { batch, pos: phase === "decode" ? 1 : length, capacity: Math.max(options.context ?? 0, length) };
  const started = performance.now();
  const program = lowerStep(architecture, config, target, sizes, "last", storageOf, { locations });
  const seconds = (performance.now() - started) / 1000;
  const size = Buffer.byteLength(program.text);
  progress.end(`lowering ${phase}`, seconds, `${bytes(size)} of text`);
  const report = {
    model: options.model,
    architecture: architecture.name,
    target: options.target,
    mesh: formatMesh(target.mesh),
    phase,
    batch,
    tokens: sizes.pos,
    positions: sizes.capacity,
    lower_seconds: seconds,
    text_bytes: size,
  };
  return { program, report };
}

/** What is known of a model before its weights are loaded. */
interface DeclaredModel extends ConfiguredModel {
  readonly storageOf: StorageOf;
}

async function declared(options: CompileCommandOptions, worker: Worker | undefined): Promise<DeclaredModel> {
  const { model, arch } = options;
  const target = targetOf(options);
  const given = arch === undefined ? undefined : await importArchitecture(arch);
  if (isConfig(model)) {
    const found = await readModelConfig(model, given);
    return { ...found, storageOf: storageWithoutFiles(found.architecture, target) };
  }
  const files = await openModel(worker as Worker, model, given);
  return { ...files, storageOf: planWeights(files, target).storageOf };
}

async function compile(
  worker: Worker,
  model: DeclaredModel,
  program: Program,
  options: CompileCommandOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<Report> {
  const { phase, hlo } = options;
  const { topology } = targetOf(options);
  const given = { signal, returnOptimizedHlo: hlo !== undefined };
  const argumentLayouts =
    topology === undefined ? [] : await layoutsFor(worker, model, program, options, progress, signal);
  const made = await progress.stage(`compiling ${phase}`, () =>
    worker.compile(program, topology === undefined ? given : { ...given, topology, argumentLayouts }),
  );
  if (hlo !== undefined) await write(hlo, made.optimizedHlo ?? "");
  return {
    compile_seconds: made.compileSeconds,
    from_cache: made.fromCache,
    argument_bytes: made.argumentBytes,
    output_bytes: made.outputBytes,
    alias_bytes: made.aliasBytes,
    temp_bytes: made.tempBytes,
  };
}

/**
 * How weights and caches lie in memory: as a decode step likes them best, which is where the time goes. Every other program
 * takes them as they are, so that there is one copy of everything.
 */
async function layoutsFor(
  worker: Worker,
  model: DeclaredModel,
  program: Program,
  options: CompileCommandOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const isHeld = (name: string) => /^(weights|caches)\./.test(name);
  if (options.phase === "decode") {
    return program.signature.arguments.map(({ name }) => (isHeld(name) ? "auto" : ""));
  }
  const decode = { ...options, phase: "decode" as const };
  const { program: step } = lowerModel(model, decode, progress);
  const topology = targetOf(options).topology as Topology;
  const argumentLayouts = await layoutsFor(worker, model, step, decode, progress, signal);
  const { argumentLayouts: chosen } = await progress.stage("compiling decode, for its layouts", () =>
    worker.compile(step, { signal, topology, argumentLayouts }),
  );
  const byName = new Map(step.signature.arguments.map(({ name }, n) => [name, chosen[n] as string]));
  return program.signature.arguments.map(({ name }) => (isHeld(name) ? (byName.get(name) ?? "") : ""));
}

function asTable(report: Report): string {
  const width = Math.max(...Object.keys(report).map((name) => name.length));
  const shown = (name: string, value: Report[string]) => {
    if (name.endsWith("_bytes")) return bytes(value as number);
    return name.endsWith("_seconds") ? `${(value as number).toFixed(2)} s` : String(value);
  };
  const label = (name: string) => name.replace(/_(bytes|seconds)$/, "").replaceAll("_", " ");
  return Object.entries(report)
    .map(([name, value]) => `${label(name).padEnd(width)}  ${shown(name, value)}\n`)
    .join("");
}

async function write(path: string, text: string): Promise<void> {
  await writeFile(path, text).catch((cause: Error) => {
    throw new InputError("OUTPUT", `${path} cannot be written: ${cause.message}`, { path }, { cause });
  });
}
