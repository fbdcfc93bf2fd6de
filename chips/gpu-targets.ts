/**
 * GPUs as XLA's compiler wants them described: `GpuTargetConfigProto`, as text.
 *
 * Source: openxla/xla xla/backends/gpu/target_config/specs (h100_sxm.txtpb, a100_sxm_80.txtpb): limits that the compiler
 * plans with, as the devices' drivers tell them.
 */

// Public API

/** By chip. */
export const gpuTargets: Readonly<Record<string, string>> = {
  h100: describe({
    name: "NVIDIA H100 80GB HBM3",
    capability: [9, 0],
    cores: 132,
    sharedPerBlock: 232_448,
    sharedPerCore: 233_472,
    l2: 52_428_800,
    memory: 84_942_979_072,
    bandwidth: 3_352_320_000_000,
    clockGhz: 1.98,
  }),
  a100: describe({
    name: "NVIDIA A100-SXM4-80GB",
    capability: [8, 0],
    cores: 108,
    sharedPerBlock: 166_912,
    sharedPerCore: 167_936,
    l2: 41_943_040,
    memory: 84_974_239_744,
    bandwidth: 2_039_000_000_000,
    clockGhz: 1.41,
  }),
};

// Implementation

interface Gpu {
  readonly name: string;
  readonly capability: readonly [major: number, minor: number];
  readonly cores: number;
  /** Bytes that a block may ask for, and that a core has. */
  readonly sharedPerBlock: number;
  readonly sharedPerCore: number;
  readonly l2: number;
  readonly memory: number;
  readonly bandwidth: number;
  readonly clockGhz: number;
}

function describe(gpu: Gpu): string {
  const [major, minor] = gpu.capability;
  return `gpu_device_info {
  threads_per_block_limit: 1024
  threads_per_warp: 32
  shared_memory_per_block: 49152
  shared_memory_per_core: ${gpu.sharedPerCore}
  threads_per_core_limit: 2048
  core_count: ${gpu.cores}
  fpus_per_core: ${major === 9 ? 128 : 64}
  block_dim_limit_x: 2147483647
  block_dim_limit_y: 65535
  block_dim_limit_z: 65535
  memory_bandwidth: ${gpu.bandwidth}
  l2_cache_size: ${gpu.l2}
  clock_rate_ghz: ${gpu.clockGhz}
  device_memory_size: ${gpu.memory}
  shared_memory_per_block_optin: ${gpu.sharedPerBlock}
  cuda_compute_capability { major: ${major} minor: ${minor} }
  registers_per_core_limit: 65536
  registers_per_block_limit: 65536
}
platform_name: "CUDA"
dnn_version_info { major: 9 minor: 8 patch: 0 }
runtime_version { major: 13 minor: 0 patch: 0 }
device_description_str: "${gpu.name}"
`;
}
