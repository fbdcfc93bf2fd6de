/**
 * Which beginnings of prompts are kept, in which places, and what of a new prompt they hold. Pure: tokens in, places out.
 *
 * A snapshot is the whole state after so many positions. State at a place is also the state at any earlier one, as far
 * back as nothing was written over (`spare`): linear caches keep everything, rings their size less the window.
 *
 * Positions are multiples of the grid (./chunk-grid.ts). Prompts of different `family` share nothing: rotary frequencies of
 * some scalings depend on how long a prompt is.
 */
import { reusablePositions } from "./chunk-grid.ts";

// Public API

/** A prompt, and whom it can share with. */
export interface Prefixed {
  readonly tokens: readonly number[];
  readonly family: string;
}

/** What is held of a prompt. */
export interface Held {
  readonly place: number;
  readonly length: number;
}

export class PrefixIndex {
  readonly #grid: number;
  readonly #spare: number;
  readonly #free: number[];
  /** The least recently used first. */
  readonly #kept: Kept[] = [];
  /** The last prompts, the oldest first. */
  readonly #recent: Prefixed[] = [];

  /**
   * @param options.places  how many snapshots there is room for
   * @param options.spare  how many positions a snapshot may lie beyond what is reused of it
   */
  constructor({ places, grid, spare }: { readonly places: number; readonly grid: number; readonly spare: number }) {
    this.#free = Array.from({ length: places }, (_, place) => places - 1 - place);
    this.#grid = grid;
    this.#spare = spare;
  }

  /** How many snapshots are kept. */
  get size(): number {
    return this.#kept.length;
  }

  /** The most that is held of a prompt; counts as a use. */
  find(prompt: Prefixed): Held | undefined {
    let best: { readonly kept: Kept; readonly length: number } | undefined;
    for (const kept of this.#kept) {
      const length = this.#common(prompt, kept);
      if (length > 0 && kept.tokens.length - length <= this.#spare && length > (best?.length ?? 0))
        best = { kept, length };
    }
    if (best === undefined) return undefined;
    this.#kept.splice(this.#kept.indexOf(best.kept), 1);
    this.#kept.push(best.kept);
    return { place: best.kept.place, length: best.length };
  }

  /**
   * After how many positions a snapshot of this prompt would save most, when those come that wait and such as came
   * lately; undefined when it would save nothing. Remembers the prompt.
   *
   * @param held  how much of the prompt is held already
   */
  worthKeeping(prompt: Prefixed, waiting: Iterable<Prefixed>, held: number): number | undefined {
    const shared: number[] = [];
    const reusable = reusablePositions(prompt.tokens.length, this.#grid);
    for (const other of [...this.#recent, ...waiting]) {
      // What comes next leaves its own last chunk to be computed, too.
      const length = Math.min(this.#common(other, prompt), reusable);
      if (length > held) shared.push(length);
    }
    this.#recent.push(prompt);
    if (this.#recent.length > remembered) this.#recent.shift();
    shared.sort((a, b) => b - a);
    let best: number | undefined;
    let most = 0;
    // Of those that share more, each is saved as much.
    for (const [others, length] of shared.entries()) {
      const saved = (length - held) * (others + 1);
      if (saved > most) [best, most] = [length, saved];
    }
    return best;
  }

  /** Gives a place to the first `length` positions of a prompt, taken from what was not used for longest. */
  keep({ tokens, family }: Prefixed, length: number): number {
    const place = this.#free.pop() ?? (this.#kept.shift() as Kept).place;
    this.#kept.push({ tokens: tokens.slice(0, length), family, place });
    return place;
  }

  /** Forgets what is kept in a place. */
  drop(place: number): void {
    const at = this.#kept.findIndex((kept) => kept.place === place);
    if (at < 0) return;
    this.#kept.splice(at, 1);
    this.#free.push(place);
  }

  // Implementation

  /** How many positions of `prompt` another text holds, in whole chunks. */
  #common(prompt: Prefixed, { tokens, family }: Prefixed): number {
    if (family !== prompt.family) return 0;
    const most = Math.min(reusablePositions(prompt.tokens.length, this.#grid), tokens.length);
    let length = 0;
    while (length < most && prompt.tokens[length] === tokens[length]) length++;
    return length - (length % this.#grid);
  }
}

// Implementation

interface Kept extends Prefixed {
  readonly place: number;
}

/** Of how many prompts that came before it is known what they share with a new one. */
const remembered = 32;
