/** Loading: every weight of a model from its checkpoint onto the devices, through small programs that the worker runs. */
import { type LowerOptions, lower, type Target } from "../../compiler/index.ts";
import { packingOf, type Storage, type StorageOf } from "../../dsl/index.ts";
import { tableOf } from "../../models/checkpoints/layouts.ts";
import { drawnFeeds } from "../../models/checkpoints/random-weights.ts";
import { readingOf } from "../../models/checkpoints/sources.ts";
import { drawKey, type Feed, isBuiltIn, loadGraph, matchCheckpoint } from "../../models/index.ts";
import type { DeviceBuffer, Executable, LoadItem, LoadProgress, Worker } from "../../runtime-bridge/index.ts";
import { hostTensor } from "../../runtime-bridge/index.ts";
import { loadPlacement } from "./load-placement.ts";
import type { UnloadedModel } from "./model-files.ts";
import { loweringFor } from "./step-program.ts";
import { requireExact, type WeightCheck } from "./weight-checks.ts";
import { storageOfFeeds } from "./weight-storage.ts";

// Public API

/** Weights on the devices, by their path in the model; of a packed one `PATH.blocks` and `PATH.scales`. */
export type DeviceWeights = ReadonlyMap<string, DeviceBuffer>;

/** What will be loaded, and how it will lie in memory. */
export interface WeightPlan {
  readonly feeds: readonly Feed[];
  readonly storageOf: StorageOf;
  /** How the programs that load are lowered. */
  readonly lowering: Pick<LowerOptions, "placement" | "platform">;
}

/**
 * Decides how every weight is filled and held.
 *
 * @throws InputError that lists both sides, when checkpoint and model do not fit
 */
export function planWeights({ architecture, config, checkpoint }: UnloadedModel, target: Target): WeightPlan {
  const params = architecture.weights(config);
  const hint = isBuiltIn(architecture) ? [] : variantHint;
  const feeds =
    checkpoint === undefined
      ? drawnFeeds(params)
      : matchCheckpoint(params, checkpoint.tensors, tableOf(architecture, checkpoint.container), hint);
  return {
    feeds,
    storageOf: storageOfFeeds(feeds, architecture, target),
    lowering: loweringFor(target, architecture),
  };
}

/**
 * Loads all weights; those that are drawn are made on the devices.
 *
 * @param options.seed  of what is drawn; 0 without
 * @throws InputError naming tensors that cannot be held as they are (./weight-checks.ts)
 */
export async function loadWeights(
  worker: Worker,
  { checkpoint }: Pick<UnloadedModel, "checkpoint">,
  plan: WeightPlan,
  options: {
    readonly onProgress?: ((progress: LoadProgress) => void) | undefined;
    readonly signal?: AbortSignal | undefined;
    readonly seed?: number | undefined;
  } = {},
): Promise<DeviceWeights> {
  const { feeds, storageOf } = plan;
  const executables = await compileLoaders(worker, plan, options.signal);
  const isStored = ({ tensors }: Feed) => tensors.length > 0;
  const items = feeds.flatMap((feed, n): LoadItem[] => {
    const executable = executables[n] as Executable;
    return isStored(feed) ? [{ executable, tensors: feed.tensors.map(({ name }) => name) }] : [];
  });
  const { seed = 0, ...call } = options;
  const stored = checkpoint === undefined ? [] : await worker.load(checkpoint, items, call);
  const held = stored.flat();
  const fromFile = stored.values();
  const weights = new Map<string, DeviceBuffer>();
  const checks: WeightCheck[] = [];
  try {
    for (const [n, feed] of feeds.entries()) {
      const made = isStored(feed)
        ? (fromFile.next().value as readonly DeviceBuffer[])
        : await draw(worker, executables[n] as Executable, feed, seed, options.signal);
      if (!isStored(feed)) held.push(...made);
      const storage = storageOf(feed.param);
      const packing = packingOf(storage);
      const names = packing?.parts(feed.param.axes).map(({ name }) => `${feed.path}.${name}`) ?? [feed.path];
      names.forEach((name, part) => void weights.set(name, made[part] as DeviceBuffer));
      const invalid = made[names.length];
      if (invalid !== undefined) checks.push({ feed, storage, invalid });
    }
    await requireExact(worker, checks);
  } catch (error) {
    await worker.release(held);
    throw error;
  }
  return weights;
}

// Implementation

const variantHint: readonly string[] = [
  "  hint  a weight that an architecture adds is declared untrained(param(…)); what it leaves out, unused(param(…))",
];

/** Makes a weight of its seed; only two words travel. */
async function draw(
  worker: Worker,
  executable: Executable,
  { param }: Feed,
  seed: number,
  signal: AbortSignal | undefined,
): Promise<readonly DeviceBuffer[]> {
  const key = hostTensor("u32", [2], drawKey(seed, param));
  const { results } = await worker.execute(executable, [key], { signal });
  return results;
}

/** One executable for each feed; feeds of the same kind, such as one matrix of every layer, share theirs. */
async function compileLoaders(
  worker: Worker,
  { feeds, storageOf, lowering }: WeightPlan,
  signal: AbortSignal | undefined,
): Promise<Executable[]> {
  const byKind = new Map<string, Promise<Executable>>();
  return await Promise.all(
    feeds.map((feed) => {
      const storage = storageOf(feed.param);
      const kind = kindOf(feed, storage);
      // A program that cannot be made must not leave the others' compilations without anyone who waits for them.
      const compile = async () => {
        const placement = lowering.placement && loadPlacement(feed, storage, lowering.placement);
        const program = lower(loadGraph(feed, storage), { ...lowering, placement });
        return await worker.compile(program, { signal });
      };
      const known = byKind.get(kind) ?? compile();
      byKind.set(kind, known);
      return known;
    }),
  );
}

/** What the load program depends on: everything but names. */
function kindOf({ param, source, tensors }: Feed, storage: Storage): string {
  const form = source.kind === "drawn" ? source : readingOf(source).form;
  const stored = tensors.map(({ format, shape, type }) => ({ format, shape, type }));
  return JSON.stringify([form, param.axes, stored, storage]);
}
