/**
 * TPU v5p.
 *
 * Peak, memory and links: cloud.google.com/tpu/docs/v5p. The clock is not published: it is the peak over the operations of
 * a cycle, 2 · 128² for each of 4 matrix units a core (docs/log.md holds that to XLA's estimates). Slices: GKE's "Plan
 * TPUs"; label values and machine types: GKE's cluster autoscaler (cloudprovider/gke).
 */
import type { TpuChip } from "./chip.ts";
import { tpuExchangeSeconds, tripSeconds } from "./shared-figures.ts";
import { cubes } from "./slice-shapes.ts";

// Public API

export const v5p: TpuChip = {
  name: "v5p",
  platform: "tpu",
  // 96 are fitted, 95 are said to be usable.
  hbmBytes: 95 * 2 ** 30,
  hbmBytesPerSecond: 2765e9,
  bf16FlopsPerSecond: 459e12,
  clockHz: 1.75e9,
  // 4800 Gbit/s: 6 links of 100 GB/s, nine tenths.
  linkBytesPerSecond: 540e9,
  exchangeSeconds: tpuExchangeSeconds,
  tripSeconds,
  cores: 2,
  devices: 1,
  dimensions: 3,
  megacore: false,
  gke: {
    accelerator: { single: "tpu-v5p-slice", multi: "tpu-v5p-slice" },
    machineFamily: { single: "ct5p-hightpu", multi: "ct5p-hightpu" },
    chipsPerHost: { single: 4, multi: 4 },
    shapes: cubes(6144),
  },
};
