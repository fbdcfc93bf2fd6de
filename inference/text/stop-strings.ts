/**
 * Stop strings: text is held back while it may be the beginning of one.
 *
 * The first stop string to be complete ends the text, of several that are complete with the same character the longest.
 * So what comes out depends on the text alone and not on where tokens cut it.
 */

// Public API

/** Watches a stream of text for strings that end it. */
export class StopStrings {
  readonly #stops: readonly string[];
  #held = "";

  /** @param stops  none empty */
  constructor(stops: readonly string[]) {
    this.#stops = stops;
  }

  /** The text that is certain now, and whether a stop string was met: it and what follows it are not given out. */
  push(text: string): { readonly text: string; readonly stopped: boolean } {
    if (this.#stops.length === 0) return { text, stopped: false };
    const all = this.#held + text;
    const start = firstStop(all, this.#stops);
    if (start !== undefined) {
      this.#held = "";
      return { text: all.slice(0, start), stopped: true };
    }
    const kept = Math.max(...this.#stops.map((stop) => overlap(all, stop)));
    this.#held = all.slice(all.length - kept);
    return { text: all.slice(0, all.length - kept), stopped: false };
  }

  /** What was held back, when the text ends by itself. */
  flush(): string {
    const rest = this.#held;
    this.#held = "";
    return rest;
  }
}

// Implementation

/** Where the stop string begins that is complete first. */
function firstStop(text: string, stops: readonly string[]): number | undefined {
  let first: { readonly start: number; readonly end: number } | undefined;
  for (const stop of stops) {
    const start = text.indexOf(stop);
    if (start < 0) continue;
    const end = start + stop.length;
    if (first === undefined || end < first.end || (end === first.end && start < first.start)) first = { start, end };
  }
  return first?.start;
}

/** How many characters at the end of `text` begin `stop`. */
function overlap(text: string, stop: string): number {
  for (let length = Math.min(stop.length - 1, text.length); length > 0; length--) {
    if (text.endsWith(stop.slice(0, length))) return length;
  }
  return 0;
}
