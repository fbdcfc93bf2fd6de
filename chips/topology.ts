/**
 * Devices by name that need not be here: a slice of TPUs, a box of GPUs.
 *
 * XLA compiles for them ahead of time, through libtpu and through its CUDA plug-in, on a machine that has neither.
 */
import { InputError } from "../dsl/errors.ts";
import type { Chip } from "./chip.ts";
import { chipsOf, findChip } from "./index.ts";

// Public API

/** A kind of chip, and how many are wired up how. */
export interface Topology {
  readonly platform: "tpu" | "cuda";
  /** `v4`, `h100`, … */
  readonly chip: string;
  /** Chips along each dimension of a TPU's torus; of GPUs the one number. */
  readonly shape: readonly number[];
  /** How many devices JAX sees: on some TPUs a chip is two. */
  readonly devices: number;
  readonly devicesPerChip: number;
  /** A TPU's two cores as one device. */
  readonly megacore: boolean;
}

/**
 * Reads `tpu:v4:2x2x1` or `cuda:h100:4`.
 *
 * @throws InputError that names what can be asked for, and a slice of the right form
 */
export function parseTopology(spec: string): Topology {
  const [platform, name = "", size = ""] = spec.split(":");
  const chip = findChip(name);
  const shape = size.split("x").map(Number);
  const isSize = shape.every((each) => Number.isInteger(each) && each >= 1 && each <= 4096);
  if (chip === undefined || platform !== chip.platform || !isSize || shape.length !== dimensionsOf(chip)) {
    throw new InputError("TARGET", `target '${spec}' is not known; ${proposal(platform, chip)}`, { spec });
  }
  return {
    platform: chip.platform,
    chip: name,
    shape,
    devices: shape.reduce((all, each) => all * each, chip.devices),
    devicesPerChip: chip.devices,
    megacore: chip.platform === "tpu" && chip.megacore,
  };
}

/** `v4:2x2x1`. */
export function formatTopology({ chip, shape }: Topology): string {
  return `${chip}:${shape.join("x")}`;
}

// Implementation

/** GPUs are counted, TPUs lie in a torus. */
function dimensionsOf(chip: Chip): number {
  return chip.platform === "tpu" ? chip.dimensions : 1;
}

function proposal(platform: string | undefined, chip: Chip | undefined): string {
  if (chip?.platform === "cuda") return `wanted how many, such as cuda:${chip.name}:4`;
  if (chip?.platform === "tpu" && platform === "tpu") {
    const example = ["2", "2", "1"].slice(0, chip.dimensions).join("x");
    return `a slice of ${chip.name} has ${chip.dimensions} dimensions, such as tpu:${chip.name}:${example}`;
  }
  const names = (of: Chip["platform"]) => chipsOf(of).map((each) => each.name);
  return `known are cpu, cpu:N, tpu, cuda, tpu:CHIP:SHAPE with ${names("tpu").join(", ")}, and cuda:CHIP:N with ${names("cuda").join(", ")}`;
}
