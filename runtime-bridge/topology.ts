/** Devices that need not be here, as the worker's compilers name them. */
import { gpuTarget } from "../chips/gpu-target.ts";
import { chipOf } from "../chips/index.ts";
import { formatTopology, type Topology } from "../chips/topology.ts";
import type { Topology as WireTopology } from "../proto/generated/worker.ts";

/**
 * A topology as it travels.
 *
 * @throws InputError when its chip is not known
 */
export function topologyToWire(topology: Topology): WireTopology {
  const { devices, megacore } = topology;
  const chip = chipOf(topology.chip);
  if (chip.platform === "tpu") {
    return { platform: "tpu", name: formatTopology(topology), chipConfig: megacore ? "megacore" : "", gpuTarget: "" };
  }
  // Hosts, processes of a host, devices of a process.
  return { platform: "cuda", name: `1x1x${devices}`, chipConfig: "", gpuTarget: gpuTarget(chip) };
}
