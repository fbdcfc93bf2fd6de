/** What a pull tells while it runs, and the counts behind it. */
import type { HubFile } from "./listing.ts";

// Public API

/** What a pull tells while it runs. */
export type PullEvent =
  | {
      readonly kind: "planned";
      readonly commit: string;
      readonly files: readonly HubFile[];
      readonly bytes: number;
      /** Of them, those that are here, and those that this run has fetched to know what to pick. */
      readonly held: number;
      readonly fetched: number;
    }
  | { readonly kind: "progress"; readonly held: number; readonly bytes: number }
  | { readonly kind: "retry"; readonly what: string; readonly reason: string; readonly waitMs: number }
  | { readonly kind: "discarded"; readonly path: string; readonly bytes: number; readonly reason: string }
  | { readonly kind: "checked"; readonly path: string }
  | { readonly kind: "removed"; readonly path: string };

export class PullProgress {
  readonly #tell: (event: PullEvent) => void;
  fetched = 0;
  #held = 0;
  #bytes = 0;

  constructor(tell: (event: PullEvent) => void) {
    this.#tell = tell;
  }

  get missing(): number {
    return this.#bytes - this.#held;
  }

  planned(commit: string, files: readonly HubFile[], held: number): void {
    this.#held = held;
    this.#bytes = sizeOf(files);
    this.#tell({ kind: "planned", commit, files, bytes: this.#bytes, held, fetched: this.fetched });
  }

  came(count: number): void {
    this.fetched += count;
    this.#held += count;
    // The index of shards comes before it is known how much there will be.
    if (this.#bytes > 0) this.#tell({ kind: "progress", held: this.#held, bytes: this.#bytes });
  }

  discarded(path: string, bytes: number, reason: string): void {
    this.#held -= bytes;
    this.#tell({ kind: "discarded", path, bytes, reason });
  }

  checked(path: string): void {
    this.#tell({ kind: "checked", path });
  }

  removed(path: string): void {
    this.#tell({ kind: "removed", path });
  }
}

/** Bytes of files. */
export function sizeOf(files: readonly HubFile[]): number {
  return files.reduce((all, { size }) => all + size, 0);
}
