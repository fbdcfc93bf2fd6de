/**
 * The programs that a model is run with: one chunk of tokens through all layers, over a cache that is extended in place.
 *
 * A prefill and a decode step are the same program for different sizes of chunk. What differs is how many positions
 * reach the unembedding: the last real one of each row, or all of them.
 */
import { type LowerOptions, partCountOf, placementFor, type Target } from "../../compiler/index.ts";
import {
  type Axis,
  axis,
  type CacheState,
  type Graph,
  InputError,
  type Inputs,
  iota,
  type KeyValueCache,
  LinearCache,
  type Param,
  part,
  RingCache,
  type StorageOf,
  type Tensor,
  trace,
} from "../../dsl/index.ts";
import type { Architecture, ModelConfig } from "../../models/index.ts";
import { chosenToken } from "../sampling/choose-on-device.ts";
import { chunkBuckets } from "./buckets.ts";
import { traceFrequencies, withoutFrequencies } from "./frequency-inputs.ts";

// Public API

/** How every program of a model is lowered for a target: its steps, what loads its weights, what makes its caches. */
export function loweringFor(
  { platform, mesh }: Target,
  { roles }: Pick<Architecture, "roles">,
): Pick<LowerOptions, "placement" | "platform"> {
  return { platform, placement: placementFor(mesh, roles) };
}

/** The sizes of a step program. */
export interface StepSizes {
  readonly batch: number;
  /** Tokens of each row in one call. */
  readonly pos: number;
  /** Positions that the cache holds. */
  readonly capacity: number;
}

/**
 * Which positions get logits: the last real one of each row, or every one. With `chosen`, a step of one token chooses the
 * next one as well, and gives what the next step is given.
 */
export type StepOutputs = "last" | "all" | "chosen";

/** How to trace a step. */
export interface StepTraceOptions {
  /** Makes every named value a result, `activations.NAME`, with `batch` and `pos` first in memory. */
  readonly activations?: boolean;
}

/** How many of the largest logits a step returns beside the full ones. */
export const candidateCount = 64;

/**
 * Traces one step. Arguments: `tokens`, `start` (positions held already), `length` (real tokens of the chunk, the rest
 * is padding), `frequencies` (./frequency-inputs.ts), the weights, and the caches, which are donated. Results: `logits`, f32; for `last` also
 * `candidates.values`, `candidates.ids` and `logSumExp`; and the caches.
 *
 * A step that chooses has no `length`, and instead `choice.temperature`, `choice.topK` and `choice.key` of each row
 * (./choose-on-device.ts). It gives what `last` gives, and the next step's `next.tokens` and `next.start`, which stays
 * within the cache: a row that is at its end writes its last position again.
 */
export function traceStep<C extends ModelConfig>(
  architecture: Architecture<C>,
  config: C,
  target: Target,
  sizes: StepSizes,
  outputs: StepOutputs,
  storageOf: StorageOf = () => target.compute,
  options: StepTraceOptions = {},
): Graph {
  const batch = axis("batch", sizes.batch);
  const pos = axis("pos", sizes.pos);
  const name = { all: "logits", last: sizes.pos === 1 ? "decode" : "prefill", chosen: "decode_chosen" }[outputs];
  const placement = placementFor(target.mesh, architecture.roles);
  const step = (inputs: Inputs) => {
    const tokens = inputs.input("tokens", "i32", batch, pos);
    const start = inputs.input("start", "i32", batch);
    const length = outputs === "chosen" ? undefined : inputs.input("length", "i32", batch);
    const sets = architecture.frequencies?.(config, 1);
    const frequencies = sets && traceFrequencies(inputs, batch, sets);
    // Which tensors these are is known to the architecture alone.
    const declared = architecture.weights(config) as Readonly<Record<string, Param>>;
    const weights = inputs.weights("weights", declared, storageOf, target.compute);
    const caches = cacheAxes(architecture, config, sizes).map((each, n) => {
      const room = (name: "k" | "v") => inputs.state(`caches.${n}.${name}`, target.cache, ...each[name]);
      const state = { k: room("k"), v: room("v") } as CacheState;
      const isWhole = state.k.shape.size("key") === sizes.capacity;
      return isWhole ? new LinearCache(state, start) : new RingCache(state, start);
    });

    const positions = start.broadcast(pos).add(iota(pos));
    const cache = (layer: number) => cacheOfLayer(caches, layer);
    const plain = { tokens, positions, caches, cache };
    const given = frequencies === undefined ? withoutFrequencies(plain, architecture) : { ...plain, frequencies };
    const hidden = architecture.forward(weights, given, config);
    const state = { caches: caches.map((cache) => cache.state) };
    if (outputs === "all") {
      // An equation for one position holds for all: an axis that it does not name stays as it is.
      const every = architecture.unembed(weights, hidden as unknown as Tensor<"batch" | "embed">);
      return { logits: every.cast("f32"), ...state };
    }
    const last = part("last", () => hidden.at("pos", length?.sub(1) ?? 0)) as Tensor<"batch" | "embed">;
    const logits = architecture.unembed(weights, last).cast("f32");
    const candidate = axis("candidate", Math.min(candidateCount, config.vocab));
    const candidates = part("candidates", () => logits.topK("vocab", candidate));
    const logSumExp = part("candidates", () => logits.logSumExp("vocab"));
    if (length !== undefined) return { logits, candidates, logSumExp, ...state };
    const choice = {
      temperature: inputs.input("choice.temperature", "f32", batch),
      topK: inputs.input("choice.topK", "i32", batch),
      key: inputs.input("choice.key", "u32", batch, axis("word", 2)),
      position: start,
    };
    const token = part("choice", () => chosenToken(candidates, choice));
    const next = { tokens: token.broadcast(pos), start: start.add(1).min(sizes.capacity - 1) };
    return { logits, candidates, logSumExp, next, ...state };
  };
  return trace(name, step, {
    ...(placement === undefined ? {} : { parts: (of) => partCountOf(placement, of) }),
    ...(options.activations ? { activations: { leading: ["batch", "pos"] } } : {}),
  });
}

/**
 * Traces the copy of one text's caches into a row of a batch's. Arguments: `row`, a scalar; `from.caches…`, which stay;
 * and the batch's caches, which are donated and come back.
 */
export function traceAdopt<C extends ModelConfig>(
  architecture: Pick<Architecture<C>, "window">,
  config: C,
  target: Target,
  sizes: Pick<StepSizes, "batch" | "capacity">,
): Graph {
  const from = cacheAxes(architecture, config, { ...sizes, batch: 1 });
  return trace("adopt_row", ({ input, state }) => {
    const row = input("row", "i32");
    return {
      caches: cacheAxes(architecture, config, sizes).map((into, n) => {
        const adopted = (name: "k" | "v") => {
          const path = `caches.${n}.${name}`;
          const one = input(`from.${path}`, target.cache, ...(from[n] as CacheAxes)[name]);
          return state(path, target.cache, ...into[name]).update("batch", row, one);
        };
        return { k: adopted("k"), v: adopted("v") };
      }),
    };
  });
}

/**
 * Traces the copy of one row of several back into one text's caches. Arguments: `row`, a scalar; `from.caches…`, the rows,
 * which stay; and the text's caches, which are donated and come back.
 */
export function traceRestore<C extends ModelConfig>(
  architecture: Pick<Architecture<C>, "window">,
  config: C,
  target: Target,
  sizes: Pick<StepSizes, "batch" | "capacity">,
): Graph {
  const from = cacheAxes(architecture, config, sizes);
  return trace("restore_row", ({ input, state }) => {
    const row = input("row", "i32");
    return {
      caches: cacheAxes(architecture, config, { ...sizes, batch: 1 }).map((into, n) => {
        const restored = (name: "k" | "v") => {
          const path = `caches.${n}.${name}`;
          const rows = input(`from.${path}`, target.cache, ...(from[n] as CacheAxes)[name]);
          return state(path, target.cache, ...into[name]).update("batch", 0, rows.slice("batch", row, 1));
        };
        return { k: restored("k"), v: restored("v") };
      }),
    };
  });
}

/** The axes of one layer's keys and of its values, in the order in which they lie in memory. */
export interface CacheAxes {
  readonly k: readonly Axis[];
  readonly v: readonly Axis[];
}

/**
 * The axes of each layer's cache. A layer with a window keeps the window and the largest chunk, where that is less than
 * everything.
 *
 * Each is the right operand of a product of matrices as it lies: queries over `dim` times keys, shares over `key` times
 * values. In any other order XLA copies the whole cache at each step to bring it into this one (docs/log.md).
 */
export function cacheAxes<C extends ModelConfig>(
  architecture: Pick<Architecture<C>, "window">,
  config: C,
  { batch: rows, capacity }: Pick<StepSizes, "batch" | "capacity">,
): readonly CacheAxes[] {
  const [batch, kvHead, dim] = [axis("batch", rows), axis("kvHead", config.kvHeads), axis("dim", config.headDim)];
  return Array.from({ length: config.layers }, (_, n) => {
    const window = architecture.window?.(config, n);
    const ring = window === undefined ? capacity : window + (chunkBuckets.at(-1) as number);
    const key = axis("key", Math.min(capacity, ring));
    return { k: [batch, kvHead, dim, key], v: [batch, kvHead, key, dim] };
  });
}

/** Bytes of all caches. */
export function cacheBytes<C extends ModelConfig>(
  architecture: Pick<Architecture<C>, "window">,
  config: C,
  sizes: Pick<StepSizes, "batch" | "capacity">,
  target: Target,
): number {
  const elements = cacheAxes(architecture, config, sizes).reduce(
    (all, { k, v }) => all + [k, v].reduce((sum, of) => sum + of.reduce((size, each) => size * each.size, 1), 0),
    0,
  );
  return elements * (target.cache === "f32" ? 4 : 2);
}

// Implementation

function cacheOfLayer<T extends KeyValueCache>(caches: readonly T[], layer: number): T {
  const found = caches[layer];
  if (found !== undefined) return found;
  throw new InputError(
    "LAYER",
    `forward asks for the cache of layer ${layer}, and the configuration has ${caches.length} layers, counted from 0`,
    { layer, layers: caches.length },
  );
}
