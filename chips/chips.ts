/**
 * Chips and what they can do, a source for every figure.
 *
 * Figures are of a whole chip. JAX may see a chip as several devices, which share it equally: `perDevice`.
 */
import { InputError } from "../dsl/errors.ts";

// Public API

/** What a chip, or a device's share of one, can do. */
export interface Chip {
  /** As targets write it: `v4`, `h100`. */
  readonly name: string;
  readonly platform: "tpu" | "cuda";
  readonly hbmBytes: number;
  readonly hbmBytesPerSecond: number;
  /** Multiplications and additions of bf16 numbers, summed in f32, dense. */
  readonly bf16FlopsPerSecond: number;
  /** Of the unit in which XLA's TPU back end counts its cycles; on a GPU the boost clock. */
  readonly clockHz: number;
  /** All links to other chips together, in one direction. */
  readonly linkBytesPerSecond: number;
  /** What an exchange between chips takes besides its bytes. */
  readonly exchangeSeconds: number;
  /** What a trip of a loop takes besides its products and what it reads: its small operations, one after the other. */
  readonly tripSeconds: number;
  /** A TPU's TensorCores, a GPU's streaming multiprocessors. */
  readonly cores: number;
  /** Devices that JAX sees. */
  readonly devices: number;
  /** A GPU's, `9.0`. */
  readonly computeCapability?: string;
}

/**
 * The chips.
 *
 * TPU: bf16 peak, HBM and the sum of links are Google's (cloud.google.com/tpu/docs/v3, v4, v5e, v5p, v6e); v3's and v4's
 * clocks and links are those of Jouppi et al., "TPU v4", ISCA 2023 (arXiv:2304.01433), table 4. Of what links are rated,
 * nine tenths count, the one-way rate at which collectives run according to "How to Scale Your Model"
 * (jax-ml.github.io/scaling-book, "How to Think About TPUs"), which has 45 GB/s for a link of v4 and v5e that is rated 50,
 * and 90 for one of v5p and v6e. The clocks of v5e, v5p and v6e are not published: they are the peak over the operations of
 * a cycle (2 · 128² for each of 4 units a core; v6e 2 · 256² for each of 4). XLA's own estimate for a bf16 product of
 * 8192³ agrees: 0.88, 0.90 and 0.70 of that, as 0.93 for v4, whose clock is published (docs/log.md).
 *
 * An exchange between TPUs costs a microsecond besides its bytes, the latency of a hop in "How to Scale Your Model" and what
 * the model time assumes; between GPUs five, which XLA's own model of NCCL takes for launching one
 * (xla/service/gpu/model/gpu_collective_performance_model.h, kNcclKernelLaunchOverhead). A trip costs what is left of XLA's estimate for GPT-OSS-120B on eight v4 without the products: 14 µs
of 2304 trips over chosen experts, 16 of 576 over all (docs/log.md). For other chips it is taken to be the same.
 *
 * GPU: NVIDIA's data sheets of the A100 80GB SXM and the H100 SXM, and the architecture white papers for cores and
 * clocks; links are NVLink's, of which the sheets give both directions together.
 */
export const chips = {
  v3: {
    name: "v3",
    platform: "tpu",
    // Two cores with 16 GiB each, and each core is a device.
    hbmBytes: 32 * 2 ** 30,
    hbmBytesPerSecond: 900e9,
    bf16FlopsPerSecond: 123e12,
    clockHz: 0.94e9,
    // 4 links of 70 GB/s, nine tenths.
    linkBytesPerSecond: 252e9,
    exchangeSeconds: 1e-6,
    tripSeconds: 15e-6,
    cores: 2,
    devices: 2,
  },
  v4: {
    name: "v4",
    platform: "tpu",
    hbmBytes: 32 * 2 ** 30,
    hbmBytesPerSecond: 1200e9,
    bf16FlopsPerSecond: 275e12,
    clockHz: 1.05e9,
    // 6 links of 50 GB/s, nine tenths.
    linkBytesPerSecond: 270e9,
    exchangeSeconds: 1e-6,
    tripSeconds: 15e-6,
    cores: 2,
    // Megacore: both cores are one device, as on every v4 in the cloud.
    devices: 1,
  },
  v5e: {
    name: "v5e",
    platform: "tpu",
    hbmBytes: 16 * 2 ** 30,
    hbmBytesPerSecond: 819e9,
    bf16FlopsPerSecond: 197e12,
    clockHz: 1.5e9,
    // 1600 Gbit/s: 4 links of 50 GB/s, nine tenths.
    linkBytesPerSecond: 180e9,
    exchangeSeconds: 1e-6,
    tripSeconds: 15e-6,
    cores: 1,
    devices: 1,
  },
  v5p: {
    name: "v5p",
    platform: "tpu",
    // 96 are fitted, 95 are said to be usable.
    hbmBytes: 95 * 2 ** 30,
    hbmBytesPerSecond: 2765e9,
    bf16FlopsPerSecond: 459e12,
    clockHz: 1.75e9,
    // 4800 Gbit/s: 6 links of 100 GB/s, nine tenths.
    linkBytesPerSecond: 540e9,
    exchangeSeconds: 1e-6,
    tripSeconds: 15e-6,
    cores: 2,
    devices: 1,
  },
  v6e: {
    name: "v6e",
    platform: "tpu",
    hbmBytes: 32 * 2 ** 30,
    // 1640 in Google's page until 2025, 1600 since; JAX has 1640.
    hbmBytesPerSecond: 1640e9,
    bf16FlopsPerSecond: 918e12,
    // Uncertain: Google's page has said 2 units and 4; XLA's estimates need 4.
    clockHz: 1.75e9,
    // 3200 Gbit/s, 3584 in older pages: 4 links of 100 GB/s, nine tenths.
    linkBytesPerSecond: 360e9,
    exchangeSeconds: 1e-6,
    tripSeconds: 15e-6,
    cores: 1,
    devices: 1,
  },
  a100: {
    name: "a100",
    platform: "cuda",
    hbmBytes: 80 * 2 ** 30,
    hbmBytesPerSecond: 2039e9,
    bf16FlopsPerSecond: 312e12,
    clockHz: 1.41e9,
    linkBytesPerSecond: 300e9,
    exchangeSeconds: 5e-6,
    tripSeconds: 15e-6,
    cores: 108,
    devices: 1,
    computeCapability: "8.0",
  },
  h100: {
    name: "h100",
    platform: "cuda",
    hbmBytes: 80 * 2 ** 30,
    hbmBytesPerSecond: 3350e9,
    bf16FlopsPerSecond: 989e12,
    // 1830 MHz at full load in the white paper, of a maximum of 1980.
    clockHz: 1.83e9,
    linkBytesPerSecond: 450e9,
    exchangeSeconds: 5e-6,
    tripSeconds: 15e-6,
    cores: 132,
    devices: 1,
    computeCapability: "9.0",
  },
} as const satisfies Record<string, Chip>;

export type ChipName = keyof typeof chips;

/**
 * The chip of that name.
 *
 * @throws InputError that names the chips
 */
export function chipOf(name: string): Chip {
  if (Object.hasOwn(chips, name)) return chips[name as ChipName];
  throw new InputError("CHIP", `chip '${name}' is not known; known are ${Object.keys(chips).join(", ")}`, { name });
}

/** What one JAX device has of its chip. A v4 without megacore has two: `perDevice(chips.v4, 2)`. */
export function perDevice(chip: Chip, devices: number = chip.devices): Chip {
  return {
    ...chip,
    hbmBytes: chip.hbmBytes / devices,
    hbmBytesPerSecond: chip.hbmBytesPerSecond / devices,
    bf16FlopsPerSecond: chip.bf16FlopsPerSecond / devices,
    linkBytesPerSecond: chip.linkBytesPerSecond / devices,
    cores: chip.cores / devices,
    devices: 1,
  };
}
