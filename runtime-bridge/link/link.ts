/**
 * What a `Worker` and its sessions need of the other side, call by call. `SingleLink` reaches one worker, `Group` all
 * hosts of a group; callers need not know which of the two they have.
 */
import type {
  CompileRequest,
  CompileResponse,
  DownloadRequest,
  DownloadResponse,
  ExecuteRequest,
  ExecuteResponse,
  FormatModuleRequest,
  FormatModuleResponse,
  GetInfoResponse,
  LoadExecutableRequest,
  LoadExecutableResponse,
  LoadRequest,
  LoadResponse,
  OpenCheckpointRequest,
  OpenCheckpointResponse,
  ReadFileRequest,
  ReadFileResponse,
  SaveExecutableRequest,
  SaveExecutableResponse,
  SessionRequest,
  SessionResponse,
  UploadRequest,
  UploadResponse,
} from "../../proto/generated/worker.ts";
import type { Profile } from "../profile.ts";
import type { CallOptions } from "./call-options.ts";

/** A request without its ordinal: its place in the order of a group, `launch` in the contract. The link adds it. */
export type WithoutOrdinal<Q extends { readonly launch: number }> = Omit<Q, "launch">;

/** One host's side of a link. */
export interface LinkHost {
  readonly address: string;
}

/** The way to a worker, or to all workers of a group. The contract describes the calls; each rejects as `Worker` says. */
export interface Link {
  /** Of a group in the order of their indices. */
  readonly hosts: readonly LinkHost[];
  info(options: CallOptions): Promise<GetInfoResponse>;
  formatModule(request: FormatModuleRequest, options: CallOptions): Promise<FormatModuleResponse>;
  compile(request: WithoutOrdinal<CompileRequest>, options: CallOptions): Promise<CompileResponse>;
  /** @throws InputError when the link is a group's */
  saveExecutable(request: SaveExecutableRequest, options: CallOptions): AsyncIterable<SaveExecutableResponse>;
  /** @throws InputError when the link is a group's */
  loadExecutable(requests: Iterable<LoadExecutableRequest>, options: CallOptions): Promise<LoadExecutableResponse>;
  openCheckpoint(request: OpenCheckpointRequest, options: CallOptions): Promise<OpenCheckpointResponse>;
  readFile(request: ReadFileRequest, options: CallOptions): AsyncIterable<ReadFileResponse>;
  /** Gives the latest response of each host, whenever a host has sent one. */
  load(request: WithoutOrdinal<LoadRequest>, options: CallOptions): AsyncIterable<readonly LoadResponse[]>;
  upload(pieces: Iterable<WithoutOrdinal<UploadRequest>>, options: CallOptions): Promise<UploadResponse>;
  download(request: WithoutOrdinal<DownloadRequest>, options: CallOptions): AsyncIterable<DownloadResponse>;
  release(bufferIds: readonly string[], options: CallOptions): Promise<void>;
  execute(request: WithoutOrdinal<ExecuteRequest>, options: CallOptions): Promise<ExecuteResponse>;
  /** Opens a session. Errors come as the stream's `error` event; pass them through `explain`. */
  openSession(): SessionStream;
  /** Begins a profile; of a group it records host 0. */
  startProfile(directory: string): Promise<Profile>;
  /** Throws when a call cannot succeed any more. */
  check(signal: AbortSignal | undefined): void;
  /** Turns what a call failed with into the error that its caller gets. */
  explain(error: unknown, options?: CallOptions): Promise<unknown>;
  /** Cancels the calls in progress; they and all later calls get an error that says so. */
  close(): void;
}

/** The stream of a session, as far as sessions use it. */
export interface SessionStream {
  write(request: WithoutOrdinal<SessionRequest>): boolean;
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
