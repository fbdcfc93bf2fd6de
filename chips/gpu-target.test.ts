import { expect, test } from "@jest/globals";
import { gpuTarget } from "./gpu-target.ts";
import { chips } from "./index.ts";

test("a GPU is described to XLA by its own figures and by what all GPUs share", () => {
  expect(gpuTarget(chips.a100)).toMatchInlineSnapshot(`
"gpu_device_info {
  threads_per_block_limit: 1024
  threads_per_warp: 32
  shared_memory_per_block: 49152
  shared_memory_per_core: 167936
  threads_per_core_limit: 2048
  core_count: 108
  fpus_per_core: 64
  block_dim_limit_x: 2147483647
  block_dim_limit_y: 65535
  block_dim_limit_z: 65535
  memory_bandwidth: 2039000000000
  l2_cache_size: 41943040
  clock_rate_ghz: 1.41
  device_memory_size: 84974239744
  shared_memory_per_block_optin: 166912
  cuda_compute_capability { major: 8 minor: 0 }
  registers_per_core_limit: 65536
  registers_per_block_limit: 65536
}
platform_name: "CUDA"
dnn_version_info { major: 9 minor: 8 patch: 0 }
runtime_version { major: 13 minor: 0 patch: 0 }
device_description_str: "NVIDIA A100-SXM4-80GB"
"
`);
});

test("GPUs differ in their own figures alone", () => {
  const lines = gpuTarget(chips.a100).split("\n");
  const changed = gpuTarget(chips.h100)
    .split("\n")
    .filter((line, n) => line !== lines[n]);
  expect(changed.map((line) => line.trim())).toMatchInlineSnapshot(`
[
  "shared_memory_per_core: 233472",
  "core_count: 132",
  "fpus_per_core: 128",
  "memory_bandwidth: 3352320000000",
  "l2_cache_size: 52428800",
  "clock_rate_ghz: 1.98",
  "device_memory_size: 84942979072",
  "shared_memory_per_block_optin: 232448",
  "cuda_compute_capability { major: 9 minor: 0 }",
  "device_description_str: "NVIDIA H100 80GB HBM3"",
]
`);
});
