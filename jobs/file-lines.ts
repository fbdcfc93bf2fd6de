/**
 * The lines of a file, one after the other, in bounded memory: a line beyond the limit is passed over and told by its
 * size.
 */
import { createHash, type Hash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";

// Public API

/** A line without its end. */
export interface FileLine {
  /** From 1, as editors count. */
  readonly number: number;
  /** Absent where the line is longer than the limit. */
  readonly bytes: Buffer | undefined;
  readonly size: number;
  /** SHA-256, of lines beyond the limit; whoever has the bytes can tell it. */
  readonly digest: Buffer | undefined;
  /** Where in the file it begins. */
  readonly start: number;
  /** Whether a newline follows; the last line may have none. */
  readonly isTerminated: boolean;
}

/**
 * Reads a file from its beginning. Only the newline ends a line; a carriage return before it is part of the line.
 *
 * @param limit  bytes of a line that are held at most
 */
export async function* readLines(file: FileHandle, limit: number): AsyncGenerator<FileLine> {
  const line = new OpenLine(limit);
  const chunk = Buffer.allocUnsafe(chunkBytes);
  for (let at = 0; ; ) {
    const { bytesRead } = await file.read(chunk, 0, chunk.length, at);
    if (bytesRead === 0) break;
    for (let from = 0; from < bytesRead; ) {
      const found = chunk.subarray(from, bytesRead).indexOf(newline);
      const to = found < 0 ? bytesRead : from + found;
      line.push(chunk.subarray(from, to));
      if (found >= 0) yield line.end(true);
      from = found < 0 ? bytesRead : to + 1;
    }
    at += bytesRead;
  }
  if (line.size > 0) yield line.end(false);
}

// Implementation

const newline = 0x0a;
const chunkBytes = 256 * 1024;

/** A line of which the end has not been met. */
class OpenLine {
  size = 0;
  readonly #limit: number;
  #parts: Buffer[] = [];
  #hash: Hash | undefined;
  #number = 1;
  #start = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  push(bytes: Buffer): void {
    this.size += bytes.length;
    if (this.#hash === undefined && this.size > this.#limit) {
      this.#hash = createHash("sha256");
      for (const part of this.#parts.splice(0)) this.#hash.update(part);
    }
    if (this.#hash !== undefined) this.#hash.update(bytes);
    // The chunk is written over by the next one.
    else if (bytes.length > 0) this.#parts.push(Buffer.from(bytes));
  }

  end(isTerminated: boolean): FileLine {
    const bytes = this.#hash === undefined ? Buffer.concat(this.#parts) : undefined;
    const { size } = this;
    const line = { number: this.#number, bytes, size, digest: this.#hash?.digest(), start: this.#start, isTerminated };
    this.#number += 1;
    this.#start += size + (isTerminated ? 1 : 0);
    this.#parts = [];
    this.#hash = undefined;
    this.size = 0;
    return line;
  }
}
