/**
 * A job's output, which is its journal: one whole line for each request that is done, on the disk before it counts.
 *
 * Lines are appended by one process (./lock.ts), all that are ready in one write, then one fdatasync. So a process that is
 * killed leaves whole lines and at most one torn one at the end, which the next run cuts off; its request is answered again.
 */
import { constants } from "node:fs";
import { type FileHandle, open, realpath } from "node:fs/promises";
import { dirname } from "node:path";
import { InputError, RuntimeFailure } from "../dsl/index.ts";
import { DigestSet } from "./digest-set.ts";
import { readLines } from "./file-lines.ts";
import { lockOutput, type OutputLock } from "./output-lock.ts";

// Public API

/** What an output holds already. */
export interface Recorded {
  /** The keys of the lines of input that are done. */
  readonly keys: DigestSet;
  readonly answered: number;
  readonly failed: number;
  /** The `system_fingerprint` of all answers; absent without any. */
  readonly fingerprint: string | undefined;
  /** Bytes of a torn line that were cut off. */
  readonly mended: number;
}

/** What begins the `id` of every line; a key follows. */
export const idPrefix = "batch_req_";

export class Journal implements AsyncDisposable {
  /**
   * Opens an output, or makes it. Nothing is written but the end of a torn line.
   *
   * @param isInput  whether a file, by `device:inode`, is the job's input
   * @throws InputError for what is no output of a job: another file, a folder, a device
   * @throws RuntimeFailure while another job writes it
   */
  static async open(
    path: string,
    { isInput, signal }: { readonly isInput: (identity: string) => boolean; readonly signal?: AbortSignal | undefined },
  ): Promise<Journal> {
    const file = await openOutput(path, isInput);
    let lock: OutputLock | undefined;
    try {
      // Whatever the file is called: two names of one file are one output.
      lock = await lockOutput(await realpath(path), { signal });
      const { recorded, size } = await readRecorded(path, file);
      if (recorded.mended > 0) await file.truncate(size);
      await syncFolder(path);
      return new Journal(path, { file, lock, recorded, size });
    } catch (error) {
      await lock?.[Symbol.asyncDispose]();
      await file.close();
      throw error;
    }
  }

  readonly path: string;
  readonly recorded: Recorded;
  /** Rejects when a line cannot be written; never resolves. */
  readonly failure: Promise<never>;
  readonly #file: FileHandle;
  readonly #lock: OutputLock;
  /** Bytes that are on the disk, all of whole lines. */
  #size: number;
  #fail: (error: unknown) => void = () => {};
  #broken: unknown;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #writing: Promise<void> | undefined;

  private constructor(
    path: string,
    made: { readonly file: FileHandle; readonly lock: OutputLock; readonly recorded: Recorded; readonly size: number },
  ) {
    this.path = path;
    this.recorded = made.recorded;
    this.#file = made.file;
    this.#lock = made.lock;
    this.#size = made.size;
    this.failure = new Promise((_, reject) => {
      this.#fail = reject;
    });
    this.failure.catch(() => {});
  }

  /** Adds a line, without its break. It counts once `flush` has resolved. */
  append(line: string): void {
    const bytes = Buffer.from(`${line}\n`);
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    this.#writing ??= this.#write();
  }

  /** Resolves when so little waits to be written that more may be added. */
  async room(): Promise<void> {
    while (this.#waitingBytes > waitingBytesAtMost) await this.#writing;
    if (this.#broken !== undefined) throw this.#broken;
  }

  /** Resolves when everything is on the disk. @throws RuntimeFailure when it cannot be written */
  async flush(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
    if (this.#broken !== undefined) throw this.#broken;
  }

  /** The lines that are there. */
  async *lines(): AsyncGenerator<{ readonly number: number; readonly text: string }> {
    for await (const { number, bytes } of readLines(this.#file, longestAnswer)) {
      yield { number, text: bytes?.toString("utf8") ?? "" };
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.flush().catch(() => {});
    await this.#file.close().catch(() => {});
    await this.#lock[Symbol.asyncDispose]();
  }

  // Implementation

  /** Never rejects. */
  async #write(): Promise<void> {
    // What is added in the same turn goes into the same write.
    await Promise.resolve();
    while (this.#waiting.length > 0 && this.#broken === undefined) {
      const bytes = Buffer.concat(this.#waiting);
      this.#waiting = [];
      this.#waitingBytes = 0;
      try {
        await this.#lock.check();
        for (let at = 0; at < bytes.length; ) {
          at += (await this.#file.write(bytes, at, bytes.length - at)).bytesWritten;
        }
        await this.#file.datasync();
        this.#size += bytes.length;
      } catch (cause) {
        await this.#break(cause);
      }
    }
    this.#waitingBytes = 0;
    this.#writing = undefined;
  }

  async #break(cause: unknown): Promise<void> {
    if (cause instanceof RuntimeFailure) this.#broken = cause;
    else {
      // A part of a line may be there; the next run would cut it off as well.
      await this.#file.truncate(this.#size).catch(() => {});
      this.#broken = new RuntimeFailure(
        "JOB_OUTPUT_FAILED",
        `the output ${this.path} cannot be written: ${(cause as Error).message}\n` +
          "  what it holds is whole; make it writable again, and the same command goes on from there",
        { path: this.path, errno: (cause as NodeJS.ErrnoException).code },
        { cause },
      );
    }
    this.#fail(this.#broken);
  }
}

// Implementation

const waitingBytesAtMost = 4 * 1024 * 1024;
/** A text in Node cannot be longer. */
const longestAnswer = 512 * 1024 * 1024;

async function openOutput(path: string, isInput: (identity: string) => boolean): Promise<FileHandle> {
  const refuse = (why: string, cause?: unknown) =>
    new InputError("JOB_OUTPUT", `the output ${path} ${why}`, { path }, cause === undefined ? {} : { cause });
  let file: FileHandle;
  try {
    // Not blocking, for a pipe without a reader would.
    file = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_APPEND | constants.O_NONBLOCK, 0o666);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EISDIR") throw refuse("is a folder; wanted a file, or a new name");
    throw refuse(`cannot be opened: ${(cause as Error).message}`, cause);
  }
  try {
    const stats = await file.stat({ bigint: true });
    if (!stats.isFile())
      throw refuse("is a device or a pipe; a job goes on from what its output holds, so wanted a file");
    if (isInput(`${stats.dev}:${stats.ino}`)) throw refuse("is the job's input; give it another name");
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function readRecorded(path: string, file: FileHandle): Promise<{ recorded: Recorded; size: number }> {
  const keys = new DigestSet();
  let [answered, failed, size, mended] = [0, 0, 0, 0];
  let fingerprint: string | undefined;
  for await (const { number, bytes, isTerminated, start, size: length } of readLines(file, longestAnswer)) {
    const foreign = (why: string) =>
      new InputError(
        "JOB_OUTPUT_FOREIGN",
        `the output ${path} is not of this job: line ${number} ${why}\n  give the job another --output, or move that file away`,
        { path, line: number },
      );
    const text = bytes?.toString("utf8") ?? "";
    const line = isTerminated ? parseLine(text) : undefined;
    if (line === undefined) {
      // Whatever is not a beginning of one of our lines is somebody's, and stays.
      if (isTerminated || !isTorn(text)) throw foreign("is no line that a job writes");
      mended = length;
      break;
    }
    size = start + length + 1;
    if (!keys.add(Buffer.from(line.key, "hex"))) throw foreign("answers a request for the second time");
    if (line.isAnswer) answered += 1;
    else failed += 1;
    if (line.fingerprint === undefined) continue;
    fingerprint ??= line.fingerprint;
    if (fingerprint !== line.fingerprint) {
      throw foreign(`was answered by ${line.fingerprint}, and an earlier one by ${fingerprint}`);
    }
  }
  return { recorded: { keys, answered, failed, fingerprint, mended }, size };
}

/** What is read of a line that is there already. */
export interface RecordedLine {
  readonly key: string;
  readonly customId: string;
  readonly isAnswer: boolean;
  readonly fingerprint: string | undefined;
}

/** @returns nothing for what a job does not write */
export function parseLine(text: string): RecordedLine | undefined {
  let value: Partial<{ id: string; custom_id: string; response: Partial<ResponseLine> | null; error: object | null }>;
  try {
    value = JSON.parse(text) as typeof value;
  } catch {
    return undefined;
  }
  const { id, custom_id: customId, response } = value ?? {};
  const [, key] = typeof id === "string" ? (/^batch_req_([0-9a-f]{32})$/.exec(id) ?? []) : [];
  if (key === undefined || typeof customId !== "string") return undefined;
  const isAnswer = response?.status_code === 200;
  const fingerprint = isAnswer ? response.body?.system_fingerprint : undefined;
  return { key, customId, isAnswer, fingerprint: typeof fingerprint === "string" ? fingerprint : undefined };
}

interface ResponseLine {
  readonly status_code: number;
  readonly body: { readonly system_fingerprint?: unknown };
}

/** Whether a text without its newline is what a killed job may have left; a system that lost power leaves zeros. */
function isTorn(text: string): boolean {
  const beginning = `{"id":"${idPrefix}`;
  return text.startsWith(beginning) || beginning.startsWith(text) || text.startsWith("\0");
}

/** So that a new file's name survives a loss of power, too. */
async function syncFolder(path: string): Promise<void> {
  try {
    await using folder = await open(dirname(path), "r");
    await folder.sync();
  } catch {
    // Some file systems have no such thing.
  }
}
