/** A model whose weights are on a worker: what every way of running it needs. */
import type { Target } from "../../compiler/index.ts";
import { type CacheSize, fittingCache, freeBytes } from "./cache-size.ts";
import type { UnloadedModel } from "./model-files.ts";
import type { ModelPrograms } from "./model-programs.ts";
import { cacheBytes } from "./step-program.ts";
import type { WeightPlan } from "./weights.ts";

// Public API

export interface LoadedModel {
  readonly files: UnloadedModel;
  readonly programs: ModelPrograms;
  readonly target: Target;
  /** How many positions a text may have. */
  readonly context: number;
  /** How the weights were loaded. Without it, a failure leaves no bundle. */
  readonly loaded?: LoadedFrom | undefined;
  /** Called with the size of each cache before it is allocated. */
  readonly onCache?: ((size: CacheSize) => void) | undefined;
}

/** How weights were loaded, so that a bundle can load them again. */
export interface LoadedFrom {
  readonly plan: WeightPlan;
  /** Of weights that were drawn at random. */
  readonly seed: number;
}

/** Bytes of the cache of one text with so many positions. */
export function rowBytes({ files, target }: LoadedModel, positions: number): number {
  return cacheBytes(files.architecture, files.config, { batch: 1, capacity: positions }, target);
}

/**
 * How many texts run at once, and how large their caches are; calls `onCache`.
 *
 * @throws InputError when there is no room for a single text
 */
export async function chooseCacheSize(model: LoadedModel, texts: number, positions: number): Promise<CacheSize> {
  const free = await freeBytes(model.programs.worker);
  const size = fittingCache(texts, { positions, rowBytes: rowBytes(model, positions), free });
  model.onCache?.(size);
  return size;
}
