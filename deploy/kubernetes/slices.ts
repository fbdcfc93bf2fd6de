/**
 * How GKE deals out TPUs: how many hosts with how many chips each a slice is. What it offers stands in each chip's file.
 */
import type { GkeSlices, SliceShape } from "../../chips/chip.ts";
import { chipsOf } from "../../chips/index.ts";
import { chipCount } from "../../chips/slice-shapes.ts";
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
  const gke = slicesOf(chip);
  if (gke === undefined) {
    const offered = chipsOf("tpu").filter((each) => each.gke !== undefined);
    const known = offered.map(({ name }) => name).join(", ");
    throw new InputError("SLICE", `GKE offers no TPU ${chip}; it offers ${known}`, { chip });
  }
  const isOffered = gke.shapes.some((each) => sameShape(each, shape));
  if (!isOffered) throw notOffered(chip, gke, shape);
  return describe(gke, shape);
}

/** Every shape of a chip that GKE offers, fewest chips first. For `v4`: 2x2x1, 2x2x2, … */
export function offeredShapes(chip: string): readonly SliceShape[] {
  return slicesOf(chip)?.shapes ?? [];
}

// Implementation

function slicesOf(chip: string): GkeSlices | undefined {
  return chipsOf("tpu").find(({ name }) => name === chip)?.gke;
}

function describe(gke: GkeSlices, shape: SliceShape): Slice {
  const chips = chipCount(shape);
  const kind = chips <= gke.chipsPerHost.single ? "single" : "multi";
  const chipsPerHost = kind === "single" ? chips : gke.chipsPerHost.multi;
  return {
    accelerator: gke.accelerator[kind],
    topology: shape.join("x"),
    machineType: `${gke.machineFamily[kind]}-${chipsPerHost}t`,
    hosts: chips / chipsPerHost,
    chipsPerHost,
  };
}

function notOffered(chip: string, gke: GkeSlices, shape: SliceShape): InputError {
  const nearest = gke.shapes.reduce((best, each) => (distance(each, shape) < distance(best, shape) ? each : best));
  const spec = (each: SliceShape) => `tpu:${chip}:${each.join("x")}`;
  const { hosts, chipsPerHost } = describe(gke, nearest);
  const few = gke.shapes.slice(0, 8).map((each) => each.join("x"));
  return new InputError(
    "SLICE",
    `GKE offers no slice ${spec(shape)}; the nearest is ${spec(nearest)}: ${counted(chipCount(nearest), "chip")} on ${counted(hosts, "host")} of ${chipsPerHost}\n  offered  ${few.join(", ")}${gke.shapes.length > few.length ? ", …" : ""}`,
    { asked: spec(shape), nearest: spec(nearest) },
  );
}

/** How far a shape is from the one that was asked for: by chips, where more are nearer than fewer, then by sides. */
function distance(shape: SliceShape, asked: SliceShape): number {
  const factor = Math.log2(chipCount(shape) / chipCount(asked));
  const sorted = asked.toSorted((x, y) => x - y);
  const sides = shape.toSorted((x, y) => x - y).map((side, n) => Math.abs(Math.log2(side / (sorted[n] ?? 1))));
  return Math.abs(factor) + (factor < 0 ? 0.01 : 0) + 0.001 * sides.reduce((sum, each) => sum + each, 0);
}

function sameShape(one: SliceShape, other: SliceShape): boolean {
  return one.length === other.length && one.every((side, n) => side === other[n]);
}

function counted(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? "" : "s"}`;
}
