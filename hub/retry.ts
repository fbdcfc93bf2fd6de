/**
 * When to ask again, and when to give up: a fault may pass, an answer such as 404 will not.
 *
 * Waits double from `firstMs` to half a minute, each shortened at random by up to a half, so that many clients of a
 * server that comes back do not come together. What the server asks for (Retry-After) is kept to. Progress starts the
 * count anew.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { RuntimeFailure } from "../dsl/index.ts";

// Public API

/** A fault that may pass. */
export class PassingFault extends Error {
  /** How long the server wants to be left alone. */
  readonly waitMs: number | undefined;

  constructor(message: string, waitMs?: number, options?: ErrorOptions) {
    super(message, options);
    this.waitMs = waitMs;
  }
}

export interface RetryPolicy {
  /** How many times in a row something may fail without any progress. */
  readonly attempts: number;
  readonly firstMs: number;
  /** Told before each wait. */
  readonly onRetry?: (what: string, reason: string, waitMs: number) => void;
}

/** What a connection to a server reports, with the server's name. */
export async function faultOf<T>({ host }: URL, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw named(error, host);
  }
}

/** The same of a body that comes in pieces. */
export async function* faultsOf<T>({ host }: URL, pieces: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* pieces;
  } catch (error) {
    throw named(error, host);
  }
}

/** One thing that is tried until it is done. */
export class Retry {
  readonly #what: string;
  readonly #policy: RetryPolicy;
  readonly #signal: AbortSignal | undefined;
  #failures = 0;

  constructor(what: string, policy: RetryPolicy, signal: AbortSignal | undefined) {
    this.#what = what;
    this.#policy = policy;
    this.#signal = signal;
  }

  /** Something came: the server lives. */
  progressed(): void {
    this.#failures = 0;
  }

  /** Waits until it is time to ask again. @throws the error itself when it will not pass, or has not often enough */
  async failed(error: unknown): Promise<void> {
    this.#signal?.throwIfAborted();
    const fault = passingFault(error);
    if (fault === undefined) throw error;
    this.#failures += 1;
    const { attempts, firstMs, onRetry } = this.#policy;
    const wanted = fault.waitMs;
    if (this.#failures >= attempts || (wanted !== undefined && wanted > longestMs)) {
      const asked = wanted === undefined ? "" : `; the server asks to wait ${Math.ceil(wanted / 1000)} s`;
      throw new RuntimeFailure(
        "NETWORK",
        `${this.#what} could not be fetched: ${fault.message}${asked}\n  tried ${this.#failures === 1 ? "once" : `${this.#failures} times`} without progress\n  hint  run the same command again: what has come is kept`,
        { what: this.#what, attempts: this.#failures },
        { cause: error },
      );
    }
    const own = Math.min(firstMs * 2 ** (this.#failures - 1), mostMs) * (1 - Math.random() / 2);
    const waitMs = Math.max(own, wanted ?? 0);
    onRetry?.(this.#what, fault.message, waitMs);
    await sleep(waitMs, undefined, this.#signal === undefined ? {} : { signal: this.#signal });
  }
}

// Implementation

const mostMs = 30_000;
/** Nobody waits longer than this for a program. */
const longestMs = 10 * 60_000;

/** What Node's sockets and undici report of connections. Certificates and addresses that are wrong do not pass. */
const passing = new Set([
  "ECONNRESET",
  "ECONNREFUSED",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENETDOWN",
  "EAI_AGAIN",
  "ENOTFOUND",
  "UND_ERR_CONNECT_TIMEOUT",
  "UND_ERR_HEADERS_TIMEOUT",
  "UND_ERR_BODY_TIMEOUT",
  "UND_ERR_SOCKET",
  "UND_ERR_RES_CONTENT_LENGTH_MISMATCH",
]);

function named(error: unknown, host: string): unknown {
  const fault = passingFault(error);
  return fault === undefined ? error : new PassingFault(`${host}: ${fault.message}`, fault.waitMs, { cause: error });
}

function passingFault(error: unknown): PassingFault | undefined {
  if (error instanceof PassingFault) return error;
  const { code, errors, cause } = error as { code?: string; errors?: readonly unknown[]; cause?: unknown };
  // Several addresses of one host were tried.
  if (errors !== undefined && errors.length > 0) return passingFault(errors[0]);
  if (code !== undefined && (passing.has(code) || code.startsWith("HPE_"))) {
    return new PassingFault((error as Error).message || code, undefined, { cause: error });
  }
  return cause === undefined || cause === error ? undefined : passingFault(cause);
}
