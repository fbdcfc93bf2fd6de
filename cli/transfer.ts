/** How fast bytes come and how long the rest will take, as people read it. */
import { formatBytes } from "../planning/format-bytes.ts";

// Public API

/** Rates over the last seconds: what came an hour ago says little of how long the rest takes. */
export class Transfer {
  readonly #now: () => number;
  readonly #samples: { readonly at: number; readonly done: number }[] = [];

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** `3.20 GB of 13.76 GB, 85.0 MB/s, 2 min left`. `done` may begin above 0, and fall when something is thrown away. */
  describe(done: number, total: number): string {
    const at = this.#now();
    if (done < (this.#samples.at(-1)?.done ?? 0)) this.#samples.length = 0;
    this.#samples.push({ at, done });
    while ((this.#samples[1]?.at ?? at) < at - windowMs) this.#samples.shift();
    const said = `${formatBytes(done)} of ${formatBytes(total)}`;
    const first = this.#samples[0] as { readonly at: number; readonly done: number };
    const seconds = (at - first.at) / 1000;
    if (seconds < leastSeconds) return said;
    const rate = (done - first.done) / seconds;
    if (rate === 0) return `${said}, stalled`;
    return `${said}, ${formatBytes(rate)}/s, ${duration((total - done) / rate)} left`;
  }
}

/** `8 s`, `2 min`, `1 h 20 min`. */
export function duration(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 100) return `${whole} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 100) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

// Implementation

const windowMs = 15_000;
const leastSeconds = 0.5;
