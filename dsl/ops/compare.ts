/**
 * Comparisons. The left operand owns the axes. Two element types meet in the one that holds every value of both, so that
 * no conversion changes the answer; where there is none, such as for a float and an integer, they are refused.
 */
import { requireWithin } from "../checks.ts";
import { type DType, meet } from "../dtype.ts";
import type { Comparison, Ssa } from "../emitter.ts";
import { applyOne, type Value } from "../graph.ts";
import { defineOp, type Op } from "../op.ts";
import { shapeError } from "../shape-error.ts";
import { type AnyMethod, method, type Within } from "../tensor.ts";
import { alignRight, rightOperand } from "./elementwise.ts";

// Public API

declare module "../tensor.ts" {
  interface Tensor<in out A extends string> {
    /** Whether they are equal; NaN equals nothing. */
    eq(y: Within<A> | number): Tensor<A>;
    /** Whether they differ; NaN differs from everything. */
    ne(y: Within<A> | number): Tensor<A>;
    /** Whether the left one is larger or equal. */
    ge(y: Within<A> | number): Tensor<A>;
    /** Whether the left one is larger. */
    gt(y: Within<A> | number): Tensor<A>;
    /** Whether the left one is smaller or equal. */
    le(y: Within<A> | number): Tensor<A>;
    /** Whether the left one is smaller. */
    lt(y: Within<A> | number): Tensor<A>;
  }
  interface AnyTensor extends AnyComparisons {}
}

/** The ops, by method name. */
export const comparisons: Readonly<Record<string, Op>> = {
  eq: comparison("eq", "EQ"),
  ne: comparison("ne", "NE"),
  ge: comparison("ge", "GE"),
  gt: comparison("gt", "GT"),
  le: comparison("le", "LE"),
  lt: comparison("lt", "LT"),
};

// Implementation

type Name = "eq" | "ne" | "ge" | "gt" | "le" | "lt";

type AnyComparisons = { readonly [K in Name]: AnyMethod<[y: Within<string> | number]> };

function comparison(name: Name, how: Comparison): Op {
  const op = defineOp<{ scalar?: number }>({
    name,
    infer([left, right], { scalar }) {
      if (right !== undefined) requireMeeting(name, left as Value, right);
      requireWithin(name, left as Value, right, scalar);
      return [{ dtype: "bool", axes: (left as Value).axes }];
    },
    lower(e, [left, right], { scalar }) {
      const own = e.convert(left as Ssa, right === undefined ? left!.dtype : (meet(left!.dtype, right.dtype) as DType));
      return [e.compare(how, own, alignRight(e, own, right, scalar))];
    },
    meaning: ([left, right], { scalar }) =>
      how === "LT" || how === "LE"
        ? { kind: "below", of: left as Value, limit: right ?? (scalar as number), inclusive: how === "LE" }
        : undefined,
  });
  method(name, function (y) {
    const { inputs, attributes } = rightOperand(y);
    return applyOne(op, [this, ...inputs], attributes);
  });
  return op;
}

function requireMeeting(op: string, left: Value, right: Value): void {
  if (meet(left.dtype, right.dtype) !== undefined) return;
  throw shapeError(
    "DTYPE",
    `${op}: no element type holds every ${left.dtype} and every ${right.dtype}`,
    [
      ["left", left],
      ["right", right],
    ],
    `cast one of them: right.cast("${left.dtype}")`,
    { left: left.dtype, right: right.dtype },
  );
}
