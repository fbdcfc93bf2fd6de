/**
 * A group of hosts as one link: every request that touches programs or buffers goes to all of them, with one number.
 *
 * The hosts are one JAX program (hosts/group.py), which each runs a part of, so they must do the same things in the same
 * order. Numbers make the order. A caller that gives up leaves the hosts to do what was sent, all alike. What one host alone
 * fails at, or does not answer, ends the group; then every call gets one error, which names the host.
 */
import { RuntimeFailure } from "../../dsl/errors.ts";
import * as wire from "../../proto/generated/worker.ts";
import { type CallOptions, type Connection, connectMs, type Method } from "../connection.ts";
import { type Loss, WorkerError, WorkerLost } from "../errors.ts";
import type { Link } from "../link.ts";
import { type GatherJudge, type GatherRules, gather } from "./gathering.ts";
import { GroupStream } from "./group-stream.ts";
import { GroupWatch, silenceMs } from "./group-watch.ts";
import { agree, orderHosts, type Said } from "./host-agreement.ts";
import { causeOfLoss } from "./host-loss.ts";

// Public API

/** One host of a group, and what is known of its process where it was started here. */
export interface GroupHost {
  readonly connection: Connection;
  readonly address: string;
  /** What is known of its end, if it ends within the time. */
  readonly ending?: (withinMs: number) => Promise<Loss | undefined>;
  readonly about?: Pick<Loss, "processId" | "logFile">;
  /** Told that its log tells why the group was lost. */
  readonly onBlamed?: () => void;
}

export class Group implements Link, GatherJudge {
  readonly hosts: readonly GroupHost[];
  readonly #checkpoints = new Map<string, readonly string[]>();
  readonly #listeners = new Set<(error: WorkerLost) => void>();
  #watch: GroupWatch | undefined;
  #launches = 0;
  #losing = false;
  #lost: WorkerLost | undefined;
  #closed = false;

  /**
   * Makes a group of connections, in any order, and begins to drive it.
   *
   * @throws RuntimeFailure when they are not all the hosts of one group, or differ in their versions
   * @throws WorkerError when another client drives the group
   */
  static async form(given: readonly GroupHost[], { deadlineMs = connectMs, signal }: CallOptions = {}): Promise<Group> {
    const call = { deadlineMs, signal };
    await Promise.all(given.map(({ connection }) => connection.ready(call)));
    const infos = await Promise.all(
      given.map(async ({ address, connection }): Promise<Said<wire.GetInfoResponse>> => {
        return { address, value: await connection.unary(service.getInfo, {}, call) };
      }),
    );
    const group = new Group(orderHosts(infos, given));
    await group.#drive(performance.now() + deadlineMs, signal);
    return group;
  }

  get first(): Connection {
    return this.hosts[0]!.connection;
  }

  private constructor(hosts: readonly GroupHost[]) {
    this.hosts = hosts;
  }

  async unary<Q, R>(method: Method<Q, R>, request: Q, options: CallOptions): Promise<R> {
    this.check(options.signal);
    // What a method asks and gives is known by its path alone; each cast below rests on it.
    const answer = async (): Promise<unknown> => {
      switch (method.path) {
        case service.getInfo.path:
          return await this.#info(options);
        case service.openCheckpoint.path:
          return await this.#openCheckpoint(request as wire.OpenCheckpointRequest, options);
        case service.compile.path:
          return await this.#compile(request as wire.CompileRequest, options);
        case service.execute.path: {
          const launch = this.nextLaunch();
          const onUnused = (unused: readonly wire.ExecuteResponse[]) =>
            this.#forget(unused.flatMap(({ results }) => results.map(({ buffer }) => buffer)));
          return await this.#first(service.execute, { ...request, launch } as never, options, {
            inStep: true,
            onUnused,
          });
        }
        case service.release.path:
          return await this.#first(method, request, options, { inStep: false });
        default:
          return await this.#ask(0, method, request, options);
      }
    };
    return (await answer()) as R;
  }

  /** Only tensors travel so. */
  async send<Q, R>(method: Method<Q, R>, requests: Iterable<Q>, options: CallOptions): Promise<R> {
    this.check(options.signal);
    const launch = this.nextLaunch();
    const pieces = [...requests].map((piece, n) => (n === 0 ? { ...piece, launch } : piece));
    const started = this.hosts.map(({ connection }) => connection.send(method, pieces, {}));
    const onUnused = (unused: readonly R[]) =>
      this.#forget(unused.map((answer) => (answer as wire.UploadResponse).buffer));
    return (await this.#gather(started, { inStep: false, onUnused }, options))[0] as R;
  }

  async *receive<Q, R>(method: Method<Q, R>, request: Q, options: CallOptions): AsyncGenerator<R, void, undefined> {
    this.check(options.signal);
    if (method.path !== service.download.path) {
      yield* this.hosts[0]!.connection.receive(method, request, options);
      return;
    }
    const sent = { ...request, launch: this.nextLaunch() };
    const started = this.hosts.map(({ connection }) => collected(connection.receive(method, sent, {})));
    yield* (await this.#gather(started, { inStep: true }, options))[0] as readonly R[];
  }

  async *load(
    request: wire.LoadRequest,
    options: CallOptions,
  ): AsyncGenerator<readonly wire.LoadResponse[], void, undefined> {
    this.check(options.signal);
    const launch = this.nextLaunch();
    const latest = this.hosts.map((): wire.LoadResponse => nothingLoaded);
    const stop = new AbortController();
    let wake = (): void => {};
    const read = async ({ connection }: GroupHost, index: number): Promise<wire.LoadResponse> => {
      const checkpointId = this.#checkpoints.get(request.checkpointId)?.[index] ?? request.checkpointId;
      const call = { signal: stop.signal };
      for await (const response of connection.receive(service.load, { ...request, checkpointId, launch }, call)) {
        latest[index] = response;
        wake();
      }
      return latest[index] as wire.LoadResponse;
    };
    const onUnused = (unused: readonly wire.LoadResponse[]) => this.#forget(unused.flatMap(({ buffers }) => buffers));
    const onFailure = (): void => {
      stop.abort(stopped);
      // A host may have been done, and its answer on the way.
      all.catch(() => this.#forgetLaunch(launch));
    };
    const rules = { inStep: false, onUnused, onFailure };
    let isOver = false;
    const all = this.#gather(this.hosts.map(read), rules, options).finally(() => {
      isOver = true;
      wake();
    });
    all.catch(() => {});
    while (!isOver) {
      await new Promise<void>((resolve) => {
        wake = resolve;
        if (isOver) resolve();
      });
      // The last answers hold the buffers: they are given once all hosts have them.
      if (!isOver) yield latest.map((response) => ({ ...response, buffers: [] }));
    }
    const last = await all;
    this.#agree("the buffers of a load", last, ({ buffers }) => buffers.map(({ bufferId }) => bufferId).join(" "));
    yield last;
  }

  openSession(): GroupStream {
    this.check(undefined);
    return new GroupStream(
      this,
      this.hosts.map(({ connection }) => connection.open(service.session)),
    );
  }

  check(signal: AbortSignal | undefined): void {
    signal?.throwIfAborted();
    if (this.#lost) throw this.#lost;
    if (this.#closed) throw new RuntimeFailure("WORKER_CLOSED", "the group was closed by this program");
  }

  async explain(error: unknown, { signal }: CallOptions = {}): Promise<unknown> {
    return signal?.aborted ? signal.reason : (this.#lost ?? error);
  }

  close(): void {
    this.#closed = true;
    this.#watch?.stop();
    for (const { connection } of this.hosts) connection.close();
  }

  // What the parts of a group ask of it

  nextLaunch(): number {
    this.#launches += 1;
    return this.#launches;
  }

  whenLost(lose: (error: WorkerLost) => void): () => void {
    if (this.#lost) lose(this.#lost);
    else this.#listeners.add(lose);
    return () => this.#listeners.delete(lose);
  }

  onLost(index: number, error: WorkerLost): void {
    void this.#lose(index, error.fields as unknown as Loss);
  }

  onDiverged(index: number, how: string): void {
    void this.#lose(index, { ...this.#about(index), how });
  }

  describe(index: number): string {
    return `host ${index} of the group of ${this.hosts.length} (${this.hosts[index]?.address})`;
  }

  explainOf(index: number, error: unknown): Promise<unknown> {
    return this.hosts[index]!.connection.explain(error);
  }

  // Implementation

  /** A group that another client has just left is free a moment later. */
  async #drive(until: number, signal: AbortSignal | undefined): Promise<void> {
    const connections = this.hosts.map(({ connection }) => connection);
    for (;;) {
      try {
        this.#watch = await GroupWatch.start(connections, {
          onEnd: (index, error) => {
            if (this.#closed) return;
            if (error instanceof WorkerLost) this.onLost(index, error);
            else
              this.onDiverged(
                index,
                `it ended the call that drives it (${error instanceof Error ? error.message : error})`,
              );
          },
          onSilent: (index) => void this.#lose(index, this.#silence(index)),
        });
        return;
      } catch (error) {
        const isBusy = error instanceof WorkerError && error.reason === "GROUP_BUSY";
        if (!isBusy || performance.now() > until) throw error;
        await new Promise((resolve) => setTimeout(resolve, retryMs));
        signal?.throwIfAborted();
      }
    }
  }

  async #info(options: CallOptions): Promise<wire.GetInfoResponse> {
    const infos = await this.#every(service.getInfo, () => ({}), options, { inStep: false });
    const [first] = infos as readonly [wire.GetInfoResponse];
    const sum = (of: (info: wire.GetInfoResponse) => number) => infos.reduce((all, info) => all + of(info), 0);
    return {
      ...first,
      devices: infos.flatMap(({ devices }) => devices),
      residentBytes: sum((info) => info.residentBytes),
      peakResidentBytes: sum((info) => info.peakResidentBytes),
    };
  }

  async #openCheckpoint(
    request: wire.OpenCheckpointRequest,
    options: CallOptions,
  ): Promise<wire.OpenCheckpointResponse> {
    const asked = { ...request, fingerprint: true };
    const opened = await this.#every(service.openCheckpoint, () => asked, options, { inStep: false });
    this.#agree(`the weights in ${request.path}`, opened, ({ fingerprint }) => fingerprint);
    const [first] = opened as readonly [wire.OpenCheckpointResponse];
    this.#checkpoints.set(
      first.checkpointId,
      opened.map(({ checkpointId }) => checkpointId),
    );
    return first;
  }

  async #compile(request: wire.CompileRequest, options: CallOptions): Promise<wire.CompileResponse> {
    // For devices that are elsewhere one host's compiler will do.
    if (request.topology !== undefined) return await this.#ask(0, service.compile, request, options);
    const launch = this.nextLaunch();
    const compiled = await this.#every(service.compile, () => ({ ...request, launch }), options, { inStep: false });
    this.#agree("the text of a program", compiled, ({ executableId }) => executableId);
    const [first] = compiled as readonly [wire.CompileResponse];
    return { ...first, fromCache: compiled.every(({ fromCache }) => fromCache) };
  }

  async #first<Q, R>(method: Method<Q, R>, request: Q, options: CallOptions, rules: GatherRules<R>): Promise<R> {
    return (await this.#every(method, () => request, options, rules))[0] as R;
  }

  #every<Q, R>(
    method: Method<Q, R>,
    request: (index: number) => Q,
    options: CallOptions,
    rules: GatherRules<R>,
  ): Promise<readonly R[]> {
    const started = this.hosts.map(({ connection }, index) => connection.unary(method, request(index), {}));
    return this.#gather(started, rules, options);
  }

  async #ask<Q, R>(index: number, method: Method<Q, R>, request: Q, options: CallOptions): Promise<R> {
    return await this.hosts[index]!.connection.unary(method, request, options);
  }

  #gather<R>(started: readonly Promise<R>[], rules: GatherRules<R>, options: CallOptions): Promise<readonly R[]> {
    return gather(started, this, rules, options);
  }

  #agree<R>(what: string, answers: readonly R[], of: (answer: R) => string): void {
    agree(
      what,
      answers.map((answer, index) => ({ address: this.hosts[index]?.address ?? "", value: of(answer) })),
    );
  }

  /** Frees what nobody will use, on all hosts. */
  #forget(buffers: readonly (wire.Buffer | undefined)[]): void {
    const bufferIds = [...new Set(buffers.flatMap((buffer) => (buffer === undefined ? [] : [buffer.bufferId])))];
    if (bufferIds.length === 0 || this.#lost || this.#closed) return;
    this.unary(service.release, { bufferIds, ofLaunch: 0 }, {}).catch(() => {});
  }

  /** Frees all that a launch made which was called off, on all hosts. */
  #forgetLaunch(launch: number): void {
    if (this.#lost || this.#closed) return;
    this.unary(service.release, { bufferIds: [], ofLaunch: launch }, {}).catch(() => {});
  }

  /** Ends the group, once, with the host that is to blame. */
  async #lose(index: number, loss: Loss): Promise<void> {
    if (this.#losing || this.#closed) return;
    this.#losing = true;
    const suspects = this.hosts.map(({ ending }, at) => ({
      index: at,
      ending: async () => await ending?.(endingMs),
      silentMs: () => this.#watch?.silentMs(at) ?? 0,
      silence: () => this.#silence(at),
    }));
    const cause = await causeOfLoss({ index, loss }, suspects);
    this.hosts[cause.index]?.onBlamed?.();
    const host = { index: cause.index, count: this.hosts.length };
    this.#lost = new WorkerLost({ ...this.#about(cause.index), ...cause.loss, host });
    this.#watch?.stop();
    for (const lose of this.#listeners) lose(this.#lost);
    this.#listeners.clear();
    // The others may sit in a collective that will not end: nothing more is asked of them.
    for (const { connection } of this.hosts) connection.close();
  }

  #silence(index: number): Loss {
    const seconds = Math.round((this.#watch?.silentMs(index) ?? silenceMs) / 1000);
    return { ...this.#about(index), how: `it has given no sign of life for ${seconds} s` };
  }

  #about(index: number): Pick<Loss, "address" | "processId" | "logFile"> {
    const { address, about } = this.hosts[index] as GroupHost;
    return { address, ...about };
  }
}

// Implementation

const service = wire.WorkerService;
const retryMs = 300;
/** How long a process may take to be seen ended, when another was. */
const endingMs = 1_500;
const stopped = new WorkerError({ status: "CANCELLED", reason: "CANCELLED", message: "another host has failed" });
const nothingLoaded: wire.LoadResponse = {
  itemsDone: 0,
  bytesDone: 0,
  bytesTotal: 0,
  bytesStored: 0,
  buffers: [],
  parts: [],
};

async function collected<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
