/**
 * What a `Worker` and its sessions need of the other side: one connection to one worker, or a group of them in step.
 */
import type { LoadRequest, LoadResponse, SessionRequest, SessionResponse } from "../proto/generated/worker.ts";
import type { CallOptions, Connection, Method } from "./connection.ts";

/** One host's side of a link. */
export interface LinkHost {
  readonly address: string;
}

/** The way to a worker, or to all workers of a group. */
export interface Link {
  /** In a group by their numbers. */
  readonly hosts: readonly LinkHost[];
  /** To host 0, for what concerns one host alone. */
  readonly first: Connection;
  /** One request, one response. */
  unary<Q, R>(method: Method<Q, R>, request: Q, options: CallOptions): Promise<R>;
  /** Many requests, one response. */
  send<Q, R>(method: Method<Q, R>, requests: Iterable<Q>, options: CallOptions): Promise<R>;
  /** One request, many responses. Leaving the loop cancels the call. */
  receive<Q, R>(method: Method<Q, R>, request: Q, options: CallOptions): AsyncGenerator<R, void, undefined>;
  /** Loads tensors: gives what each host said last, whenever one has said something. */
  load(request: LoadRequest, options: CallOptions): AsyncGenerator<readonly LoadResponse[], void, undefined>;
  /** Opens a session. Errors come as the stream's `error` event; pass them through `explain`. */
  openSession(): SessionStream;
  /** Throws when a call would be in vain. */
  check(signal: AbortSignal | undefined): void;
  /** Turns what a call failed with into the error that its caller gets. */
  explain(error: unknown, options?: CallOptions): Promise<unknown>;
  /** Cancels what is in progress; it and every later call get an error that says so. */
  close(): void;
}

/** The stream of a session, as far as sessions use it. */
export interface SessionStream {
  write(request: SessionRequest): boolean;
  end(): unknown;
  cancel(): void;
  pause(): unknown;
  resume(): unknown;
  isPaused(): boolean;
  on(event: "data", listener: (response: SessionResponse) => void): unknown;
  on(event: "status", listener: (status: { readonly code: number }) => void): unknown;
  on(event: "error", listener: (error: unknown) => void): unknown;
  once(event: "drain", listener: () => void): unknown;
}
