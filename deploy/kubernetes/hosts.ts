/**
 * Which hosts a target is, and what of them a pod asks its cluster for.
 */
import type { Affinity, Toleration } from "kubernetes-types/core/v1.d.ts";
import { chipsOf } from "../../chips/index.ts";
import type { Topology } from "../../compiler/index.ts";
import { InputError } from "../../dsl/index.ts";
import { sliceOf } from "./slices.ts";

// Public API

/** The hosts of one copy of a target: all of them run one program. */
export interface Hosts {
  readonly count: number;
  readonly chipsPerHost: number;
  /** The extended resource that a device plug-in offers. */
  readonly resource: "google.com/tpu" | "nvidia.com/gpu";
  readonly nodeSelector?: Readonly<Record<string, string>>;
  readonly affinity?: Affinity;
  readonly tolerations: readonly Toleration[];
  /** What a node pool is made of, as the comment over a manifest says it. */
  readonly machine: string;
}

/**
 * The hosts of a target that is compiled ahead of time.
 *
 * @throws InputError where no host or slice of that size exists, with the nearest that does
 */
export function hostsOf(topology: Topology): Hosts {
  return topology.platform === "tpu" ? tpuHosts(topology) : gpuHosts(topology);
}

// Implementation

function tpuHosts(topology: Topology): Hosts {
  const { accelerator, topology: shape, machineType, hosts, chipsPerHost } = sliceOf(topology);
  return {
    count: hosts,
    chipsPerHost,
    resource: "google.com/tpu",
    nodeSelector: { "cloud.google.com/gke-tpu-accelerator": accelerator, "cloud.google.com/gke-tpu-topology": shape },
    tolerations: [tolerate("google.com/tpu")],
    machine: `${machineType}, GKE's topology ${shape}`,
  };
}

function gpuHosts({ chip, devices }: Topology): Hosts {
  const gpus = chipsOf("cuda").filter(({ nodes }) => nodes !== undefined);
  const gpu = gpus.find(({ name }) => name === chip);
  if (gpu?.nodes === undefined) {
    const known = gpus.map(({ name }) => name).join(", ");
    throw new InputError("SLICE", `no host with GPUs '${chip}' is known; known are ${known}`, { chip });
  }
  const { gpusPerHost, gkeAccelerators, products } = gpu.nodes;
  if (!gpusPerHost.includes(devices)) {
    const nearest = gpusPerHost.find((count) => count >= devices) ?? Math.max(...gpusPerHost);
    throw new InputError(
      "SLICE",
      `no host has ${devices} GPUs '${chip}'; the nearest is cuda:${chip}:${nearest}\n  offered  ${gpusPerHost.join(", ")}, all in one host`,
      { asked: `cuda:${chip}:${devices}`, nearest: `cuda:${chip}:${nearest}` },
    );
  }
  return {
    count: 1,
    chipsPerHost: devices,
    resource: "nvidia.com/gpu",
    affinity: onNodesWith({
      "cloud.google.com/gke-accelerator": gkeAccelerators,
      "nvidia.com/gpu.product": products,
    }),
    tolerations: [tolerate("nvidia.com/gpu")],
    // A program was compiled for that much memory.
    machine: `nodes with ${devices} GPUs ${chip.toUpperCase()} ${gpu.hbmBytes / 2 ** 30} GB`,
  };
}

/** Nodes of which one label has one of its values; a selector would want all of the labels. */
function onNodesWith(labels: Readonly<Record<string, readonly string[]>>): Affinity {
  const nodeSelectorTerms = Object.entries(labels).map(([key, values]) => ({
    matchExpressions: [{ key, operator: "In" as const, values: [...values] }],
  }));
  return { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } };
}

/** Nodes with accelerators are commonly kept free of all else by a taint of the resource's name. */
function tolerate(key: string): Toleration {
  return { key, operator: "Exists", effect: "NoSchedule" };
}
