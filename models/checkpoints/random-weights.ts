/** Weights of a model that has no checkpoint: every one is drawn at random. */
import { type Distribution, flattenParams, type Param, type ParamTree } from "../../dsl/index.ts";
import type { Feed } from "./checkpoint.ts";

// Public API

/**
 * Every weight, to be drawn as its declaration says (`untrained`), or else as `usualDistribution` does.
 *
 * The numbers depend on a weight's key and on the seed alone (`drawKey`).
 */
export function drawnFeeds(params: ParamTree): readonly Feed[] {
  return flattenParams(params).map(([path, param]) => {
    const source = { kind: "drawn", ...(param.untrained ?? usualDistribution(param)) } as const;
    return { path, param, source, tensors: [] };
  });
}

/**
 * Around 0 with a deviation of 0.02, as GPT-2 was initialised; what has one axis and is no bias scales something, as a
 * norm's weight does, and is drawn around 1.
 */
export function usualDistribution({ key, axes }: Pick<Param, "key" | "axes">): Distribution {
  const isScale = axes.length === 1 && !key.endsWith("bias");
  return { mean: isScale ? 1 : 0, deviation: 0.02 };
}
