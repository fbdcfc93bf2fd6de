/** The lanes that there are: what each takes, its opening and its closing, which go on beside everything else. */
import type { EngineSettings, LanePlan } from "./engine-options.ts";
import type { Lane } from "./lane.ts";
import { PrefixIndex } from "./prefix-index.ts";

// Public API

/** A lane in use. */
export interface OpenLane {
  readonly lane: Lane;
  readonly prefixes: PrefixIndex | undefined;
  /** Whether the place where prompts are prefilled may hold numbers that are none. */
  spoilt: boolean;
}

/** What a keeper needs of its model. */
export interface LaneInputs {
  readonly settings: EngineSettings;
  /** How far beyond a position a text's state still holds the one there. */
  spareOf(capacity: number): number;
  /** @throws InputError when there is no room for one row */
  planLane(capacity: number): LanePlan;
  openLane(capacity: number, plan: LanePlan): Promise<Lane>;
}

/** Told what became of lanes. */
export interface LaneEvents {
  onOpened(capacity: number): void;
  /** It could not be opened. */
  onFailed(capacity: number, error: unknown): void;
  onClosed(capacity: number): void;
}

export class LaneKeeper {
  readonly #inputs: LaneInputs;
  readonly #events: LaneEvents;
  readonly #plans = new Map<number, LanePlan>();
  readonly #lanes = new Map<number, OpenLane>();
  readonly #changes = new Set<Promise<void>>();

  constructor(inputs: LaneInputs, events: LaneEvents) {
    this.#inputs = inputs;
    this.#events = events;
  }

  /** How large the lane of a capacity is. @throws InputError when there is no room for one row */
  planOf(capacity: number): LanePlan {
    const plan = this.#plans.get(capacity) ?? this.#inputs.planLane(capacity);
    this.#plans.set(capacity, plan);
    return plan;
  }

  /** A lane that is open; undefined for one that is not. */
  find(capacity: number): OpenLane | undefined {
    return this.#lanes.get(capacity);
  }

  /** A lane that is open. */
  get(capacity: number): OpenLane {
    const found = this.#lanes.get(capacity);
    if (found === undefined) throw new Error(`the lane of ${capacity} positions is not open`);
    return found;
  }

  /** Begins to open a lane. */
  open(capacity: number): void {
    this.#begin(this.#open(capacity));
  }

  /** Begins to close a lane. One that is closed already stays so. */
  close(capacity: number): void {
    if (this.#lanes.has(capacity)) this.#begin(this.#close(capacity));
  }

  /** Closes all lanes, once those that are on their way are there. Never rejects. */
  async end(): Promise<void> {
    await Promise.all(this.#changes);
    await Promise.all(Array.from(this.#lanes.values(), ({ lane }) => lane.close()));
    this.#lanes.clear();
  }

  // Implementation

  #begin(change: Promise<void>): void {
    this.#changes.add(change);
    change.finally(() => this.#changes.delete(change));
  }

  async #open(capacity: number): Promise<void> {
    const { settings, spareOf, openLane } = this.#inputs;
    try {
      const plan = this.planOf(capacity);
      const lane = await openLane(capacity, plan);
      const index = { places: plan.places, grid: settings.grid, spare: spareOf(capacity) };
      const prefixes = plan.places === 0 ? undefined : new PrefixIndex(index);
      this.#lanes.set(capacity, { lane, prefixes, spoilt: false });
    } catch (error) {
      this.#events.onFailed(capacity, error);
      return;
    }
    this.#events.onOpened(capacity);
  }

  async #close(capacity: number): Promise<void> {
    const open = this.#lanes.get(capacity);
    this.#lanes.delete(capacity);
    await open?.lane.close();
    this.#events.onClosed(capacity);
  }
}
