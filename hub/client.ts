/**
 * Asks the hub, and whoever it sends us to.
 *
 * The token goes to the endpoint's own origin and nowhere else: files lie with other companies. Redirects are followed
 * here for that reason, never from https to http. A proxy is taken from HTTP_PROXY, HTTPS_PROXY and NO_PROXY.
 */
import type { Readable } from "node:stream";
import { EnvHttpProxyAgent, request } from "undici";
import { InputError, RuntimeFailure } from "../dsl/index.ts";
import { faultOf, faultsOf, PassingFault, Retry, type RetryPolicy } from "./retry.ts";
import type { HubSettings, HubToken } from "./settings.ts";

// Public API

export interface Answer {
  readonly status: number;
  /** Of the last server, by lower-case name. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** What the hub itself said of the file, where it sent us elsewhere for the content. */
  readonly hub: Readonly<Record<string, string | undefined>>;
  readonly body: Readable;
  /** Where the content is. */
  readonly url: URL;
}

export class HubClient implements AsyncDisposable {
  readonly endpoint: URL;
  readonly token: HubToken | undefined;
  readonly #agent: EnvHttpProxyAgent;
  readonly #policy: RetryPolicy;
  readonly #signal: AbortSignal;

  constructor(
    { endpoint, token, proxies }: HubSettings,
    options: {
      readonly connections: number;
      /** Without a byte for so long, a connection is taken for dead. */
      readonly silenceMs: number;
      readonly retry: RetryPolicy;
      readonly signal: AbortSignal;
    },
  ) {
    this.endpoint = endpoint;
    this.token = token;
    this.#policy = options.retry;
    this.#signal = options.signal;
    this.#agent = new EnvHttpProxyAgent({
      // Empty, and not absent: undici would look into this process's environment.
      httpProxy: proxies.http ?? "",
      httpsProxy: proxies.https ?? "",
      noProxy: proxies.none ?? "",
      connections: options.connections,
      headersTimeout: options.silenceMs,
      bodyTimeout: options.silenceMs,
      connect: { timeout: 20_000 },
    });
  }

  /** Starts something that is tried until it is done. */
  retry(what: string): Retry {
    return new Retry(what, this.#policy, this.#signal);
  }

  /**
   * Asks once, and follows redirects; the body has to be read or destroyed.
   *
   * @throws PassingFault, or what the connection reports
   */
  async open(url: URL, headers: Readonly<Record<string, string>> = {}, signal = this.#signal): Promise<Answer> {
    const hub: Record<string, string | undefined> = {};
    for (let at = url, hops = 0; ; hops += 1) {
      const isHub = at.origin === this.endpoint.origin;
      const {
        statusCode,
        headers: found,
        body,
      } = await faultOf(at, () =>
        request(at, {
          dispatcher: this.#agent,
          signal,
          headers: {
            "user-agent": "tsxla",
            // A compressed body has other bytes than the file.
            "accept-encoding": "identity",
            ...headers,
            ...(isHub && this.token !== undefined ? { authorization: `Bearer ${this.token.secret}` } : {}),
          },
        }),
      );
      // Whoever leaves a body half read hears of it from his own code.
      body.on("error", () => {});
      const single = Object.fromEntries(
        Object.entries(found).map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : value]),
      );
      if (isHub) Object.assign(hub, single);
      if (![301, 302, 303, 307, 308].includes(statusCode) || single.location === undefined) {
        return { status: statusCode, headers: single, hub, body, url: at };
      }
      await body.dump();
      if (hops === mostHops)
        throw new RuntimeFailure("REDIRECTS", `${url} leads from one address to the next`, { url: url.href });
      at = redirected(at, single.location);
    }
  }

  /** Asks until the whole body has come, for answers that are small. */
  async text<T>(what: string, url: URL, read: (answer: Answer, text: string) => T | Promise<T>): Promise<T> {
    const retry = this.retry(what);
    for (;;) {
      try {
        const answer = await this.open(url, { accept: "application/json" });
        return await read(answer, await textOf(answer, what));
      } catch (error) {
        await retry.failed(error);
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.destroy();
  }
}

/** A body of at most 256 MiB as text. */
export async function textOf({ body, url }: Answer, what: string): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of faultsOf(url, body as AsyncIterable<Buffer>)) {
    pieces.push(piece);
    if ((size += piece.length) <= mostText) continue;
    throw new RuntimeFailure("ANSWER", `${what}: ${url.origin} goes on beyond ${mostText >> 20} MiB`, {
      url: url.href,
    });
  }
  return Buffer.concat(pieces).toString("utf8");
}

/** A server that is busy, or broken for now; how long it wants to be left alone. */
export function requirePresent({ status, headers, url }: Answer): void {
  if (status !== 408 && status !== 425 && status !== 429 && status < 500) return;
  throw new PassingFault(`${url.host} answers ${status}`, waitMs(headers));
}

// Implementation

const mostHops = 10;
const mostText = 256 << 20;

function redirected(from: URL, location: string): URL {
  if (!URL.canParse(location, from.href)) {
    throw new RuntimeFailure("REDIRECTS", `${from.host} sends us to '${location}', which is no address`, { location });
  }
  const to = new URL(location, from);
  if (to.protocol === "https:" || (to.protocol === "http:" && from.protocol === "http:")) return to;
  throw new InputError("REDIRECTS", `${from.host} sends us to ${to.protocol}//${to.host}; wanted https`, { location });
}

/** `Retry-After` in seconds or as a date (RFC 9110, 10.2.3), else the rest of the window of the hub's `RateLimit`. */
function waitMs(headers: Answer["headers"]): number | undefined {
  const after = headers["retry-after"]?.trim();
  if (after !== undefined && /^\d+$/.test(after)) return Number(after) * 1000;
  const date = after === undefined ? Number.NaN : Date.parse(after);
  if (!Number.isNaN(date)) return Math.max(date - Date.now(), 0);
  const [, left, seconds] = /;\s*r\s*=\s*(\d+)\s*;\s*t\s*=\s*(\d+)/.exec(headers.ratelimit ?? "") ?? [];
  return left === "0" ? Number(seconds) * 1000 : undefined;
}
