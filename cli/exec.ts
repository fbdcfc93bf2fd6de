/** `tsxla exec`: compiles a StableHLO file, or takes an executable that was saved, and runs it once. */
import { type Command, Option } from "commander";
import { InputError, isFloat, isInteger } from "../dsl/index.ts";
import {
  type Executable,
  type Execution,
  type HostTensor,
  readSafetensors,
  SafetensorsWriter,
  toNumbers,
  type Worker,
} from "../runtime-bridge/index.ts";
import { type Runnable, readRunnable, writeExecutable } from "./compile/executable-file.ts";
import { openWorker, type WorkerOptions, withWorker } from "./options.ts";
import { Progress } from "./progress.ts";

// Public API

export function execCommand(command: Command, signal: AbortSignal): Command {
  return withWorker(command)
    .argument("<file>", "StableHLO text (.mlir), or what --save wrote (.tsxla-exe)")
    .option("--inputs <file>", "safetensors with arg0, arg1, … for @main's arguments")
    .option("--out <file>", "where to write result0, result1, …, as safetensors (without: a line for each is printed)")
    .addOption(new Option("--engine <engine>", "what runs it").choices(["xla", "reference"]).default("xla"))
    .option("--save <file>", "write the executable; without --inputs a program that takes arguments is not run")
    .option("--json", "print one JSON object when done")
    .action((file: string, options: ExecCommandOptions) => run(file, options, signal));
}

// Implementation

interface ExecCommandOptions extends WorkerOptions {
  readonly inputs?: string;
  readonly out?: string;
  readonly engine: "xla" | "reference";
  readonly save?: string;
  readonly json?: true;
}

async function run(file: string, options: ExecCommandOptions, signal: AbortSignal): Promise<void> {
  const program = await readRunnable(file);
  const inputs = options.inputs === undefined ? new Map<string, HostTensor>() : await readSafetensors(options.inputs);
  const progress = new Progress();
  await using worker = await openWorker({ ...options, target: `cpu:${program.devices}` }, progress, signal);
  const executable = await open(worker, program, options, progress, signal);
  if (options.save !== undefined) {
    await writeExecutable(worker, executable, options.save, progress, signal);
    if (options.inputs === undefined && executable.arguments.length > 0) return;
  }
  const given = executable.arguments.map((_, n) => argument(inputs, n, executable.arguments.length));
  const surplus = [...inputs.keys()].filter((name) => !/^arg\d+$/.test(name) || Number(name.slice(3)) >= given.length);
  if (surplus.length > 0) {
    throw new InputError(
      "INPUTS",
      `${options.inputs} holds ${surplus.join(", ")}, and @main takes arg0 to arg${given.length - 1}`,
      { surplus },
    );
  }
  const { results, executeSeconds }: Execution<HostTensor> = await worker.execute(executable, given, {
    fetch: "all",
    signal,
  });
  if (options.out !== undefined) await write(options.out, results);
  if (options.json)
    process.stdout.write(
      `${JSON.stringify({ executeSeconds, results: results.map(({ dtype, shape }) => ({ dtype, shape })) })}\n`,
    );
  else if (options.out === undefined)
    results.forEach((result, n) => void process.stdout.write(`${describe(result, n)}\n`));
  progress.end(
    "running",
    executeSeconds,
    options.out === undefined ? "" : `${results.length} results to ${options.out}`,
  );
}

async function open(
  worker: Worker,
  program: Runnable,
  { engine }: ExecCommandOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<Executable> {
  if (program.kind === "text") {
    return await progress.stage("compiling", () => worker.compile(program.text, { engine, signal }));
  }
  if (engine === "xla")
    return await progress.stage("loading the executable", () => worker.loadExecutable(program.data, { signal }));
  throw new InputError(
    "OPTION_CONFLICT",
    "--engine reference interprets text, and a saved executable is XLA's machine code",
    {
      option: "engine",
    },
  );
}

function argument(inputs: ReadonlyMap<string, HostTensor>, n: number, count: number): HostTensor {
  const found = inputs.get(`arg${n}`);
  if (found !== undefined) return found;
  throw new InputError("INPUTS", `@main takes ${count} arguments, and --inputs has no arg${n}`, {
    missing: `arg${n}`,
    count,
  });
}

async function write(path: string, results: readonly HostTensor[]): Promise<void> {
  const types = Object.fromEntries(results.map(({ dtype, shape }, n) => [`result${n}`, { dtype, shape }]));
  await using file = await SafetensorsWriter.open(path, types);
  for (const { data } of results) await file.write(data);
  await file.finish();
}

/** A result's type and its first numbers; of types that Node has no numbers for, the type alone. */
function describe(result: HostTensor, n: number): string {
  const type = `result${n}  ${result.dtype}[${result.shape.join(", ")}]`;
  const [round, whole] = [isFloat(result.dtype), isInteger(result.dtype)];
  if ((!round && !whole) || result.dtype.startsWith("f8") || result.dtype.startsWith("f4")) return type;
  const numbers = toNumbers(result);
  const shown = Array.from({ length: Math.min(8, numbers.length) }, (_, at) => numbers[at] as number);
  const words = shown.map((value) => (round ? value.toPrecision(6) : String(value)));
  return `${type}  ${words.join(" ")}${numbers.length > shown.length ? " …" : ""}`;
}
