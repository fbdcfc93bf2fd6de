/**
 * TPU v5e.
 *
 * Peak, memory and links: cloud.google.com/tpu/docs/v5e. The clock is not published: it is the peak over the operations of
 * a cycle, 2 · 128² for each of 4 matrix units (docs/log.md holds that to XLA's estimates). Slices: GKE's "Plan TPUs";
 * label values and machine types: GKE's cluster autoscaler (cloudprovider/gke).
 */
import type { TpuChip } from "./chip.ts";
import { tpuExchangeSeconds, tripSeconds } from "./shared-figures.ts";
import { planes } from "./slice-shapes.ts";

// Public API

export const v5e: TpuChip = {
  name: "v5e",
  platform: "tpu",
  hbmBytes: 16 * 2 ** 30,
  hbmBytesPerSecond: 819e9,
  bf16FlopsPerSecond: 197e12,
  clockHz: 1.5e9,
  // 1600 Gbit/s: 4 links of 50 GB/s, nine tenths.
  linkBytesPerSecond: 180e9,
  exchangeSeconds: tpuExchangeSeconds,
  tripSeconds,
  cores: 1,
  devices: 1,
  dimensions: 2,
  megacore: false,
  gke: {
    accelerator: { single: "tpu-v5-lite-podslice", multi: "tpu-v5-lite-podslice" },
    machineFamily: { single: "ct5lp-hightpu", multi: "ct5lp-hightpu" },
    // Machines have one, four or eight chips; eight only where the host is the whole slice.
    chipsPerHost: { single: 8, multi: 4 },
    shapes: planes,
  },
};
