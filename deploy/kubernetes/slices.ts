/**
 * How GKE deals out TPUs: which slices it offers, and how many hosts with how many chips each is.
 *
 * Sources: GKE's "Plan TPUs" and Cloud TPU's pages on v3, v4, v5e, v5p and v6e (tables of topologies, machine types and
 * VMs), and the machine types and label values of GKE's cluster autoscaler (cloudprovider/gke/machinetypes, labels).
 */
import type { Topology } from "../../compiler/index.ts";
import { InputError } from "../../dsl/index.ts";

// Public API

/** A slice as GKE offers it. */
export interface Slice {
  /** Value of the node label `cloud.google.com/gke-tpu-accelerator`. */
  readonly accelerator: string;
  /** Value of the node label `cloud.google.com/gke-tpu-topology`. */
  readonly topology: string;
  /** Compute Engine's name of the hosts, for `gcloud container node-pools create`. */
  readonly machineType: string;
  readonly hosts: number;
  readonly chipsPerHost: number;
}

/**
 * The slice that a topology is.
 *
 * Where one host can have all of a slice's chips it does: eight v5e or v6e chips are one host, not two.
 *
 * @throws InputError naming the nearest slice that is offered
 */
export function sliceOf({ chip, shape }: Topology): Slice {
  const generation = generations[chip];
  if (generation === undefined) {
    const known = Object.keys(generations).join(", ");
    throw new InputError("SLICE", `GKE offers no TPU ${chip}; it offers ${known}`, { chip });
  }
  const offered = generation.shapes.some((each) => sameShape(each, shape));
  if (!offered) throw notOffered(chip, generation, shape);
  return describe(generation, shape);
}

/** Every shape of a chip that GKE offers, fewest chips first. For `v4`: 2x2x1, 2x2x2, … */
export function offeredShapes(chip: string): readonly (readonly number[])[] {
  return generations[chip]?.shapes ?? [];
}

// Implementation

interface Generation {
  /** Label value where a host is alone, and where there are several. */
  readonly accelerator: { readonly single: string; readonly multi: string };
  /** Machine types by chips of a host; `single` where a lone host is of another family. */
  readonly machine: { readonly single: string; readonly multi: string };
  /** How many chips a host has in a slice of so many. */
  readonly chipsPerHost: (chips: number) => number;
  readonly shapes: readonly (readonly number[])[];
}

const four = () => 4;
/** The machines of v5e and v6e have one, four or eight chips; eight only alone. */
const upToEight = (chips: number) => (chips <= 8 ? chips : 4);

/** Slices below a cube of 4x4x4, then what is made of whole cubes; sides in ascending order. */
function cubes(mostChips: number): readonly (readonly number[])[] {
  const sides = Array.from({ length: mostChips / 64 }, (_, n) => 4 * (n + 1));
  const whole = sides.flatMap((a) =>
    sides
      .filter((b) => b >= a && a * b * b <= mostChips)
      .flatMap((b) => sides.filter((c) => c >= b && a * b * c <= mostChips).map((c) => [a, b, c])),
  );
  const part = [
    [2, 2, 1],
    [2, 2, 2],
    [2, 2, 4],
    [2, 4, 4],
  ];
  return [...part, ...whole.toSorted((x, y) => chipsOf(x) - chipsOf(y))];
}

const planes = [
  [1, 1],
  [2, 2],
  [2, 4],
  [4, 4],
  [4, 8],
  [8, 8],
  [8, 16],
  [16, 16],
];

const generations: Readonly<Record<string, Generation>> = {
  v3: {
    accelerator: { single: "tpu-v3-device", multi: "tpu-v3-slice" },
    machine: { single: "ct3-hightpu", multi: "ct3p-hightpu" },
    chipsPerHost: four,
    // A chip has two cores, each a device of its own; GKE counts chips. Four hosts are the fewest of several.
    shapes: [
      [2, 2],
      [4, 4],
      [4, 8],
      [8, 8],
      [8, 16],
      [16, 16],
      [16, 32],
      [32, 32],
    ],
  },
  v4: {
    accelerator: both("tpu-v4-podslice"),
    machine: both("ct4p-hightpu"),
    chipsPerHost: four,
    shapes: cubes(4096),
  },
  v5e: {
    accelerator: both("tpu-v5-lite-podslice"),
    machine: both("ct5lp-hightpu"),
    chipsPerHost: upToEight,
    shapes: planes,
  },
  v5p: {
    accelerator: both("tpu-v5p-slice"),
    machine: both("ct5p-hightpu"),
    chipsPerHost: four,
    shapes: cubes(6144),
  },
  v6e: {
    accelerator: both("tpu-v6e-slice"),
    machine: both("ct6e-standard"),
    chipsPerHost: upToEight,
    shapes: planes,
  },
};

function both(value: string): { readonly single: string; readonly multi: string } {
  return { single: value, multi: value };
}

function describe(generation: Generation, shape: readonly number[]): Slice {
  const chips = chipsOf(shape);
  const chipsPerHost = generation.chipsPerHost(chips);
  const hosts = chips / chipsPerHost;
  const kind = hosts === 1 ? "single" : "multi";
  return {
    accelerator: generation.accelerator[kind],
    topology: shape.join("x"),
    machineType: `${generation.machine[kind]}-${chipsPerHost}t`,
    hosts,
    chipsPerHost,
  };
}

function notOffered(chip: string, generation: Generation, shape: readonly number[]): InputError {
  const nearest = generation.shapes.reduce((best, each) =>
    distance(each, shape) < distance(best, shape) ? each : best,
  );
  const spec = (each: readonly number[]) => `tpu:${chip}:${each.join("x")}`;
  const { hosts, chipsPerHost } = describe(generation, nearest);
  const few = generation.shapes.slice(0, 8).map((each) => each.join("x"));
  return new InputError(
    "SLICE",
    `GKE offers no slice ${spec(shape)}; the nearest is ${spec(nearest)}: ${counted(chipsOf(nearest), "chip")} on ${counted(hosts, "host")} of ${chipsPerHost}\n  offered  ${few.join(", ")}${generation.shapes.length > few.length ? ", …" : ""}`,
    { asked: spec(shape), nearest: spec(nearest) },
  );
}

/** How far a shape is from the one that was asked for: by chips, where more are nearer than fewer, then by sides. */
function distance(shape: readonly number[], asked: readonly number[]): number {
  const factor = Math.log2(chipsOf(shape) / chipsOf(asked));
  const sorted = asked.toSorted((x, y) => x - y);
  const sides = shape.toSorted((x, y) => x - y).map((side, n) => Math.abs(Math.log2(side / (sorted[n] ?? 1))));
  return Math.abs(factor) + (factor < 0 ? 0.01 : 0) + 0.001 * sides.reduce((sum, each) => sum + each, 0);
}

function chipsOf(shape: readonly number[]): number {
  return shape.reduce((all, side) => all * side, 1);
}

function sameShape(one: readonly number[], other: readonly number[]): boolean {
  return one.length === other.length && one.every((side, n) => side === other[n]);
}

function counted(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? "" : "s"}`;
}
