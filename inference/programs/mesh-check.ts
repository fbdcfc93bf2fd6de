/** Whether a mesh that was asked for suits a model. */
import { requireSplits, type Target } from "../../compiler/index.ts";
import { type Axis, axis, flattenParams, type ParamTree } from "../../dsl/index.ts";
import type { DeclaredModel } from "./compile-step.ts";

// Public API

type Sized = Pick<DeclaredModel, "architecture" | "config">;

/**
 * Refuses a mesh on which devices would all hold and do the same.
 *
 * @param batch  how many texts run at once, where that is known: rows of a batch are split too
 * @throws InputError that lists meshes which suit
 */
export function requireMesh(model: Sized, { mesh }: Pick<Target, "mesh">, batch?: number): void {
  requireSplits(mesh, model.architecture.roles, splitAxes(model, batch));
}

/** The axes of a model's weights, and its rows where their number is known: what a mesh has to split. */
export function splitAxes({ architecture, config }: Sized, batch?: number): readonly Axis[] {
  const params = flattenParams(architecture.weights(config) as ParamTree).flatMap(([, { axes }]) => axes);
  const sizes = new Map(params.map((each) => [each.name, each]));
  if (batch !== undefined) sizes.set("batch", axis("batch", batch));
  return [...sizes.values()];
}
