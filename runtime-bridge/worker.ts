/**
 * A worker, as TypeScript sees it: programs go in, buffers and numbers come out.
 *
 * Every method takes a `signal` and a `deadlineMs`, and rejects with a `WorkerError` when the worker refused or failed,
 * with `WorkerLost` when it is no longer there, and with the signal's reason when that was aborted.
 */
import { resolve } from "node:path";
import type { Program } from "../compiler/program.ts";
import type { ErrorFields } from "../dsl/errors.ts";
import type { GetInfoResponse } from "../proto/generated/worker.ts";
import { type Checkpoint, type LoadItem, type LoadProgress, readCheckpoint, readProgress } from "./checkpoint.ts";
import { type CompileOptions, compile } from "./compile.ts";
import type { BufferOwner, DeviceBuffer } from "./device-buffer.ts";
import { type Executable, readExecutable } from "./executable.ts";
import { type ExecuteOptions, type Execution, execute } from "./execute.ts";
import { checkTensor, type HostTensor } from "./host-tensor.ts";
import type { LaunchedWorker, LaunchOptions } from "./launch/launch.ts";
import { type CallOptions, withDeadline } from "./link/call-options.ts";
import type { Link } from "./link/link.ts";
import { filePieces, joinBytes, joinTensor, tensorPieces } from "./pieces.ts";
import type { Profile } from "./profile.ts";
import { type ConnectOptions, connectWorker, launchWorker, type Reached } from "./reach-worker.ts";
import { ReleaseQueue } from "./release-queue.ts";
import { Session } from "./session.ts";
import { readBuffer } from "./wire.ts";

// Public API

/** What a worker is and what it uses. */
export type WorkerInfo = Readonly<GetInfoResponse>;

/** One process of a worker; a group has several. */
export interface WorkerHost {
  readonly address: string;
  /** Of a launched one. */
  readonly processId: number | undefined;
  /** Of a launched one. */
  readonly logFile: string | undefined;
}

export class Worker implements BufferOwner, AsyncDisposable {
  /**
   * Starts a worker on this machine, or several that run programs together. It ends with `close()`, with this process, or
   * with `await using`.
   */
  static async launch(options: LaunchOptions = {}): Promise<Worker> {
    return new Worker(await launchWorker(options), options.root === undefined);
  }

  /**
   * Reaches a worker that runs elsewhere: `unix:PATH`, `HOST:PORT`, `dns:NAME:PORT`, or `grpcs://` before the last two.
   * Several addresses, in any order, are all the hosts of a group.
   *
   * @throws RuntimeFailure when hosts are not of one group, or differ in their versions
   */
  static async connect(address: string | readonly string[], options: ConnectOptions = {}): Promise<Worker> {
    return new Worker(await connectWorker(typeof address === "string" ? [address] : address, options), false);
  }

  readonly #link: Link;
  readonly #launched: readonly LaunchedWorker[];
  /** Whether the worker's relative paths start where this process runs. */
  readonly #pathsStartHere: boolean;
  readonly #sessions = new Set<Session>();
  readonly #released: ReleaseQueue;
  #closing: Promise<void> | undefined;

  private constructor({ link, launched }: Reached, pathsStartHere: boolean) {
    this.#link = link;
    this.#launched = launched;
    this.#pathsStartHere = pathsStartHere;
    this.#released = new ReleaseQueue((bufferIds) => link.release(bufferIds, { deadlineMs: 30_000 }));
  }

  /** Of a group that of host 0. */
  get address(): string {
    return this.#link.hosts[0]!.address;
  }

  /** Of a launched worker; of a group that of host 0. */
  get processId(): number | undefined {
    return this.#launched[0]?.processId;
  }

  /** Of a launched worker; of a group that of host 0. */
  get logFile(): string | undefined {
    return this.#launched[0]?.logFile;
  }

  /** The processes behind it: one, or the hosts of a group by their numbers. */
  get hosts(): readonly WorkerHost[] {
    return this.#link.hosts.map(({ address }) => {
      const launched = this.#launched.find((each) => each.address === address);
      return { address, processId: launched?.processId, logFile: launched?.logFile };
    });
  }

  /** Describes the worker: versions, devices (of a group those of all hosts), memory in use. Default deadline: 30 s. */
  async info(options: CallOptions = {}): Promise<WorkerInfo> {
    return await this.#link.info(withDeadline(30_000, options));
  }

  /** What a bundle says of the worker. Never rejects. */
  async versions(): Promise<ErrorFields> {
    const info = await this.info().catch(() => undefined);
    return {
      jax: info?.jaxVersion,
      jaxlib: info?.jaxlibVersion,
      platform: info?.platform,
      devices: info?.devices.map(({ kind }) => kind),
      address: this.address,
    };
  }

  /** Prints a module as MLIR does, after verification. Default deadline: 5 minutes. */
  async formatModule(
    text: string,
    options: CallOptions & { readonly locations?: boolean | undefined } = {},
  ): Promise<string> {
    const { locations = false, ...call } = options;
    const request = { module: text, locations };
    return (await this.#link.formatModule(request, withDeadline(5 * minutes, call))).module;
  }

  /**
   * Compiles a program, or a bare text. The same program and options give the same executable.
   *
   * @throws WorkerError with `place`, when the module is invalid
   */
  compile(program: Program | string, options: CompileOptions = {}): Promise<Executable> {
    return compile(this.#link, program, options, () => this.versions());
  }

  /**
   * The bytes of a file that holds an executable: what it was compiled by and for, its text, and XLA's own serialisation,
   * signed with the worker's key. Of one for a `topology` that was compiled with `keep`. Default deadline: 10 minutes.
   *
   * @throws WorkerError when what made it has no form for files, or the worker has no key or is one of several hosts
   */
  async saveExecutable({ id }: Pick<Executable, "id">, options: CallOptions = {}): Promise<Uint8Array> {
    return await joinBytes(this.#link.saveExecutable({ executableId: id }, withDeadline(10 * minutes, options)));
  }

  /**
   * Takes an executable from a file that `saveExecutable` made, without compiling. Default deadline: 10 minutes.
   *
   * @param source  a path beside the worker, or the file's bytes
   * @throws WorkerError that names what differs, when it was compiled by other versions or for other devices; also when it is
   *   damaged, or another key than the worker's signed it
   */
  async loadExecutable(source: string | Uint8Array, options: CallOptions = {}): Promise<Executable> {
    const requests = typeof source === "string" ? [{ path: this.#path(source) }] : filePieces(source);
    const answer = await this.#link.loadExecutable(requests, withDeadline(10 * minutes, options));
    if (answer.executable === undefined) throw new RangeError("the worker's answer lacks an executable");
    return { ...readExecutable(answer.executable, answer.module, true), name: answer.program };
  }

  /**
   * Runs an executable once. Results stay on the devices, but for those to `fetch`. Default deadline: 10 minutes.
   *
   * A buffer in a donated argument is used up, unless the call is refused before it runs.
   */
  execute(
    executable: Executable,
    args: readonly (DeviceBuffer | HostTensor)[],
    options: CallOptions & { readonly fetch: "all" },
  ): Promise<Execution<HostTensor>>;
  execute(
    executable: Executable,
    args: readonly (DeviceBuffer | HostTensor)[],
    options?: CallOptions & { readonly fetch?: readonly [] | undefined },
  ): Promise<Execution<DeviceBuffer>>;
  execute(
    executable: Executable,
    args: readonly (DeviceBuffer | HostTensor)[],
    options?: CallOptions & { readonly fetch?: "all" | readonly number[] | undefined },
  ): Promise<Execution>;
  execute(
    executable: Executable,
    args: readonly (DeviceBuffer | HostTensor)[],
    options: ExecuteOptions = {},
  ): Promise<Execution> {
    return execute(this.#link, this, executable, args, options);
  }

  /** Makes a buffer of a tensor. Default deadline: 10 minutes. */
  async upload(tensor: HostTensor, options: CallOptions = {}): Promise<DeviceBuffer> {
    checkTensor(tensor);
    const response = await this.#link.upload(tensorPieces(tensor), withDeadline(10 * minutes, options));
    return readBuffer(this, response.buffer);
  }

  /** Gives the contents of a buffer, which stays. Default deadline: 10 minutes. */
  async download(buffer: DeviceBuffer, options: CallOptions = {}): Promise<HostTensor> {
    const request = { bufferId: buffer.idFor(this) };
    return await joinTensor(this.#link.download(request, withDeadline(10 * minutes, options)));
  }

  /**
   * Opens a checkpoint and describes it. Reads headers only. Default deadline: 5 minutes.
   *
   * @param options.fingerprint  whether to tell the weights' fingerprint, for which a little of every tensor is read
   */
  async openCheckpoint(
    path: string,
    options: CallOptions & { readonly fingerprint?: boolean | undefined } = {},
  ): Promise<Checkpoint> {
    const { fingerprint = false, ...call } = options;
    const request = { path: this.#path(path), fingerprint };
    return readCheckpoint(await this.#link.openCheckpoint(request, withDeadline(5 * minutes, call)));
  }

  /** Reads a small file that lies beside a checkpoint. Default deadline: 5 minutes. */
  async readFile(path: string, options: CallOptions = {}): Promise<Uint8Array> {
    return await joinBytes(this.#link.readFile({ path: this.#path(path) }, withDeadline(5 * minutes, options)));
  }

  /**
   * Makes buffers of a checkpoint's tensors, each item through its program. Default deadline: none.
   *
   * @returns for each item its results, in order; on failure or cancellation no buffer is left
   */
  async load(
    checkpoint: Checkpoint,
    items: readonly LoadItem[],
    options: CallOptions & { readonly onProgress?: ((progress: LoadProgress) => void) | undefined } = {},
  ): Promise<readonly (readonly DeviceBuffer[])[]> {
    const { onProgress, ...call } = options;
    const request = {
      checkpointId: checkpoint.id,
      items: items.map(({ executable, tensors }) => ({ executableId: executable?.id ?? "", tensors })),
    };
    let buffers: DeviceBuffer[] = [];
    const addresses = this.#link.hosts.map(({ address }) => address);
    for await (const responses of this.#link.load(request, call)) {
      onProgress?.(readProgress(responses, addresses));
      // Named alike by all hosts.
      const made = responses[0]!.buffers;
      if (made.length > 0) buffers = made.map((buffer) => readBuffer(this, buffer));
    }
    let next = 0;
    return items.map(({ executable }) => buffers.slice(next, (next += executable?.results.length ?? 1)));
  }

  /** Opens a session: many steps over state that stays on the devices. */
  session(): Session {
    const session = new Session(this.#link, this, () => this.#sessions.delete(session));
    this.#sessions.add(session);
    return session;
  }

  /**
   * Records a profile of everything that the worker runs (of a group host 0), whoever asked for it, until it is stopped.
   *
   * @param directory  a folder on the worker's host, below which the recording has one of its own
   * @throws WorkerError when the folder lies outside the worker's root, or another recording is under way
   */
  profile(directory: string): Promise<Profile> {
    return this.#link.startProfile(this.#path(directory));
  }

  /** Frees buffers now rather than soon. */
  async release(buffers: Iterable<DeviceBuffer>): Promise<void> {
    for (const buffer of buffers) buffer.release();
    await this.#released.flush();
  }

  /** For buffers: asks the worker to forget an id, together with others that are let go in the same turn. */
  releaseSoon(id: string): void {
    if (this.#closing) return;
    this.#released.add(id);
  }

  /** Ends the sessions and the connection, and a launched worker. Never rejects. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  // Implementation

  async #close(): Promise<void> {
    await Promise.all([...this.#sessions].map((session) => session.close()));
    // A launched worker forgets everything by ending.
    if (this.#launched.length === 0) await this.#released.flush().catch(() => {});
    this.#link.close();
    await Promise.all(this.#launched.map((each) => each.close()));
  }

  #path(path: string): string {
    return this.#pathsStartHere ? resolve(path) : path;
  }
}

// Implementation

const minutes = 60_000;
