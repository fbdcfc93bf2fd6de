/**
 * Addresses of workers: `unix:PATH`, `HOST:PORT`, `dns:NAME:PORT`, and each of the last two with `grpcs://` before it.
 */
import { resolve } from "node:path";
import { InputError } from "../../dsl/errors.ts";

/** An address, understood. */
export interface Address {
  /** As it was given. */
  readonly text: string;
  /** As gRPC wants it. */
  readonly target: string;
  readonly tls: boolean;
  /** Whether what is sent stays on this machine. */
  readonly local: boolean;
}

/** Understands an address; refuses everything else with the four forms that there are. */
export function parseAddress(text: string): Address {
  if (text.startsWith("unix:")) {
    // gRPC reads `unix://` as an authority; the path after any number of slashes is meant.
    const path = text.slice("unix:".length).replace(/^\/\/(?=\/)/, "");
    if (path === "") throw refuse(text, "the path of the socket is missing");
    return { text, target: `unix:${resolve(path)}`, tls: false, local: true };
  }
  const tls = text.startsWith("grpcs://");
  const rest = tls ? text.slice("grpcs://".length) : text;
  if (rest.includes("/")) throw refuse(text, "it holds a slash");
  const match = /^(dns:)?(\[[0-9a-fA-F:.]+\]|[^:\s[\]]+):(\d+)$/.exec(rest);
  if (!match) throw refuse(text, "it has no port, or more than one");
  const [, dns = "", host = "", digits] = match;
  const port = Number(digits);
  if (port < 1 || port > 65535) throw refuse(text, `port ${port} is not between 1 and 65535`);
  return { text, target: `dns:${host}:${port}`, tls, local: dns === "" && isLoopback(host) };
}

/** A name that only the resolver can judge counts as elsewhere, except the reserved `localhost`. */
function isLoopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" || /^127(\.\d{1,3}){3}$/.test(host);
}

function refuse(text: string, why: string): InputError {
  return new InputError(
    "ADDRESS_INVALID",
    `'${text}' is no worker's address: ${why}\n  wanted  unix:PATH, HOST:PORT, dns:NAME:PORT, or grpcs:// before one of the last two`,
    { address: text, why },
  );
}
