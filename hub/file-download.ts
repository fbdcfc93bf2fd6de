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
import { bytesOf, OtherContent, requireSameFile, startOf } from "./served-range.ts";
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
const noteBytes = 1 << 18;

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
    const { file } = this.#partial;
    const retry = client.retry(file.path);
    let end = wanted;
    for (let at = start, noted = start; at < end; ) {
      try {
        const answer = await this.#open({ start: at, end });
        try {
          const from = startOf(answer, file, { start: at, end });
          if (known !== undefined && answer.status === 200) end = file.size;
          known?.(answer.status === 206);
          for await (const bytes of bytesOf(answer, file, from, { start: at, end })) {
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
    const isServed = status === 200 || status === 206;
    if (isServed && headers.etag === place.etag) return;
    // The address has expired, or something else lies there now: the hub knows.
    if (this.#place === place) this.#place = undefined;
    const what = isServed ? "has another content" : `answers ${status}`;
    throw new PassingFault(`${url.host} ${what} at an address of before`);
  }

  async #requireSameFile(answer: Answer): Promise<void> {
    const { client, repository, commit } = this.#context;
    const { file } = this.#partial;
    if (answer.status !== 416) requireSuccess(answer, client, repository, file.path);
    if (!requireSameFile(answer, file, commit)) await this.#requireSameEtag(answer.headers.etag);
    if (answer.url.origin !== client.endpoint.origin) this.#place = { url: answer.url, etag: answer.headers.etag };
  }

  /** A server that names contents by other words than the hub's hashes is held to its own. */
  async #requireSameEtag(etag: string | undefined): Promise<void> {
    if (etag === undefined) return;
    const before = this.#partial.etag;
    if (before === undefined) await this.#partial.noteEtag(etag);
    else if (before !== etag) throw new OtherContent(`it was ${before} when it began and is ${etag} now`, true);
  }
}

async function requireContent({ file, path }: PartialFile, signal: AbortSignal): Promise<void> {
  const found = await hashFile(path, file.size, file.hash, { signal });
  if (found === file.hash.digest) return;
  throw new OtherContent(`its ${file.hash.algorithm} is ${found}; wanted ${file.hash.digest}`);
}
