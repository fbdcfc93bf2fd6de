/** Figures that are taken to be the same for every chip, or for every chip of a platform. */

// Public API

/** The latency of a hop in "How to Scale Your Model" (jax-ml.github.io/scaling-book), which the model time assumes too. */
export const tpuExchangeSeconds = 1e-6;

/**
 * What XLA's own model of NCCL takes for launching a collective
 * (xla/service/gpu/model/gpu_collective_performance_model.h, kNcclKernelLaunchOverhead).
 */
export const gpuExchangeSeconds = 5e-6;

/**
 * What is left of XLA's estimate for GPT-OSS-120B on eight v4 without the products: 14 µs of 2304 trips over chosen
 * experts, 16 of 576 over all (docs/log.md). No other chip was measured.
 */
export const tripSeconds = 15e-6;
