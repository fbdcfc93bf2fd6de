/** `tsxla compile`: one step of a model as StableHLO text, and what XLA makes of it. No weight is loaded. */
import { readFile, writeFile } from "node:fs/promises";
import { relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type Command, Option } from "commander";
import { annotate, chipOf, perDevice, readHlo, type Target } from "../../compiler/index.ts";
import { InputError } from "../../dsl/index.ts";
import {
  compileRequested,
  type DeclaredModel,
  declareModel,
  type Executable,
  ensurePlugin,
  isConfig,
  lowerRequested,
  requireMesh,
  type StepRequest,
  stepRequest,
  type Worker,
} from "../../inference/index.ts";
import { placementTable } from "../../planning/argument-placement.ts";
import { formatBytes } from "../../planning/format-bytes.ts";
import { plan, planTable } from "../../planning/plan.ts";
import { importArchitecture, type ModelOptions, openWorker, targetOf, wholeNumber, withModel } from "../options.ts";
import { Progress } from "../progress.ts";
import { figuresTable, reportOf } from "./compile-report.ts";
import { writeExecutable } from "./executable-file.ts";
import { type ManifestWords, withManifest, writeManifest } from "./manifest.ts";

// Public API

export function compileCommand(command: Command, signal: AbortSignal): Command {
  withModel(command, "a Hugging Face folder, a .gguf file, a config.json or the name of a published model")
    .addOption(new Option("--phase <phase>", "which step").choices(["decode", "prefill"]).default("decode"))
    .option("--batch <b>", "how many texts at once", wholeNumber, 1)
    .option("--length <n>", "tokens of a prefill; positions that a decode step has behind it", wholeNumber, 1024)
    .option("--emit <file>", "write the StableHLO text")
    .option("--no-locations", "leave the TypeScript lines out of the text")
    .option("--text-only", "stop at the text: no XLA, and no worker where a configuration is given")
    .option("--hlo <file>", "write the optimised module as XLA prints it")
    .option("--save <file>", "write the executable, for `tsxla exec` and for a worker that has the devices")
    .option("--annotate", "print the model's TypeScript with what each line costs on a TPU")
    .option(
      "--plan [n]",
      "try meshes and forms of weights, compile the n most promising (4), and print them best first",
      wholeNumber,
    )
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
  readonly save?: string;
  readonly annotate?: true;
  /** True without a number. */
  readonly plan?: number | true;
  readonly report?: string;
  readonly json?: true;
}

async function run(options: CompileCommandOptions, signal: AbortSignal): Promise<void> {
  const target = targetOf(options);
  requireTogether(options, target);
  const progress = new Progress();
  await writeManifest(options, options.model, target.topology, progress);
  if (target.topology !== undefined && options.textOnly === undefined && options.worker === undefined) {
    await ensurePlugin(target.topology.platform, (text) => progress.say(text), signal);
  }
  const needsWorker = options.textOnly === undefined || !isConfig(options.model);
  await using worker = needsWorker ? await openWorker(options, progress, signal) : undefined;

  const request = stepRequest(options);
  if (options.plan !== undefined) {
    await printPlans(options, target, request, worker as Worker, progress, signal);
    return;
  }
  const model = await declared(options, target, worker);
  if (options.mesh !== undefined) requireMesh(model, target, request.batch);
  const started = performance.now();
  const lowered = lowerRequested(model, target, request, { locations: options.locations });
  const lowerSeconds = (performance.now() - started) / 1000;
  progress.end(
    `lowering ${request.phase}`,
    lowerSeconds,
    `${formatBytes(Buffer.byteLength(lowered.program.text))} of text`,
  );
  if (options.emit !== undefined) await write(options.emit, lowered.program.text);

  const compile = async () =>
    await compileRequested(worker as Worker, model, target, request, lowered, {
      signal,
      keep: options.save !== undefined,
      onLayouts: () => progress.say("a decode step goes first: prefill takes weights and caches as they lie there"),
    });
  const made = options.textOnly ? undefined : await progress.stage(`compiling ${request.phase}`, compile);
  if (options.hlo !== undefined) await write(options.hlo, made?.optimizedHlo ?? "");

  if (options.save !== undefined) {
    await writeExecutable(worker as Worker, made as Executable, options.save, progress, signal);
  }

  const { figures, ...rest } = reportOf(model, target, options.target, request, lowered, made);
  const said = { model: options.model, ...figures, lower_seconds: lowerSeconds };
  const report = { ...said, ...rest };
  if (options.report !== undefined) await write(options.report, `${JSON.stringify(report, undefined, 2)}\n`);
  if (options.json) process.stdout.write(`${JSON.stringify(report)}\n`);
  else if (options.annotate) process.stdout.write(await annotated(options, model, target, made as Executable));
  else process.stdout.write(`${figuresTable({ figures: said, ...rest })}\n${placementTable(rest.placement)}`);
}

async function printPlans(
  options: CompileCommandOptions,
  target: Target,
  request: StepRequest,
  worker: Worker,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const plans = await plan({
    target,
    request,
    declare: (own) => declared(options, own, worker),
    compile: (model, own, lowered) => compileRequested(worker, model, own, request, lowered, { signal }),
    compiled: options.plan === true ? 4 : (options.plan ?? 0),
    progress,
    signal,
  });
  if (options.report !== undefined) await write(options.report, `${JSON.stringify(plans, undefined, 2)}\n`);
  process.stdout.write(options.json ? `${JSON.stringify(plans)}\n` : planTable(plans));
}

function requireTogether(options: CompileCommandOptions, { platform, topology }: Target): void {
  for (const option of ["hlo", "save", "annotate", "plan"] as const) {
    if (options.textOnly === undefined || options[option] === undefined) continue;
    throw new InputError(
      "OPTION_CONFLICT",
      `--${option} is of what XLA makes of the text, and --text-only stops before it`,
      {
        option,
      },
    );
  }
  if (options.annotate && (platform !== "tpu" || topology === undefined)) {
    throw new InputError(
      "OPTION_UNSUPPORTED",
      `--annotate reads the cycles that XLA estimates for a TPU, and the target is ${options.target}; wanted one such as tpu:v4:2x2x1`,
      { option: "annotate", target: options.target },
    );
  }
}

async function declared(
  { model, arch }: CompileCommandOptions,
  target: Target,
  worker: Worker | undefined,
): Promise<DeclaredModel> {
  const architecture = arch === undefined ? undefined : await importArchitecture(arch);
  return await declareModel(model, target, { worker, architecture });
}

/** The model's own file, or the user's, with what each line costs. */
async function annotated(
  { arch }: CompileCommandOptions,
  { architecture }: DeclaredModel,
  { topology }: Target,
  made: Executable,
): Promise<string> {
  const packageRoot = fileURLToPath(new URL("../../", import.meta.url));
  const builtIn = resolve(packageRoot, "models", `${architecture.name.replaceAll("_", "-")}.ts`);
  const file = arch === undefined ? builtIn : resolve(arch);
  const source = {
    path: relative(arch === undefined ? packageRoot : process.cwd(), file),
    text: await readFile(file, "utf8"),
  };
  return annotate(source, readHlo(made.optimizedHlo ?? ""), perDevice(chipOf(topology?.chip ?? "")));
}

async function write(path: string, text: string): Promise<void> {
  await writeFile(path, text).catch((cause: Error) => {
    throw new InputError("OUTPUT", `${path} cannot be written: ${cause.message}`, { path }, { cause });
  });
}
