/**
 * Whether a worker serves: one call of grpc.health.v1, which carries no token.
 *
 * Spec: https://github.com/grpc/grpc/blob/master/doc/health-checking.md.
 */
import { Client, credentials, status } from "@grpc/grpc-js";
import protobuf from "protobufjs/minimal.js";
import { RuntimeFailure } from "../../dsl/errors.ts";
import { type Address, parseAddress } from "../link/address.ts";

// Public API

/** What a server says of itself. */
export type Health = "UNKNOWN" | "SERVING" | "NOT_SERVING" | "SERVICE_UNKNOWN";

export interface ProbeOptions {
  /** The certificates, PEM, of who may vouch for a worker elsewhere. Default: those that Node trusts. */
  readonly tlsCa?: Uint8Array | undefined;
  readonly deadlineMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Asks a server for its health.
 *
 * On this machine's own loopback a certificate is not verified: it names the machine as others call it, and who answers
 * there is this machine.
 *
 * @throws RuntimeFailure when nothing answers within the deadline (five seconds), or what answers knows no health checks
 */
export async function probeHealth(address: string, options: ProbeOptions = {}): Promise<Health> {
  const { deadlineMs = 5000, signal } = options;
  signal?.throwIfAborted();
  const parsed = parseAddress(address);
  const client = new Client(parsed.target, credentialsFor(parsed, options.tlsCa), {
    "grpc.enable_http_proxy": parsed.local ? 0 : 1,
    "grpc.enable_retries": 0,
    "grpc.service_config_disable_resolution": 1,
    // TLS has no word for a server that is named by a number.
    ...(parsed.tls && parsed.local && { "grpc.ssl_target_name_override": "localhost" }),
    ...(parsed.target.startsWith("unix:") && { "grpc.default_authority": "localhost" }),
  });
  let abort = (): void => {};
  try {
    return await new Promise<Health>((resolve, reject) => {
      const call = client.makeUnaryRequest(
        "/grpc.health.v1.Health/Check",
        // HealthCheckRequest with no service named: the whole server is meant.
        () => Buffer.alloc(0),
        readStatus,
        undefined,
        { deadline: Date.now() + deadlineMs },
        (error, health) => {
          if (signal?.aborted) reject(signal.reason);
          else if (error) reject(failure(parsed, error.code, error.details));
          else resolve(health as Health);
        },
      );
      abort = () => call.cancel();
      signal?.addEventListener("abort", abort, { once: true });
    });
  } finally {
    signal?.removeEventListener("abort", abort);
    client.close();
  }
}

// Implementation

function credentialsFor({ tls, local }: Address, tlsCa: Uint8Array | undefined) {
  if (!tls) return credentials.createInsecure();
  return local
    ? credentials.createSsl(null, null, null, { rejectUnauthorized: false, checkServerIdentity: () => undefined })
    : credentials.createSsl(tlsCa ? Buffer.from(tlsCa) : null);
}

const names: readonly Health[] = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];

/** HealthCheckResponse has one field, an enumeration; left out it is 0. */
function readStatus(bytes: Buffer): Health {
  const reader = protobuf.Reader.create(bytes);
  let found = 0;
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag === 8) found = reader.uint32();
    else reader.skipType(tag & 7);
  }
  return names[found] ?? "UNKNOWN";
}

function failure({ text }: Address, code: status, details: string): RuntimeFailure {
  const name = status[code] ?? String(code);
  const why = code === status.UNIMPLEMENTED ? "what answers there knows no health checks" : details;
  return new RuntimeFailure("PROBE_FAILED", `${text} can't be probed: ${name}, ${why}`, {
    address: text,
    status: name,
  });
}
