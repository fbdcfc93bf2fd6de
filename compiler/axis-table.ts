/**
 * The axes of a text's values, which the text itself has no place for: MLIR knows positions only.
 *
 * Operations stand in the order of their lines, one before those of its regions, so that a reader of the text finds them
 * by counting.
 */
import type { Func, Handle, Instruction, Module } from "./stablehlo.ts";

// Public API

/** Names of axes in memory order, outermost first. */
export type AxisNames = readonly string[];

/** The axes of one function's values. */
export interface FunctionAxes {
  readonly arguments: readonly AxisNames[];
  /** Terminators are not counted. */
  readonly operations: readonly OperationAxes[];
}

/** The axes of one operation's values. */
export interface OperationAxes {
  readonly results: readonly AxisNames[];
  /** As the operation sees them: a value may have gone by other names where it was made. */
  readonly operands: readonly AxisNames[];
}

/** By the names of functions. */
export type AxisTable = ReadonlyMap<string, FunctionAxes>;

/** The axes of everything in a module. */
export function axisTable(module: Module): AxisTable {
  return new Map(module.functions.map((func) => [func.name, functionAxes(func)]));
}

// Implementation

function functionAxes(func: Func): FunctionAxes {
  const operations: OperationAxes[] = [];
  const walk = (body: readonly Instruction[]) => {
    for (const { results, operands, regions } of body) {
      operations.push({ results: results.map(names), operands: operands.map(names) });
      for (const region of regions) walk(region.body);
    }
  };
  walk(func.body);
  return { arguments: func.arguments.map(({ handle }) => names(handle)), operations };
}

const names = ({ dims }: Handle): AxisNames => dims.map(({ name }) => name);
