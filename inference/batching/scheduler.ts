/**
 * Who runs when. Pure: no device, no clock; the engine asks, does, and tells.
 *
 * Requests wait in one line. A request belongs to the lane of its capacity, a fixed number of rows of one size, and of
 * nothing else: so what its answer is computed by depends on itself alone. One that outgrows its lane comes first in line for a
 * longer one. The first in line that finds a free row takes
 * it. Lanes are opened while memory lasts; idle ones are closed for one that is wanted. While the first in line waits for
 * memory, nobody behind it is let in, so that what runs comes to its end and makes room.
 *
 * An iteration is a decode step of all rows, and chunks of prompts as far as the budget of tokens goes, at least one
 * where a prompt waits: lanes take turns, and within a lane prompts come one after the other.
 */
import type { Chunk } from "../programs/buckets.ts";

// Public API

/** What is scheduled. */
export interface Schedulable {
  /** Which lane: how many positions its row has. */
  readonly capacity: number;
  readonly promptTokens: number;
}

/** How large a lane is. */
export interface LaneSize {
  readonly rows: number;
  readonly bytes: number;
}

/** Lanes to be opened and to be closed; `opened` and `closed` tell when it is done. */
export interface LaneChanges {
  readonly open: readonly number[];
  readonly close: readonly number[];
}

/** A chunk to be prefilled. */
export interface PlannedChunk<R> extends Chunk {
  readonly request: R;
  readonly row: number;
  readonly isFirst: boolean;
  readonly isLast: boolean;
}

/** Rows of one lane that take a step. */
export interface Decoding<R> {
  readonly capacity: number;
  readonly rows: readonly { readonly row: number; readonly request: R }[];
}

export class Scheduler<R extends Schedulable> {
  readonly #chunkAt: (promptTokens: number, start: number) => Chunk;
  readonly #budget: number;
  readonly #bytes: number;
  readonly #sizeOf: (capacity: number) => LaneSize;
  readonly #waiting = new Set<R>();
  /** In the order in which they take turns. */
  readonly #lanes = new Map<number, Lane<R>>();

  /**
   * @param options.chunkAt  the chunk of a prompt that begins at `start`
   * @param options.budget  tokens of an iteration
   * @param options.bytes  what all lanes together may take
   * @param options.sizeOf  never more than `bytes`
   */
  constructor(options: {
    readonly chunkAt: (promptTokens: number, start: number) => Chunk;
    readonly budget: number;
    readonly bytes: number;
    readonly sizeOf: (capacity: number) => LaneSize;
  }) {
    this.#chunkAt = options.chunkAt;
    this.#budget = options.budget;
    this.#bytes = options.bytes;
    this.#sizeOf = options.sizeOf;
  }

  /** Those that have no row yet, the first in line first. */
  get waiting(): ReadonlySet<R> {
    return this.#waiting;
  }

  /** How many have a row. */
  get running(): number {
    return this.lanes.reduce((all, { running }) => all + running, 0);
  }

  /** The lanes that there are, opening and closing ones too. */
  get lanes(): readonly { readonly capacity: number; readonly size: LaneSize; readonly running: number }[] {
    return Array.from(this.#lanes, ([capacity, { size, rows }]) => ({ capacity, size, running: held(rows) }));
  }

  /** Those whose prompts are to be prefilled in a lane after the one whose turn it is, `most` at most. */
  upcoming(capacity: number, most: number): readonly R[] {
    const next = (this.#lanes.get(capacity)?.prefills ?? []).slice(1, most + 1).map(({ request }) => request);
    for (const request of this.#waiting) {
      if (next.length >= most) break;
      if (request.capacity === capacity) next.push(request);
    }
    return next;
  }

  /** Puts a request at the end of the line. */
  enqueue(request: R): void {
    this.#waiting.add(request);
  }

  /** Puts one that ran already, and needs another lane now, before all others. */
  enqueueFirst(request: R): void {
    const others = [...this.#waiting];
    this.#waiting.clear();
    for (const each of [request, ...others]) this.#waiting.add(each);
  }

  /** Gives rows to those in line, as far as there are any. */
  admit(): LaneChanges {
    const open: number[] = [];
    const close: number[] = [];
    for (const request of this.#waiting) {
      const { capacity } = request;
      const lane = this.#lanes.get(capacity);
      if (lane !== undefined) {
        const row = lane.state === "open" ? lane.rows.indexOf(undefined) : -1;
        if (row < 0) continue;
        this.#waiting.delete(request);
        const entry = { request, row, position: undefined, begun: false };
        lane.rows[row] = entry;
        lane.prefills.push(entry);
        continue;
      }
      const size = this.#sizeOf(capacity);
      if (!this.#makeRoom(size.bytes, close)) break;
      this.#lanes.set(capacity, { size, state: "opening", rows: Array(size.rows).fill(undefined), prefills: [] });
      open.push(capacity);
    }
    return { open, close };
  }

  /** Tells that a lane can be used. */
  opened(capacity: number): void {
    const lane = this.#lanes.get(capacity);
    if (lane !== undefined) lane.state = "open";
  }

  /** Tells that a lane is gone, and its memory free. */
  closed(capacity: number): void {
    this.#lanes.delete(capacity);
  }

  /** Takes all that a lane has away from it: it is about to be closed, and takes nobody in. */
  abandon(capacity: number): readonly R[] {
    const lane = this.#lanes.get(capacity);
    if (lane === undefined) return [];
    lane.state = "closing";
    const requests = lane.rows.flatMap((entry) => (entry === undefined ? [] : [entry.request]));
    lane.rows.fill(undefined);
    lane.prefills.length = 0;
    return requests;
  }

  /** Whether all that there is takes steps: nobody could enter before somebody leaves, for nobody is there. */
  get isSettled(): boolean {
    return this.#waiting.size === 0 && Array.from(this.#lanes.values()).every(({ prefills }) => prefills.length === 0);
  }

  /** The rows whose prompts are prefilled, by lane. */
  decoding(): readonly Decoding<R>[] {
    const all = Array.from(this.#lanes, ([capacity, { rows, prefills }]) => ({
      capacity,
      rows: rows.flatMap((entry) =>
        entry === undefined || prefills.includes(entry) ? [] : [{ row: entry.row, request: entry.request }],
      ),
    }));
    return all.filter(({ rows }) => rows.length > 0);
  }

  /**
   * The chunks of one iteration. Each is to be done before the next is asked for.
   *
   * @param begin  says of a prompt whose turn has come how many positions are held already, where a chunk begins
   */
  *chunks(begin: (request: R) => number): Generator<PlannedChunk<R>, void, void> {
    let left = this.#budget - this.decoding().reduce((all, { rows }) => all + rows.length, 0);
    for (let count = 0; ; count++) {
      const next = this.#nextPrefill();
      if (next === undefined) return;
      const { entry, lane, capacity } = next;
      const { request, row } = entry;
      entry.position ??= begin(request);
      const chunk = this.#chunkAt(request.promptTokens, entry.position);
      if (count > 0 && chunk.bucket > left) return;
      left -= chunk.bucket;
      const isFirst = !entry.begun;
      entry.begun = true;
      const end = chunk.start + chunk.length;
      this.#last(capacity);
      yield { ...chunk, request, row, isFirst, isLast: end === request.promptTokens };
      if (lane.prefills[0] !== entry) continue; // It was cancelled meanwhile.
      entry.position = end;
      if (end === request.promptTokens) lane.prefills.shift();
    }
  }

  /**
   * Takes a request away, wherever it is; the row that it had, if it had one, and whether its prompt was being prefilled.
   */
  remove(request: R): { readonly row: number; readonly isPrefilling: boolean } | undefined {
    if (this.#waiting.delete(request)) return undefined;
    const lane = this.#lanes.get(request.capacity);
    const entry = lane?.rows.find((each) => each?.request === request);
    if (lane === undefined || entry === undefined) return undefined;
    lane.rows[entry.row] = undefined;
    const at = lane.prefills.indexOf(entry);
    if (at >= 0) lane.prefills.splice(at, 1);
    return { row: entry.row, isPrefilling: at === 0 && entry.begun };
  }

  // Implementation

  /** Whether there is room for so many bytes; if not, says which idle lanes to close, where that is enough. */
  #makeRoom(bytes: number, close: number[]): boolean {
    const sum = (lanes: Iterable<Lane<R>>) => Array.from(lanes).reduce((all, { size }) => all + size.bytes, 0);
    const free = this.#bytes - sum(this.#lanes.values());
    if (bytes <= free) return true;
    const all = [...this.#lanes];
    let coming = free + sum(all.filter(([, { state }]) => state === "closing").map(([, lane]) => lane));
    // Those whose turn was longest ago first.
    const idle = all.filter(([, { state, rows }]) => state === "open" && held(rows) === 0);
    const chosen: [number, Lane<R>][] = [];
    for (const each of idle) {
      if (coming >= bytes) break;
      chosen.push(each);
      coming += each[1].size.bytes;
    }
    if (coming < bytes) return false;
    for (const [capacity, lane] of chosen) {
      lane.state = "closing";
      close.push(capacity);
    }
    return false;
  }

  #nextPrefill() {
    for (const [capacity, lane] of this.#lanes) {
      const [entry] = lane.prefills;
      if (entry !== undefined && lane.state === "open") return { capacity, lane, entry };
    }
    return undefined;
  }

  /** The next turn is another lane's. */
  #last(capacity: number): void {
    const lane = this.#lanes.get(capacity) as Lane<R>;
    this.#lanes.delete(capacity);
    this.#lanes.set(capacity, lane);
  }
}

// Implementation

interface Lane<R> {
  readonly size: LaneSize;
  state: "opening" | "open" | "closing";
  readonly rows: (Entry<R> | undefined)[];
  /** Those whose prompts are not prefilled yet; the first is under way or is next. */
  readonly prefills: Entry<R>[];
}

interface Entry<R> {
  readonly request: R;
  readonly row: number;
  /** How many positions of the prompt are held; undefined before its turn. */
  position: number | undefined;
  /** Whether a chunk of it was given out. */
  begun: boolean;
}

function held(rows: readonly unknown[]): number {
  return rows.filter((entry) => entry !== undefined).length;
}
