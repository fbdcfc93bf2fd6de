/**
 * Devices by name that need not be here: a slice of TPUs, a box of GPUs.
 *
 * XLA compiles for them ahead of time, through libtpu and through its CUDA plug-in, on a machine that has neither.
 */
import { InputError } from "../dsl/errors.ts";

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

/** What TPUs there are: dimensions of their torus, devices of a chip. Source: libtpu, as it answers for each. */
const tpus: Readonly<
  Record<string, { readonly dimensions: number; readonly devices: number; readonly megacore: boolean }>
> = {
  v3: { dimensions: 2, devices: 2, megacore: false },
  v4: { dimensions: 3, devices: 1, megacore: true },
  v5e: { dimensions: 2, devices: 1, megacore: false },
  v5p: { dimensions: 3, devices: 1, megacore: false },
  v6e: { dimensions: 2, devices: 1, megacore: false },
};

const gpus: readonly string[] = ["h100", "a100"];

/**
 * Reads `tpu:v4:2x2x1` or `cuda:h100:4`.
 *
 * @throws InputError that names what can be asked for, and a slice of the right form
 */
export function parseTopology(spec: string): Topology {
  const [platform, chip = "", size = ""] = spec.split(":");
  const shape = size.split("x").map(Number);
  const isSize = shape.every((each) => Number.isInteger(each) && each >= 1 && each <= 4096);
  const tpu = platform === "tpu" && Object.hasOwn(tpus, chip) ? tpus[chip] : undefined;
  if (tpu !== undefined && isSize && shape.length === tpu.dimensions) {
    const devices = shape.reduce((all, each) => all * each, tpu.devices);
    return { platform: "tpu", chip, shape, devices, devicesPerChip: tpu.devices, megacore: tpu.megacore };
  }
  if (platform === "cuda" && gpus.includes(chip) && isSize && shape.length === 1) {
    return { platform, chip, shape, devices: shape[0] as number, devicesPerChip: 1, megacore: false };
  }
  throw new InputError("TARGET", `target '${spec}' is not known; ${proposal(chip, tpu?.dimensions)}`, { spec });
}

/** `v4:2x2x1`. */
export function formatTopology({ chip, shape }: Topology): string {
  return `${chip}:${shape.join("x")}`;
}

// Implementation

function proposal(chip: string, dimensions: number | undefined): string {
  if (dimensions !== undefined)
    return `a slice of ${chip} has ${dimensions} dimensions, such as tpu:${chip}:${["2", "2", "1"].slice(0, dimensions).join("x")}`;
  if (gpus.includes(chip)) return `wanted how many, such as cuda:${chip}:4`;
  return `known are cpu, cpu:N, tpu, cuda, tpu:CHIP:SHAPE with ${Object.keys(tpus).join(", ")}, and cuda:CHIP:N with ${gpus.join(", ")}`;
}
