/**
 * Where tensors lie on a mesh: by the names of their axes, and by nothing else.
 *
 * A model says what each axis is (rows, heads, experts, …), a target over which axis of its mesh that is split. A tensor's
 * dimension is split when its size divides evenly, along each axis of the mesh once; else it stays whole, which
 * costs memory and never changes a number.
 *
 * Printed as Shardy: https://openxla.org/shardy/sharding_representation. What is not printed here, the partitioner
 * propagates.
 */
import type { Axis, AxisRole } from "../dsl/axes.ts";
import { deviceCount, type Mesh, type MeshAxis, meshAxes } from "./mesh.ts";

// Public API

/** A mesh, and which of its axes the axes of tensors are split over. */
export interface Placement {
  readonly mesh: Mesh;
  readonly over: Readonly<Record<string, MeshAxis>>;
}

/** Over which axis of a mesh each role is split. */
export const roleAxes: Readonly<Record<AxisRole, MeshAxis>> = {
  rows: "data",
  experts: "expert",
  heads: "model",
  width: "model",
  vocabulary: "model",
};

/** The placement for a model's roles; undefined for one device. */
export function placementFor(mesh: Mesh, roles: Readonly<Record<string, AxisRole>>): Placement | undefined {
  if (deviceCount(mesh) === 1) return undefined;
  const over = Object.entries(roles).map(([name, role]) => [name, roleAxes[role]] as const);
  return { mesh, over: Object.fromEntries(over) };
}

/** In how many parts axes come, by name. */
export function partsIn({ mesh, over }: Placement): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(over).map(([name, along]) => [name, mesh[along]]));
}

/** For each dimension of a tensor the axis of the mesh over which it is split; undefined is whole. */
export function splitsOf({ mesh, over }: Placement, dims: readonly Axis[]): readonly (MeshAxis | undefined)[] {
  const used = new Set<MeshAxis>();
  return dims.map(({ name, size }) => {
    const along = over[name];
    if (along === undefined || mesh[along] === 1 || used.has(along) || size % mesh[along] !== 0) return undefined;
    used.add(along);
    return along;
  });
}

/** The mesh as an operation of a module. */
export function meshOperation(mesh: Mesh): string {
  return `sdy.mesh @mesh = <[${meshAxes.map((name) => `"${name}"=${mesh[name]}`).join(", ")}]>`;
}

/** A tensor's sharding as an attribute of an argument or a result. */
export function shardingAttribute(placement: Placement, dims: readonly Axis[]): string {
  const splits = splitsOf(placement, dims).map((along) => (along === undefined ? "{}" : `{"${along}"}`));
  return `sdy.sharding = #sdy.sharding<@mesh, [${splits.join(", ")}]>`;
}
