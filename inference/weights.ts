/** Loading: every weight of a model from its checkpoint onto the devices, through small programs that the worker runs. */
import { lower, type Program, type Target } from "../compiler/index.ts";
import { type Feed, loadGraph, type ModelConfig, matchCheckpoint } from "../models/index.ts";
import type { DeviceBuffer, Executable, LoadItem, LoadProgress, Worker } from "../runtime-bridge/index.ts";
import type { ModelFiles } from "./model-files.ts";

// Public API

/** Weights on the devices, by their path in the model. */
export type DeviceWeights = ReadonlyMap<string, DeviceBuffer>;

/**
 * Loads all weights.
 *
 * @throws InputError before anything is read, when checkpoint and model do not fit
 */
export async function loadWeights(
  worker: Worker,
  { architecture, config, checkpoint }: ModelFiles,
  target: Target,
  options: { readonly onProgress?: (progress: LoadProgress) => void; readonly signal?: AbortSignal } = {},
): Promise<DeviceWeights> {
  const table = checkpoint.container === "gguf" ? architecture.tables.gguf : architecture.tables.huggingFace;
  const feeds = matchCheckpoint(architecture.weights(config as ModelConfig), checkpoint.tensors, table);
  const executables = await compileLoaders(worker, feeds, target, options.signal);
  const items = feeds.map(
    (feed, n): LoadItem => ({ executable: executables[n] as Executable, tensors: [feed.tensor.name] }),
  );
  const loaded = await worker.load(checkpoint, items, options);
  return new Map(feeds.map(({ path }, n) => [path, (loaded[n] as readonly DeviceBuffer[])[0] as DeviceBuffer]));
}

// Implementation

/** One executable for each feed; feeds of the same kind, such as one matrix of every layer, share theirs. */
async function compileLoaders(
  worker: Worker,
  feeds: readonly Feed[],
  target: Target,
  signal: AbortSignal | undefined,
): Promise<Executable[]> {
  const byKind = new Map<string, Promise<Executable>>();
  return await Promise.all(
    feeds.map((feed) => {
      const kind = JSON.stringify([
        feed.tensor.format,
        feed.tensor.shape,
        feed.tensor.type,
        feed.param.axes,
        feed.interleaved,
      ]);
      const known = byKind.get(kind) ?? worker.compile(loader(feed, target), signal === undefined ? {} : { signal });
      byKind.set(kind, known);
      return known;
    }),
  );
}

function loader(feed: Feed, target: Target): Program {
  return lower(loadGraph(feed, target.weights));
}
