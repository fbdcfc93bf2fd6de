/**
 * A job's input: a file of requests, one a line, read as often as needed and never held.
 *
 * Every line that is not empty is one entry, broken ones too, and has a key: a digest of its bytes, with its number where
 * the line has no id of its own. The output names the key, so a later run knows what is done, and whether it was the same
 * request.
 */
import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { InputError, RuntimeFailure } from "../dsl/index.ts";
import { DigestSet } from "./digest-set.ts";
import { type FileLine, readLines } from "./file-lines.ts";

// Public API

/** One line of the input. */
export interface InputLine {
  readonly number: number;
  /** 32 hexadecimal digits: what the output names it by. */
  readonly key: string;
  /** Of a line from which none can be read `line-NUMBER`. */
  readonly customId: string;
  /** Absent where the line is no UTF-8, or too long to be held. */
  readonly text: string | undefined;
  /** Why it cannot be taken, as far as that shows without a model. */
  readonly refusal: InputError | undefined;
}

/** Bytes of a line that are read at most. */
export const longestLine = 16 * 1024 * 1024;

export class JobInput implements AsyncDisposable {
  /** @throws InputError for a file that cannot be read, or is none */
  static async open(path: string): Promise<JobInput> {
    let file: FileHandle;
    try {
      file = await open(path, "r");
    } catch (cause) {
      throw new InputError(
        "JOB_INPUT",
        `the input ${path} cannot be read: ${(cause as Error).message}`,
        { path },
        { cause },
      );
    }
    try {
      const stats = await file.stat({ bigint: true });
      if (!stats.isFile()) {
        throw new InputError("JOB_INPUT", `the input ${path} is no file; a job reads it twice, so a pipe will not do`, {
          path,
        });
      }
      return new JobInput(path, file, stats);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  readonly path: string;
  /** Which file it is, to be told from the output. */
  readonly identity: string;
  readonly #file: FileHandle;
  readonly #state: string;

  private constructor(path: string, file: FileHandle, stats: Stats) {
    this.path = path;
    this.identity = `${stats.dev}:${stats.ino}`;
    this.#file = file;
    this.#state = stateOf(stats);
  }

  /**
   * The lines, in order. Of lines with one id the first has it, the others are refused.
   *
   * @throws RuntimeFailure when the file was changed meanwhile
   */
  async *lines(): AsyncGenerator<InputLine> {
    const seen = new DigestSet();
    for await (const line of readLines(this.#file, longestLine)) {
      const entry = readEntry(line, seen);
      if (entry !== undefined) yield entry;
    }
    if (stateOf(await this.#file.stat({ bigint: true })) === this.#state) return;
    throw new RuntimeFailure(
      "JOB_INPUT_CHANGED",
      `the input ${this.path} was changed while the job ran; leave it as it is until the job is done, and run it again`,
      { path: this.path },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }
}

// Implementation

interface Stats {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
}

const stateOf = ({ size, mtimeNs }: Stats): string => `${size} ${mtimeNs}`;

const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf]);

/** @returns nothing for a line of white space alone, which holds no request */
function readEntry(line: FileLine, seen: DigestSet): InputLine | undefined {
  const { number, size } = line;
  const unnamed = (digest: Buffer, refusal: InputError, text?: string): InputLine => {
    const key = keyOf(createHash("sha256").update(digest).update(`line ${number}`).digest());
    return { number, key, customId: `line-${number}`, text, refusal };
  };
  if (line.bytes === undefined) {
    const why = `the line has ${size} bytes, and at most ${longestLine} are read`;
    return unnamed(line.digest as Buffer, refuse("line_too_long", why, number));
  }
  const bytes = trimmed(line.bytes, number);
  const digest = createHash("sha256").update(bytes).digest();
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return unnamed(digest, refuse("invalid_utf8", "the line is not UTF-8", number));
  }
  if (text.trim() === "") return undefined;
  const read = customIdOf(text, number);
  if (read instanceof InputError) return unnamed(digest, read, text);
  if (seen.add(createHash("sha256").update(read).digest())) {
    return { number, key: keyOf(digest), customId: read, text, refusal: undefined };
  }
  const why = `an earlier line has the custom_id ${JSON.stringify(read)} already; the first is answered`;
  return { ...unnamed(digest, refuse("duplicate_custom_id", why, number, "custom_id"), text), customId: read };
}

function trimmed(bytes: Buffer, number: number): Buffer {
  const start = number === 1 && bytes.subarray(0, 3).equals(byteOrderMark) ? 3 : 0;
  return bytes.subarray(start, bytes.at(-1) === 0x0d ? -1 : undefined);
}

function customIdOf(text: string, number: number): string | InputError {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    return refuse("invalid_json_line", `the line is not JSON: ${(cause as Error).message}`, number);
  }
  const id = (value as { readonly custom_id?: unknown } | null)?.custom_id;
  if (typeof id === "string" && id !== "") return id;
  const found = id === undefined ? "it has none" : `found ${JSON.stringify(id).slice(0, 40)}`;
  return refuse("invalid_custom_id", `custom_id is a text that names the request; ${found}`, number, "custom_id");
}

function refuse(code: string, why: string, line: number, param?: string): InputError {
  return new InputError(code, `line ${line}: ${why}`, { line, ...(param === undefined ? {} : { param }) });
}

const keyOf = (digest: Buffer): string => digest.toString("hex", 0, 16);
