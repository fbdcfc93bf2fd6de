/**
 * Rows of one capacity on the devices, a place where prompts are prefilled, and the snapshots of their beginnings.
 *
 * Everything is in one session, so calls run in the order in which they are made.
 */
import { hostTensor, type SessionCall } from "../../runtime-bridge/index.ts";
import type { RowStep, SendOptions, SentSteps, StepSource } from "../answers/generation-loop.ts";
import { largestChunk } from "../programs/buckets.ts";
import type { ModelPrograms } from "../programs/model-programs.ts";
import { greedyChoice } from "../sampling/choose-on-device.ts";
import { Batch } from "../steps/batch.ts";
import type { NextLogits, Wanted } from "../steps/step-call.ts";
import type { Held } from "./prefix-index.ts";

// Public API

/** What an engine does with the rows of one capacity. Its steps go to the rows that were given a prompt. */
export interface Lane extends StepSource {
  /** How many positions a snapshot may lie beyond what is reused of it: state farther back is overwritten. */
  readonly spare: number;
  /** Begins a prompt, from a snapshot where there is one. */
  begin(from: Held | undefined): Promise<void>;
  /** Appends a chunk to it. @param total  how long the prompt is */
  chunk(
    tokens: readonly number[],
    sizes: { readonly bucket: number; readonly total: number },
    wanted: Wanted | undefined,
  ): Promise<NextLogits | undefined>;
  /** Keeps the prompt as far as it has come in a place of its own. */
  keep(place: number): Promise<void>;
  /** Gives a row to the prompt. */
  adopt(row: number): Promise<void>;
  /** Takes its row from an answer. */
  free(row: number): void;
  /** Forgets the prompt: it may have left NaN. */
  clear(): Promise<void>;
  close(): Promise<void>;
}

/** What a lane is opened with. */
export interface LaneOptions {
  readonly rows: number;
  readonly capacity: number;
  /** The sizes of chunks in which prompts come. */
  readonly chunkSizes: readonly number[];
  /** How many snapshots it has room for. */
  readonly places: number;
  readonly signal: AbortSignal;
}

/** Opens a lane, everything compiled that it needs. */
export async function openLane(programs: ModelPrograms, options: LaneOptions): Promise<Lane> {
  const { rows, capacity, places, signal } = options;
  const batch = await Batch.open(programs, { rows, capacity }, { signal });
  try {
    await compileSteps(programs, options);
    const snapshots = places === 0 ? undefined : await openSnapshots(programs, batch, { places, capacity });
    return new DeviceLane(batch, snapshots, programs.hasRings(capacity) ? largestChunk : capacity);
  } catch (error) {
    await batch.close();
    throw error;
  }
}

// Implementation

/** Calls that copy what was prefilled into a place, and back. */
interface Snapshots {
  readonly keep: SessionCall;
  readonly restore: SessionCall;
}

class DeviceLane implements Lane {
  readonly spare: number;
  readonly #batch: Batch;
  readonly #snapshots: Snapshots | undefined;

  constructor(batch: Batch, snapshots: Snapshots | undefined, spare: number) {
    this.#batch = batch;
    this.#snapshots = snapshots;
    this.spare = spare;
  }

  async begin(from: Held | undefined): Promise<void> {
    const { prefilled, session } = this.#batch;
    if (from === undefined || this.#snapshots === undefined) return prefilled.restart();
    prefilled.resume(from.length);
    await session.step(this.#snapshots.restore, [scalar(from.place)]);
  }

  chunk(
    tokens: readonly number[],
    sizes: { readonly bucket: number; readonly total: number },
    wanted: Wanted | undefined,
  ): Promise<NextLogits | undefined> {
    return this.#batch.prefilled.append(tokens, sizes, wanted);
  }

  async keep(place: number): Promise<void> {
    if (this.#snapshots !== undefined) await this.#batch.session.step(this.#snapshots.keep, [scalar(place)]);
  }

  adopt(row: number): Promise<void> {
    return this.#batch.adopt(row);
  }

  /** One program serves every step, also where Node chooses: another program would give other last digits. */
  send(rows: ReadonlyMap<number, RowStep>, options: SendOptions): Promise<SentSteps> {
    const tokens = new Map(Array.from(rows, ([row, { token }]) => [row, token]));
    const choices = new Map(Array.from(rows, ([row, { choice = greedyChoice }]) => [row, choice]));
    return this.#batch.steps(tokens, { ...options, choices });
  }

  free(row: number): void {
    this.#batch.free(row);
  }

  clear(): Promise<void> {
    return this.#batch.prefilled.clear();
  }

  close(): Promise<void> {
    return this.#batch.close();
  }
}

/** All at once, so that the worker compiles one program while the next is lowered here. Rejects at once when aborted. */
async function compileSteps(
  programs: ModelPrograms,
  { rows, capacity, chunkSizes, signal }: LaneOptions,
): Promise<void> {
  const chunks = chunkSizes.map((pos) => ({ pos, capacity, outputs: "last" }) as const);
  const all = [...chunks, { batch: rows, pos: 1, capacity, outputs: "chosen" } as const];
  // Settled, so that of several failures none is left unheard.
  const compiled = Promise.allSettled(all.map((kind) => programs.step(kind)));
  for (const each of await untilAborted(compiled, signal)) if (each.status === "rejected") throw each.reason;
}

/** The result of some work, or the reason of the signal as soon as it is aborted; the work goes on unheard then. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

async function openSnapshots(
  programs: ModelPrograms,
  { session }: Batch,
  { places, capacity }: { readonly places: number; readonly capacity: number },
): Promise<Snapshots> {
  const { cacheNames } = programs;
  // Far beyond what a text and a batch use.
  const firstSlot = 8 * cacheNames.length + 64;
  const buffers = await programs.emptyCaches(capacity, { batch: places });
  for (const [n, buffer] of buffers.entries()) await session.store(firstSlot + n, buffer);
  const sizes = { rows: places, capacity };
  const [keep, restore] = [await programs.adopt(sizes), await programs.restore(sizes)];
  const define = ({ executable, signature }: typeof keep, from: number, into: number) => {
    const slotOf = (name: string) =>
      name.startsWith("from.") ? from + cacheNames.indexOf(name.slice(5)) : into + cacheNames.indexOf(name);
    return session.define({
      executable,
      arguments: signature.arguments.map(({ name }) => (name === "row" ? { input: 0 } : { slot: slotOf(name) })),
      results: signature.results.map(({ name }) => slotOf(name)),
    });
  };
  return { keep: define(keep, 0, firstSlot), restore: define(restore, firstSlot, 0) };
}

function scalar(value: number) {
  return hostTensor("i32", [], Int32Array.of(value));
}
