/** Comparisons. The left operand owns the axes; numbers, integers and booleans compare with their own kind. */
import { dtypes } from "../dtype.ts";
import type { Comparison, Ssa } from "../emitter.ts";
import { apply, type Value } from "../graph.ts";
import { defineOp, type Op } from "../op.ts";
import { method, type Tensor, type Within } from "../tensor.ts";
import { alignRight, requireKind, requireWithin, rightOperand } from "./elementwise.ts";

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

function comparison(name: "eq" | "ne" | "ge" | "gt" | "le" | "lt", how: Comparison): Op {
  const op = defineOp<{ scalar?: number }>({
    name,
    infer([left, right], { scalar }) {
      if (right !== undefined) requireKind(name, right, comparable(left as Value), "right");
      requireWithin(name, left as Value, right, scalar);
      return [{ dtype: "bool", axes: (left as Value).axes }];
    },
    lower: (e, [left, right], { scalar }) => [e.compare(how, left as Ssa, alignRight(e, left as Ssa, right, scalar))],
  });
  method(name, function (this: Tensor<string>, y: Within<string> | number) {
    const { inputs, attributes } = rightOperand(y);
    return apply(op, [this, ...inputs], attributes)[0];
  });
  return op;
}

/** Kinds that convert to the left one's without changing what is compared. */
function comparable(left: Value) {
  const { kind } = dtypes[left.dtype];
  return kind === "int" || kind === "uint" ? (["int", "uint"] as const) : ([kind] as const);
}
