/**
 * TPU v6e.
 *
 * Peak, memory and links: cloud.google.com/tpu/docs/v6e. The clock is not published: it is the peak over the operations of
 * a cycle, 2 · 256² for each of 4 matrix units (docs/log.md holds that to XLA's estimates). Slices: GKE's "Plan TPUs";
 * label values and machine types: GKE's cluster autoscaler (cloudprovider/gke).
 */
import type { TpuChip } from "./chip.ts";
import { tpuExchangeSeconds, tripSeconds } from "./shared-figures.ts";
import { planes } from "./slice-shapes.ts";

// Public API

export const v6e: TpuChip = {
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
  exchangeSeconds: tpuExchangeSeconds,
  tripSeconds,
  cores: 1,
  devices: 1,
  dimensions: 2,
  megacore: false,
  gke: {
    accelerator: { single: "tpu-v6e-slice", multi: "tpu-v6e-slice" },
    machineFamily: { single: "ct6e-standard", multi: "ct6e-standard" },
    // Machines have one, four or eight chips; eight only where the host is the whole slice.
    chipsPerHost: { single: 8, multi: 4 },
    shapes: planes,
  },
};
