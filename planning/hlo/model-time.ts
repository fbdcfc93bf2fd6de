/**
 * Model time: how long a compiled TPU program should take, from the compiler's own cycle estimates and what it must move.
 *
 * XLA's TPU back end writes `estimated_cycles` beside what it schedules: compute and on-chip work, no HBM. So each
 * instruction costs the larger of its estimate and its HBM traffic. A loop costs its body times its trips, a choice its
 * dearest branch, a call its callee; a collective costs a fixed time and its bytes over the links, which is an
 * assumption (`TimeOptions`). Asynchronous copies run beside other work: they count only in `floorMs`, below which
 * nothing can go. A kernel has no estimate and costs its HBM traffic.
 */
import type { Chip } from "../../chips/chip.ts";
import { kindOf } from "./collectives.ts";
import type { Computation, HloModule, Instruction } from "./module.ts";
import { branchComputations, calledBy, type TripOptions, tripsOf, visitRuns } from "./runs.ts";
import { Traffic } from "./traffic.ts";
import { bytesOf } from "./types.ts";

// Public API

/** What the text does not say. */
export interface TimeOptions extends TripOptions {
  /** What every collective costs besides its bytes. Default: one microsecond. */
  readonly collectiveSeconds?: number;
}

/** One instruction's part in a program's time, for all its executions. */
export interface Charge {
  readonly instruction: Instruction;
  readonly within: Computation;
  /** How often it runs. */
  readonly times: number;
  readonly seconds: number;
  /** HBM traffic. */
  readonly bytes: number;
}

/** How long a program should take. */
export interface ModelTime {
  /** The compiler's estimates alone, in milliseconds. */
  readonly estimateMs: number;
  /**
   * All HBM traffic, asynchronous copies included, at full bandwidth. A slice that is copied ahead counts here as the whole
   * that it is cut from, as other tools have it, so this may be above what `hbmBytes` says.
   */
  readonly floorMs: number;
  /** The sum of the charges, or the floor where that is larger. */
  readonly modelMs: number;
  /** The sum of the charges' traffic. */
  readonly hbmBytes: number;
  /** HBM traffic of kernels, by target: they have no estimate, so their time is a lower bound. */
  readonly customCallBytes: ReadonlyMap<string, number>;
  /** How many executions of each other operation had no estimate, and cost their traffic alone. */
  readonly withoutEstimate: ReadonlyMap<string, number>;
  /** Loops whose length is neither known nor guessed; they ran `trips` times. */
  readonly loopsOfUnknownLength: number;
  /** Where the time goes: each instruction once for each place that runs it, in the program's order. */
  readonly charges: readonly Charge[];
}

/**
 * The model time of one device's program.
 *
 * @param chip  what one device has: `perDevice(chip)`
 */
export function modelTime(module: HloModule, chip: Chip, options: TimeOptions = {}): ModelTime {
  const costs = new Costs(module, chip, options);
  const { cycles, bytes, floorBytes, seconds } = costs.ofComputation(module.entry);
  const charges: Charge[] = [];
  const withoutEstimate = new Map<string, number>();
  const customCallBytes = new Map<string, number>();
  let loopsOfUnknownLength = 0;
  visitRuns(module, options, costs.dearest, (instruction, within, times) => {
    if (instruction.opcode === "while" && tripsOf(module, instruction, options).isAssumed) loopsOfUnknownLength++;
    const own = costs.ofInstruction(instruction, within);
    if (own.bytes > 0 || own.seconds > 0) {
      charges.push({ instruction, within, times, seconds: own.seconds * times, bytes: own.bytes * times });
    }
    if (!own.lacksEstimate) return;
    if (instruction.opcode === "custom-call") {
      addTo(
        customCallBytes,
        /\bcustom_call_target="([^"]*)"/.exec(instruction.attributes)?.[1] ?? "",
        own.bytes * times,
      );
    } else {
      addTo(withoutEstimate, instruction.opcode, times);
    }
  });
  const floorMs = (floorBytes / chip.hbmBytesPerSecond) * 1e3;
  return {
    estimateMs: (cycles / chip.clockHz) * 1e3,
    floorMs,
    modelMs: Math.max(seconds * 1e3, floorMs),
    hbmBytes: bytes,
    customCallBytes,
    withoutEstimate,
    loopsOfUnknownLength,
    charges,
  };
}

// Implementation

interface Cost {
  readonly cycles: number;
  readonly bytes: number;
  readonly floorBytes: number;
  readonly seconds: number;
}

const nothing = { cycles: 0, bytes: 0, floorBytes: 0, seconds: 0, lacksEstimate: false };

/** They name or place what others make, end what another began, or cost what they run. */
const free: ReadonlySet<string> = new Set([
  ..."parameter constant get-tuple-element tuple bitcast after-all iota opt-barrier add-dependency".split(" "),
  ..."partition-id replica-id while conditional call copy-done slice-done async-done async-update".split(" "),
]);
const prefetches: ReadonlySet<string> = new Set(["copy-start", "slice-start", "async-start"]);

class Costs {
  readonly #module: HloModule;
  readonly #chip: Chip;
  readonly #options: TimeOptions;
  readonly #traffic: Traffic;
  readonly #known = new Map<Computation, Cost>();

  constructor(module: HloModule, chip: Chip, options: TimeOptions) {
    this.#module = module;
    this.#chip = chip;
    this.#options = options;
    this.#traffic = new Traffic(module);
  }

  /** Of one execution, what it calls included. */
  ofComputation(computation: Computation | undefined): Cost {
    if (computation === undefined) return nothing;
    let cost = this.#known.get(computation);
    if (cost === undefined) {
      cost = computation.instructions.reduce<Cost>(
        (all, each) => sum(sum(all, this.ofInstruction(each, computation)), this.#ofCalled(each)),
        nothing,
      );
      this.#known.set(computation, cost);
    }
    return cost;
  }

  /** Of one execution, without what it calls. */
  ofInstruction(instruction: Instruction, within: Computation): Cost & { readonly lacksEstimate: boolean } {
    const { opcode, type, estimatedCycles } = instruction;
    if (free.has(opcode)) return nothing;
    if (kindOf(opcode) !== undefined) {
      const { collectiveSeconds = 1e-6 } = this.#options;
      return { ...nothing, seconds: collectiveSeconds + bytesOf(type) / this.#chip.linkBytesPerSecond };
    }
    // The end of an asynchronous collective, whose start was charged.
    if (kindOf(opcode.replace(/-done$/, "")) !== undefined) return nothing;
    if (prefetches.has(opcode)) return { ...nothing, ...this.#traffic.ofPrefetch(instruction, within) };
    const bytes = this.#traffic.of(instruction, within);
    const cycles = estimatedCycles ?? 0;
    const seconds = Math.max(cycles / this.#chip.clockHz, bytes / this.#chip.hbmBytesPerSecond);
    return { cycles, bytes, floorBytes: bytes, seconds, lacksEstimate: estimatedCycles === undefined };
  }

  /** The dearest of a choice's branches. */
  readonly dearest = (branches: readonly Computation[]): readonly Computation[] => {
    const costs = branches.map((branch) => this.ofComputation(branch).seconds);
    const most = costs.indexOf(Math.max(...costs));
    return branches.slice(most, most + 1);
  };

  #ofCalled(instruction: Instruction): Cost {
    const module = this.#module;
    if (instruction.opcode === "while") {
      const { trips } = tripsOf(module, instruction, this.#options);
      return times(this.ofComputation(calledBy(module, instruction, "body")), trips);
    }
    if (instruction.opcode === "call") return this.ofComputation(calledBy(module, instruction, "to_apply"));
    if (instruction.opcode !== "conditional") return nothing;
    return this.ofComputation(this.dearest(branchComputations(module, instruction))[0]);
  }
}

function sum(a: Cost, b: Cost): Cost {
  return {
    cycles: a.cycles + b.cycles,
    bytes: a.bytes + b.bytes,
    floorBytes: a.floorBytes + b.floorBytes,
    seconds: a.seconds + b.seconds,
  };
}

function times({ cycles, bytes, floorBytes, seconds }: Cost, n: number): Cost {
  return { cycles: cycles * n, bytes: bytes * n, floorBytes: floorBytes * n, seconds: seconds * n };
}

function addTo(map: Map<string, number>, key: string, value: number): void {
  map.set(key, (map.get(key) ?? 0) + value);
}
