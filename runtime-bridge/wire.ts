/**
 * Tensors and buffers as the contract sends them.
 */
import type { Tensor, Buffer as WireBuffer } from "../proto/generated/worker.ts";
import { type BufferOwner, DeviceBuffer } from "./device-buffer.ts";
import { byteLength, fromWire, toWire } from "./element-type.ts";
import { checkTensor, type HostTensor } from "./host-tensor.ts";

/** Reads a tensor; its data are a view into the message. */
export function readTensor({ type, data }: Tensor): HostTensor {
  const { dtype, shape } = fromWire(type);
  const wanted = byteLength({ dtype, shape });
  if (data.byteLength !== wanted) {
    throw new RangeError(`the worker sent ${data.byteLength} bytes for a tensor of ${wanted}`);
  }
  return { dtype, shape, data };
}

/** A tensor for a message, which holds its data as they are. */
export function tensorToWire(tensor: HostTensor): Tensor {
  checkTensor(tensor);
  return { type: toWire(tensor), data: tensor.data };
}

/** A handle to a buffer that the worker made. */
export function readBuffer(owner: BufferOwner, buffer: WireBuffer | undefined): DeviceBuffer {
  if (!buffer) throw new RangeError("the worker's answer lacks a buffer");
  return new DeviceBuffer(owner, buffer.bufferId, fromWire(buffer.type));
}
