/** What a module runs, and how often: loops times their trips. */
import { branchesOf, type Computation, called, type HloModule, type Instruction, knownTrips } from "./module.ts";

// Public API

/** What to take for the length of loops whose text does not say it. */
export interface TripOptions {
  /** How often a loop of unknown length runs. Default: 1. */
  readonly trips?: number;
  /**
   * Whether the largest constant in a loop's condition is its length, where the compiler names none. Default: true.
   * For a loop whose length differs by device it is the most that any can do, and `trips` is the honest number.
   */
  readonly tripsFromConditions?: boolean;
}

/** Called for each instruction, once for each place that runs its computation, with how often it runs there. */
export type RunVisitor = (instruction: Instruction, within: Computation, times: number) => void;

/** How often a loop runs, and whether that is the caller's word. */
export function tripsOf(
  module: HloModule,
  loop: Instruction,
  { trips = 1, tripsFromConditions = true }: TripOptions,
): { readonly trips: number; readonly isAssumed: boolean } {
  const known = knownTrips(loop);
  if (known !== undefined) return { trips: known, isAssumed: false };
  const bounds = tripsFromConditions ? boundsIn(calledBy(module, loop, "condition")) : [];
  return bounds.length > 0 ? { trips: Math.max(...bounds), isAssumed: false } : { trips, isAssumed: true };
}

/** The computation that an attribute of an instruction names. */
export function calledBy(module: HloModule, instruction: Instruction, attribute: string): Computation | undefined {
  return module.computations.get(called(instruction, attribute) ?? "");
}

/** The branches of a `conditional`. */
export function branchComputations(module: HloModule, instruction: Instruction): readonly Computation[] {
  return branchesOf(instruction).flatMap((name) => module.computations.get(name) ?? []);
}

/**
 * Visits what a module runs, from its entry. Fusions count as one instruction each.
 *
 * @param which  of a choice's branches those that count
 */
export function visitRuns(
  module: HloModule,
  options: TripOptions,
  which: (branches: readonly Computation[]) => readonly Computation[],
  see: RunVisitor,
): void {
  const visit = (within: Computation | undefined, times: number): void => {
    for (const instruction of within?.instructions ?? []) {
      see(instruction, within as Computation, times);
      const { opcode } = instruction;
      if (opcode === "while") {
        visit(calledBy(module, instruction, "body"), times * tripsOf(module, instruction, options).trips);
      } else if (opcode === "call") {
        visit(calledBy(module, instruction, "to_apply"), times);
      } else if (opcode === "conditional") {
        for (const branch of which(branchComputations(module, instruction))) visit(branch, times);
      }
    }
  };
  visit(module.entry, 1);
}

// Implementation

/** The integer constants of a condition; one of them is what the loop's counter is compared with. */
function boundsIn(condition: Computation | undefined): number[] {
  return (condition?.instructions ?? [])
    .filter(({ opcode, argument }) => opcode === "constant" && /^\d+$/.test(argument))
    .map(({ argument }) => Number(argument));
}
