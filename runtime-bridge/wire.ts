/**
 * Tensors as the contract sends them.
 */
import type { Tensor } from "../proto/generated/worker.ts";
import { byteLength, fromWire } from "./element-type.ts";
import type { HostTensor } from "./host-tensor.ts";

/** Reads a tensor; its data are a view into the message. */
export function readTensor({ type, data }: Tensor): HostTensor {
  const { dtype, shape } = fromWire(type);
  const wanted = byteLength({ dtype, shape });
  if (data.byteLength !== wanted) {
    throw new RangeError(`the worker sent ${data.byteLength} bytes for a tensor of ${wanted}`);
  }
  return { dtype, shape, data };
}
