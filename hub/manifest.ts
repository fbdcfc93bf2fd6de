/**
 * What stands in a pulled folder, by size and time of change: a file that nobody touched is not read again to know what
 * it is, and one that somebody touched is known to be his.
 */
import type { Stats } from "node:fs";
import { readFile, rename, writeFile } from "node:fs/promises";
import { z } from "zod";

// Public API

const entry = z.object({ size: z.number(), mtimeMs: z.number(), digest: z.string() });
const entries = z.record(z.string(), entry);
const manifest = z.object({
  repository: z.string(),
  /** Empty before anything stands under its name. */
  commit: z.string(),
  /** What stands under its name. */
  files: entries,
  /** What still stands under its name, of a commit before. */
  leaving: entries,
  /** What is whole and has no name yet. */
  staged: entries,
});

/** A file as it was when it was checked. */
export type ManifestEntry = Readonly<z.infer<typeof entry>>;
export type ManifestEntries = Readonly<Record<string, ManifestEntry>>;
export type Manifest = Readonly<z.infer<typeof manifest>>;

export class ManifestFile {
  readonly #path: string;
  #value: Manifest;
  #writing: Promise<void> = Promise.resolve();

  private constructor(path: string, value: Manifest) {
    this.#path = path;
    this.#value = value;
  }

  /** One that cannot be read is as none: files are then read to know what they are. */
  static async open(path: string, repository: string): Promise<ManifestFile> {
    const text = await readFile(path, "utf8").catch(() => "");
    return new ManifestFile(path, parsed(text) ?? { repository, commit: "", files: {}, leaving: {}, staged: {} });
  }

  get value(): Manifest {
    return this.#value;
  }

  /** Changes one after the other, each written aside and renamed. */
  async update(change: (before: Manifest) => Manifest): Promise<void> {
    const write = async () => {
      const value = change(this.#value);
      await writeFile(`${this.#path}.new`, JSON.stringify(value, undefined, 1));
      await rename(`${this.#path}.new`, this.#path);
      this.#value = value;
    };
    const written = this.#writing.then(write);
    this.#writing = written.catch(() => {});
    await written;
  }
}

/** Whether a file is as it was. */
export function isUntouched(entry: ManifestEntry | undefined, found: Stats | undefined): boolean {
  return entry !== undefined && entry.size === found?.size && entry.mtimeMs === found.mtimeMs;
}

// Implementation

function parsed(text: string): Manifest | undefined {
  try {
    return manifest.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
