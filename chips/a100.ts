/**
 * NVIDIA A100 SXM with 80 GB.
 *
 * Rates: NVIDIA's data sheet of the A100 80GB SXM; cores and clock: the Ampere architecture's white paper. `xla`:
 * openxla/xla xla/backends/gpu/target_config/specs/a100_sxm_80.txtpb. Hosts: Compute Engine's a2 machine types; labels:
 * GKE's "GPUs" page and NVIDIA's GPU feature discovery.
 */
import type { GpuChip } from "./chip.ts";
import { gpuExchangeSeconds, tripSeconds } from "./shared-figures.ts";

// Public API

export const a100: GpuChip = {
  name: "a100",
  platform: "cuda",
  hbmBytes: 80 * 2 ** 30,
  hbmBytesPerSecond: 2039e9,
  bf16FlopsPerSecond: 312e12,
  clockHz: 1.41e9,
  // NVLink: 600 GB/s in both directions together.
  linkBytesPerSecond: 300e9,
  exchangeSeconds: gpuExchangeSeconds,
  tripSeconds,
  cores: 108,
  devices: 1,
  computeCapability: "8.0",
  xla: {
    deviceName: "NVIDIA A100-SXM4-80GB",
    memoryBytes: 84_974_239_744,
    memoryBytesPerSecond: 2_039_000_000_000,
    clockHz: 1.41e9,
    l2Bytes: 41_943_040,
    sharedBytesPerCore: 167_936,
    sharedBytesPerBlock: 166_912,
    threadsPerCore: 2048,
    fpusPerCore: 64,
  },
  nodes: {
    gkeAccelerators: ["nvidia-a100-80gb"],
    products: ["NVIDIA-A100-SXM4-80GB"],
    gpusPerHost: [1, 2, 4, 8],
  },
};
