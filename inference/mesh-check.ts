/** Whether a mesh that was asked for suits a model: something of every role is split on it. */
import { requireSplits, type Target } from "../compiler/index.ts";
import { axis, flattenParams, type ParamTree } from "../dsl/index.ts";
import type { Architecture, ModelConfig } from "../models/index.ts";

// Public API

/**
 * Refuses a mesh on which devices would all hold and do the same.
 *
 * @param batch  how many texts run at once, where that is known: rows of a batch are split too
 * @throws InputError that lists meshes which suit
 */
export function requireMesh(
  { architecture, config }: { readonly architecture: Architecture; readonly config: ModelConfig },
  { mesh }: Pick<Target, "mesh">,
  batch?: number,
): void {
  const params = flattenParams(architecture.weights(config) as ParamTree).flatMap(([, { axes }]) => axes);
  const sizes = new Map(params.map((each) => [each.name, each]));
  if (batch !== undefined) sizes.set("batch", axis("batch", batch));
  requireSplits(mesh, architecture.roles, [...sizes.values()]);
}
