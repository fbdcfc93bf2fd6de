/** A function's operations in one list, terminators and those of regions among them. */
import type { Block, FunctionText, Operation, Value } from "../mlir/module.ts";

// Public API

/** An operation with where it stands. */
export interface Step {
  readonly operation: Operation;
  /** The operation in whose region it stands; absent in the function's own block. */
  readonly parent: Step | undefined;
  /** Which of the parent's regions. */
  readonly region: number;
  readonly isTerminator: boolean;
  /** The last line's step of each region. */
  readonly terminators: Step[];
  /** Its place among all steps that are no terminators, as `AxisTable` counts. */
  readonly number: number;
}

/** All steps of a function, and who makes and who takes each value. */
export interface Walk {
  readonly func: FunctionText;
  /** In the order of the lines, a step before those of its regions. */
  readonly steps: readonly Step[];
  readonly root: Step;
  stepOf(operation: Operation): Step;
  /** What a value is, when no operation makes it: an argument of the function, or of a step's region. */
  argumentOf(value: Value): { readonly owner: Step | undefined; readonly region: number; readonly index: number };
}

/** Lists a function's steps. */
export function walk(func: FunctionText): Walk {
  const steps: Step[] = [];
  const byOperation = new Map<Operation, Step>();
  const owners = new Map<Value, { owner: Step | undefined; region: number; index: number }>();
  let count = 0;
  const visit = (block: Block, parent: Step | undefined, region: number): Step => {
    for (const value of block.arguments) owners.set(value, { owner: parent, region, index: value.index });
    for (const operation of block.operations) {
      const step: Step = { operation, parent, region, isTerminator: false, terminators: [], number: count++ };
      steps.push(step);
      byOperation.set(operation, step);
      operation.regions.forEach((inner, n) => void step.terminators.push(visit(inner, step, n)));
    }
    const { terminator } = block;
    const last: Step = { operation: terminator, parent, region, isTerminator: true, terminators: [], number: -1 };
    steps.push(last);
    byOperation.set(terminator, last);
    return last;
  };
  const root = visit(func.body, undefined, 0);
  return {
    func,
    steps,
    root,
    stepOf: (operation) => byOperation.get(operation) as Step,
    argumentOf: (value) => owners.get(value) ?? { owner: undefined, region: 0, index: value.index },
  };
}
