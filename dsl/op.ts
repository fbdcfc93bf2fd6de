/**
 * What an op is: one value, in one file of ops/, with its rule, its lowering and its cost.
 *
 * Nothing elsewhere asks which op a node holds: what differs between ops is a property here. What ops refuse is in
 * checks.ts.
 */
import type { Emitter, Ssa } from "./emitter.ts";
import type { Scope, Value, ValueType } from "./graph.ts";

// Public API

/** An op of the language. `Attributes` is what it is told besides its operands. */
export interface Op<Attributes = never> {
  readonly name: string;
  /** Its location carries the path of its module alone, without the op's name. */
  readonly nameless?: true;
  /** Its operands need not have the same axes: the result has those of both. */
  readonly mergesAxes?: true;

  /**
   * Checks operands and says what comes out.
   *
   * @throws ShapeError with both operands, their axes and their lines
   */
  infer(inputs: readonly Value[], attributes: Attributes, scopes: readonly Scope[]): readonly ValueType[];

  /** Emits StableHLO. One result for each of `infer`'s; memory order is free. */
  lower(e: Emitter, inputs: readonly Ssa[], attributes: Attributes, scopes: readonly Scope[]): readonly Ssa[];

  /**
   * What it touches of its operands, which decides what they cost where they lie in memory. Absent: it reads them whole.
   *
   * - `view`: the result is the first operand in another form, so that what reads the result decides how much is read.
   * - `part`: of the first operand only what is returned is read.
   * - `update`: the second operand is written into the first, which is returned.
   * - `add`: the same, and what was there is read.
   */
  readonly touches?: "view" | "part" | "update" | "add";
  /** The axis of which every device gets all, when its first operand is spread over several along it. */
  gathers?(attributes: Attributes): string;
  /** What becomes of its scopes. A `loop` has a condition and a body, of `branches` one runs, a `body` runs once. */
  readonly runs?: "loop" | "branches" | "body";
  /** Floating-point operations; absent means one for each element of a result of floats, or that floats decide. */
  flops?(inputs: readonly ValueType[], attributes: Attributes): number;
}

/** Declares an op. */
export function defineOp<Attributes = object>(op: Op<Attributes>): Op {
  // Attributes are checked by the op's own method and read by the op alone, so the rest of the house need not know them.
  return op as Op;
}
