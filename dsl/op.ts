/**
 * What an op is: one value, in one file of ops/, with its rule, its lowering and its cost.
 *
 * Nothing elsewhere asks which op a node holds. What differs between ops is a property of `Op`; what others may conclude
 * from an op's result is its `meaning`, which `meaningOf` in graph.ts reads. What ops refuse is in checks.ts.
 */
import type { Op } from "./tensor.ts";

// Public API

export type { Op } from "./tensor.ts";

/** Declares an op. */
export function defineOp<Attributes = object>(op: Op<Attributes>): Op {
  // Attributes are checked by the op's own method and read by the op alone, so the rest of the house need not know them.
  return op;
}
