/** Devices that need not be here, as the worker's compilers name them. */
import { gpuTargets } from "../chips/gpu-targets.ts";
import { formatTopology, type Topology } from "../chips/topology.ts";
import type { Topology as WireTopology } from "../proto/generated/worker.ts";

/** A topology as it travels. */
export function topologyToWire(topology: Topology): WireTopology {
  const { platform, chip, devices, megacore } = topology;
  if (platform === "tpu") {
    return { platform, name: formatTopology(topology), chipConfig: megacore ? "megacore" : "", gpuTarget: "" };
  }
  // Hosts, processes of a host, devices of a process.
  return { platform, name: `1x1x${devices}`, chipConfig: "", gpuTarget: gpuTargets[chip] as string };
}
