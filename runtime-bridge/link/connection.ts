/**
 * One gRPC connection to one worker: calls with a deadline and a signal, and errors that say what happened.
 *
 * A worker holds executables and buffers in memory, so a connection that breaks is not made again: whoever waits gets
 * `WorkerLost`, and every later call gets the same at once.
 */
import {
  Client,
  type ClientDuplexStream,
  credentials,
  type Metadata as GrpcMetadata,
  Metadata,
  type ServiceError,
  status,
} from "@grpc/grpc-js";
import { InputError, RuntimeFailure } from "../../dsl/errors.ts";
import { type Loss, toWorkerError, WorkerError, WorkerLost, WorkerUnavailable } from "../errors.ts";
import { type Address, parseAddress } from "./address.ts";
import type { CallOptions } from "./call-options.ts";

// Public API

/** How to reach a worker. */
export interface ConnectionOptions {
  readonly address: string;
  readonly token?: string | undefined;
  /** The certificates, PEM, of who may vouch for a `grpcs://` worker. Default: those that Node trusts. */
  readonly tlsCa?: Uint8Array | undefined;
  /** What the certificate must be of, where the address says something else. */
  readonly serverName?: string | undefined;
  /** Asked when a call fails in a way that a worker's end explains. */
  readonly loss: (error: ServiceError) => Promise<Loss | undefined>;
}

/** A method of the contract, as the generated code describes it. */
export interface Method<Q, R> {
  readonly path: string;
  readonly serialize: (request: Q) => Buffer;
  readonly deserialize: (data: Buffer) => R;
}

/** The longest wait for the first answer of a worker. */
export const connectMs = 10_000;

export class Connection {
  readonly address: Address;
  readonly #client: Client;
  readonly #metadata: GrpcMetadata;
  readonly #askLoss: ConnectionOptions["loss"];
  #lost: WorkerLost | undefined;
  #asking: Promise<WorkerLost | undefined> | undefined;
  #closed = false;
  /** Calls in progress, to be cancelled when the connection is closed. */
  readonly #active = new Set<{ cancel(): void }>();

  constructor(options: ConnectionOptions) {
    this.address = parseAddress(options.address);
    const { local, tls, target, text } = this.address;
    if (options.token !== undefined && !local && !tls) {
      throw new InputError(
        "TOKEN_IN_CLEAR",
        `a token would travel to ${text} in clear: use grpcs://, or a tunnel that ends on this machine`,
        { address: text },
      );
    }
    this.#askLoss = options.loss;
    this.#metadata = new Metadata();
    if (options.token !== undefined) this.#metadata.set("authorization", `Bearer ${options.token.trim()}`);
    this.#client = new Client(
      target,
      tls ? credentials.createSsl(options.tlsCa ? Buffer.from(options.tlsCa) : null) : credentials.createInsecure(),
      {
        // Logits and checkpoints' indices are megabytes, and each side trusts the other.
        "grpc.max_receive_message_length": -1,
        "grpc.max_send_message_length": -1,
        // HTTP/2's own 64 KiB would make a result of 800 kB wait for a dozen acknowledgements.
        "grpc-node.flow_control_window": 8 * 1024 * 1024,
        // A proxy from the environment is for the network, not for this machine.
        "grpc.enable_http_proxy": local ? 0 : 1,
        "grpc.enable_retries": 0,
        "grpc.service_config_disable_resolution": 1,
        "grpc.use_local_subchannel_pool": 1,
        // Notices a host that is gone without a word. On one machine the system itself tells.
        ...(!local && { "grpc.keepalive_time_ms": 30_000, "grpc.keepalive_timeout_ms": 20_000 }),
        ...(tls && options.serverName !== undefined && { "grpc.ssl_target_name_override": options.serverName }),
        ...(target.startsWith("unix:") && { "grpc.default_authority": "localhost" }),
      },
    );
  }

  /** Waits until the connection stands. */
  async ready({ deadlineMs = connectMs, signal }: CallOptions = {}): Promise<void> {
    signal?.throwIfAborted();
    let abort = (): void => {};
    try {
      await new Promise<void>((resolve, reject) => {
        abort = () => reject(signal?.reason);
        signal?.addEventListener("abort", abort, { once: true });
        this.#client.waitForReady(Date.now() + deadlineMs, (error) => (error ? reject(error) : resolve()));
      });
    } catch (error) {
      signal?.throwIfAborted();
      const { text, local, tls } = this.address;
      const check = text.startsWith("unix:")
        ? "is a worker running there, and may this user open the socket?"
        : `is a worker running there, ${local ? "" : "is the port open to this machine, "}and does it ${tls ? "use" : "not use"} TLS?`;
      throw new WorkerUnavailable(
        "WORKER_UNREACHABLE",
        `no worker answers at ${text} (waited ${deadlineMs / 1000} s): ${check}`,
        {
          address: text,
          cause: error instanceof Error ? error.message : String(error),
        },
      );
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  /** One request, one response. */
  unary<Q, R>(method: Method<Q, R>, request: Q, options: CallOptions): Promise<R> {
    return this.#single<R>(options, (deadline, done) =>
      this.#client.makeUnaryRequest(
        method.path,
        method.serialize,
        method.deserialize,
        request,
        this.#metadata,
        { deadline },
        done,
      ),
    );
  }

  /** Many requests, one response. */
  send<Q, R>(method: Method<Q, R>, requests: Iterable<Q>, options: CallOptions): Promise<R> {
    return this.#single<R>(options, (deadline, done) => {
      const call = this.#client.makeClientStreamRequest(
        method.path,
        method.serialize,
        method.deserialize,
        this.#metadata,
        { deadline },
        done,
      );
      call.on("error", () => {});
      const rest = requests[Symbol.iterator]();
      // Never more than what the connection takes: a tensor may be larger than what is free.
      const pump = (): void => {
        for (;;) {
          const { value, done: end } = rest.next();
          if (end) {
            call.end();
            return;
          }
          if (!call.write(value)) {
            call.once("drain", pump);
            return;
          }
        }
      };
      pump();
      return call;
    });
  }

  /** One request, many responses. Leaving the loop cancels the call. */
  async *receive<Q, R>(method: Method<Q, R>, request: Q, options: CallOptions): AsyncGenerator<R, void, undefined> {
    this.check(options.signal);
    const deadline = deadlineOf(options);
    const call = this.#client.makeServerStreamRequest(
      method.path,
      method.serialize,
      method.deserialize,
      request,
      this.#metadata,
      { deadline },
    );
    call.on("error", () => {});
    const abort = (): void => call.cancel();
    options.signal?.addEventListener("abort", abort, { once: true });
    this.#active.add(call);
    try {
      for await (const response of call as AsyncIterable<R>) yield response;
    } catch (error) {
      throw await this.explain(error, options);
    } finally {
      options.signal?.removeEventListener("abort", abort);
      this.#active.delete(call);
      call.cancel();
    }
  }

  /** Both sides many. Errors come as the stream's `error` event; pass them through `explain`. */
  open<Q, R>(method: Method<Q, R>): ClientDuplexStream<Q, R> {
    this.check(undefined);
    return this.#client.makeBidiStreamRequest(method.path, method.serialize, method.deserialize, this.#metadata, {});
  }

  /** Throws when a call would be in vain. */
  check(signal: AbortSignal | undefined): void {
    signal?.throwIfAborted();
    if (this.#lost) throw this.#lost;
    if (this.#closed)
      throw new RuntimeFailure("WORKER_CLOSED", `the worker at ${this.address.text} was closed by this program`);
  }

  /** Turns what a call failed with into the error that its caller gets. */
  async explain(error: unknown, { signal, deadlineMs }: CallOptions = {}): Promise<unknown> {
    if (signal?.aborted) return signal.reason;
    if (this.#lost) return this.#lost;
    if (!isServiceError(error)) return error;
    if (this.#closed)
      return new RuntimeFailure("WORKER_CLOSED", `the worker at ${this.address.text} was closed by this program`);
    const mapped = toWorkerError(error);
    if (error.code === status.DEADLINE_EXCEEDED && mapped.reason === "DEADLINE_EXCEEDED") {
      const limit = deadlineMs === undefined ? "its deadline" : `${deadlineMs / 1000} s`;
      return new WorkerError({
        status: "DEADLINE_EXCEEDED",
        reason: "DEADLINE_EXCEEDED",
        message: `the worker at ${this.address.text} did not answer within ${limit}`,
      });
    }
    // A worker that answers gives a reason; these without one come from a connection that broke.
    if (mapped.reason !== mapped.status || !soundsLikeLoss.has(error.code)) return mapped;
    return (await this.#checkLoss(error)) ?? mapped;
  }

  /** Cancels what is in progress; it and every later call get an error that says so. */
  close(): void {
    this.#closed = true;
    for (const call of this.#active) call.cancel();
    this.#client.close();
  }

  #single<R>(
    options: CallOptions,
    start: (deadline: Date | number, done: (error: ServiceError | null, response?: R) => void) => { cancel(): void },
  ): Promise<R> {
    const { signal } = options;
    return new Promise<R>((resolve, reject) => {
      this.check(signal);
      let abort: (() => void) | undefined;
      const call = start(deadlineOf(options), (error, response) => {
        if (abort) signal?.removeEventListener("abort", abort);
        this.#active.delete(call);
        if (!error) resolve(response as R);
        else this.explain(error, options).then(reject, reject);
      });
      this.#active.add(call);
      if (!signal) return;
      abort = () => call.cancel();
      signal.addEventListener("abort", abort, { once: true });
    });
  }

  /** Asks once, however many calls failed together. */
  #checkLoss(error: ServiceError): Promise<WorkerLost | undefined> {
    this.#asking ??= (async () => {
      const loss = await this.#askLoss(error);
      this.#asking = undefined;
      if (loss) this.#lost ??= new WorkerLost(loss);
      return this.#lost;
    })();
    return this.#asking;
  }
}

// Implementation

const soundsLikeLoss = new Set<number>([status.UNAVAILABLE, status.CANCELLED, status.INTERNAL, status.UNKNOWN]);

const deadlineOf = ({ deadlineMs }: CallOptions): Date | number =>
  deadlineMs === undefined || deadlineMs === Number.POSITIVE_INFINITY
    ? Number.POSITIVE_INFINITY
    : Date.now() + deadlineMs;

const isServiceError = (error: unknown): error is ServiceError =>
  error instanceof Error && typeof (error as Partial<ServiceError>).code === "number" && "metadata" in error;
