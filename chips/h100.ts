/**
 * NVIDIA H100 SXM with 80 GB.
 *
 * Rates: NVIDIA's data sheet of the H100 SXM; cores and clock: the Hopper architecture's white paper. `xla`: openxla/xla
 * xla/backends/gpu/target_config/specs/h100_sxm.txtpb. Hosts: Compute Engine's a3 machine types; labels: GKE's "GPUs" page
 * and NVIDIA's GPU feature discovery.
 */
import type { GpuChip } from "./chip.ts";
import { gpuExchangeSeconds, tripSeconds } from "./shared-figures.ts";

// Public API

export const h100: GpuChip = {
  name: "h100",
  platform: "cuda",
  hbmBytes: 80 * 2 ** 30,
  hbmBytesPerSecond: 3350e9,
  bf16FlopsPerSecond: 989e12,
  // 1830 MHz at full load in the white paper, of a maximum of 1980.
  clockHz: 1.83e9,
  // NVLink: 900 GB/s in both directions together.
  linkBytesPerSecond: 450e9,
  exchangeSeconds: gpuExchangeSeconds,
  tripSeconds,
  cores: 132,
  devices: 1,
  computeCapability: "9.0",
  xla: {
    deviceName: "NVIDIA H100 80GB HBM3",
    memoryBytes: 84_942_979_072,
    memoryBytesPerSecond: 3_352_320_000_000,
    clockHz: 1.98e9,
    l2Bytes: 52_428_800,
    sharedBytesPerCore: 233_472,
    sharedBytesPerBlock: 232_448,
    threadsPerCore: 2048,
    fpusPerCore: 128,
  },
  nodes: {
    gkeAccelerators: ["nvidia-h100-80gb", "nvidia-h100-mega-80gb"],
    products: ["NVIDIA-H100-80GB-HBM3"],
    gpusPerHost: [1, 2, 4, 8],
  },
};
