/** `tsxla inspect`: what a model's files say, without loading a weight. */
import { open, stat } from "node:fs/promises";
import type { Command } from "commander";
import { countParameters, InputError, type ParamTree } from "../dsl/index.ts";
import { isConfig, type ModelFiles, openModel, readModelConfig } from "../inference/index.ts";
import { tableOf } from "../models/checkpoints/layouts.ts";
import { type Architecture, countActiveParameters, type ModelConfig, matchCheckpoint } from "../models/index.ts";
import { formatBytes } from "../planning/format-bytes.ts";
import { describeExecutable, isSavedExecutable } from "../runtime-bridge/index.ts";
import { openWorker, type WorkerOptions, withWorker } from "./options.ts";
import { Progress } from "./progress.ts";

// Public API

export function inspectCommand(command: Command, signal: AbortSignal): Command {
  return withWorker(command)
    .argument("<path>", "the model, or the executable")
    .option("--json", "print one JSON object")
    .action((path: string, options: InspectCommandOptions) => run(path, options, signal));
}

// Implementation

interface InspectCommandOptions extends WorkerOptions {
  readonly json?: true;
}

/** What is printed: names to values. */
type Facts = Readonly<Record<string, unknown>>;

async function run(path: string, options: InspectCommandOptions, signal: AbortSignal): Promise<void> {
  const facts = isConfig(path)
    ? await describeConfig(path)
    : ((await describeSaved(path)) ?? (await describeFiles(path, options, signal)));
  if (options.json) {
    process.stdout.write(`${JSON.stringify(facts)}\n`);
    return;
  }
  const width = Math.max(...Object.keys(facts).map((name) => name.length));
  for (const [name, value] of Object.entries(facts)) {
    const shown = typeof value === "object" ? JSON.stringify(value) : String(value);
    process.stdout.write(`${name.padEnd(width)}  ${shown}\n`);
  }
}

/** A configuration needs no worker. */
async function describeConfig(path: string): Promise<Facts> {
  const { architecture, config } = await readModelConfig(path);
  return { ...describeModel(architecture, config), ...config };
}

/** What a saved executable says of itself; undefined for what is none. */
async function describeSaved(path: string): Promise<Facts | undefined> {
  // A folder, or what lies beside a worker elsewhere, is none; what is wrong with it is told by whoever reads it.
  const file = await open(path).catch(() => undefined);
  if (file === undefined) return undefined;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0);
    const head = buffer.subarray(0, bytesRead);
    return isSavedExecutable(head) ? describeExecutable(head, path).facts : undefined;
  } catch (error) {
    if (error instanceof InputError) throw error;
    return undefined;
  } finally {
    await file.close();
  }
}

/** A head is at most a megabyte. */
const headBytes = 32 + 2 ** 20;

function describeModel(architecture: Architecture, config: ModelConfig): Facts {
  const parameters = countParameters(architecture.weights(config) as ParamTree);
  return { architecture: architecture.name, parameters, activeParameters: countActiveParameters(architecture, config) };
}

async function describeFiles(path: string, options: InspectCommandOptions, signal: AbortSignal): Promise<Facts> {
  if (options.worker === undefined) {
    await stat(path).catch((cause: Error) => {
      throw new InputError("INPUT", `${path} cannot be read: ${cause.message}`, { path }, { cause });
    });
  }
  await using worker = await openWorker(options, new Progress(), signal);
  const files = await openModel(worker, path);
  const weights = files.architecture.weights(files.config) as ParamTree;
  matchCheckpoint(weights, files.checkpoint.tensors, tableOf(files.architecture, files.checkpoint.container));
  return {
    ...describeModel(files.architecture, files.config),
    ...files.config,
    container: files.checkpoint.container,
    tensors: files.checkpoint.tensors.size,
    formats: formatsOf(files),
    tokenizer: files.tokenizer === undefined ? "none" : `${files.tokenizer.vocabularySize} tokens`,
    chatTemplate: files.harmony !== undefined ? "Harmony" : files.chatTemplate === undefined ? "none" : "yes",
    stopIds: [...files.stopIds],
  };
}

/** `Q4_1 210 tensors, 66.4 MB`, … */
function formatsOf({ checkpoint }: ModelFiles): string {
  const totals = new Map<string, { count: number; size: number }>();
  for (const { format, bytes: size } of checkpoint.tensors.values()) {
    const before = totals.get(format) ?? { count: 0, size: 0 };
    totals.set(format, { count: before.count + 1, size: before.size + size });
  }
  return [...totals].map(([format, { count, size }]) => `${format} ${count} tensors, ${formatBytes(size)}`).join("; ");
}
