/**
 * What a mesh leaves whole though its role asks for a split, and which meshes would not.
 *
 * A size that a mesh's axis does not divide is not padded: padding a weight would have to be undone in every sum over it.
 */
import type { Axis, AxisRole } from "../dsl/axes.ts";
import { InputError } from "../dsl/errors.ts";
import { packedAxis } from "../dsl/packing/blocks.ts";
import { deviceCount, formatMesh, type Mesh, type MeshAxis, meshAxes } from "./mesh.ts";
import { type Placement, partCountOf, placementFor, roleAxes, splitsOf, wantedBy } from "./placement.ts";

// Public API

/** A dimension that stayed whole along an axis of the mesh, and with it its tensor. */
export interface KeptWhole {
  readonly axis: Axis;
  readonly over: MeshAxis;
  /** Sizes of that axis of the mesh, up to twice the present one, that would split it; none is a dimension of size one or a prime. */
  readonly wouldSplit: readonly number[];
}

/** The axes of the mesh over which a tensor lies whole though one of its dimensions has a role that asks for a split. */
export function keptWhole(placement: Placement, dims: readonly Axis[]): readonly KeptWhole[] {
  const splits = splitsOf(placement, dims);
  const taken = new Set(splits.flat());
  return meshAxes.flatMap((over) => {
    const devices = placement.mesh[over];
    if (devices === 1 || taken.has(over)) return [];
    const axis = dims.find(({ name }) => wantedBy(placement.over, name).includes(over));
    if (axis === undefined) return [];
    const already = (splits[dims.indexOf(axis)] as readonly MeshAxis[]).reduce(
      (all, each) => all * placement.mesh[each],
      1,
    );
    const rest = axis.size / already;
    const wouldSplit = Array.from({ length: 2 * devices - 1 }, (_, n) => n + 2).filter((each) => rest % each === 0);
    return [{ axis, over, wouldSplit }];
  });
}

/** `90 blocks of mlp over model=4; model=2, 3, 5 or 6 would split them`. */
export function keptWholeText({ axis: { name, size }, over, wouldSplit }: KeptWhole, mesh: Mesh): string {
  const packed = packedAxis(name);
  const what = packed === undefined ? `${name} ${size}` : `${size} blocks of ${packed}`;
  const advice = wouldSplit.length === 0 ? "no other size would split" : `${over}=${listed(wouldSplit)} would split`;
  return `${what} over ${over}=${mesh[over]}; ${advice} ${packed === undefined ? "it" : "them"}`;
}

/**
 * Refuses a mesh on which nothing of some role can be split: devices along its axes would all do the same, and hold the same.
 *
 * @param roles  the model's axes by name
 * @param axes   what is known of their sizes; roles of axes that are not among them are not looked at
 * @throws InputError that lists meshes of as many devices on which something of every role is split
 */
export function requireSplits(mesh: Mesh, roles: Readonly<Record<string, AxisRole>>, axes: readonly Axis[]): void {
  const found = unsplit(mesh, roles, axes);
  if (found === undefined) return;
  const { role, members } = found;
  const over = roleAxes[role].filter((each) => mesh[each] > 1).map((each) => `${each}=${mesh[each]}`);
  const others = meshesOf(deviceCount(mesh)).filter((each) => unsplit(each, roles, axes) === undefined);
  const proposal =
    others.length === 0
      ? `no mesh of ${deviceCount(mesh)} devices splits all of ${Object.keys(roles).join(", ")}; take fewer devices`
      : `these would split all: ${others.slice(0, shown).map(formatMesh).join("  ")}`;
  throw new InputError(
    "MESH",
    `mesh '${formatMesh(mesh)}' splits none of the ${role}: ${members.map(({ name, size }) => `${name} ${size}`).join(", ")} over ${over.join(", ")}\n  ${proposal}`,
    { mesh: formatMesh(mesh), role, proposals: others.map(formatMesh) },
  );
}

// Implementation

/** Meshes that a refusal lists. */
const shown = 6;

interface Unsplit {
  readonly role: AxisRole;
  readonly members: readonly Axis[];
}

function unsplit(mesh: Mesh, roles: Readonly<Record<string, AxisRole>>, axes: readonly Axis[]): Unsplit | undefined {
  const placement = placementFor(mesh, roles);
  if (placement === undefined) return undefined;
  for (const role of new Set(Object.values(roles))) {
    const members = axes.filter(({ name }) => roles[name] === role);
    if (members.length === 0 || roleAxes[role].every((over) => mesh[over] === 1)) continue;
    if (members.every((axis) => partCountOf(placement, axis) === 1)) return { role, members };
  }
  return undefined;
}

/** All meshes of so many devices, most along `model` first. */
function meshesOf(devices: number): readonly Mesh[] {
  const divisors = Array.from({ length: devices }, (_, n) => n + 1).filter((each) => devices % each === 0);
  return divisors.flatMap((data) =>
    divisors
      .map((expert) => ({ data, expert, model: devices / (data * expert) }))
      .filter(({ model }) => Number.isInteger(model)),
  );
}

function listed(numbers: readonly number[]): string {
  return numbers.length === 1 ? `${numbers[0]}` : `${numbers.slice(0, -1).join(", ")} or ${numbers.at(-1)}`;
}
