/**
 * Element-wise ops: arithmetic, functions, rounding, bits. One table, since they differ in a name only.
 *
 * The left operand owns axes and element type: the right one is repeated along what it lacks and converted, where that
 * loses no more than a float's last digits.
 */
import { requireConvertible, requireKind, requireWithin } from "../checks.ts";
import { dtypes, type Kind } from "../dtype.ts";
import type { BinaryOperation, Emitter, Ssa, UnaryOperation } from "../emitter.ts";
import { applyOne, tensorOf, type Value } from "../graph.ts";
import { defineOp, type Op } from "../op.ts";
import { type AnyMethod, method, type Within } from "../tensor.ts";

// Public API

declare module "../tensor.ts" {
  interface Tensor<in out A extends string> {
    /** The sum. The result has exactly the left operand's axes. */
    add(y: Within<A> | number): Tensor<A>;
    /** The difference. */
    sub(y: Within<A> | number): Tensor<A>;
    /** The product, element by element. */
    mul(y: Within<A> | number): Tensor<A>;
    /** The quotient; integers round towards zero, and dividing one by zero gives -1 (all bits set). */
    div(y: Within<A> | number): Tensor<A>;
    /** The remainder, with the sign of the left operand. */
    rem(y: Within<A> | number): Tensor<A>;
    /** The larger one; NaN if either is. */
    max(y: Within<A> | number): Tensor<A>;
    /** The smaller one; NaN if either is. */
    min(y: Within<A> | number): Tensor<A>;
    /** The left operand to the power of the right. */
    pow(y: Within<A> | number): Tensor<A>;
    /** The angle of the point (right, left), in radians. */
    atan2(y: Within<A> | number): Tensor<A>;
    /** Both hold; bit by bit for integers. */
    and(y: Within<A> | number): Tensor<A>;
    /** Either holds; bit by bit for integers. */
    or(y: Within<A> | number): Tensor<A>;
    /** Exactly one holds; bit by bit for integers. */
    xor(y: Within<A> | number): Tensor<A>;
    /** Bits moved up by the right operand; 0 when it is at least the width. */
    shiftLeft(y: Within<A> | number): Tensor<A>;
    /** Bits moved down, filled with the sign for signed types and with 0 for unsigned. */
    shiftRight(y: Within<A> | number): Tensor<A>;
    /** The opposite; all bits flipped for integers. */
    not(): Tensor<A>;
    /** The absolute value. */
    abs(): Tensor<A>;
    /** The cube root. */
    cbrt(): Tensor<A>;
    /** The smallest whole number not below. */
    ceil(): Tensor<A>;
    /** The cosine of an angle in radians. */
    cos(): Tensor<A>;
    /** How many bits above the highest set one. */
    countLeadingZeros(): Tensor<A>;
    /** e to the power of it. */
    exp(): Tensor<A>;
    /** e to the power of it, less 1, exact near 0. */
    expm1(): Tensor<A>;
    /** The largest whole number not above. */
    floor(): Tensor<A>;
    /** Whether it is neither infinite nor NaN. */
    isFinite(): Tensor<A>;
    /** The natural logarithm. */
    log(): Tensor<A>;
    /** The natural logarithm of 1 plus it, exact near 0. */
    log1p(): Tensor<A>;
    /** Its negative. */
    neg(): Tensor<A>;
    /** How many bits are set. */
    popcount(): Tensor<A>;
    /** The nearest whole number; halves go to the even one. */
    round(): Tensor<A>;
    /** 1 over the square root. */
    rsqrt(): Tensor<A>;
    /** 1 / (1 + e^-x). */
    sigmoid(): Tensor<A>;
    /** -1, 0 or 1. */
    sign(): Tensor<A>;
    /** The sine of an angle in radians. */
    sin(): Tensor<A>;
    /** The square root. */
    sqrt(): Tensor<A>;
    /** The tangent of an angle in radians. */
    tan(): Tensor<A>;
    /** The hyperbolic tangent. */
    tanh(): Tensor<A>;
  }
  interface AnyTensor extends AnyBinaries, AnyUnaries {}
}

type BinaryForm = readonly [BinaryOperation | Record<string, BinaryOperation>, readonly Kind[]];

/** Method name → StableHLO operation and the kinds of element that it takes. */
const binaries = {
  add: ["add", ["int", "uint", "float"]],
  sub: ["subtract", ["int", "uint", "float"]],
  mul: ["multiply", ["int", "uint", "float"]],
  div: ["divide", ["int", "uint", "float"]],
  rem: ["remainder", ["int", "uint", "float"]],
  max: ["maximum", ["bool", "int", "uint", "float"]],
  min: ["minimum", ["bool", "int", "uint", "float"]],
  pow: ["power", ["int", "uint", "float"]],
  atan2: ["atan2", ["float"]],
  and: ["and", ["bool", "int", "uint"]],
  or: ["or", ["bool", "int", "uint"]],
  xor: ["xor", ["bool", "int", "uint"]],
  shiftLeft: ["shift_left", ["int", "uint"]],
  shiftRight: [{ int: "shift_right_arithmetic", uint: "shift_right_logical" }, ["int", "uint"]],
} as const satisfies Record<string, BinaryForm>;

const unaries = {
  not: ["not", ["bool", "int", "uint"]],
  abs: ["abs", ["int", "float"]],
  cbrt: ["cbrt", ["float"]],
  ceil: ["ceil", ["float"]],
  cos: ["cosine", ["float"]],
  countLeadingZeros: ["count_leading_zeros", ["int", "uint"]],
  exp: ["exponential", ["float"]],
  expm1: ["exponential_minus_one", ["float"]],
  floor: ["floor", ["float"]],
  isFinite: ["is_finite", ["float"]],
  log: ["log", ["float"]],
  log1p: ["log_plus_one", ["float"]],
  neg: ["negate", ["int", "uint", "float"]],
  popcount: ["popcnt", ["int", "uint"]],
  round: ["round_nearest_even", ["float"]],
  rsqrt: ["rsqrt", ["float"]],
  sigmoid: ["logistic", ["float"]],
  sign: ["sign", ["int", "float"]],
  sin: ["sine", ["float"]],
  sqrt: ["sqrt", ["float"]],
  tan: ["tan", ["float"]],
  tanh: ["tanh", ["float"]],
} as const satisfies Record<string, readonly [UnaryOperation, readonly Kind[]]>;

type Binary = keyof typeof binaries;
type Unary = keyof typeof unaries;
type AnyBinaries = { readonly [K in Binary]: AnyMethod<[y: Within<string> | number]> };
type AnyUnaries = { readonly [K in Unary]: AnyMethod<[]> };

/** The ops, by method name. */
export const elementwise: Readonly<Record<string, Op>> = Object.fromEntries([
  ...Object.keys(binaries).map((name) => [name, binaryOp(name as Binary)]),
  ...Object.keys(unaries).map((name) => [name, unaryOp(name as Unary)]),
]);

/**
 * The right operand of an op whose left operand owns axes and element type: in the left's memory order, converted.
 * A number becomes a constant of the left's element type.
 */
export function alignRight(e: Emitter, left: Ssa, right: Ssa | undefined, scalar: number | undefined): Ssa {
  const operand = right ?? e.constant(scalar as number, left.dtype);
  return e.arrange(e.convert(operand, left.dtype), left.dims);
}

/** A right operand as `apply` takes it: a number becomes an attribute. */
export function rightOperand(y: Within<string> | number): {
  inputs: readonly Value[];
  attributes: { scalar?: number };
} {
  return typeof y === "number" ? { inputs: [], attributes: { scalar: y } } : { inputs: [tensorOf(y)], attributes: {} };
}

// Implementation

/** What others may conclude from a result. */
const meanings: { readonly [K in Binary]?: "sum" | "product" } = { add: "sum", mul: "product" };

function binaryOp(name: Binary): Op {
  const [operation, kinds]: BinaryForm = binaries[name];
  const op = defineOp<{ scalar?: number }>({
    name,
    infer([left, right], { scalar }) {
      requireKind(name, left as Value, kinds, "left");
      requireConvertible(name, left as Value, right);
      requireWithin(name, left as Value, right, scalar);
      return [left as Value];
    },
    lower(e, [left, right], { scalar }) {
      const own = left as Ssa;
      const which = typeof operation === "string" ? operation : (operation[dtypes[own.dtype].kind] as BinaryOperation);
      return [e.binary(which, own, alignRight(e, own, right, scalar))];
    },
    meaning([left, right], { scalar }) {
      const kind = meanings[name];
      return kind && { kind, of: left as Value, and: right ?? (scalar as number) };
    },
  });
  method(name, function (y) {
    const { inputs, attributes } = rightOperand(y);
    return applyOne(op, [this, ...inputs], attributes);
  });
  return op;
}

function unaryOp(name: Unary): Op {
  const [operation, kinds] = unaries[name];
  const op = defineOp({
    name,
    infer([x]) {
      requireKind(name, x as Value, kinds);
      return [{ dtype: name === "isFinite" ? "bool" : (x as Value).dtype, axes: (x as Value).axes }];
    },
    lower: (e, [x]) => [e.unary(operation, x as Ssa)],
  });
  method(name, function () {
    return applyOne(op, [this]);
  });
  return op;
}
