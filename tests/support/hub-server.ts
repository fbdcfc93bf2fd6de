/**
 * A Hugging Face hub and its storage, as far as a client of model files sees them: two servers on this machine, so that
 * what belongs to one origin can be seen to stay there.
 *
 * Files in large storage are served by the second one, behind a redirect with `X-Linked-Etag`; others by the first. What
 * each request asked for and how many bytes it was given is written down.
 */
import { createCipheriv, createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

// Public API

/** A file as a test declares it: bytes, and where they lie. */
export interface ServedFile {
  readonly content: Buffer;
  /** In large storage; files from 1 kB are, without. */
  readonly large?: boolean;
  /** What the hub claims, where that is not the truth. */
  readonly claims?: { readonly size?: number; readonly digest?: string };
}

export type ServedFiles = Readonly<Record<string, Buffer | string | ServedFile>>;

/** A request that was answered. */
export interface Served {
  readonly server: "hub" | "storage";
  readonly path: string;
  readonly authorization: string | undefined;
  readonly range: string | undefined;
  status: number;
  /** Of the body that left. */
  bytes: number;
}

/** How the servers misbehave. */
export interface Behaviour {
  /** Every so many bodies of a file are cut in the middle. */
  cutEvery?: number;
  /** Ranges are not known. */
  noRanges?: boolean;
  /** Bytes a second that a body of storage gets. */
  bytesPerSecond?: number;
  /** Entries of a page of the list. */
  pageSize?: number;
  /** What the storage says of its contents: one tag each time, unless it is told here. */
  storageEtag?: (path: string, count: number) => string;
  /** The redirect to the storage says nothing of the content. */
  noLinkedEtag?: boolean;
  /** Answers in place of the servers when it returns true. */
  intercept?: (request: IncomingMessage, response: ServerResponse, server: Served["server"]) => boolean;
}

export class HubServer implements AsyncDisposable {
  readonly endpoint: string;
  readonly storage: string;
  readonly served: Served[] = [];
  readonly behaviour: Behaviour = {};
  readonly #servers: readonly Server[];
  readonly #commits = new Map<string, ReadonlyMap<string, ServedFile>>();
  readonly #revisions = new Map<string, string>();
  #bodies = 0;

  private constructor(servers: readonly Server[]) {
    this.#servers = servers;
    const [hub, storage] = servers.map((server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    this.endpoint = hub as string;
    this.storage = storage as string;
  }

  static async start(): Promise<HubServer> {
    const servers = [createServer(), createServer()];
    await Promise.all(servers.map((server) => new Promise<void>((up) => server.listen(0, "127.0.0.1", up))));
    const made = new HubServer(servers);
    servers.forEach((server, n) => {
      server.on("request", (request, response) => void made.#answer(request, response, n === 0 ? "hub" : "storage"));
    });
    return made;
  }

  /** Puts files behind a revision, and gives the commit that they make. */
  commit(repository: string, files: ServedFiles, revision = "main"): string {
    const full = new Map(
      Object.entries(files).map(([path, file]): [string, ServedFile] => {
        const content = typeof file === "string" ? Buffer.from(file) : file;
        return [path, Buffer.isBuffer(content) ? { content } : content];
      }),
    );
    const hash = createHash("sha1").update(repository);
    for (const [path, file] of full) hash.update(path).update(digestOf(file));
    const commit = hash.digest("hex");
    this.#commits.set(`${repository}@${commit}`, full);
    this.#revisions.set(`${repository}@${revision}`, commit);
    this.#revisions.set(`${repository}@${commit}`, commit);
    return commit;
  }

  /** Bytes of files that were sent. */
  get fileBytes(): number {
    return this.served.filter(({ path }) => !path.startsWith("/api/")).reduce((all, { bytes }) => all + bytes, 0);
  }

  /** Requests for a file, at both servers. */
  requestsFor(path: string): readonly Served[] {
    return this.served.filter((each) => decodeURIComponent(each.path).endsWith(`/${path}`));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers) server.closeAllConnections();
    await Promise.all(this.#servers.map((server) => new Promise((down) => server.close(down))));
  }

  async #answer(request: IncomingMessage, response: ServerResponse, server: Served["server"]): Promise<void> {
    const { pathname, searchParams } = new URL(request.url as string, "http://x");
    const { authorization, range } = request.headers;
    const served: Served = { server, path: pathname, authorization, range, status: 0, bytes: 0 };
    this.served.push(served);
    response.on("close", () => {
      served.status = response.statusCode;
    });
    if (this.behaviour.intercept?.(request, response, server)) return;
    const refuse = (status: number, code: string) => void response.writeHead(status, { "x-error-code": code }).end();
    const info = /^\/api\/models\/(.+)\/revision\/([^/]+)$/.exec(pathname);
    const tree = /^\/api\/models\/(.+)\/tree\/([^/]+)$/.exec(pathname);
    const file = /^\/(.+)\/resolve\/([^/]+)\/(.+)$/.exec(pathname);
    if (server === "hub" && info !== null) {
      const [, repository = "", revision = ""] = info;
      const commit = this.#revisions.get(`${repository}@${decodeURIComponent(revision)}`);
      const isKnown = [...this.#revisions.keys()].some((key) => key.startsWith(`${repository}@`));
      if (commit === undefined) return refuse(404, isKnown ? "RevisionNotFound" : "RepoNotFound");
      response.end(JSON.stringify({ id: repository, sha: commit, gated: false, siblings: [] }));
      return;
    }
    const [, repository = "", commit = "", path = ""] = tree ?? file ?? [];
    const files = this.#commits.get(`${repository}@${commit}`);
    if (files === undefined) return refuse(404, "RepoNotFound");
    if (server === "hub" && tree !== null) return this.#list(response, files, searchParams, pathname);
    const found = files.get(decodeURIComponent(path));
    if (found === undefined) return refuse(404, "EntryNotFound");
    if (server === "hub" && isLarge(found)) {
      const linked = this.behaviour.noLinkedEtag
        ? {}
        : { "x-linked-etag": `"${digestOf(found)}"`, "x-linked-size": sizeOf(found) };
      const headers = { location: `${this.storage}${pathname}`, "x-repo-commit": commit, ...linked };
      response.writeHead(302, headers).end("Found. Redirecting");
      return;
    }
    const count = this.requestsFor(decodeURIComponent(path)).length;
    const etag = isLarge(found)
      ? (this.behaviour.storageEtag?.(path, count) ?? `"${digestOf(found)}"`)
      : `"${digestOf(found)}"`;
    const own = server === "hub" ? { "x-repo-commit": commit } : {};
    await this.#send(response, served, found.content, range, { etag, ...own });
  }

  #list(
    response: ServerResponse,
    files: ReadonlyMap<string, ServedFile>,
    given: URLSearchParams,
    pathname: string,
  ): void {
    const folders = [
      ...new Set([...files.keys()].flatMap((path) => (/^[^/]+\//.test(path) ? [path.split("/")[0]] : []))),
    ];
    const entries = [
      ...folders.map((path) => ({ type: "directory", oid: "0".repeat(40), size: 0, path })),
      ...[...files].map(([path, file]) => ({ type: "file", path, ...described(file) })),
    ];
    const from = Number(given.get("cursor") ?? 0);
    const to = from + (this.behaviour.pageSize ?? 1000);
    const next =
      to < entries.length ? { link: `<${this.endpoint}${pathname}?recursive=true&cursor=${to}>; rel="next"` } : {};
    response.writeHead(200, { "content-type": "application/json", ...next });
    response.end(JSON.stringify(entries.slice(from, to)));
  }

  async #send(
    response: ServerResponse,
    served: Served,
    content: Buffer,
    range: string | undefined,
    headers: Readonly<Record<string, string>>,
  ): Promise<void> {
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(this.behaviour.noRanges ? "" : (range ?? "")) ?? [];
    const start = Number(first ?? 0);
    const end = Math.min(Number(last ?? content.length - 1) + 1, content.length);
    if (first !== undefined && start >= content.length) {
      response.writeHead(416, { "content-range": `bytes */${content.length}` }).end();
      return;
    }
    const own = first === undefined ? {} : { "content-range": `bytes ${start}-${end - 1}/${content.length}` };
    const length = { "content-length": end - start, "accept-ranges": "bytes" };
    response.writeHead(first === undefined ? 200 : 206, { ...headers, ...length, ...own });
    this.#bodies += 1;
    const isCut = this.behaviour.cutEvery !== undefined && this.#bodies % this.behaviour.cutEvery === 0;
    const until = isCut ? start + Math.floor((end - start) / 2) : end;
    const piece = 32 << 10;
    const closed = new Promise<void>((gone) => void response.once("close", gone));
    for (let at = start; at < until && !response.destroyed; at += piece) {
      const bytes = content.subarray(at, Math.min(at + piece, until));
      await Promise.race([closed, new Promise<void>((sent) => void response.write(bytes, () => sent()))]);
      served.bytes += bytes.length;
      const { bytesPerSecond } = this.behaviour;
      // A test that is over waits for nobody.
      const pauseMs = (bytes.length / (bytesPerSecond ?? Number.POSITIVE_INFINITY)) * 1000;
      if (pauseMs > 0) await new Promise((on) => setTimeout(on, pauseMs).unref());
    }
    if (isCut) response.destroy();
    else response.end();
  }
}

/** Bytes that depend on nothing but a seed. */
export function randomBytes(seed: string, length: number): Buffer {
  const key = createHash("sha256").update(seed).digest().subarray(0, 16);
  return createCipheriv("aes-128-ctr", key, Buffer.alloc(16)).update(Buffer.alloc(length));
}

// Implementation

function isLarge({ content, large }: ServedFile): boolean {
  return large ?? content.length >= 1000;
}

function digestOf(file: ServedFile): string {
  const { content, claims } = file;
  if (claims?.digest !== undefined) return claims.digest;
  return isLarge(file)
    ? createHash("sha256").update(content).digest("hex")
    : createHash("sha1").update(`blob ${content.length}\0`).update(content).digest("hex");
}

const sizeOf = ({ content, claims }: ServedFile): number => claims?.size ?? content.length;

function described(file: ServedFile): object {
  const [size, digest] = [sizeOf(file), digestOf(file)];
  if (!isLarge(file)) return { oid: digest, size };
  return { oid: createHash("sha1").update(digest).digest("hex"), size, lfs: { oid: digest, size, pointerSize: 134 } };
}
