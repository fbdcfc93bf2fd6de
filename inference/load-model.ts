/** Opens a model and loads its weights onto a worker. */
import { InputError } from "../dsl/index.ts";
import type { Architecture, ModelConfig } from "../models/index.ts";
import type { LoadProgress, Worker } from "../runtime-bridge/index.ts";
import { Model } from "./model.ts";
import type { CacheSize } from "./programs/cache-size.ts";
import { requireMesh } from "./programs/mesh-check.ts";
import type { ConfigValues } from "./programs/model-files.ts";
import { type CompileEvent, ModelPrograms } from "./programs/model-programs.ts";
import { openUnloaded } from "./programs/open-unloaded.ts";
import { type TargetWords, targetOf } from "./programs/target-words.ts";
import { loadWeights, planWeights } from "./programs/weights.ts";

// Public API

/** How to load a model. */
export interface LoadModelOptions extends TargetWords {
  /** Where it runs. */
  readonly worker: Worker;
  /** How many positions a text may have. Default: what the model was made for. */
  readonly context?: number | undefined;
  /** Stands in for the built-in architecture. */
  readonly architecture?: Architecture | undefined;
  /** Of weights that the architecture declares untrained and the checkpoint lacks: other seeds, other numbers. Default: 0. */
  readonly untrainedSeed?: number | undefined;
  /**
   * Draws every weight at random, with this seed, and reads no checkpoint: the model is a configuration
   * (`configuredModel`). Without it the weights are a checkpoint's.
   */
  readonly randomWeights?: number | undefined;
  readonly onLoad?: ((progress: LoadProgress) => void) | undefined;
  readonly onCompile?: ((event: CompileEvent) => void) | undefined;
  /** Called with the size of each cache before it is allocated. */
  readonly onCache?: ((size: CacheSize) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens a model and loads its weights onto the worker.
 *
 * @param model  a Hugging Face folder or a .gguf file; with `randomWeights` a config.json, a folder that holds one, what
 * it holds, or the name of a published model
 * @throws InputError that names the file and what is wrong with it; nothing stays loaded then
 */
export async function loadModel(model: string | ConfigValues, options: LoadModelOptions): Promise<Model> {
  const { worker, onLoad, onCompile, onCache, signal } = options;
  const target = targetOf(options);
  const files = await openUnloaded(model, options);
  if (options.mesh !== undefined) requireMesh(files, target);
  const context = checkedContext(options.context, files.config);
  const plan = planWeights(files, target);
  const seed = options.randomWeights ?? options.untrainedSeed ?? 0;
  const weights = await loadWeights(worker, files, plan, {
    onProgress: onLoad,
    signal,
    seed,
  });
  const programs = new ModelPrograms(worker, files, target, weights, plan.storageOf, onCompile);
  return new Model({ files, programs, target, context, loaded: { plan, seed }, onCache });
}

// Implementation

function checkedContext(context: number | undefined, config: ModelConfig): number {
  if (context === undefined) return config.context;
  // More than the model was made for is the caller's risk: some rope scalings are meant for it.
  if (Number.isSafeInteger(context) && context >= 1 && context <= 2 ** 24) return context;
  throw new InputError("OPTION_VALUE", `context is ${context}, and it is a whole number from 1 to ${2 ** 24}`, {
    option: "context",
    found: context,
  });
}
