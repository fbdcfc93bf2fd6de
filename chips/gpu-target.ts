/**
 * A GPU as XLA's compiler wants it described: `GpuTargetConfigProto`, as text.
 *
 * What is not a chip's own holds for every GPU of compute capability 7 and above (CUDA C++ Programming Guide, "Technical
 * Specifications per Compute Capability"), or is the version of cuDNN and of the CUDA runtime that programs are compiled for.
 */
import type { GpuChip } from "./chip.ts";

// Public API

/** The text for a GPU. */
export function gpuTarget({ computeCapability, cores, xla }: GpuChip): string {
  const [major, minor] = computeCapability.split(".");
  return `gpu_device_info {
  threads_per_block_limit: 1024
  threads_per_warp: 32
  shared_memory_per_block: 49152
  shared_memory_per_core: ${xla.sharedBytesPerCore}
  threads_per_core_limit: ${xla.threadsPerCore}
  core_count: ${cores}
  fpus_per_core: ${xla.fpusPerCore}
  block_dim_limit_x: 2147483647
  block_dim_limit_y: 65535
  block_dim_limit_z: 65535
  memory_bandwidth: ${xla.memoryBytesPerSecond}
  l2_cache_size: ${xla.l2Bytes}
  clock_rate_ghz: ${xla.clockHz / 1e9}
  device_memory_size: ${xla.memoryBytes}
  shared_memory_per_block_optin: ${xla.sharedBytesPerBlock}
  cuda_compute_capability { major: ${major} minor: ${minor} }
  registers_per_core_limit: 65536
  registers_per_block_limit: 65536
}
platform_name: "CUDA"
dnn_version_info { major: 9 minor: 8 patch: 0 }
runtime_version { major: 13 minor: 0 patch: 0 }
device_description_str: "${xla.deviceName}"
`;
}
