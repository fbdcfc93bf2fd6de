/** What may be said about an engine. */
import type { Target } from "../../compiler/index.ts";
import { InputError } from "../../dsl/index.ts";
import { chunkBuckets } from "../programs/buckets.ts";
import { cacheShare, cacheTooLarge } from "../programs/cache-size.ts";
import type { LaneSize } from "./scheduler.ts";

// Public API

/** How to serve many requests at once. */
export interface EngineOptions {
  /** How many requests of one capacity take their steps together. A step costs the same however many are there. Default: 8. */
  readonly rows?: number | undefined;
  /** How many requests may wait for a row before another is refused. Default: 1024. */
  readonly queue?: number | undefined;
  /**
   * How many tokens of all rows and prompts one iteration takes, so that no answer waits long for a prompt. Default: 256, or 512
   * where `grid` is 256.
   */
  readonly budget?: number | undefined;
  /** Where prompts are cut, and what is reused of them is a multiple of: 16, 32, 64, 128, 256 or 512. Default: 64 on CPU, elsewhere 256. */
  readonly grid?: number | undefined;
  /** How many beginnings of prompts are kept for each capacity; 0 keeps none. Default: 8. */
  readonly prefixes?: number | undefined;
  /** How many bytes all caches may take. Default: three quarters of the memory that is free. */
  readonly cacheBytes?: number | undefined;
}

/** Options, checked. */
export interface EngineSettings {
  readonly rows: number;
  readonly queue: number;
  readonly budget: number;
  readonly grid: number;
  readonly prefixes: number;
  readonly cacheBytes: number;
}

/** How large a lane is, its snapshots included. */
export interface LanePlan extends LaneSize {
  readonly places: number;
}

/**
 * What options mean.
 *
 * @param at.free  bytes of memory; undefined when nobody knows
 * @throws InputError for an option out of range
 */
export function resolveEngineOptions(
  options: EngineOptions,
  { platform, free }: { readonly platform: Target["platform"]; readonly free: number | undefined },
): EngineSettings {
  // An accelerator reads weights for 64 tokens in the time in which it could compute hundreds.
  const { rows = 8, queue = 1024, grid = platform === "cpu" ? 64 : 256, prefixes = 8 } = options;
  const { budget = Math.max(256, 2 * Math.min(grid, 256)) } = options;
  const { cacheBytes = (free ?? Number.POSITIVE_INFINITY) * cacheShare } = options;
  wholeNumber("rows", rows, 1, 1024);
  wholeNumber("queue", queue, 0, Number.MAX_SAFE_INTEGER);
  wholeNumber("budget", budget, 1, Number.MAX_SAFE_INTEGER);
  wholeNumber("prefixes", prefixes, 0, 1024);
  if (!chunkBuckets.includes(grid)) throw refused("grid", grid, `one of ${chunkBuckets.join(", ")}`);
  if (!(cacheBytes > 0)) throw refused("cacheBytes", cacheBytes, "a number of bytes");
  return { rows, queue, budget, grid, prefixes, cacheBytes };
}

/**
 * The size of the lane for a capacity: all rows and snapshots, or fewer where those would take more than half of the
 * memory, so that two lanes go together. It depends on nothing else, so an answer is always computed by the same programs.
 *
 * @throws InputError when there is no room for a single row
 */
export function planLane(
  capacity: number,
  rowBytes: number,
  { rows: most, prefixes, cacheBytes }: Pick<EngineSettings, "rows" | "prefixes" | "cacheBytes">,
): LanePlan {
  const plans: LanePlan[] = [];
  for (let rows = most; rows >= 1; rows = Math.floor(rows / 2)) {
    // One row is where its prompt is prefilled, too.
    const texts = rows === 1 ? 1 : rows + 1;
    const places = Math.min(prefixes, rows);
    for (const kept of new Set([prefixes, places, Math.min(1, places), 0])) {
      if (kept <= prefixes) plans.push({ rows, places: kept, bytes: (texts + kept) * rowBytes });
    }
  }
  const found =
    plans.find(({ bytes }) => bytes <= cacheBytes / 2) ?? plans.findLast(({ bytes }) => bytes <= cacheBytes);
  if (found !== undefined) return found;
  throw cacheTooLarge(capacity, rowBytes, cacheBytes);
}

// Implementation

function wholeNumber(option: string, found: number, least: number, most: number): void {
  if (Number.isSafeInteger(found) && found >= least && found <= most) return;
  const upTo = most === Number.MAX_SAFE_INTEGER ? "" : ` to ${most}`;
  throw refused(option, found, `a whole number from ${least}${upTo}`);
}

function refused(option: string, found: unknown, wanted: string): InputError {
  return new InputError("OPTION_VALUE", `${option} of an engine is ${found}, and it is ${wanted}`, { option, found });
}
