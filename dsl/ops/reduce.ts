/**
 * Reductions: they drop axes. Floats narrower than f32 are summed and multiplied in f32 and rounded once, at the end.
 */
import { elementsOf } from "../axes.ts";
import { axisOf, requireAxes, requireKind } from "../checks.ts";
import { type DType, dtypes, type Kind } from "../dtype.ts";
import type { Emitter, ReducerOperation, Ssa } from "../emitter.ts";
import { applyOne, type Value } from "../graph.ts";
import { defineOp, type Op } from "../op.ts";
import { type AnyMethod, type AnyTensor, method } from "../tensor.ts";
import { iotaOp } from "./iota.ts";

// Public API

declare module "../tensor.ts" {
  interface Tensor<in out A extends string> {
    /** The sum over axes. */
    sum<const K extends readonly A[]>(...over: K): Tensor<Exclude<A, K[number]>>;
    /** The product over axes. */
    prod<const K extends readonly A[]>(...over: K): Tensor<Exclude<A, K[number]>>;
    /** The mean over axes. */
    mean<const K extends readonly A[]>(...over: K): Tensor<Exclude<A, K[number]>>;
    /** The largest element; NaN if there is one. */
    maxOver<const K extends readonly A[]>(...over: K): Tensor<Exclude<A, K[number]>>;
    /** The smallest element; NaN if there is one. */
    minOver<const K extends readonly A[]>(...over: K): Tensor<Exclude<A, K[number]>>;
    /** Whether all hold. */
    all<const K extends readonly A[]>(...over: K): Tensor<Exclude<A, K[number]>>;
    /** Whether any holds. */
    any<const K extends readonly A[]>(...over: K): Tensor<Exclude<A, K[number]>>;
    /** Where the largest element stands, as i32; the first of equals, and the first NaN if there is one. */
    argMax<K extends A>(over: K): Tensor<Exclude<A, K>>;
    /** Where the smallest element stands, as i32; the first of equals, and the first NaN if there is one. */
    argMin<K extends A>(over: K): Tensor<Exclude<A, K>>;
    /** The logarithm of the sum of exponentials, without overflow; -Infinity where all are. */
    logSumExp<const K extends readonly A[]>(...over: K): Tensor<Exclude<A, K[number]>>;
    /** Exponentials divided by their sum. Computed in f32, returned in the operand's type. */
    softmax(over: A): Tensor<A>;
  }
  interface AnyTensor extends AnyReductions {
    mean(...over: readonly string[]): AnyTensor;
    argMax(over: string): AnyTensor;
    argMin(over: string): AnyTensor;
    logSumExp(...over: readonly string[]): AnyTensor;
    softmax(over: string): AnyTensor;
  }
}

interface Over {
  readonly over: readonly string[];
}

type Name = "sum" | "prod" | "maxOver" | "minOver" | "all" | "any";

type AnyReductions = { readonly [K in Name]: AnyMethod<readonly string[]> };

/** The ops, by method name. */
export const reductions: Readonly<Record<string, Op>> = {
  sum: reduction("sum", "add", ["int", "uint", "float"]),
  prod: reduction("prod", "multiply", ["int", "uint", "float"]),
  maxOver: reduction("maxOver", "maximum", ["int", "uint", "float"]),
  minOver: reduction("minOver", "minimum", ["int", "uint", "float"]),
  all: reduction("all", "and", ["bool", "int", "uint"]),
  any: reduction("any", "or", ["bool", "int", "uint"]),
};

/** What a reduction starts from, so that an element combined with it is itself. */
export function neutral(e: Emitter, reducer: ReducerOperation, dtype: DType): Ssa {
  const { kind, bits } = dtypes[dtype];
  switch (reducer) {
    case "add":
      return e.constant(0, dtype);
    case "multiply":
      return e.constant(1, dtype);
    case "maximum":
      if (kind === "float") return e.constant(-Infinity, dtype);
      return e.constant(kind === "uint" ? 0 : -(2n ** BigInt(bits - 1)), dtype);
    case "minimum":
      if (kind === "float") return e.constant(Infinity, dtype);
      return e.constant(kind === "uint" ? 2n ** BigInt(bits) - 1n : 2n ** BigInt(bits - 1) - 1n, dtype);
    case "and":
      return e.constant(kind === "bool" ? true : kind === "uint" ? 2n ** BigInt(bits) - 1n : -1, dtype);
    case "or":
      return e.constant(kind === "bool" ? false : 0, dtype);
  }
}

/** The type in which `dtype` is accumulated. */
export function accumulator(dtype: DType): DType {
  return dtypes[dtype].kind === "float" && dtypes[dtype].bits < 32 ? "f32" : dtype;
}

// Implementation

function reduction(name: Name, reducer: ReducerOperation, kinds: readonly Kind[]): Op {
  const op = defineOp<Over>({
    name,
    infer([input], { over }) {
      const x = input as Value;
      requireKind(name, x, kinds);
      requireAxes(name, x, over);
      return [{ dtype: x.dtype, axes: x.axes.filter((axis) => !over.includes(axis.name)) }];
    },
    lower(e, [input], { over }) {
      const x = input as Ssa;
      const wide = reducer === "add" || reducer === "multiply" ? accumulator(x.dtype) : x.dtype;
      const reduced = e.reduce(reducer, e.convert(x, wide), neutral(e, reducer, wide), over);
      return [e.convert(reduced, x.dtype)];
    },
    flops: ([x]) => elementsOf((x as Value).axes),
  });
  method(name, function (...over) {
    return over.length === 0 ? this : applyOne(op, [this], { over });
  });
  return op;
}

method("mean", function (...over) {
  requireKind("mean", this, ["float"]);
  requireAxes("mean", this, over);
  const count = elementsOf(over.map((name) => axisOf("mean", this, name)));
  const wide = accumulator(this.dtype);
  return this.cast(wide)
    .sum(...over)
    .mul(1 / count)
    .cast(this.dtype);
});

method("softmax", function (over) {
  requireKind("softmax", this, ["float"]);
  axisOf("softmax", this, over);
  const x = this.cast(accumulator(this.dtype));
  const mass = x.sub(x.maxOver(over)).exp();
  return mass.div(mass.sum(over)).cast(this.dtype);
});

method("logSumExp", function (...over) {
  requireKind("logSumExp", this, ["float"]);
  requireAxes("logSumExp", this, over);
  const x = this.cast(accumulator(this.dtype));
  const peak = x.maxOver(...over);
  // Where all are -Infinity the peak would make NaN of -Infinity - -Infinity.
  const finite = peak.where(peak.isFinite(), 0);
  return x
    .sub(finite)
    .exp()
    .sum(...over)
    .log()
    .add(finite)
    .cast(this.dtype);
});

method("argMax", function (over) {
  return firstOf("argMax", this, over, (x) => x.maxOver(over));
});
method("argMin", function (over) {
  return firstOf("argMin", this, over, (x) => x.minOver(over));
});

/** Where the first element stands that is the best of all, or NaN. */
function firstOf(op: string, x: AnyTensor, over: string, best: (x: AnyTensor) => AnyTensor): AnyTensor {
  requireKind(op, x, ["int", "uint", "float"]);
  const axis = axisOf(op, x, over);
  const position = applyOne(iotaOp, [], { along: over, dtype: "i32", axes: x.axes });
  const found = x.eq(best(x));
  const hit = dtypes[x.dtype].kind === "float" ? found.or(x.ne(x)) : found;
  return applyOne(reductions.minOver as Op, [position.where(hit, axis.size - 1)], { over: [over] });
}
