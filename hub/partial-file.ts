/**
 * A file on its way: its bytes, in any order, and a journal of those that are there.
 *
 * The journal is text that only grows. A range is noted after its bytes were written, so what it says is there whatever
 * ends the process. Only a machine that loses power can have noted more than its disk holds; the checksum finds that.
 * A line that was cut off, and whatever else is no line, says nothing.
 */
import { type FileHandle, open, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { RuntimeFailure } from "../dsl/index.ts";
import type { HubFile } from "./listing.ts";

// Public API

/** From the first byte to the one after the last. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

export class PartialFile implements AsyncDisposable {
  readonly path: string;
  readonly file: HubFile;
  readonly #data: FileHandle;
  #journal: FileHandle;
  #held: readonly Range[];
  #etag: string | undefined;

  private constructor(path: string, file: HubFile, handles: { data: FileHandle; journal: FileHandle }, noted: Noted) {
    this.path = path;
    this.file = file;
    this.#data = handles.data;
    this.#journal = handles.journal;
    this.#held = noted.held;
    this.#etag = noted.etag;
  }

  /** Takes up what an earlier process left at `path` of the same content; of other content it is thrown away. */
  static async open(path: string, file: HubFile): Promise<PartialFile> {
    const before = await readJournal(path, file);
    const data = await open(path, before === undefined ? "w+" : "r+");
    try {
      const noted = before ?? { held: [], etag: undefined };
      return new PartialFile(path, file, { data, journal: await startJournal(path, file, noted) }, noted);
    } catch (error) {
      await data.close();
      throw error;
    }
  }

  /** How many bytes are there. */
  get held(): number {
    return this.#held.reduce((all, { start, end }) => all + end - start, 0);
  }

  /** What the server called this content, when the first of it came. */
  get etag(): string | undefined {
    return this.#etag;
  }

  /** What is missing, in pieces of at most `most` bytes. */
  missing(most: number): readonly Range[] {
    const gaps = [...this.#held, { start: this.file.size, end: this.file.size }].map(({ start }, n) => ({
      start: this.#held[n - 1]?.end ?? 0,
      end: start,
    }));
    return gaps.flatMap(({ start, end }) =>
      Array.from({ length: Math.ceil((end - start) / most) }, (_, n) => ({
        start: start + n * most,
        end: Math.min(start + (n + 1) * most, end),
      })),
    );
  }

  /** Puts bytes in their place. They count once they are noted. */
  async write(at: number, bytes: Uint8Array): Promise<void> {
    await this.#reporting(async () => {
      // A write may take less than it is given.
      for (let done = 0; done < bytes.length; ) {
        done += (await this.#data.write(bytes, done, bytes.length - done, at + done)).bytesWritten;
      }
    });
  }

  /** Says that a range has been written. */
  async note({ start, end }: Range): Promise<void> {
    if (start >= end) return;
    this.#held = merged([...this.#held, { start, end }]);
    await this.#append(`held ${start} ${end}`);
  }

  async noteEtag(etag: string): Promise<void> {
    if (this.#etag === etag) return;
    this.#etag = etag;
    await this.#append(`etag ${etag}`);
  }

  /** Begins anew. */
  async discard(): Promise<void> {
    this.#held = [];
    this.#etag = undefined;
    await this.#reporting(async () => {
      await this.#journal.close();
      this.#journal = await startJournal(this.path, this.file, { held: [], etag: undefined });
      await this.#data.truncate(0);
    });
  }

  /** Waits until the disk has everything: a name must not be given to what a power cut could still empty. */
  async sync(): Promise<void> {
    await this.#reporting(() => this.#data.sync());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#data.close(), this.#journal.close()]);
  }

  async #append(line: string): Promise<void> {
    await this.#reporting(async () => void (await this.#journal.appendFile(`${line}\n`)));
  }

  async #reporting(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (cause) {
      throw new RuntimeFailure(
        "OUTPUT",
        `${this.file.path} could not be written: ${(cause as Error).message}`,
        { path: this.path },
        { cause },
      );
    }
  }
}

/** Removes what is left of a file on its way, with its journal. */
export async function removePartial(path: string): Promise<void> {
  await rm(journalOf(path), { force: true });
  await rm(`${journalOf(path)}.new`, { force: true });
  await rm(path, { force: true });
}

/** How many bytes of a file an earlier process left at `path`. */
export async function heldIn(path: string, file: HubFile): Promise<number> {
  const noted = await readJournal(path, file);
  return noted?.held.reduce((all, { start, end }) => all + end - start, 0) ?? 0;
}

// Implementation

interface Noted {
  readonly held: readonly Range[];
  readonly etag: string | undefined;
}

const journalOf = (path: string): string => `${path}.journal`;
const headOf = ({ size, hash }: HubFile): string => JSON.stringify({ size, [hash.algorithm]: hash.digest });

/** What is there of this very content; undefined when nothing is. */
async function readJournal(path: string, file: HubFile): Promise<Noted | undefined> {
  const text = await readFile(journalOf(path), "utf8").catch(() => "");
  const length = (await stat(path).catch(() => undefined))?.size;
  // What follows the last line's end was cut off.
  const [first, ...lines] = text.split("\n").slice(0, -1);
  if (first === undefined || length === undefined || first !== headOf(file)) return undefined;
  const held: Range[] = [];
  let etag: string | undefined;
  for (const line of lines) {
    const [, start, end] = /^held (\d+) (\d+)$/.exec(line) ?? [];
    if (start !== undefined) held.push({ start: Number(start), end: Number(end) });
    etag = /^etag (.*)$/.exec(line)?.[1] ?? etag;
  }
  const all = merged(held.filter(({ start, end }) => start < end && end <= file.size));
  // Somebody cut the file.
  return (all.at(-1)?.end ?? 0) > length ? undefined : { held: all, etag };
}

/** Written aside and renamed, so that a kill leaves the old journal or the new one. */
async function startJournal(path: string, file: HubFile, { held, etag }: Noted): Promise<FileHandle> {
  const lines = [
    headOf(file),
    ...(etag === undefined ? [] : [`etag ${etag}`]),
    ...held.map(({ start, end }) => `held ${start} ${end}`),
  ];
  await writeFile(`${journalOf(path)}.new`, `${lines.join("\n")}\n`);
  await rename(`${journalOf(path)}.new`, journalOf(path));
  return await open(journalOf(path), "a");
}

/** In order, without overlaps. */
function merged(ranges: readonly Range[]): readonly Range[] {
  const result: Range[] = [];
  for (const { start, end } of ranges.toSorted((a, b) => a.start - b.start)) {
    const last = result.at(-1);
    if (last !== undefined && start <= last.end)
      result[result.length - 1] = { start: last.start, end: Math.max(last.end, end) };
    else result.push({ start, end });
  }
  return result;
}
