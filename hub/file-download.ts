/**
 * Fetches what is missing of one file, several ranges at a time, and checks the whole.
 *
 * The first answer tells whether the server gives ranges. Where it does not, the one stream that it sends is taken from
 * the place up to which the file is there. The storage that the hub sends us to is asked directly for the other ranges
 * until it refuses, as its addresses expire.
 */
import { RuntimeFailure } from "../dsl/index.ts";
import type { Answer, HubClient } from "./client.ts";
import { hashFile } from "./content-hash.ts";
import type { PartialFile, Range } from "./partial-file.ts";
import { requireSuccess } from "./refusal.ts";
import { fileUrl, type Repository } from "./repository.ts";
import { PassingFault } from "./retry.ts";
import type { Slots } from "./slots.ts";

// Public API

/** What a download is a part of. */
export interface DownloadContext {
  readonly client: HubClient;
  readonly repository: Repository;
  readonly commit: string;
  readonly slots: Slots;
  /** The most that one request asks for. */
  readonly chunkBytes: number;
  readonly signal: AbortSignal;
  /** How many bytes came. */
  readonly onBytes: (count: number) => void;
  /** What had come of a file is of no use: how many bytes, and why. */
  readonly onDiscard: (path: string, bytes: number, reason: string) => void;
}

/**
 * Completes a file.
 *
 * @throws RuntimeFailure when its content is not what the commit says, after what came was thrown away
 */
export async function downloadFile(partial: PartialFile, context: DownloadContext): Promise<void> {
  const { path } = partial.file;
  for (let round = 0; ; round += 1) {
    const resumed = partial.held > 0;
    try {
      await fetchMissing(partial, context);
      await requireContent(partial, context.signal);
      return;
    } catch (error) {
      if (!(error instanceof OtherContent)) throw error;
      context.onDiscard(path, partial.held, error.message);
      await partial.discard();
      // What an earlier process left may be at fault; what came in one go is what the server has.
      if (resumed ? round < 2 : error.mayPass && round < 2) continue;
      throw new RuntimeFailure("CHECKSUM", `${path} is not what commit ${context.commit} has: ${error.message}`, {
        path,
        commit: context.commit,
      });
    }
  }
}

// Implementation

/** How much of a stream may be fetched again after a kill. */
const noteBytes = 1 << 20;

/** The bytes are of something else. */
class OtherContent extends Error {
  /** Whether the server may have changed its mind in between. */
  readonly mayPass: boolean;

  constructor(message: string, mayPass = false) {
    super(message);
    this.mayPass = mayPass;
  }
}

/** Where the hub sent us, and what the storage calls the content there. */
interface Place {
  readonly url: URL;
  readonly etag: string | undefined;
}

async function fetchMissing(partial: PartialFile, context: DownloadContext): Promise<void> {
  const [first, ...rest] = partial.missing(context.chunkBytes);
  if (first === undefined) return;
  const stop = new AbortController();
  const signal = AbortSignal.any([context.signal, stop.signal]);
  const download = new FileDownload(partial, context, signal);
  let known = (_: boolean): void => {};
  const hasRanges = new Promise<boolean>((resolve) => {
    known = resolve;
  });
  const pieces = [
    context.slots.use(() => download.fetch(first, known)).finally(() => known(false)),
    hasRanges.then(async (yes) => {
      if (yes) await Promise.all(rest.map((range) => context.slots.use(() => download.fetch(range))));
    }),
  ];
  try {
    await Promise.all(pieces);
  } catch (error) {
    // The others must have let go of the file before anybody touches it.
    stop.abort(error);
    await Promise.allSettled(pieces);
    await download.settled();
    throw error;
  }
}

class FileDownload {
  readonly #partial: PartialFile;
  readonly #context: DownloadContext;
  readonly #signal: AbortSignal;
  readonly #running = new Set<Promise<void>>();
  #place: Place | undefined;

  constructor(partial: PartialFile, context: DownloadContext, signal: AbortSignal) {
    this.#partial = partial;
    this.#context = context;
    this.#signal = signal;
  }

  /** Fetches a range; `known` hears whether the server gives ranges, and if not, everything up to the end is fetched. */
  async fetch(range: Range, known?: (hasRanges: boolean) => void): Promise<void> {
    this.#signal.throwIfAborted();
    const running = this.#fetch(range, known);
    this.#running.add(running);
    try {
      await running;
    } finally {
      this.#running.delete(running);
    }
  }

  async settled(): Promise<void> {
    await Promise.allSettled(this.#running);
  }

  async #fetch({ start, end: wanted }: Range, known: ((hasRanges: boolean) => void) | undefined): Promise<void> {
    const { client, onBytes } = this.#context;
    const retry = client.retry(this.#partial.file.path);
    let end = wanted;
    for (let at = start, noted = start; at < end; ) {
      try {
        const answer = await this.#open({ start: at, end });
        try {
          const from = this.#requireRange(answer, { start: at, end });
          if (known !== undefined && answer.status === 200) end = this.#partial.file.size;
          known?.(answer.status === 206);
          for await (const bytes of this.#pieces(answer, from, { start: at, end })) {
            await this.#partial.write(at, bytes);
            at += bytes.length;
            if (at - noted >= noteBytes) await this.#partial.note({ start: noted, end: (noted = at) });
            onBytes(bytes.length);
            retry.progressed();
          }
        } finally {
          answer.body.destroy();
          await this.#partial.note({ start: noted, end: (noted = at) });
        }
        if (at < end) throw new PassingFault(`${answer.url.host} ended after ${at - start} of ${end - start} bytes`);
      } catch (error) {
        this.#signal.throwIfAborted();
        await retry.failed(error);
      }
    }
  }

  /** Asks for a range, and requires that it is of the content that the commit has. */
  async #open({ start, end }: Range): Promise<Answer> {
    const { client, repository, commit } = this.#context;
    const { path } = this.#partial.file;
    const place = this.#place;
    const url = place?.url ?? fileUrl(client.endpoint, repository, commit, path);
    const answer = await client.open(url, { range: `bytes=${start}-${end - 1}` }, this.#signal);
    try {
      if (place !== undefined) this.#requireSamePlace(place, answer);
      else await this.#requireSameFile(answer);
      return answer;
    } catch (error) {
      answer.body.destroy();
      throw error;
    }
  }

  #requireSamePlace(place: Place, { status, headers, url }: Answer): void {
    if ((status === 200 || status === 206) && headers.etag === place.etag) return;
    // The address has expired, or something else lies there now: the hub knows.
    if (this.#place === place) this.#place = undefined;
    throw new PassingFault(`${url.host} answers ${status} at an address of before`, 0);
  }

  async #requireSameFile(answer: Answer): Promise<void> {
    const { client, repository, commit } = this.#context;
    const { path, hash, size } = this.#partial.file;
    const { status, headers, hub, url } = answer;
    if (status !== 416) requireSuccess(answer, client, repository, path);
    const found = hub["x-repo-commit"];
    if (found !== undefined && found !== commit) {
      throw new RuntimeFailure("COMMIT", `${client.endpoint.host} gives ${path} of commit ${found}; wanted ${commit}`, {
        path,
        found,
        commit,
      });
    }
    const linkedSize = hub["x-linked-size"];
    if (linkedSize !== undefined && Number(linkedSize) !== size)
      throw new OtherContent(`it has ${linkedSize} bytes; wanted ${size}`);
    if (status === 416)
      throw new OtherContent(
        `it has ${/\*\/(\d+)/.exec(headers["content-range"] ?? "")?.[1] ?? "fewer"} bytes; wanted ${size}`,
      );
    const linked = bare(hub["x-linked-etag"]);
    if (linked !== undefined && linked.length === hash.digest.length && /^[0-9a-f]+$/.test(linked)) {
      if (linked !== hash.digest) throw new OtherContent(`the server calls it ${linked}; wanted ${hash.digest}`);
    } else {
      await this.#requireSameEtag(headers.etag);
    }
    if (url.origin !== client.endpoint.origin) this.#place = { url, etag: headers.etag };
  }

  /** A server that names contents by other words than the hub's hashes is held to its own. */
  async #requireSameEtag(etag: string | undefined): Promise<void> {
    if (etag === undefined) return;
    const before = this.#partial.etag;
    if (before === undefined) await this.#partial.noteEtag(etag);
    else if (before !== etag) throw new OtherContent(`it was ${before} when it began and is ${etag} now`, true);
  }

  /** Where the body begins. */
  #requireRange({ status, headers, url }: Answer, { start, end }: Range): number {
    const { size, path } = this.#partial.file;
    const coding = headers["content-encoding"];
    if (coding !== undefined && coding !== "identity") {
      throw new RuntimeFailure("ANSWER", `${url.host} gives ${path} in the coding ${coding}, which was not asked for`, {
        path,
      });
    }
    if (status === 200) {
      const length = headers["content-length"];
      if (length !== undefined && Number(length) !== size)
        throw new OtherContent(`it has ${length} bytes; wanted ${size}`);
      return 0;
    }
    const [, from, to, total] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(headers["content-range"] ?? "") ?? [];
    if (total !== undefined && total !== "*" && Number(total) !== size)
      throw new OtherContent(`it has ${total} bytes; wanted ${size}`);
    if (status !== 206 || Number(from) !== start || Number(to) >= end) {
      throw new RuntimeFailure(
        "ANSWER",
        `${url.host} answers ${status}, '${headers["content-range"] ?? ""}', for bytes ${start} to ${end - 1} of ${path}`,
        { path },
      );
    }
    return start;
  }

  /** The bytes of a range from a body that begins at `from`; what a server sends beyond is not taken. */
  async *#pieces({ body, status }: Answer, from: number, { start, end }: Range): AsyncGenerator<Uint8Array> {
    let position = from;
    for await (const bytes of body as AsyncIterable<Buffer>) {
      const next = position + bytes.length;
      if (next > this.#partial.file.size) {
        const found = `${status === 200 ? "the server sends" : "its range has"} more than the ${this.#partial.file.size} bytes that it should have`;
        throw new OtherContent(found);
      }
      const piece = bytes.subarray(Math.max(start - position, 0), Math.max(end - position, 0));
      position = next;
      if (piece.length > 0) yield piece;
      if (position >= end && status === 206) return;
      if (position >= end && end < this.#partial.file.size) return;
    }
  }
}

/** An entity tag without what HTTP puts around it. */
function bare(etag: string | undefined): string | undefined {
  return etag?.replace(/^W\//, "").replace(/^"(.*)"$/, "$1");
}

async function requireContent({ file, path }: PartialFile, signal: AbortSignal): Promise<void> {
  const found = await hashFile(path, file.size, file.hash, { signal });
  if (found === file.hash.digest) return;
  throw new OtherContent(`its ${file.hash.algorithm} is ${found}; wanted ${file.hash.digest}`);
}
