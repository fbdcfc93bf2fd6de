/**
 * Where tensors lie on a mesh: by the names of their axes, and by nothing else.
 *
 * A model says what each axis is (rows, heads, experts, …), a target over which axis of its mesh that is split. A tensor's
 * dimension is split when its size divides evenly, along each axis of the mesh once. Where it does not, the next axis of
 * the same role takes the split, if the tensor has one; else the tensor stays whole, which costs memory and never changes
 * a number (./kept-whole.ts says what does). Blocks of a packed axis are split as the axis is.
 *
 * Printed as Shardy: https://openxla.org/shardy/sharding_representation. What is not printed here, the partitioner
 * propagates.
 */
import type { Axis, AxisRole } from "../dsl/axes.ts";
import { packedAxis } from "../dsl/packing/blocks.ts";
import { cutAxis } from "../dsl/parts.ts";
import { deviceCount, type Mesh, type MeshAxis, meshAxes } from "./mesh.ts";

// Public API

/** A mesh, and which of its axes the axes of tensors are split over. */
export interface Placement {
  readonly mesh: Mesh;
  readonly over: Readonly<Record<string, readonly MeshAxis[]>>;
}

/**
 * Over which axes of a mesh each role is split. What has no experts takes their devices too: between mixtures they would
 * all do the same.
 */
export const roleAxes: Readonly<Record<AxisRole, readonly MeshAxis[]>> = {
  rows: ["data"],
  experts: ["expert"],
  heads: ["expert", "model"],
  width: ["expert", "model"],
  vocabulary: ["expert", "model"],
};

/** The placement for a model's roles; undefined for one device. */
export function placementFor(mesh: Mesh, roles: Readonly<Record<string, AxisRole>>): Placement | undefined {
  if (deviceCount(mesh) === 1) return undefined;
  const over = Object.entries(roles).map(([name, role]) => [name, roleAxes[role]] as const);
  return { mesh, over: Object.fromEntries(over) };
}

/** In how many parts an axis comes where nothing else of its tensor is split. */
export function partCountOf({ mesh, over }: Placement, { name, size }: Axis): number {
  return splitAxis(mesh, wantedBy(over, name), size, new Set()).reduce((all, along) => all * mesh[along], 1);
}

/**
 * Among how many devices something is divided that runs over these axes. A part axis (dsl/parts.ts) is split as the axis is
 * that was cut into parts.
 */
export function shareOf(placement: Placement, axes: readonly Axis[]): number {
  const cut = axes.map(({ name, size }) => ({ name: cutAxis(name) ?? name, size }));
  // What is split as a part needs no second split inside of it.
  const parts = cut.filter((_, n) => cutAxis((axes[n] as Axis).name) !== undefined);
  const rest = cut.filter((each) => !parts.includes(each));
  return splitsOf(placement, [...parts, ...rest])
    .flat()
    .reduce((all, along) => all * placement.mesh[along], 1);
}

/** For each dimension of a tensor the axes of the mesh over which it is split; none is whole. */
export function splitsOf({ mesh, over }: Placement, dims: readonly Axis[]): readonly (readonly MeshAxis[])[] {
  const used = new Set<MeshAxis>();
  // Outermost first, so that experts are split before what is inside them.
  return dims.map(({ name, size }) => splitAxis(mesh, wantedBy(over, name), size, used));
}

/** The mesh as an operation of a module. */
export function meshOperation(mesh: Mesh): string {
  return `sdy.mesh @mesh = <[${meshAxes.map((name) => `"${name}"=${mesh[name]}`).join(", ")}]>`;
}

/** A tensor's sharding as an attribute of an argument or a result. */
export function shardingAttribute(placement: Placement, dims: readonly Axis[]): string {
  const splits = splitsOf(placement, dims).map((along) => `{${along.map((name) => `"${name}"`).join(", ")}}`);
  return `sdy.sharding = #sdy.sharding<@mesh, [${splits.join(", ")}]>`;
}

/** Over which axes of the mesh an axis is wanted to be split, whether its size divides or not. */
export function wantedBy(over: Placement["over"], name: string): readonly MeshAxis[] {
  return over[name] ?? over[packedAxis(name) ?? ""] ?? [];
}

// Implementation

/** As many of the wanted axes as divide the size evenly, in their order; takes them out of what is left for others. */
function splitAxis(mesh: Mesh, wanted: readonly MeshAxis[], size: number, used: Set<MeshAxis>): readonly MeshAxis[] {
  const taken: MeshAxis[] = [];
  let rest = size;
  for (const along of wanted) {
    if (mesh[along] === 1 || used.has(along) || rest % mesh[along] !== 0) continue;
    rest /= mesh[along];
    used.add(along);
    taken.push(along);
  }
  return taken;
}
