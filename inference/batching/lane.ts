/**
 * Rows of one capacity on the devices, a place where prompts are prefilled, and the snapshots of their beginnings.
 *
 * Everything is in one session, so calls run in the order in which they are made.
 */
import { hostTensor, type SessionCall } from "../../runtime-bridge/index.ts";
import type { ModelPrograms } from "../programs/model-programs.ts";
import { type DeviceChoice, greedyChoice } from "../sampling/choose-on-device.ts";
import { Batch } from "../steps/batch.ts";
import type { NextLogits, Wanted } from "../steps/step-call.ts";
import { CallSize } from "../steps/steps-per-call.ts";
import { gridBuckets } from "./chunk-grid.ts";
import type { Held } from "./prefix-index.ts";

// Public API

/** What a row is given: its last token, and how the device may choose the next; greedy where it does not matter. */
export interface LaneRow {
  readonly token: number;
  readonly choice: DeviceChoice | undefined;
}

/** What an engine does with the rows of one capacity. */
export interface Lane {
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
  /**
   * Appends a token to each row that has an entry, and gives their logits; then, where that helps, up to `most` in all
   * that the device chooses.
   */
  steps(
    rows: ReadonlyMap<number, LaneRow>,
    options: { readonly wanted: Wanted; readonly most: number },
  ): AsyncIterable<ReadonlyMap<number, NextLogits>>;
  /** Takes a row away from whoever has it. */
  free(row: number): void;
  /** Forgets the prompt: it may have left numbers that are none. */
  clear(): Promise<void>;
  close(): Promise<void>;
}

/** Opens a lane, everything compiled that it needs. */
export async function openLane(
  programs: ModelPrograms,
  {
    rows,
    capacity,
    grid,
    places,
  }: { readonly rows: number; readonly capacity: number; readonly grid: number; readonly places: number },
): Promise<Lane> {
  const batch = await Batch.open(programs, { rows, capacity });
  try {
    const steps = gridBuckets(grid).map((pos) => ({ pos, capacity, outputs: "last" }) as const);
    const all = [...steps, { batch: rows, pos: 1, capacity, outputs: "chosen" } as const];
    // At once, so that the worker compiles one while the next is lowered here. The first failure is told, none is left behind.
    const compiled = await Promise.allSettled(all.map((kind) => programs.step(kind)));
    for (const each of compiled) if (each.status === "rejected") throw each.reason;
    const snapshots = places === 0 ? undefined : await openSnapshots(programs, batch, { places, capacity });
    return new DeviceLane(batch, snapshots);
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
  readonly #batch: Batch;
  readonly #snapshots: Snapshots | undefined;
  readonly #size = new CallSize(undefined);

  constructor(batch: Batch, snapshots: Snapshots | undefined) {
    this.#batch = batch;
    this.#snapshots = snapshots;
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

  /** One program serves every step, whoever asks for what: another would give other last digits. */
  async *steps(
    rows: ReadonlyMap<number, LaneRow>,
    { wanted, most }: { readonly wanted: Wanted; readonly most: number },
  ): AsyncGenerator<ReadonlyMap<number, NextLogits>> {
    const tokens = new Map(Array.from(rows, ([row, { token }]) => [row, token]));
    const choices = new Map(Array.from(rows, ([row, { choice = greedyChoice }]) => [row, choice]));
    const count = most === 1 ? 1 : this.#size.next(most);
    const steps = await this.#batch.steps(tokens, { choices, count, wanted });
    for await (const next of steps) {
      if (steps.taken === 1 && steps.times !== undefined) this.#size.note(steps.times);
      yield next;
    }
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
