/**
 * What a mesh leaves whole though its role asks for a split, and which meshes would not.
 *
 * A size that a mesh's axis does not divide is not padded: padding a weight would have to be undone in every sum over it.
 */
import type { Axis, AxisRole } from "../dsl/axes.ts";
import { InputError } from "../dsl/errors.ts";
import { packedAxis } from "../dsl/packing/blocks.ts";
import { deviceCount, formatMesh, type Mesh, type MeshAxis, meshAxes } from "./mesh.ts";
import { type Placement, placementFor, roleAxes, splitsOf, wantedBy } from "./placement.ts";

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
 * Whether a mesh suits a model: something is split over each of its axes, and no other mesh of as many devices splits
 * something of more roles.
 *
 * @param roles  the model's axes by name
 * @param axes   what is known of their sizes; roles of axes that are not among them are not looked at
 */
export function suits(mesh: Mesh, roles: Readonly<Record<string, AxisRole>>, axes: readonly Axis[]): boolean {
  const own = faultsOf(mesh, roles, axes);
  return own.idle.length === 0 && bestOf(mesh, roles, axes).fewest >= own.whole.length;
}

/**
 * Refuses a mesh that does not suit a model: devices along an axis would all do the same, or a role that could be split is not.
 *
 * @throws InputError that lists meshes of as many devices which suit
 */
export function requireSplits(mesh: Mesh, roles: Readonly<Record<string, AxisRole>>, axes: readonly Axis[]): void {
  if (suits(mesh, roles, axes)) return;
  const { idle, whole } = faultsOf(mesh, roles, axes);
  const { meshes } = bestOf(mesh, roles, axes);
  const [role] = whole;
  const members = axes.filter(({ name }) => (role === undefined ? name in roles : roles[name] === role));
  const sizes = members.map(({ name, size }) => `${name} ${size}`).join(", ");
  const over = (role === undefined ? idle : roleAxes[role].filter((each) => mesh[each] > 1)).map(
    (each) => `${each}=${mesh[each]}`,
  );
  const what = role === undefined ? "nothing" : `none of the ${role}`;
  const proposal =
    meshes.length === 0
      ? `no mesh of ${deviceCount(mesh)} devices splits something over each of its axes; take another number of devices`
      : `these split more: ${meshes.slice(0, shown).map(formatMesh).join("  ")}`;
  throw new InputError(
    "MESH",
    `mesh '${formatMesh(mesh)}' splits ${what} over ${over.join(", ")}: the model has ${sizes}\n  ${proposal}`,
    { mesh: formatMesh(mesh), idle, whole, proposals: meshes.map(formatMesh) },
  );
}

// Implementation

/** Meshes that a refusal lists. */
const shown = 6;

interface Faults {
  /** Axes of the mesh over which nothing is split. */
  readonly idle: readonly MeshAxis[];
  /** Roles of which nothing is split, though there is an axis for them. */
  readonly whole: readonly AxisRole[];
}

function faultsOf(mesh: Mesh, roles: Readonly<Record<string, AxisRole>>, axes: readonly Axis[]): Faults {
  const placement = placementFor(mesh, roles);
  if (placement === undefined) return { idle: [], whole: [] };
  const split = new Map(axes.map((axis) => [axis, splitsOf(placement, [axis]).flat()]));
  const used = new Set([...split.values()].flat());
  // An axis of the mesh for something of unknown size may be used by that.
  const unknown = Object.keys(roles).filter((name) => !axes.some((axis) => axis.name === name));
  const open = new Set(unknown.flatMap((name) => wantedBy(placement.over, name)));
  const present = new Set(Object.values(roles));
  const whole = [...present].filter((role) => {
    const members = axes.filter(({ name }) => roles[name] === role);
    // The axis of a mixture's experts is theirs; what has none takes it where it can.
    const own = roleAxes[role].filter((each) => each !== "expert" || role === "experts" || !present.has("experts"));
    const isMeant = members.length > 0 && own.some((each) => mesh[each] > 1);
    return isMeant && members.every((axis) => split.get(axis)?.length === 0);
  });
  return { idle: meshAxes.filter((each) => mesh[each] > 1 && !used.has(each) && !open.has(each)), whole };
}

/** The meshes of as many devices with the fewest roles kept whole, and no idle axis. */
function bestOf(
  mesh: Mesh,
  roles: Readonly<Record<string, AxisRole>>,
  axes: readonly Axis[],
): { readonly fewest: number; readonly meshes: readonly Mesh[] } {
  const all = meshesOf(deviceCount(mesh)).map((each) => ({ each, ...faultsOf(each, roles, axes) }));
  const busy = all.filter(({ idle }) => idle.length === 0);
  const fewest = Math.min(...busy.map(({ whole }) => whole.length));
  return { fewest, meshes: busy.filter(({ whole }) => whole.length === fewest).map(({ each }) => each) };
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
