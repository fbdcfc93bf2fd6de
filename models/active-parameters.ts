/** How many of a model's parameters one token has to do with. */
import { flattenParams, type ParamTree } from "../dsl/index.ts";
import type { Architecture, ModelConfig } from "./architecture.ts";

// Public API

/**
 * The parameters that one token is multiplied with: of experts the chosen ones, of an embedding one row.
 *
 * Counted as OpenAI counts "active parameters": with the unembedding, without the table that is only looked up in.
 */
export function countActiveParameters<C extends ModelConfig>(
  { weights, activeShare }: Pick<Architecture<C>, "weights" | "activeShare">,
  config: C,
): number {
  const shares = flattenParams(weights(config) as ParamTree).map(([, param]) => {
    const size = param.axes.reduce((all, axis) => all * axis.size, 1);
    return size * (activeShare?.(param, config) ?? 1);
  });
  return Math.round(shares.reduce((all, each) => all + each, 0));
}
