/**
 * A group of hosts as one link: every request that touches programs or buffers goes to all of them, with one ordinal.
 *
 * The hosts are one JAX program (hosts/group.py), of which each runs a part, so they must do the same things in the same
 * order. Ordinals make the order; the contract calls them `launch`. When a caller gives up, the hosts still do what was
 * sent, all alike. What a failing host does to the group: ./group-life.ts.
 */
import { InputError } from "../../dsl/errors.ts";
import * as wire from "../../proto/generated/worker.ts";
import type { CallOptions } from "../link/call-options.ts";
import { type Connection, connectMs, type Method } from "../link/connection.ts";
import type { Link, WithoutOrdinal } from "../link/link.ts";
import { Profile } from "../profile.ts";
import { type GatherRules, gather } from "./gathering.ts";
import { type GroupHost, GroupLife } from "./group-life.ts";
import { GroupStream } from "./group-stream.ts";
import { agree, orderHosts, type Said } from "./host-agreement.ts";
import { loadOnHosts } from "./load-on-hosts.ts";

// Public API

export class Group implements Link {
  readonly hosts: readonly GroupHost[];
  readonly #life: GroupLife;
  /** The ids that each host gave a checkpoint, by the id of host 0. */
  readonly #checkpoints = new Map<string, readonly string[]>();
  #ordinals = 0;

  /**
   * Makes a group of connections, in any order, and begins to drive it. Closes them when that fails.
   *
   * @throws RuntimeFailure when they are not all the hosts of one group, or differ in their versions
   * @throws WorkerError when another client drives the group
   */
  static async form(given: readonly GroupHost[], { deadlineMs = connectMs, signal }: CallOptions = {}): Promise<Group> {
    const call = { deadlineMs, signal };
    try {
      await Promise.all(given.map(({ connection }) => connection.ready(call)));
      const infos = await Promise.all(
        given.map(async ({ address, connection }): Promise<Said<wire.GetInfoResponse>> => {
          return { address, value: await connection.unary(service.getInfo, {}, call) };
        }),
      );
      const life = new GroupLife(orderHosts(infos, given));
      await life.drive(performance.now() + deadlineMs, signal);
      return new Group(life);
    } catch (error) {
      for (const { connection } of given) connection.close();
      throw error;
    }
  }

  private constructor(life: GroupLife) {
    this.#life = life;
    this.hosts = life.hosts;
  }

  // What all hosts do

  async info(options: CallOptions): Promise<wire.GetInfoResponse> {
    this.check(options.signal);
    const infos = await this.#every(service.getInfo, () => ({}), { inStep: false }, options);
    const [first] = infos as readonly [wire.GetInfoResponse];
    const sum = (of: (info: wire.GetInfoResponse) => number) => infos.reduce((all, info) => all + of(info), 0);
    return {
      ...first,
      devices: infos.flatMap(({ devices }) => devices),
      residentBytes: sum((info) => info.residentBytes),
      peakResidentBytes: sum((info) => info.peakResidentBytes),
    };
  }

  async compile(request: WithoutOrdinal<wire.CompileRequest>, options: CallOptions): Promise<wire.CompileResponse> {
    this.check(options.signal);
    // For devices that are elsewhere one host's compiler will do.
    if (request.topology !== undefined) {
      return await this.#first.unary(service.compile, { ...request, launch: 0 }, options);
    }
    const sent = { ...request, launch: this.#nextOrdinal() };
    const compiled = await this.#every(service.compile, () => sent, { inStep: false }, options);
    this.#agree("the text of a program", compiled, ({ executableId }) => executableId);
    const [first] = compiled as readonly [wire.CompileResponse];
    return { ...first, fromCache: compiled.every(({ fromCache }) => fromCache) };
  }

  async openCheckpoint(
    request: wire.OpenCheckpointRequest,
    options: CallOptions,
  ): Promise<wire.OpenCheckpointResponse> {
    this.check(options.signal);
    const asked = { ...request, fingerprint: true };
    const opened = await this.#every(service.openCheckpoint, () => asked, { inStep: false }, options);
    this.#agree(`the weights in ${request.path}`, opened, ({ fingerprint }) => fingerprint);
    const [first] = opened as readonly [wire.OpenCheckpointResponse];
    this.#checkpoints.set(
      first.checkpointId,
      opened.map(({ checkpointId }) => checkpointId),
    );
    return first;
  }

  async *load(
    request: WithoutOrdinal<wire.LoadRequest>,
    options: CallOptions,
  ): AsyncGenerator<readonly wire.LoadResponse[], void, undefined> {
    this.check(options.signal);
    const launch = this.#nextOrdinal();
    const loads = loadOnHosts(this.#connections, (index) => {
      const checkpointId = this.#checkpoints.get(request.checkpointId)?.[index] ?? request.checkpointId;
      return { ...request, checkpointId, launch };
    });
    const onUnused = (unused: readonly wire.LoadResponse[]) => this.#forget(unused.flatMap(({ buffers }) => buffers));
    const onFailure = (): void => {
      loads.stop();
      // A host may have been done, and its answer on the way.
      all.catch(() => this.#forgetAllOf(launch));
    };
    const all = this.#gather(loads.started, { inStep: false, onUnused, onFailure }, options);
    yield* loads.progress(all);
    const last = await all;
    this.#agree("the buffers of a load", last, ({ buffers }) => buffers.map(({ bufferId }) => bufferId).join(" "));
    yield last;
  }

  async upload(
    pieces: Iterable<WithoutOrdinal<wire.UploadRequest>>,
    options: CallOptions,
  ): Promise<wire.UploadResponse> {
    this.check(options.signal);
    const launch = this.#nextOrdinal();
    const sent = [...pieces].map((piece, n) => ({ ...piece, launch: n === 0 ? launch : 0 }));
    const started = this.#connections.map((connection) => connection.send(service.upload, sent, {}));
    const onUnused = (unused: readonly wire.UploadResponse[]) => this.#forget(unused.map(({ buffer }) => buffer));
    return (await this.#gather(started, { inStep: false, onUnused }, options))[0] as wire.UploadResponse;
  }

  async *download(
    request: WithoutOrdinal<wire.DownloadRequest>,
    options: CallOptions,
  ): AsyncGenerator<wire.DownloadResponse, void, undefined> {
    this.check(options.signal);
    const sent = { ...request, launch: this.#nextOrdinal() };
    const started = this.#connections.map((connection) => collected(connection.receive(service.download, sent, {})));
    yield* (await this.#gather(started, { inStep: true }, options))[0] as readonly wire.DownloadResponse[];
  }

  async release(bufferIds: readonly string[], options: CallOptions): Promise<void> {
    this.check(options.signal);
    await this.#every(service.release, () => ({ bufferIds, ofLaunch: 0 }), { inStep: false }, options);
  }

  async execute(request: WithoutOrdinal<wire.ExecuteRequest>, options: CallOptions): Promise<wire.ExecuteResponse> {
    this.check(options.signal);
    const sent = { ...request, launch: this.#nextOrdinal() };
    const onUnused = (unused: readonly wire.ExecuteResponse[]) =>
      this.#forget(unused.flatMap(({ results }) => results.map(({ buffer }) => buffer)));
    const answers = await this.#every(service.execute, () => sent, { inStep: true, onUnused }, options);
    return answers[0] as wire.ExecuteResponse;
  }

  openSession(): GroupStream {
    this.check(undefined);
    const streams = this.#connections.map((connection) => connection.open(service.session));
    return new GroupStream(this.#life, streams, () => this.#nextOrdinal());
  }

  // What host 0 does alone

  async formatModule(request: wire.FormatModuleRequest, options: CallOptions): Promise<wire.FormatModuleResponse> {
    this.check(options.signal);
    return await this.#first.unary(service.formatModule, request, options);
  }

  async *readFile(
    request: wire.ReadFileRequest,
    options: CallOptions,
  ): AsyncGenerator<wire.ReadFileResponse, void, undefined> {
    this.check(options.signal);
    yield* this.#first.receive(service.readFile, request, options);
  }

  startProfile(directory: string): Promise<Profile> {
    return Profile.start(this.#first, directory);
  }

  // What a group does not do

  saveExecutable(): never {
    throw this.#needsSingleWorker();
  }

  loadExecutable(): never {
    throw this.#needsSingleWorker();
  }

  // The state of the group

  check(signal: AbortSignal | undefined): void {
    this.#life.check(signal);
  }

  async explain(error: unknown, { signal }: CallOptions = {}): Promise<unknown> {
    return signal?.aborted ? signal.reason : (this.#life.lost ?? error);
  }

  close(): void {
    this.#life.close();
  }

  // Implementation

  #nextOrdinal(): number {
    this.#ordinals += 1;
    return this.#ordinals;
  }

  get #connections(): readonly Connection[] {
    return this.hosts.map(({ connection }) => connection);
  }

  get #first(): Connection {
    return this.hosts[0]!.connection;
  }

  #every<Q, R>(
    method: Method<Q, R>,
    request: (index: number) => Q,
    rules: GatherRules<R>,
    options: CallOptions,
  ): Promise<readonly R[]> {
    const started = this.#connections.map((connection, index) => connection.unary(method, request(index), {}));
    return this.#gather(started, rules, options);
  }

  #gather<R>(started: readonly Promise<R>[], rules: GatherRules<R>, options: CallOptions): Promise<readonly R[]> {
    return gather(started, this.#life, rules, options);
  }

  #agree<R>(what: string, answers: readonly R[], of: (answer: R) => string): void {
    agree(
      what,
      answers.map((answer, index) => ({ address: this.hosts[index]?.address ?? "", value: of(answer) })),
    );
  }

  /** Frees buffers that no caller will use, on all hosts. */
  #forget(buffers: readonly (wire.Buffer | undefined)[]): void {
    const bufferIds = [...new Set(buffers.flatMap((buffer) => (buffer === undefined ? [] : [buffer.bufferId])))];
    if (bufferIds.length === 0 || !this.#life.alive) return;
    this.release(bufferIds, {}).catch(() => {});
  }

  /** Frees all that a cancelled request made, on all hosts. */
  #forgetAllOf(ordinal: number): void {
    if (!this.#life.alive) return;
    const request = { bufferIds: [], ofLaunch: ordinal };
    this.#every(service.release, () => request, { inStep: false }, {}).catch(() => {});
  }

  #needsSingleWorker(): InputError {
    const hosts = this.hosts.length;
    return new InputError(
      "EXECUTABLE_GROUP",
      `executables are saved and loaded by a worker on its own, and this is a group of ${hosts} hosts, which compiles, or takes programs from its compile cache`,
      { hosts },
    );
  }
}

// Implementation

const service = wire.WorkerService;

async function collected<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
