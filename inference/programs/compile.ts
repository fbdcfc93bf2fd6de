/** `compile`: one step of a model, lowered and compiled without its weights. What `tsxla compile` does, for programs. */
import type { Target } from "../../compiler/index.ts";
import { InputError } from "../../dsl/index.ts";
import type { Architecture } from "../../models/index.ts";
import type { Executable, Worker } from "../../runtime-bridge/index.ts";
import {
  compileRequested,
  type DeclaredModel,
  type LoweredStep,
  lowerRequested,
  type StepRequest,
} from "./compile-step.ts";
import { requireMesh } from "./mesh-check.ts";
import { isConfig, readModelConfig } from "./model-config.ts";
import { openModel } from "./model-files.ts";
import { type TargetWords, targetOf } from "./target-words.ts";
import { storageWithoutFiles } from "./weight-storage.ts";
import { planWeights } from "./weights.ts";

// Public API

/** What to compile, and where; words as on the command line. */
export interface CompileModelOptions extends TargetWords {
  readonly worker: Worker;
  /** Default: `decode`. */
  readonly phase?: StepRequest["phase"] | undefined;
  /** How many texts at once. Default: 1. */
  readonly batch?: number | undefined;
  /** Tokens of a prefill; positions that a decode step has behind it. Default: 1024. */
  readonly length?: number | undefined;
  /** Positions that the cache holds, where that is more than `length`. */
  readonly context?: number | undefined;
  /** Stands in for the built-in architecture. */
  readonly architecture?: Architecture | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A step, its text, and what the compiler made of it. */
export interface CompiledStep extends LoweredStep {
  readonly model: DeclaredModel;
  readonly target: Target;
  readonly request: StepRequest;
  readonly executable: Executable;
}

/**
 * Compiles one step of a model. Chips by name (`tpu:v4:2x2x1`, `cuda:h100:4`) need not be here; the worker's environment
 * needs their compiler (`ensurePlugin`).
 *
 * @param model  a Hugging Face folder, a .gguf file, a config.json, or a published model's name
 * @throws InputError that names the option or the file and what was wanted
 */
export async function compile(model: string, options: CompileModelOptions): Promise<CompiledStep> {
  const { worker, architecture, signal } = options;
  const target = targetOf(options);
  const request = stepRequest(options);
  const declared = await declareModel(model, target, { worker, architecture });
  if (options.mesh !== undefined) requireMesh(declared, target, request.batch);
  const lowered = lowerRequested(declared, target, request);
  const call = { signal };
  const executable = await compileRequested(worker, declared, target, request, lowered, call);
  return { ...lowered, model: declared, target, request, executable };
}

/** The sizes of a step that are asked for. @throws InputError for one that is no whole number from 1 */
export function stepRequest({
  phase = "decode",
  batch = 1,
  length = 1024,
  context = 0,
}: Pick<CompileModelOptions, "phase" | "batch" | "length" | "context">): StepRequest {
  for (const [option, found] of Object.entries({ batch, length })) {
    if (Number.isSafeInteger(found) && found >= 1) continue;
    throw new InputError("OPTION_VALUE", `${option} is ${found}, and it is a whole number from 1`, { option, found });
  }
  return { phase, batch, tokens: phase === "decode" ? 1 : length, positions: Math.max(context, length) };
}

/**
 * Says what is known of a model before its weights are loaded. A configuration is enough, and then no worker is asked.
 *
 * @throws InputError that names the file, or every key that is missing or wrong
 */
export async function declareModel(
  model: string,
  target: Target,
  { worker, architecture }: { readonly worker: Worker | undefined; readonly architecture?: Architecture | undefined },
): Promise<DeclaredModel> {
  if (isConfig(model)) {
    const found = await readModelConfig(model, architecture);
    return { ...found, storageOf: storageWithoutFiles(found.architecture, target) };
  }
  if (worker === undefined)
    throw new InputError("OPTION_MISSING", `${model} is read through a worker, and there is none`, { model });
  const files = await openModel(worker, model, architecture);
  return { architecture: files.architecture, config: files.config, storageOf: planWeights(files, target).storageOf };
}
