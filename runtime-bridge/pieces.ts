/**
 * Tensors and files that travel in pieces: one message with all of it would hold up what the connection sends beside it.
 */
import type { DownloadResponse, UploadRequest } from "../proto/generated/worker.ts";
import { byteLength, fromWire, type TensorType, toWire } from "./element-type.ts";
import type { HostTensor } from "./host-tensor.ts";
import type { WithoutOrdinal } from "./link/link.ts";

// Public API

/** What fits into one message: an argument that is larger is uploaded before the call. */
export const inlineBytes = 4 * 1024 * 1024;

/** The requests of an upload; the first names the tensor's type. */
export function* tensorPieces(tensor: HostTensor): Generator<WithoutOrdinal<UploadRequest>> {
  let type: UploadRequest["type"] = toWire(tensor);
  for (const data of pieces(tensor.data)) {
    yield { type, data };
    type = undefined;
  }
}

/** The requests that send a file's bytes. */
export function* filePieces(bytes: Uint8Array): Generator<{ readonly data: Uint8Array }> {
  for (const data of pieces(bytes)) yield { data };
}

/**
 * The tensor that the responses of a download hold.
 *
 * @throws RangeError when they hold more or fewer bytes than the tensor's type has
 */
export async function joinTensor(responses: AsyncIterable<DownloadResponse>): Promise<HostTensor> {
  let tensor: (TensorType & { readonly data: Uint8Array }) | undefined;
  let filled = 0;
  for await (const { type, data } of responses) {
    if (!tensor) {
      const known = fromWire(type);
      // Not zeroed: every byte is written below, or the tensor is refused.
      tensor = { ...known, data: Buffer.allocUnsafeSlow(byteLength(known)) };
    }
    if (filled + data.byteLength > tensor.data.byteLength)
      throw new RangeError("the worker sent more than the buffer holds");
    tensor.data.set(data, filled);
    filled += data.byteLength;
  }
  if (!tensor || filled !== tensor.data.byteLength) throw new RangeError("the worker sent less than the buffer holds");
  return tensor;
}

/** The bytes that responses hold, one after the other. */
export async function joinBytes(responses: AsyncIterable<{ readonly data: Uint8Array }>): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  for await (const { data } of responses) all.push(data);
  return all.length === 1 ? all[0]! : Buffer.concat(all);
}

// Implementation

/** The contract takes 4 MiB a message; the type beside the bytes needs a little of it. */
const pieceBytes = 4 * 1024 * 1024 - 1024;

/** No bytes are one piece: a tensor may have none, and its type travels with it. */
function* pieces(data: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at === 0 || at < data.byteLength; at += pieceBytes) yield data.subarray(at, at + pieceBytes);
}
