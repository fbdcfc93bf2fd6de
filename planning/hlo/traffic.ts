/**
 * What an instruction moves from and to the device's main memory.
 *
 * Operands and results that lie there count whole, except where less is touched: a slice or a lookup reads what it
 * returns, also inside a fusion, and a fusion that ends in an update writes in place what its update holds.
 */
import { type Computation, called, type HloModule, type Instruction } from "./module.ts";
import { bytesOf, mainMemoryBytes } from "./types.ts";

// Public API

/** Bytes from and to main memory, for the instructions of one module. */
export class Traffic {
  readonly #module: HloModule;
  readonly #touched = new Map<string, Touched | undefined>();

  constructor(module: HloModule) {
    this.#module = module;
  }

  /** Of one execution of `instruction`, which is one of `within`. */
  of(instruction: Instruction, within: Computation): number {
    const fused = this.#fused(instruction);
    const isInPlace = fused?.root?.opcode === "dynamic-update-slice";
    const written = isInPlace ? 0 : mainMemoryBytes(instruction.type);
    return instruction.operands.reduce((all, name, n) => {
      const operand = within.byName.get(name);
      const whole = operand === undefined ? 0 : mainMemoryBytes(operand.type);
      if (whole === 0) return all;
      if (fused !== undefined) return all + this.#readByFusion(fused, n, whole);
      const isPart = n === 0 && partReaders.has(instruction.opcode);
      return all + (isPart ? Math.min(whole, bytesOf(instruction.type)) : whole);
    }, written);
  }

  /**
   * Of an asynchronous copy, which runs beside others: what it reads, as far as that lies in main memory. Of a slice both
   * what is taken (`bytes`) and what it is taken from (`floorBytes`).
   */
  ofPrefetch({ opcode, operands, type }: Instruction, within: Computation): { bytes: number; floorBytes: number } {
    const source = within.byName.get(operands[0] ?? "");
    const whole = source === undefined ? 0 : mainMemoryBytes(source.type);
    // The type of one that starts is ((source), what is taken, what the back end needs).
    const taken = opcode === "slice-start" && "parts" in type ? bytesOf(type.parts[1] ?? type) : whole;
    return { bytes: Math.min(taken, whole), floorBytes: whole };
  }

  #fused({ opcode, ...rest }: Instruction): Computation | undefined {
    return opcode === "fusion" ? this.#module.computations.get(called({ opcode, ...rest }, "calls") ?? "") : undefined;
  }

  #readByFusion(fused: Computation, parameter: number, whole: number): number {
    const touched = this.#touchedBy(fused, parameter);
    if (touched === undefined) return whole;
    // What only passes through is copied whole, unless the fusion updates it in place.
    const updates = fused.instructions.some(({ opcode }) => opcode === "dynamic-update-slice");
    if (touched.reachesRoot && touched.bytes === 0 && !updates) return whole;
    return Math.min(whole, touched.bytes);
  }

  /** What a fused computation takes of a parameter; undefined where something reads it whole. */
  #touchedBy(fused: Computation, parameter: number): Touched | undefined {
    const key = `${fused.name} ${parameter}`;
    if (!this.#touched.has(key)) this.#touched.set(key, this.#findTouched(fused, parameter));
    return this.#touched.get(key);
  }

  #findTouched(fused: Computation, parameter: number): Touched | undefined {
    const given = fused.instructions.find((each) => each.opcode === "parameter" && Number(each.argument) === parameter);
    if (given === undefined) return undefined;
    const views = new Set([given.name]);
    let bytes = 0;
    for (const each of fused.instructions) {
      if (!each.operands.some((name) => views.has(name))) continue;
      const first = views.has(each.operands[0] as string);
      if (viewMakers.has(each.opcode) || (each.opcode === "dynamic-update-slice" && first)) {
        views.add(each.name);
      } else if (partReaders.has(each.opcode) && first) {
        bytes += bytesOf(each.type);
      } else if (each.opcode === "fusion") {
        const inner = this.#fused(each);
        for (const [n, name] of each.operands.entries()) {
          if (!views.has(name)) continue;
          const touched = inner === undefined ? undefined : this.#touchedBy(inner, n);
          if (touched === undefined) return undefined;
          bytes += touched.bytes;
          if (touched.reachesRoot) views.add(each.name);
        }
      } else {
        return undefined;
      }
    }
    return { bytes, reachesRoot: fused.root !== undefined && views.has(fused.root.name) };
  }
}

// Implementation

interface Touched {
  /** What slices and lookups return. */
  readonly bytes: number;
  /** Whether the whole of it, in another form, is what the fusion returns. */
  readonly reachesRoot: boolean;
}

const partReaders: ReadonlySet<string> = new Set(["slice", "dynamic-slice", "gather"]);
/** Their result is the operand in another form, so what reads it decides how much of the operand is read. */
const viewMakers: ReadonlySet<string> = new Set(["bitcast", "copy", "reshape", "transpose", "get-tuple-element"]);
