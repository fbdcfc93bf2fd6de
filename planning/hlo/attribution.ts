/**
 * Which line of the source each instruction's time belongs to.
 *
 * The locations of the text that was compiled survive as stack frames. The rules, in order:
 *
 * - A fusion holds instructions of several lines. Where it holds products, it is theirs: the rest runs in their shadow.
 *   Otherwise its time is split by the bytes that each instruction inside reads or makes, whichever is more.
 * - What the compiler made without a line, such as a copy into another layout, belongs to the first that uses it, and
 *   if nothing does, to what it came from.
 * - In the body of a loop, what has no line, or that of a call around the loop, belongs to the loop: XLA writes some
 *   operations as loops, such as an update at several places.
 * - What is left belongs to no line, and so does the time for which a program waits for its memory: `waitingSeconds`.
 */
import { type CollectiveKind, kindOf } from "./collectives.ts";
import type { Charge, ModelTime } from "./model-time.ts";
import type { Computation, HloModule, Instruction, SourceLine } from "./module.ts";
import { branchComputations, calledBy } from "./runs.ts";
import { arraysOf, bytesOf } from "./types.ts";

// Public API

/** What a line costs, in all its places and runs. */
export interface LineCost {
  readonly seconds: number;
  /** HBM traffic. */
  readonly bytes: number;
  /** How many run. */
  readonly collectives: ReadonlyMap<CollectiveKind, number>;
}

/** A line of the source, and what it costs. */
export interface AttributedLine extends LineCost {
  readonly file: string;
  readonly line: number;
}

/** A program's time by lines. The sum of all seconds is the model time, that of all bytes its traffic. */
export interface Attribution {
  /** The dearest first. */
  readonly lines: readonly AttributedLine[];
  /** What belongs to no line. */
  readonly unattributed: LineCost;
  /** How much longer the program takes than its instructions: it waits for what is copied asynchronously. */
  readonly waitingSeconds: number;
  readonly total: LineCost;
}

/** Gives a program's model time to the lines of its source. */
export function attribute(module: HloModule, time: ModelTime): Attribution {
  const finder = new LineFinder(module);
  const lines = new Map<string, Sum & { readonly at: SourceLine }>();
  const unattributed = new Sum();
  const total = new Sum();
  for (const charge of time.charges) {
    const shares = finder.sharesOf(charge.instruction, charge.within);
    total.add(charge, 1);
    for (const [at, share] of shares) {
      if (at === undefined) {
        unattributed.add(charge, share);
        continue;
      }
      const key = `${at.file}:${at.line}`;
      let known = lines.get(key);
      if (known === undefined) lines.set(key, (known = Object.assign(new Sum(), { at })));
      known.add(charge, share);
    }
  }
  // Below what rounding makes of a sum, nothing waits.
  const rest = time.modelMs / 1e3 - total.seconds;
  const waitingSeconds = rest > 1e-9 * total.seconds ? rest : 0;
  return {
    lines: [...lines.values()]
      .map(({ at, ...cost }) => ({ file: at.file, line: at.line, ...cost }))
      .sort((a, b) => b.seconds - a.seconds || b.bytes - a.bytes),
    unattributed: { ...unattributed },
    waitingSeconds,
    total: { ...total, seconds: total.seconds + waitingSeconds },
  };
}

// Implementation

class Sum implements LineCost {
  seconds = 0;
  bytes = 0;
  readonly collectives = new Map<CollectiveKind, number>();

  add({ instruction, seconds, bytes, times }: Charge, share: number): void {
    this.seconds += seconds * share;
    this.bytes += bytes * share;
    const kind = kindOf(instruction.opcode);
    if (kind !== undefined) this.collectives.set(kind, (this.collectives.get(kind) ?? 0) + times);
  }
}

/** Parts of one instruction's cost; they sum to 1. */
type Shares = readonly (readonly [line: SourceLine | undefined, share: number])[];

/** What holds a computation: the loop, choice or call that runs it. */
interface Holder {
  readonly instruction: Instruction;
  readonly within: Computation;
}

class LineFinder {
  readonly #module: HloModule;
  readonly #holders = new Map<string, Holder>();
  readonly #users = new Map<Computation, ReadonlyMap<string, readonly Instruction[]>>();
  readonly #known = new Map<Instruction, SourceLine | undefined>();

  constructor(module: HloModule) {
    this.#module = module;
    for (const within of module.computations.values()) {
      for (const instruction of within.instructions) {
        for (const held of heldBy(module, instruction)) {
          if (!this.#holders.has(held.name)) this.#holders.set(held.name, { instruction, within });
        }
      }
    }
  }

  sharesOf(instruction: Instruction, within: Computation): Shares {
    const holder = this.#holders.get(within.name)?.instruction;
    const fused = instruction.opcode === "fusion" ? this.#partsOf(instruction) : [];
    const products = fused.filter(([{ opcode }]) => isProduct(opcode));
    const parts = (products.length > 0 ? products : fused).flatMap(([part, from]) => {
      const at = this.#own(part);
      return at === undefined || isAround(part, at, holder) ? [] : [[at, weightOf(part, from)] as const];
    });
    const all = parts.reduce((sum, [, weight]) => sum + weight, 0);
    if (all === 0) return [[this.#lineOf(instruction, within), 1]];
    return parts.map(([at, weight]) => [at, weight / all]);
  }

  /** The instructions of a fusion, those of fusions inside included. */
  #partsOf(fusion: Instruction): (readonly [Instruction, Computation])[] {
    const fused = calledBy(this.#module, fusion, "calls");
    return (fused?.instructions ?? []).flatMap((each) =>
      each.opcode === "fusion" ? this.#partsOf(each) : [[each, fused as Computation] as const],
    );
  }

  #own({ frame }: Instruction): SourceLine | undefined {
    return frame === undefined ? undefined : this.#module.frames.get(frame);
  }

  #lineOf(instruction: Instruction, within: Computation): SourceLine | undefined {
    if (!this.#known.has(instruction)) {
      // Set first, since loops hold each other in no sane text, but a text is only a text.
      this.#known.set(instruction, undefined);
      this.#known.set(instruction, this.#find(instruction, within));
    }
    return this.#known.get(instruction);
  }

  #find(instruction: Instruction, within: Computation): SourceLine | undefined {
    const holder = this.#holders.get(within.name);
    const own = this.#own(instruction);
    if (own !== undefined && !isAround(instruction, own, holder?.instruction)) return own;
    const near =
      own === undefined
        ? (this.#search(instruction, within, "users") ?? this.#search(instruction, within, "operands"))
        : undefined;
    return near ?? (holder === undefined ? undefined : this.#lineOf(holder.instruction, holder.within)) ?? own;
  }

  /** The nearest line along a chain of instructions that have none. */
  #search(from: Instruction, within: Computation, direction: "users" | "operands"): SourceLine | undefined {
    const seen = new Set([from]);
    let ring = [from];
    while (ring.length > 0) {
      const next = ring.flatMap((each) =>
        direction === "users" ? this.#usersOf(each, within) : operands(each, within),
      );
      ring = next.filter((each) => !seen.has(each));
      for (const each of ring) {
        seen.add(each);
        const line = this.#own(each);
        // An argument's name is no use of it.
        if (line !== undefined && each.opcode !== "parameter") return line;
      }
    }
    return undefined;
  }

  #usersOf(instruction: Instruction, within: Computation): readonly Instruction[] {
    let users = this.#users.get(within);
    if (users === undefined) {
      const made = new Map<string, Instruction[]>();
      for (const each of within.instructions) {
        for (const name of each.operands) {
          const known = made.get(name);
          if (known === undefined) made.set(name, [each]);
          else known.push(each);
        }
      }
      this.#users.set(within, (users = made));
    }
    return users.get(instruction.name) ?? [];
  }
}

function operands(instruction: Instruction, within: Computation): Instruction[] {
  return instruction.operands.flatMap((name) => within.byName.get(name) ?? []);
}

function heldBy(module: HloModule, instruction: Instruction): readonly Computation[] {
  const { opcode } = instruction;
  if (opcode === "conditional") return branchComputations(module, instruction);
  const held = opcode === "while" ? "body" : opcode === "call" ? "to_apply" : undefined;
  return held === undefined ? [] : [calledBy(module, instruction, held) ?? []].flat();
}

/**
 * Whether an instruction's line is only that of a call around it: what XLA makes in place of an operation may have no
 * more than that.
 */
function isAround({ opName }: Instruction, at: SourceLine, holder: Instruction | undefined): boolean {
  if (holder === undefined || opName === undefined) return false;
  return holder.opName?.startsWith(`${opName}/`) === true || opName.split("/").slice(0, -1).includes(at.within);
}

function isProduct(opcode: string): boolean {
  return opcode === "dot" || opcode === "convolution";
}

/** They cost nothing inside a fusion. */
const weightless: ReadonlySet<string> = new Set(
  "parameter constant bitcast broadcast iota tuple get-tuple-element reshape partition-id replica-id".split(" "),
);
const partReaders: ReadonlySet<string> = new Set(["slice", "dynamic-slice", "gather", "pad"]);

/** The bytes of the largest array that an instruction of a fusion makes or reads. */
function weightOf(part: Instruction, within: Computation): number {
  const { opcode, type } = part;
  if (weightless.has(opcode)) return 0;
  const given = part.operands.map((name) => bytesOf(within.byName.get(name)?.type ?? { parts: [] }));
  if (opcode === "dynamic-update-slice") return given[1] ?? 0;
  const made = arraysOf(type).map(({ bytes }) => bytes);
  return Math.max(0, ...made, ...(partReaders.has(opcode) ? [] : given));
}
