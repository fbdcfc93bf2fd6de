/**
 * TPU v3.
 *
 * Peak and memory: cloud.google.com/tpu/docs/v3. Clock and links: Jouppi et al., "TPU v4", ISCA 2023 (arXiv:2304.01433),
 * table 4. Slices: GKE's "Plan TPUs"; label values and machine types: GKE's cluster autoscaler (cloudprovider/gke).
 */
import type { TpuChip } from "./chip.ts";
import { tpuExchangeSeconds, tripSeconds } from "./shared-figures.ts";

// Public API

export const v3: TpuChip = {
  name: "v3",
  platform: "tpu",
  // Two cores with 16 GiB each, and each core is a device.
  hbmBytes: 32 * 2 ** 30,
  hbmBytesPerSecond: 900e9,
  bf16FlopsPerSecond: 123e12,
  clockHz: 0.94e9,
  // 4 links of 70 GB/s, nine tenths.
  linkBytesPerSecond: 252e9,
  exchangeSeconds: tpuExchangeSeconds,
  tripSeconds,
  cores: 2,
  devices: 2,
  dimensions: 2,
  megacore: false,
  gke: {
    accelerator: { single: "tpu-v3-device", multi: "tpu-v3-slice" },
    machineFamily: { single: "ct3-hightpu", multi: "ct3p-hightpu" },
    chipsPerHost: { single: 4, multi: 4 },
    // GKE counts chips, and not their two devices. Four hosts are the fewest of several.
    shapes: [
      [2, 2],
      [4, 4],
      [4, 8],
      [8, 8],
      [8, 16],
      [16, 16],
      [16, 32],
      [32, 32],
    ],
  },
};
