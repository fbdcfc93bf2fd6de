/**
 * What is known of a chip: one value in a file of its own, from which targets, estimates and manifests are made.
 *
 * Figures are of a whole chip. JAX may see a chip as several devices, which share it equally: `perDevice`.
 */

// Public API

export type Chip = TpuChip | GpuChip;

/** A TPU. */
export interface TpuChip extends Rates {
  readonly platform: "tpu";
  /** Dimensions of the torus that slices are cut from. */
  readonly dimensions: 2 | 3;
  /** Whether libtpu is asked to make one device of both TensorCores. */
  readonly megacore: boolean;
  /** Undefined where GKE does not offer it: then it has no Kubernetes manifest. */
  readonly gke: GkeSlices | undefined;
}

/** A GPU. */
export interface GpuChip extends Rates {
  readonly platform: "cuda";
  readonly computeCapability: `${number}.${number}`;
  readonly xla: XlaGpu;
  /** Undefined where no host with it is known: then it has no Kubernetes manifest. */
  readonly nodes: GpuNodes | undefined;
}

/** What estimates are made of. */
export interface Rates {
  /** As targets and, of a TPU, libtpu write it: `v4`, `h100`. */
  readonly name: string;
  readonly hbmBytes: number;
  readonly hbmBytesPerSecond: number;
  /** Multiplications and additions of bf16 numbers, summed in f32, dense. */
  readonly bf16FlopsPerSecond: number;
  /** Of the unit in which XLA's TPU back end counts its cycles; on a GPU the boost clock. */
  readonly clockHz: number;
  /**
   * All links to other chips together, in one direction. Of what a TPU's links are rated, nine tenths: the rate at which
   * collectives run according to "How to Scale Your Model" (jax-ml.github.io/scaling-book, "How to Think About TPUs"),
   * which has 45 GB/s for a link of v4 and v5e that is rated 50, and 90 for one of v5p and v6e that is rated 100.
   */
  readonly linkBytesPerSecond: number;
  /** What a collective takes besides its bytes. */
  readonly exchangeSeconds: number;
  /** What a trip of a loop takes besides its products and what it reads: its small operations, one after the other. */
  readonly tripSeconds: number;
  /** A TPU's TensorCores, a GPU's streaming multiprocessors. */
  readonly cores: number;
  /** Devices that JAX sees. */
  readonly devices: number;
}

/** The slices of a TPU that GKE offers, and the hosts that they are. */
export interface GkeSlices {
  /** Value of the node label `cloud.google.com/gke-tpu-accelerator`. */
  readonly accelerator: ByHosts<string>;
  /** Compute Engine's machine type without the chips of a host: `ct4p-hightpu` for `ct4p-hightpu-4t`. */
  readonly machineFamily: ByHosts<string>;
  /** The most chips of a host that is a slice by itself, and the chips of each of several hosts. */
  readonly chipsPerHost: ByHosts<number>;
  /** Chips along each dimension, fewest chips first. */
  readonly shapes: readonly SliceShape[];
}

/** What holds where a slice is one host, and where it is several. */
export interface ByHosts<T> {
  readonly single: T;
  readonly multi: T;
}

/** Chips along each dimension of a slice. */
export type SliceShape = readonly number[];

/** A GPU as XLA's compiler plans with it, in the words of `GpuTargetConfigProto`; `gpu-target.ts` adds what all GPUs share. */
export interface XlaGpu {
  /** The device's name as its driver tells it. */
  readonly deviceName: string;
  /** As the driver tells it, a little less or more than the data sheet says. */
  readonly memoryBytes: number;
  readonly memoryBytesPerSecond: number;
  /** The maximal clock. */
  readonly clockHz: number;
  readonly l2Bytes: number;
  /** Shared memory of a core (a streaming multiprocessor), and the most of it that one block may ask for. */
  readonly sharedBytesPerCore: number;
  readonly sharedBytesPerBlock: number;
  readonly threadsPerCore: number;
  /** Units for f32 in a core. */
  readonly fpusPerCore: number;
}

/** How a Kubernetes cluster labels its nodes with a GPU. */
export interface GpuNodes {
  /** Values of GKE's label `cloud.google.com/gke-accelerator`. */
  readonly gkeAccelerators: readonly string[];
  /** Values of the label `nvidia.com/gpu.product`, which NVIDIA's GPU feature discovery sets on any cluster. */
  readonly products: readonly string[];
  /** How many GPUs a host can have. */
  readonly gpusPerHost: readonly number[];
}

/** What one JAX device has of its chip. A v4 without megacore has two: `perDevice(chips.v4, 2)`. */
export function perDevice(chip: Chip, devices: number = chip.devices): Chip {
  return {
    ...chip,
    hbmBytes: chip.hbmBytes / devices,
    hbmBytesPerSecond: chip.hbmBytesPerSecond / devices,
    bf16FlopsPerSecond: chip.bf16FlopsPerSecond / devices,
    linkBytesPerSecond: chip.linkBytesPerSecond / devices,
    cores: chip.cores / devices,
    devices: 1,
  };
}
