/** Collectives: what devices of a mesh send each other, by kind and by layer. */
import type { HloModule, Instruction } from "./module.ts";
import { type TripOptions, visitRuns } from "./runs.ts";
import { bytesOf } from "./types.ts";

// Public API

/** The kinds, as XLA names them. */
export const collectiveKinds = [
  "all-reduce",
  "all-gather",
  "reduce-scatter",
  "all-to-all",
  "ragged-all-to-all",
  "collective-permute",
  "collective-broadcast",
] as const;

export type CollectiveKind = (typeof collectiveKinds)[number];

/** Collectives of one kind, of one layer or of the whole program. */
export interface CollectiveCount {
  readonly kind: CollectiveKind;
  /** How many stand in the text. */
  readonly count: number;
  /** How many run: those of a loop's body once for each trip. */
  readonly runs: number;
  /** What one device sends or holds of them, over all runs: of each the larger of operand and result. */
  readonly bytes: number;
}

/** The collectives of a program. */
export interface Collectives {
  /** In the order of `collectiveKinds`; kinds that do not occur are left out. */
  readonly total: readonly CollectiveCount[];
  /** By layer, such as `layers.3`, as operations' names tell; `""` holds those outside of any. */
  readonly byLayer: ReadonlyMap<string, readonly CollectiveCount[]>;
}

/** Counts a program's collectives. All branches of a choice count, though one of them runs. */
export function collectives(module: HloModule, options: TripOptions = {}): Collectives {
  const total = new Tally();
  const layers = new Map<string, Tally>();
  const all = (branches: readonly never[]) => branches;
  visitRuns(module, options, all as never, (instruction, _, times) => {
    const kind = collectiveKind(module, instruction);
    if (kind === undefined) return;
    const layer = layerOf(instruction.opName) ?? "";
    let own = layers.get(layer);
    if (own === undefined) layers.set(layer, (own = new Tally()));
    for (const tally of [total, own]) tally.add(kind, instruction, times);
  });
  return {
    total: total.counts(),
    byLayer: new Map([...layers].map(([layer, tally]) => [layer, tally.counts()])),
  };
}

/** The kind of a collective, also of one that starts asynchronously; undefined for what ends one. */
export function kindOf(opcode: string): CollectiveKind | undefined {
  const name = opcode.replace(/-start$/, "");
  return (collectiveKinds as readonly string[]).includes(name) ? (name as CollectiveKind) : undefined;
}

/** What a device sends or holds of a collective: the larger of what it gives and what it gets. */
export function payloadBytes({ opcode, type }: Instruction): number {
  if (!opcode.endsWith("-start")) return bytesOf(type);
  // The type of one that starts is (given, got, what the back end needs).
  const parts = "parts" in type ? type.parts.slice(0, 2) : [type];
  return Math.max(...parts.map(bytesOf), 0);
}

/** The layer in an operation's path: of `jit(step)/layers.3/attn.dot` it is `layers.3`. */
export function layerOf(opName: string | undefined): string | undefined {
  // The last part names the operation, and XLA numbers some of those as well.
  return opName
    ?.split("/")
    .slice(0, -1)
    .find((part) => /^[A-Za-z_][\w.]*\.\d+$/.test(part));
}

// Implementation

/** A collective may be wrapped: `async-start` of a computation whose root it is. */
function collectiveKind(module: HloModule, instruction: Instruction): CollectiveKind | undefined {
  if (instruction.opcode !== "async-start") return kindOf(instruction.opcode);
  const name = /\bcalls=%?([^\s,]+)/.exec(instruction.attributes)?.[1] ?? "";
  return kindOf(module.computations.get(name)?.root?.opcode ?? "");
}

class Tally {
  readonly #kinds = new Map<CollectiveKind, { count: number; runs: number; bytes: number; seen: Set<Instruction> }>();

  add(kind: CollectiveKind, instruction: Instruction, times: number): void {
    let known = this.#kinds.get(kind);
    if (known === undefined) this.#kinds.set(kind, (known = { count: 0, runs: 0, bytes: 0, seen: new Set() }));
    // Bodies that are run from several places stand in the text once.
    if (!known.seen.has(instruction)) known.count++;
    known.seen.add(instruction);
    known.runs += times;
    known.bytes += payloadBytes(instruction) * times;
  }

  counts(): CollectiveCount[] {
    return collectiveKinds.flatMap((kind) => {
      const known = this.#kinds.get(kind);
      return known === undefined ? [] : [{ kind, count: known.count, runs: known.runs, bytes: known.bytes }];
    });
  }
}
