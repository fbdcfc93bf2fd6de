/**
 * TPU v4.
 *
 * Peak and memory: cloud.google.com/tpu/docs/v4. Clock and links: Jouppi et al., "TPU v4", ISCA 2023 (arXiv:2304.01433),
 * table 4. Slices: GKE's "Plan TPUs"; label values and machine types: GKE's cluster autoscaler (cloudprovider/gke).
 */
import type { TpuChip } from "./chip.ts";
import { tpuExchangeSeconds, tripSeconds } from "./shared-figures.ts";
import { cubes } from "./slice-shapes.ts";

// Public API

export const v4: TpuChip = {
  name: "v4",
  platform: "tpu",
  hbmBytes: 32 * 2 ** 30,
  hbmBytesPerSecond: 1200e9,
  bf16FlopsPerSecond: 275e12,
  clockHz: 1.05e9,
  // 6 links of 50 GB/s, nine tenths.
  linkBytesPerSecond: 270e9,
  exchangeSeconds: tpuExchangeSeconds,
  tripSeconds,
  cores: 2,
  // Megacore: both cores are one device, as on every v4 in the cloud.
  devices: 1,
  dimensions: 3,
  megacore: true,
  gke: {
    accelerator: { single: "tpu-v4-podslice", multi: "tpu-v4-podslice" },
    machineFamily: { single: "ct4p-hightpu", multi: "ct4p-hightpu" },
    chipsPerHost: { single: 4, multi: 4 },
    shapes: cubes(4096),
  },
};
