/**
 * One run of an executable: arguments by handle or by value, and what becomes of donated ones.
 */
import { type BufferMaker, DeviceBuffer } from "./device-buffer.ts";
import { WorkerError } from "./errors.ts";
import type { Executable } from "./executable.ts";
import type { HostTensor } from "./host-tensor.ts";
import { type CallOptions, withDeadline } from "./link/call-options.ts";
import type { Link } from "./link/link.ts";
import { inlineBytes } from "./pieces.ts";
import { readBuffer, readTensor, tensorToWire } from "./wire.ts";

// Public API

/** What a run gives: fetched results by value, the others as buffers. */
export interface Execution<R = HostTensor | DeviceBuffer> {
  readonly results: readonly R[];
  /** From the call's arrival in the runtime until the results were ready. */
  readonly executeSeconds: number;
}

/** What a run takes. Default deadline: 10 minutes. */
export interface ExecuteOptions extends CallOptions {
  /** The results to send by value. Default: none. */
  readonly fetch?: "all" | readonly number[] | undefined;
}

/** Runs an executable once. `owner` has the buffers among the arguments, and gets those of the results. */
export async function execute(
  link: Link,
  owner: BufferMaker,
  executable: Executable,
  args: readonly (DeviceBuffer | HostTensor)[],
  { fetch = [], ...call }: ExecuteOptions,
): Promise<Execution> {
  // Nothing is awaited before the donated ones are marked, so that a second use is refused at once.
  const sent = args.some(isLarge) ? await uploadLarge(owner, args, call) : args;
  const request = {
    executableId: executable.id,
    arguments: sent.map((arg) =>
      arg instanceof DeviceBuffer ? { bufferId: arg.idFor(owner) } : { tensor: tensorToWire(arg) },
    ),
    fetch: fetch === "all" ? executable.results.map((_, index) => index) : fetch,
  };
  const consumed = sent.flatMap((arg, index) =>
    arg instanceof DeviceBuffer && executable.donated.has(index) ? [arg.consume("donated")] : [],
  );
  try {
    const response = await link.execute(request, withDeadline(10 * 60_000, call));
    const results = response.results.map(({ buffer, tensor }) =>
      tensor ? readTensor(tensor) : readBuffer(owner, buffer),
    );
    return { results, executeSeconds: response.executeSeconds };
  } catch (error) {
    if (error instanceof WorkerError && error.exitCode === 2) for (const one of consumed) one.undo();
    throw error;
  } finally {
    // What was uploaded for this call only; and until here every argument is held, so that none is freed under way.
    sent.forEach((arg, index) => {
      if (arg !== args[index]) (arg as DeviceBuffer).release();
    });
  }
}

// Implementation

const isLarge = (arg: DeviceBuffer | HostTensor): arg is HostTensor =>
  !(arg instanceof DeviceBuffer) && arg.data.byteLength > inlineBytes;

/** Uploads what is too large for one message. */
async function uploadLarge(
  owner: BufferMaker,
  args: readonly (DeviceBuffer | HostTensor)[],
  options: CallOptions,
): Promise<(DeviceBuffer | HostTensor)[]> {
  const uploads = await Promise.allSettled(args.map((arg) => (isLarge(arg) ? owner.upload(arg, options) : arg)));
  const failed = uploads.find((upload) => upload.status === "rejected");
  if (!failed) return uploads.map((upload) => (upload as PromiseFulfilledResult<DeviceBuffer | HostTensor>).value);
  uploads.forEach((upload, index) => {
    if (upload.status === "fulfilled" && upload.value !== args[index]) (upload.value as DeviceBuffer).release();
  });
  throw failed.reason;
}
