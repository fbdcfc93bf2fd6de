/**
 * A tensor that lives in a worker's memory, named by a handle that can be used up.
 */
import { InputError } from "../dsl/errors.ts";
import { type TensorType, typeText } from "./element-type.ts";
import type { HostTensor } from "./host-tensor.ts";
import type { CallOptions } from "./link/call-options.ts";

/** Who the buffers belong to: a worker. */
export interface BufferOwner {
  /** Asks the worker to forget ids, together with others that are let go soon. */
  releaseSoon(id: string): void;
}

/** An owner that makes buffers too. */
export interface BufferMaker extends BufferOwner {
  upload(tensor: HostTensor, options?: CallOptions): Promise<DeviceBuffer>;
}

/** Why a buffer can't be used any more. */
type Gone = "released" | "donated" | "taken over by a session";

export class DeviceBuffer implements TensorType, Disposable, AsyncDisposable {
  readonly dtype: TensorType["dtype"];
  readonly shape: readonly number[];
  readonly #id: string;
  readonly #owner: BufferOwner;
  #gone: Gone | undefined;

  /** Made by a worker; not to be called by others. */
  constructor(owner: BufferOwner, id: string, type: TensorType) {
    this.dtype = type.dtype;
    this.shape = type.shape;
    this.#id = id;
    this.#owner = owner;
    forgotten.register(this, { owner: new WeakRef(owner), id }, this);
  }

  /** Whether it can be used. */
  get alive(): boolean {
    return this.#gone === undefined;
  }

  /** The id for a call to `owner`. Throws when the buffer is used up or is another worker's. */
  idFor(owner: BufferOwner): string {
    if (this.#gone) throw refuse(this, `was ${this.#gone}`);
    if (owner !== this.#owner) throw refuse(this, "belongs to another worker: download it there and upload it here");
    return this.#id;
  }

  /** Marks it as used up by a call; `undo` is for a call that was refused. */
  consume(how: "donated" | "taken over by a session"): { undo(): void } {
    this.#gone = how;
    forgotten.unregister(this);
    return {
      undo: () => {
        if (this.#gone !== how) return;
        this.#gone = undefined;
        forgotten.register(this, { owner: new WeakRef(this.#owner), id: this.#id }, this);
      },
    };
  }

  /** Frees the memory. Does nothing when it is used up already. */
  release(): void {
    if (this.#gone) return;
    this.#gone = "released";
    forgotten.unregister(this);
    this.#owner.releaseSoon(this.#id);
  }

  [Symbol.dispose](): void {
    this.release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.release();
  }
}

/** A handle that nobody holds any more frees what it names: device memory is too dear to leak. */
const forgotten = new FinalizationRegistry<{ owner: WeakRef<BufferOwner>; id: string }>(({ owner, id }) =>
  owner.deref()?.releaseSoon(id),
);

function refuse(buffer: DeviceBuffer, why: string): InputError {
  return new InputError("BUFFER_UNUSABLE", `the buffer ${typeText(buffer)} ${why}`, {
    dtype: buffer.dtype,
    shape: buffer.shape,
    why,
  });
}
