/**
 * A worker, as TypeScript sees it: programs go in, buffers and numbers come out.
 *
 * Every method takes a `signal` and a `deadlineMs`, and rejects with a `WorkerError` when the worker refused or failed,
 * with `WorkerLost` when it is no longer there, and with the signal's reason when that was aborted.
 */
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { type ServiceError, status } from "@grpc/grpc-js";
import type { Topology } from "../chips/topology.ts";
import type { Program } from "../compiler/program.ts";
import { type ErrorFields, InputError } from "../dsl/errors.ts";
import * as wire from "../proto/generated/worker.ts";
import { bundleLines, writeBundle } from "./bundle.ts";
import { type Checkpoint, type LoadItem, type LoadProgress, readCheckpoint, readProgress } from "./checkpoint.ts";
import { type CallOptions, Connection, connectMs } from "./connection.ts";
import { type BufferOwner, DeviceBuffer } from "./device-buffer.ts";
import { byteLength, fromWire, toWire } from "./element-type.ts";
import { type Loss, WorkerError } from "./errors.ts";
import { type Executable, readExecutable } from "./executable.ts";
import { Group, type GroupHost } from "./group/group.ts";
import { requireAlone } from "./group/host-agreement.ts";
import { checkTensor, type HostTensor } from "./host-tensor.ts";
import { type LaunchedWorker, type LaunchOptions, launch } from "./launch/launch.ts";
import { launchGroup } from "./launch/launch-group.ts";
import type { Link } from "./link.ts";
import { Profile } from "./profile.ts";
import { Session } from "./session.ts";
import { topologyToWire } from "./topology.ts";
import { readTensor } from "./wire.ts";

// Public API

/** How to reach a worker that runs elsewhere. */
export interface ConnectOptions {
  readonly token?: string;
  /** A file that holds the token. */
  readonly tokenFile?: string;
  /** A file of certificates, PEM, of who may vouch for a `grpcs://` worker. */
  readonly tlsCa?: string;
  /** The name that the certificate of a `grpcs://` worker is made out to, where its address has another. */
  readonly serverName?: string;
  /** How long to wait for the first answer. Default: 10 s. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** What a worker is and what it uses. */
export type WorkerInfo = Readonly<wire.GetInfoResponse>;

/** One process of a worker; a group has several. */
export interface WorkerHost {
  readonly address: string;
  /** Of a launched one. */
  readonly processId: number | undefined;
  /** Of a launched one. */
  readonly logFile: string | undefined;
}

/** What runs a module: XLA on the devices, or StableHLO's reference interpreter on the host. */
export type EngineName = "xla" | "reference";

/** How to compile. Default deadline: 60 minutes. */
export interface CompileOptions extends CallOptions {
  readonly engine?: EngineName;
  readonly returnOptimizedHlo?: boolean;
  /** Compiles for devices that the worker need not have; the executable is described and can't be run. */
  readonly topology?: Topology;
  /** How arguments lie in memory: `auto`, nothing for the default, or what another executable says. Ahead of time only. */
  readonly argumentLayouts?: readonly string[];
  /** Keeps what is compiled for a `topology`, so that it can be saved. */
  readonly keep?: boolean;
}

/** What a run gives: fetched results by value, the others as buffers. */
export interface Execution<R = HostTensor | DeviceBuffer> {
  readonly results: readonly R[];
  /** From the call's arrival in the runtime until the results were ready. */
  readonly executeSeconds: number;
}

export class Worker implements BufferOwner, AsyncDisposable {
  /**
   * Starts a worker on this machine, or several that run programs together. It ends with `close()`, with this process, or
   * with `await using`.
   */
  static async launch(options: LaunchOptions = {}): Promise<Worker> {
    if (options.hosts !== undefined && options.hosts !== 1) {
      const { group, launched } = await startGroup(options, options.hosts);
      return new Worker(group, launched, options.root === undefined);
    }
    const launched = await launch(options);
    const connection = connectionTo(launched);
    const worker = new Worker(connection, [launched], options.root === undefined);
    try {
      await connection.ready({ signal: options.signal });
    } catch (error) {
      await worker.close();
      throw error;
    }
    return worker;
  }

  /**
   * Reaches a worker that runs elsewhere: `unix:PATH`, `HOST:PORT`, `dns:NAME:PORT`, or `grpcs://` before the last two.
   * Several addresses, in any order, are all the hosts of a group.
   *
   * @throws RuntimeFailure when hosts are not of one group, or differ in their versions
   */
  static async connect(address: string | readonly string[], options: ConnectOptions = {}): Promise<Worker> {
    const addresses = typeof address === "string" ? [address] : address;
    const [first] = addresses;
    if (first === undefined) throw new InputError("ADDRESS_INVALID", "no worker's address was given", { addresses });
    const token =
      options.token ?? (options.tokenFile === undefined ? undefined : await readOption("tokenFile", options.tokenFile));
    const tlsCa = options.tlsCa === undefined ? undefined : Buffer.from(await readOption("tlsCa", options.tlsCa));
    // Of a worker that runs elsewhere nothing is known but that it doesn't answer.
    const reach = (address: string): Connection => {
      const loss = async ({ code, details }: ServiceError): Promise<Loss | undefined> =>
        code === status.UNAVAILABLE ? { address, how: `the connection broke (${details})` } : undefined;
      return new Connection({ address, token, tlsCa, serverName: options.serverName, loss });
    };
    const deadlineMs = options.timeoutMs ?? connectMs;
    if (addresses.length > 1) {
      const hosts = addresses.map((each) => ({ address: each, connection: reach(each) }));
      return new Worker(await formed(hosts, { deadlineMs, signal: options.signal }), [], false);
    }
    const connection = reach(first);
    const worker = new Worker(connection, [], false);
    try {
      await connection.ready({ deadlineMs, signal: options.signal });
      // A wrong token shows here, not at the first compilation.
      requireAlone({ address: first, value: await worker.info({ deadlineMs, signal: options.signal }) });
    } catch (error) {
      await worker.close();
      throw error;
    }
    return worker;
  }

  readonly #connection: Link;
  readonly #launched: readonly LaunchedWorker[];
  readonly #pathsStartHere: boolean;
  readonly #sessions = new Set<Session>();
  #released: string[] = [];
  #releasing: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  private constructor(connection: Link, launched: readonly LaunchedWorker[], pathsStartHere: boolean) {
    this.#connection = connection;
    this.#launched = launched;
    this.#pathsStartHere = pathsStartHere;
  }

  /** Of a group that of host 0. */
  get address(): string {
    return this.#connection.hosts[0]!.address;
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
    return this.#connection.hosts.map(({ address }) => {
      const launched = this.#launched.find((each) => each.address === address);
      return { address, processId: launched?.processId, logFile: launched?.logFile };
    });
  }

  /** Describes the worker: versions, devices (of a group those of all hosts), memory in use. Default deadline: 30 s. */
  async info(options: CallOptions = {}): Promise<WorkerInfo> {
    return await this.#connection.unary(service.getInfo, {}, { deadlineMs: 30_000, ...options });
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
  async formatModule(text: string, options: CallOptions & { readonly locations?: boolean } = {}): Promise<string> {
    const { locations = false, ...call } = options;
    const request = { module: text, locations };
    return (await this.#connection.unary(service.formatModule, request, { deadlineMs: 5 * minutes, ...call })).module;
  }

  /**
   * Compiles a program, or a bare text. The same program and options give the same executable.
   *
   * @throws WorkerError with `place`, when the module is invalid
   */
  async compile(program: Program | string, options: CompileOptions = {}): Promise<Executable> {
    const { engine = "xla", returnOptimizedHlo = false, topology, argumentLayouts, keep = false, ...call } = options;
    const request = {
      ...(topology === undefined ? {} : { topology: topologyToWire(topology) }),
      argumentLayouts: [...(argumentLayouts ?? [])],
      module: typeof program === "string" ? program : program.text,
      engine: engine === "xla" ? wire.Engine.XLA : wire.Engine.REFERENCE,
      returnOptimizedHlo,
      keep,
      launch: 0,
    };
    try {
      const response = await this.#connection.unary(service.compile, request, { deadlineMs: 60 * minutes, ...call });
      return readExecutable(response, program, engine === "xla");
    } catch (error) {
      // What is compiled for chips that are elsewhere fails in no other way here.
      throw topology === undefined ? await this.#bundled(error, program) : error;
    }
  }

  /**
   * The bytes of a file that holds an executable: what it was compiled by and for, its text, and XLA's own serialisation,
   * signed with the worker's key. Of one for a `topology` that was compiled with `keep`. Default deadline: 10 minutes.
   *
   * @throws WorkerError when what made it has no form for files, or the worker has no key or is one of several hosts
   */
  async saveExecutable({ id }: Pick<Executable, "id">, options: CallOptions = {}): Promise<Uint8Array> {
    this.#requireAlone();
    const pieces: Uint8Array[] = [];
    const call = { deadlineMs: 10 * minutes, ...options };
    for await (const { data } of this.#connection.receive(service.saveExecutable, { executableId: id }, call)) {
      pieces.push(data);
    }
    return Buffer.concat(pieces);
  }

  /**
   * Takes an executable from a file that `saveExecutable` made, without compiling. Default deadline: 10 minutes.
   *
   * @param source  a path beside the worker, or the file's bytes
   * @throws WorkerError that names what differs, when it was compiled by other versions or for other devices; also when it is
   *   damaged, or another key than the worker's signed it
   */
  async loadExecutable(source: string | Uint8Array, options: CallOptions = {}): Promise<Executable> {
    this.#requireAlone();
    const requests = typeof source === "string" ? [{ path: this.#path(source) }] : filePieces(source);
    const call = { deadlineMs: 10 * minutes, ...options };
    const { executable, module, program } = await this.#connection.send(service.loadExecutable, requests, call);
    if (executable === undefined) throw new RangeError("the worker's answer lacks an executable");
    return { ...readExecutable(executable, module, true), name: program };
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
    options?: CallOptions & { readonly fetch?: readonly [] },
  ): Promise<Execution<DeviceBuffer>>;
  execute(
    executable: Executable,
    args: readonly (DeviceBuffer | HostTensor)[],
    options?: CallOptions & { readonly fetch?: "all" | readonly number[] },
  ): Promise<Execution>;
  async execute(
    executable: Executable,
    args: readonly (DeviceBuffer | HostTensor)[],
    options: CallOptions & { readonly fetch?: "all" | readonly number[] } = {},
  ): Promise<Execution> {
    const { fetch = [], ...call } = options;
    // Nothing is awaited before the donated ones are marked, so that a second use is refused at once.
    const sent = args.some(isLarge) ? await this.#uploadLarge(args, call) : args;
    const request = {
      executableId: executable.id,
      arguments: sent.map((arg) =>
        arg instanceof DeviceBuffer ? { bufferId: arg.idFor(this) } : { tensor: toTensor(arg) },
      ),
      fetch: fetch === "all" ? executable.results.map((_, index) => index) : fetch,
      launch: 0,
    };
    const consumed = sent.flatMap((arg, index) =>
      arg instanceof DeviceBuffer && executable.donated.has(index) ? [arg.consume("donated")] : [],
    );
    try {
      const response = await this.#connection.unary(service.execute, request, { deadlineMs: 10 * minutes, ...call });
      const results = response.results.map(({ buffer, tensor }) => (tensor ? readTensor(tensor) : this.#adopt(buffer)));
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

  /** Makes a buffer of a tensor. Default deadline: 10 minutes. */
  async upload(tensor: HostTensor, options: CallOptions = {}): Promise<DeviceBuffer> {
    checkTensor(tensor);
    const response = await this.#connection.send(service.upload, chunks(tensor), {
      deadlineMs: 10 * minutes,
      ...options,
    });
    return this.#adopt(response.buffer);
  }

  /** Gives the contents of a buffer, which stays. Default deadline: 10 minutes. */
  async download(buffer: DeviceBuffer, options: CallOptions = {}): Promise<HostTensor> {
    const request = { bufferId: buffer.idFor(this), launch: 0 };
    let tensor: { type: ReturnType<typeof fromWire>; data: Uint8Array } | undefined;
    let filled = 0;
    for await (const { type, data } of this.#connection.receive(service.download, request, {
      deadlineMs: 10 * minutes,
      ...options,
    })) {
      if (!tensor) {
        const known = fromWire(type);
        // Not zeroed: every byte is written below, or the tensor is refused.
        tensor = { type: known, data: Buffer.allocUnsafeSlow(byteLength(known)) };
      }
      if (filled + data.byteLength > tensor.data.byteLength)
        throw new RangeError("the worker sent more than the buffer holds");
      tensor.data.set(data, filled);
      filled += data.byteLength;
    }
    if (!tensor || filled !== tensor.data.byteLength)
      throw new RangeError("the worker sent less than the buffer holds");
    return { ...tensor.type, data: tensor.data };
  }

  /**
   * Opens a checkpoint and describes it. Reads headers only. Default deadline: 5 minutes.
   *
   * @param options.fingerprint  whether to tell the weights' fingerprint, for which a little of every tensor is read
   */
  async openCheckpoint(
    path: string,
    options: CallOptions & { readonly fingerprint?: boolean } = {},
  ): Promise<Checkpoint> {
    const { fingerprint = false, ...call } = options;
    const request = { path: this.#path(path), fingerprint };
    return readCheckpoint(
      await this.#connection.unary(service.openCheckpoint, request, { deadlineMs: 5 * minutes, ...call }),
    );
  }

  /** Reads a small file that lies beside a checkpoint. Default deadline: 5 minutes. */
  async readFile(path: string, options: CallOptions = {}): Promise<Uint8Array> {
    const pieces: Uint8Array[] = [];
    const request = { path: this.#path(path) };
    for await (const { data } of this.#connection.receive(service.readFile, request, {
      deadlineMs: 5 * minutes,
      ...options,
    })) {
      pieces.push(data);
    }
    return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
  }

  /**
   * Makes buffers of a checkpoint's tensors, each item through its program. Default deadline: none.
   *
   * @returns for each item its results, in order; on failure or cancellation no buffer is left
   */
  async load(
    checkpoint: Checkpoint,
    items: readonly LoadItem[],
    options: CallOptions & { readonly onProgress?: (progress: LoadProgress) => void } = {},
  ): Promise<readonly (readonly DeviceBuffer[])[]> {
    const { onProgress, ...call } = options;
    const request = {
      checkpointId: checkpoint.id,
      items: items.map(({ executable, tensors }) => ({ executableId: executable?.id ?? "", tensors })),
      launch: 0,
    };
    let buffers: DeviceBuffer[] = [];
    const addresses = this.#connection.hosts.map(({ address }) => address);
    for await (const responses of this.#connection.load(request, call)) {
      onProgress?.(readProgress(responses, addresses));
      // Named alike by all hosts.
      const made = responses[0]!.buffers;
      if (made.length > 0) buffers = made.map((buffer) => this.#adopt(buffer));
    }
    let next = 0;
    return items.map(({ executable }) => buffers.slice(next, (next += executable?.results.length ?? 1)));
  }

  /** Opens a session: many steps over state that stays on the devices. */
  session(): Session {
    const session = new Session(this.#connection, this, () => this.#sessions.delete(session));
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
    return Profile.start(this.#connection.first, this.#path(directory));
  }

  /** Frees buffers now rather than soon. */
  async release(buffers: Iterable<DeviceBuffer>): Promise<void> {
    for (const buffer of buffers) buffer.release();
    await this.#flush();
  }

  /** For buffers: asks the worker to forget an id, together with others that are let go in the same turn. */
  releaseSoon(id: string): void {
    if (this.#closing) return;
    this.#released.push(id);
    // A failure here is that of a worker that is gone, and its memory with it.
    this.#releasing ??= new Promise((resolve) => setImmediate(resolve)).then(() => this.#flush()).catch(() => {});
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

  /** Keeps what a compiler refused. A text that is no module is whose it is, unless it came from our own compiler. */
  async #bundled(error: unknown, program: Program | string): Promise<unknown> {
    if (!(error instanceof WorkerError)) return error;
    const isOurs = typeof program !== "string";
    if (error.reason !== "COMPILE_FAILED" && !(isOurs && error.reason === "MODULE_INVALID")) return error;
    const place = await writeBundle({
      kind: "compile",
      error: { code: error.reason, message: error.message },
      program: isOurs ? program : { name: "module", text: program },
      made: await this.versions(),
    });
    return error.with(bundleLines(place), place);
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#sessions].map((session) => session.close()));
    // A launched worker forgets everything by ending.
    if (this.#launched.length === 0) await this.#flush().catch(() => {});
    this.#connection.close();
    await Promise.all(this.#launched.map((each) => each.close()));
  }

  async #flush(): Promise<void> {
    this.#releasing = undefined;
    const bufferIds = this.#released;
    if (bufferIds.length === 0) return;
    this.#released = [];
    await this.#connection.unary(service.release, { bufferIds, ofLaunch: 0 }, { deadlineMs: 30_000 });
  }

  #adopt(buffer: wire.Buffer | undefined): DeviceBuffer {
    if (!buffer) throw new RangeError("the worker's answer lacks a buffer");
    return new DeviceBuffer(this, buffer.bufferId, fromWire(buffer.type));
  }

  /** Uploads what is too large for one message. */
  async #uploadLarge(
    args: readonly (DeviceBuffer | HostTensor)[],
    options: CallOptions,
  ): Promise<(DeviceBuffer | HostTensor)[]> {
    const uploads = await Promise.allSettled(args.map((arg) => (isLarge(arg) ? this.upload(arg, options) : arg)));
    const failed = uploads.find((upload) => upload.status === "rejected");
    if (!failed) return uploads.map((upload) => (upload as PromiseFulfilledResult<DeviceBuffer | HostTensor>).value);
    uploads.forEach((upload, index) => {
      if (upload.status === "fulfilled" && upload.value !== args[index]) (upload.value as DeviceBuffer).release();
    });
    throw failed.reason;
  }

  #requireAlone(): void {
    const { hosts } = this.#connection;
    if (hosts.length === 1) return;
    throw new InputError(
      "EXECUTABLE_GROUP",
      `executables are saved and loaded by a worker on its own, and this is a group of ${hosts.length} hosts, which compiles, or takes programs from its compile cache`,
      { hosts: hosts.length },
    );
  }

  #path(path: string): string {
    return this.#pathsStartHere ? resolve(path) : path;
  }
}

// Implementation

const service = wire.WorkerService;
const minutes = 60_000;
/** How long a process may take to be seen ended after its connection broke. */
const lossMs = 1_500;
const chunkBytes = 4 * 1024 * 1024 - 1024;
const inlineBytes = 4 * 1024 * 1024;

function connectionTo(launched: LaunchedWorker): Connection {
  const { address, token } = launched;
  return new Connection({ address, token, loss: () => launched.loss(lossMs) });
}

/** Starts the processes of a group and makes them one. */
async function startGroup(
  options: LaunchOptions,
  hosts: number,
): Promise<{ readonly group: Group; readonly launched: readonly LaunchedWorker[] }> {
  const launched = await launchGroup(options, hosts);
  const members = launched.map((each): GroupHost => {
    const { address, processId, logFile } = each;
    return {
      address,
      connection: connectionTo(each),
      about: { processId, logFile },
      ending: (withinMs) => each.loss(withinMs),
      onBlamed: () => each.keepLog(),
    };
  });
  try {
    const group = await formed(members, { signal: options.signal });
    return { group, launched };
  } catch (error) {
    await Promise.all(launched.map((each) => each.close()));
    throw error;
  }
}

async function formed(hosts: readonly GroupHost[], options: CallOptions): Promise<Group> {
  try {
    return await Group.form(hosts, options);
  } catch (error) {
    for (const { connection } of hosts) connection.close();
    throw error;
  }
}

const isLarge = (arg: DeviceBuffer | HostTensor): arg is HostTensor =>
  !(arg instanceof DeviceBuffer) && arg.data.byteLength > inlineBytes;

const toTensor = (tensor: HostTensor): wire.Tensor => {
  checkTensor(tensor);
  return { type: toWire(tensor), data: tensor.data };
};

function* chunks(tensor: HostTensor): Generator<wire.UploadRequest> {
  const { data } = tensor;
  for (let at = 0; at === 0 || at < data.byteLength; at += chunkBytes) {
    yield { type: at === 0 ? toWire(tensor) : undefined, data: data.subarray(at, at + chunkBytes), launch: 0 };
  }
}

function* filePieces(data: Uint8Array): Generator<{ readonly data: Uint8Array }> {
  for (let at = 0; at === 0 || at < data.byteLength; at += chunkBytes)
    yield { data: data.subarray(at, at + chunkBytes) };
}

async function readOption(option: string, path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new InputError("FILE_UNREADABLE", `${option} ${path} can't be read: ${(error as Error).message}`, {
      option,
      path,
    });
  }
}
