/**
 * The link to one worker that is no group's host: each call of the contract on one connection.
 *
 * Such a worker runs requests as they come, so none has an ordinal.
 */
import * as wire from "../../proto/generated/worker.ts";
import { Profile } from "../profile.ts";
import type { CallOptions } from "./call-options.ts";
import type { Connection, Method } from "./connection.ts";
import type { Link, LinkHost, SessionStream, WithoutOrdinal } from "./link.ts";

// Public API

export class SingleLink implements Link {
  readonly hosts: readonly [LinkHost];
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.hosts = [{ address: connection.address.text }];
  }

  info(options: CallOptions): Promise<wire.GetInfoResponse> {
    return this.#connection.unary(service.getInfo, {}, options);
  }

  formatModule(request: wire.FormatModuleRequest, options: CallOptions): Promise<wire.FormatModuleResponse> {
    return this.#connection.unary(service.formatModule, request, options);
  }

  compile(request: WithoutOrdinal<wire.CompileRequest>, options: CallOptions): Promise<wire.CompileResponse> {
    return this.#connection.unary(compile, request, options);
  }

  saveExecutable(
    request: wire.SaveExecutableRequest,
    options: CallOptions,
  ): AsyncIterable<wire.SaveExecutableResponse> {
    return this.#connection.receive(service.saveExecutable, request, options);
  }

  loadExecutable(
    requests: Iterable<wire.LoadExecutableRequest>,
    options: CallOptions,
  ): Promise<wire.LoadExecutableResponse> {
    return this.#connection.send(service.loadExecutable, requests, options);
  }

  openCheckpoint(request: wire.OpenCheckpointRequest, options: CallOptions): Promise<wire.OpenCheckpointResponse> {
    return this.#connection.unary(service.openCheckpoint, request, options);
  }

  readFile(request: wire.ReadFileRequest, options: CallOptions): AsyncIterable<wire.ReadFileResponse> {
    return this.#connection.receive(service.readFile, request, options);
  }

  async *load(
    request: WithoutOrdinal<wire.LoadRequest>,
    options: CallOptions,
  ): AsyncGenerator<readonly [wire.LoadResponse], void, undefined> {
    for await (const response of this.#connection.receive(load, request, options)) yield [response];
  }

  upload(pieces: Iterable<WithoutOrdinal<wire.UploadRequest>>, options: CallOptions): Promise<wire.UploadResponse> {
    return this.#connection.send(upload, pieces, options);
  }

  download(request: WithoutOrdinal<wire.DownloadRequest>, options: CallOptions): AsyncIterable<wire.DownloadResponse> {
    return this.#connection.receive(download, request, options);
  }

  async release(bufferIds: readonly string[], options: CallOptions): Promise<void> {
    await this.#connection.unary(service.release, { bufferIds, ofLaunch: 0 }, options);
  }

  execute(request: WithoutOrdinal<wire.ExecuteRequest>, options: CallOptions): Promise<wire.ExecuteResponse> {
    return this.#connection.unary(execute, request, options);
  }

  openSession(): SessionStream {
    return this.#connection.open(session);
  }

  startProfile(directory: string): Promise<Profile> {
    return Profile.start(this.#connection, directory);
  }

  check(signal: AbortSignal | undefined): void {
    this.#connection.check(signal);
  }

  explain(error: unknown, options?: CallOptions): Promise<unknown> {
    return this.#connection.explain(error, options);
  }

  close(): void {
    this.#connection.close();
  }
}

// Implementation

const service = wire.WorkerService;

/** The method for requests without an ordinal, which the contract writes as 0. */
function withoutOrdinal<Q extends { readonly launch: number }, R>(method: Method<Q, R>): Method<WithoutOrdinal<Q>, R> {
  // The two types are one; the compiler cannot see it for every Q. V8 adds a member after a spread 20 times as slowly.
  return { ...method, serialize: (request) => method.serialize({ launch: 0, ...request } as Q) };
}

const compile = withoutOrdinal(service.compile);
const load = withoutOrdinal(service.load);
const upload = withoutOrdinal(service.upload);
const download = withoutOrdinal(service.download);
const execute = withoutOrdinal(service.execute);
const session = withoutOrdinal(service.session);
