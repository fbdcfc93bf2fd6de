/** The lanes of an engine: how large each is, and its opening and closing, which go on beside everything else. */
import { GenerationLoop } from "../answers/generation-loop.ts";
import type { LanePlan } from "./engine-options.ts";
import type { Lane } from "./lane.ts";
import { PrefixIndex } from "./prefix-index.ts";
import type { Request } from "./request.ts";

// Public API

/** A lane in use. */
export interface OpenLane {
  readonly lane: Lane;
  /** Takes the steps of its rows. */
  readonly loop: GenerationLoop<Request>;
  readonly prefixes: PrefixIndex | undefined;
  /** Whether the place where prompts are prefilled may hold NaN. */
  needsClearing: boolean;
}

/** Opens lanes. */
export interface LaneOpener {
  /** How large the lane of a capacity is. @throws InputError when there is no room for one row */
  planLane(capacity: number): LanePlan;
  /** @param signal  aborted when the lane is not needed any more */
  openLane(capacity: number, plan: LanePlan, signal: AbortSignal): Promise<Lane>;
}

/** What becomes of lanes. */
export interface LaneEvents {
  onOpened(capacity: number): void;
  /** It could not be opened. */
  onFailed(capacity: number, error: unknown): void;
  onClosed(capacity: number): void;
}

export class LaneKeeper {
  readonly #opener: LaneOpener;
  readonly #settings: { readonly grid: number; readonly stepsPerCall: number | undefined };
  readonly #events: LaneEvents;
  readonly #plans = new Map<number, LanePlan>();
  readonly #lanes = new Map<number, OpenLane>();
  readonly #changes = new Set<Promise<void>>();
  readonly #end = new AbortController();

  /** @param settings.stepsPerCall  how many steps a lane's calls grow to; undefined for as many as save time */
  constructor(
    opener: LaneOpener,
    settings: { readonly grid: number; readonly stepsPerCall: number | undefined },
    events: LaneEvents,
  ) {
    this.#opener = opener;
    this.#settings = settings;
    this.#events = events;
  }

  /** How large the lane of a capacity is. @throws InputError when there is no room for one row */
  planOf(capacity: number): LanePlan {
    const plan = this.#plans.get(capacity) ?? this.#opener.planLane(capacity);
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

  /** Gives up lanes that are being opened. */
  stopOpening(reason: Error): void {
    this.#end.abort(reason);
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
    const { grid, stepsPerCall } = this.#settings;
    try {
      const plan = this.planOf(capacity);
      const lane = await this.#opener.openLane(capacity, plan, this.#end.signal);
      const loop = new GenerationLoop<Request>(lane, stepsPerCall);
      const prefixes =
        plan.places === 0 ? undefined : new PrefixIndex({ places: plan.places, grid, spare: lane.spare });
      this.#lanes.set(capacity, { lane, loop, prefixes, needsClearing: false });
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
