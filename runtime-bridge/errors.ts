/**
 * What goes wrong between Node and a worker, as errors that programs can tell apart.
 *
 * A failed call carries a gRPC status, a sentence, and an `ErrorDetail` in the trailing metadata entry
 * `tsxla-error-bin`. Who caused it decides the exit code: a request that was wrong is 2, everything else 1.
 */
import { type Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { type ErrorFields, RuntimeFailure, TsxlaError } from "../dsl/errors.ts";
import { ErrorDetail, fromBytes, type SessionError } from "../proto/generated/worker.ts";

// Public API

/** The name of a gRPC status, such as `INVALID_ARGUMENT`. */
export type StatusName = keyof typeof status;

/** A call that the worker refused, or that failed there. `code` is the contract's reason, such as `MODULE_INVALID`. */
export class WorkerError extends TsxlaError {
  readonly exitCode: 1 | 2;
  readonly status: StatusName;
  /** The same as `code`; `INVALID_ARGUMENT` and its kin when the worker gave no reason of its own. */
  readonly reason: string;
  /** Everything variable in the message, by name. */
  readonly metadata: Readonly<Record<string, string>>;

  constructor(options: { status: StatusName; reason: string; message: string; metadata?: Record<string, string> }) {
    super(options.reason, options.message, { ...options.metadata, status: options.status });
    this.status = options.status;
    this.reason = options.reason;
    this.metadata = { ...options.metadata };
    this.exitCode = blamesTheRequest.has(options.status) ? 2 : 1;
  }

  /** The same error with more to say. */
  with(lines: string, fields: Readonly<Record<string, string>> = {}): WorkerError {
    const { status, reason, message, metadata } = this;
    return new WorkerError({ status, reason, message: message + lines, metadata: { ...metadata, ...fields } });
  }

  /** Where in the module's text an invalid module is wrong, and the TypeScript place that the operation carries. */
  get place(): {
    readonly line?: number | undefined;
    readonly column?: number | undefined;
    readonly source?: string | undefined;
  } {
    const { line, column, source } = this.metadata;
    return {
      line: line ? Number(line) : undefined,
      column: column ? Number(column) : undefined,
      source: source || undefined,
    };
  }
}

/** A worker that is no longer there. Every waiting call gets one, and every later call at once. */
export class WorkerLost extends RuntimeFailure {
  constructor(loss: Loss) {
    const { logTail, ...rest } = loss;
    const log = loss.logFile === undefined ? "" : `\n  log  ${loss.logFile}${logTail ? `\n${indent(logTail)}` : ""}`;
    const { host } = loss;
    const which = host === undefined ? "the worker" : `host ${host.index} of the group of ${host.count}, the worker`;
    const aftermath = host === undefined ? "" : "\n  the group is lost with it; close it and start it again";
    super("WORKER_LOST", `${which} at ${loss.address} was lost: ${loss.how}${aftermath}${log}`, {
      ...rest,
    } satisfies ErrorFields);
  }
}

/** What is known of a worker's end. */
export interface Loss {
  readonly address: string;
  /** Which host of a group, from 0. */
  readonly host?: { readonly index: number; readonly count: number } | undefined;
  /** Such as `it was ended by SIGKILL`. */
  readonly how: string;
  readonly processId?: number | undefined;
  readonly exitCode?: number | undefined;
  readonly signal?: string | undefined;
  readonly logFile?: string | undefined;
  /** The log's last lines. */
  readonly logTail?: string | undefined;
}

/** A worker that could not be started or reached. */
export class WorkerUnavailable extends RuntimeFailure {}

/** Whether an error says that the worker takes no calls any more: it was lost, was closed here, or could not be reached. */
export function isWorkerGone(error: unknown): error is RuntimeFailure {
  if (error instanceof WorkerUnavailable) return true;
  return error instanceof RuntimeFailure && ["WORKER_LOST", "WORKER_CLOSED"].includes(error.code);
}

/** The error for a failed call. */
export function toWorkerError(error: ServiceError): WorkerError {
  return build(error.code, error.details, detailOf(error.metadata));
}

/** The error for a request that a session refused. */
export function toSessionError(error: SessionError): WorkerError {
  return build(error.code, error.message, error.detail);
}

// Implementation

const blamesTheRequest = new Set<StatusName>([
  "INVALID_ARGUMENT",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "UNAUTHENTICATED",
  "FAILED_PRECONDITION",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
]);

function build(code: number, message: string, detail: ErrorDetail | undefined): WorkerError {
  const name = (status[code] ?? "UNKNOWN") as StatusName;
  return new WorkerError({
    status: name,
    reason: detail?.reason || name,
    message: message || `the worker answered ${name} and nothing else`,
    metadata: { ...detail?.metadata },
  });
}

/** A detail that can't be read costs the reason, not the error. */
function detailOf(metadata: Metadata | undefined): ErrorDetail | undefined {
  const entry = metadata?.get("tsxla-error-bin")[0];
  if (entry === undefined || typeof entry === "string") return undefined;
  try {
    return fromBytes(ErrorDetail, entry);
  } catch {
    return undefined;
  }
}

const indent = (text: string): string => text.replaceAll(/^/gm, "  | ");
