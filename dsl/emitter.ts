/**
 * What an op's lowering may write: StableHLO, one method an operation, over values whose dimensions carry axis names.
 *
 * The language declares this interface and the compiler implements it, so that an op is whole in one file and the
 * language knows no text. Dimensions are named until the very end, so a lowering speaks of axes, never of positions.
 *
 * Spec: https://openxla.org/stablehlo/spec.
 */
import type { Axis } from "./axes.ts";
import type { DType } from "./dtype.ts";
import type { ValueType } from "./value-type.ts";

/** A StableHLO value. `dims` are its axes in memory order, outermost first; names are unique. */
export interface Ssa {
  readonly dtype: DType;
  readonly dims: readonly Axis[];
  /** Whether it is a weight as it lies in memory: a product puts it on the left (docs/log.md). */
  readonly weight: boolean;
}

/** The traced body of a loop, a choice or a module, as a lowering hands it on. Tracing makes all of them (`Scope`). */
export interface TracedBody {
  readonly arguments: readonly ValueType[];
  readonly results: readonly ValueType[];
}

/** Element-wise operations of one operand. */
export type UnaryOperation =
  | "abs"
  | "cbrt"
  | "ceil"
  | "count_leading_zeros"
  | "cosine"
  | "exponential"
  | "exponential_minus_one"
  | "floor"
  | "is_finite"
  | "log"
  | "log_plus_one"
  | "logistic"
  | "negate"
  | "not"
  | "popcnt"
  | "round_nearest_afz"
  | "round_nearest_even"
  | "rsqrt"
  | "sign"
  | "sine"
  | "sqrt"
  | "tan"
  | "tanh";

/** Element-wise operations of two operands. */
export type BinaryOperation =
  | "add"
  | "and"
  | "atan2"
  | "divide"
  | "maximum"
  | "minimum"
  | "multiply"
  | "or"
  | "power"
  | "remainder"
  | "shift_left"
  | "shift_right_arithmetic"
  | "shift_right_logical"
  | "subtract"
  | "xor";

/** Operations that combine two elements of a reduction into one. */
export type ReducerOperation = "add" | "multiply" | "maximum" | "minimum" | "and" | "or";

/** How two elements are compared. */
export type Comparison = "EQ" | "NE" | "GE" | "GT" | "LE" | "LT";

/** How `gather` and `scatter` match the axes of the operand and of the positions. */
export interface Lookup {
  /** The operand's axis that the positions count along. */
  readonly along: string;
  /** Axes that operand and positions share, one position for each. */
  readonly batch: readonly string[];
}

/**
 * Writes StableHLO. Every method returns the value that the operation makes.
 *
 * What a text is for, the emitter knows and an op does not: a method whose fast form differs between platforms writes the
 * one that is fast there.
 */
export interface Emitter {
  /** A scalar. */
  constant(value: number | bigint | boolean, dtype: DType): Ssa;
  /** A tensor of constants, row-major over `dims`. */
  dense(values: readonly (number | bigint | boolean)[], dtype: DType, dims: readonly Axis[]): Ssa;
  /** Counts along `along`. */
  iota(dtype: DType, dims: readonly Axis[], along: string): Ssa;

  unary(operation: UnaryOperation, x: Ssa): Ssa;
  /** Both operands have the same dimensions in the same order. */
  binary(operation: BinaryOperation, x: Ssa, y: Ssa): Ssa;
  compare(comparison: Comparison, x: Ssa, y: Ssa): Ssa;
  select(mask: Ssa, yes: Ssa, no: Ssa): Ssa;
  /** Nothing when the element type is already right. */
  convert(x: Ssa, dtype: DType): Ssa;
  /** Rounds to the precision of `dtype`, in the element type of `x`. */
  roundTo(x: Ssa, dtype: DType): Ssa;
  /** Reads the bits as `dtype`; `dims` is the result's, with one innermost axis more or less when the widths differ. */
  bitcast(x: Ssa, dtype: DType, dims: readonly Axis[]): Ssa;
  /** Reads each byte as two numbers of FP4 (E2M1) along `into`, a new innermost axis of 2, the low half first; bf16. */
  decodeFp4(bytes: Ssa, into: Axis): Ssa;

  /** Brings `x` into the memory order of `dims`, repeating it along the axes that it lacks. Nothing when it fits. */
  arrange(x: Ssa, dims: readonly Axis[]): Ssa;
  /** The same elements in the same order under other dimensions. */
  reshape(x: Ssa, dims: readonly Axis[]): Ssa;
  /** Gives dimensions other names; costs nothing. */
  relabel(x: Ssa, dims: readonly Axis[]): Ssa;
  /** Keeps `start, start + stride, …` below `limit` along one axis. */
  slice(x: Ssa, along: string, start: number, limit: number, stride?: number): Ssa;
  concatenate(xs: readonly Ssa[], along: string): Ssa;
  reverse(x: Ssa, along: readonly string[]): Ssa;
  /** Adds `low` copies of `filler` before and `high` after. */
  pad(x: Ssa, filler: Ssa, along: string, low: number, high: number): Ssa;

  /** Contracts `over`, batches `batch`; the result has the batch, the left's and the right's other dimensions. */
  dotGeneral(
    left: Ssa,
    right: Ssa,
    batch: readonly string[],
    over: readonly string[],
    how?: {
      /** What is contracted is spread over devices: their sums are added up in f32. */
      readonly spread?: boolean;
    },
  ): Ssa;
  reduce(reducer: ReducerOperation, x: Ssa, initial: Ssa, over: readonly string[]): Ssa;
  /** The running reduction along an axis: element n combines elements 0 … n. */
  cumulative(reducer: ReducerOperation, x: Ssa, initial: Ssa, along: string): Ssa;

  /** Looks up single entries along an axis. The result has the batch, the positions' and then the operand's other axes. */
  gather(x: Ssa, positions: Ssa, how: Lookup): Ssa;
  /** Writes `value`, whose axes are those of `x` but shorter along `how.along`, at one position for each batch entry. */
  scatterWindow(x: Ssa, starts: Ssa, value: Ssa, how: Lookup): Ssa;
  /** Adds the rows of `value` at positions along an axis; the positions' one axis and the value's have its name. */
  scatterAdd(x: Ssa, positions: Ssa, value: Ssa, along: string): Ssa;
  /** Reads a window of `size` along an axis at one position for each batch entry. */
  gatherWindow(x: Ssa, starts: Ssa, size: number, how: Lookup): Ssa;
  /** Reads a window at a scalar position along one axis. */
  dynamicSlice(x: Ssa, start: Ssa, along: string, size: number): Ssa;
  /** Writes a window at a scalar position along one axis. */
  dynamicUpdateSlice(x: Ssa, value: Ssa, start: Ssa, along: string): Ssa;

  /** Sorts `keys` along an axis, stably, in total order, and carries the others with it. */
  sort(keys: Ssa, carried: readonly Ssa[], along: string, descending: boolean): readonly Ssa[];

  /** Runs `body` while `condition` holds. Both have an argument for each of `state`. */
  while(state: readonly Ssa[], condition: TracedBody, body: TracedBody): readonly Ssa[];
  /** Runs the branch that `index` names; an index outside runs the last. */
  case(index: Ssa, branches: readonly TracedBody[]): readonly Ssa[];
  /** Calls a function: printed once for all bodies that mean the same. */
  call(body: TracedBody, given: readonly Ssa[]): readonly Ssa[];
  /** Lowers a body's nodes in place, with these values for its arguments, and returns its results. */
  inline(body: TracedBody, given: readonly Ssa[]): readonly Ssa[];
  /** A named operation with a decomposition that means the same; `attributes` are integers and booleans. */
  composite(
    name: string,
    given: readonly Ssa[],
    attributes: Readonly<Record<string, number | boolean>>,
    decomposition: (e: Emitter, given: readonly Ssa[]) => readonly Ssa[],
  ): readonly Ssa[];
  /** Brings `x` together along an axis, where the program is for several devices. */
  whole(x: Ssa, along: string): Ssa;
  /** Keeps the compiler from looking through. */
  barrier(given: readonly Ssa[]): readonly Ssa[];
  /** Any operation, in MLIR's generic form: `"stablehlo.name"(…) <{properties}>`. */
  raw(
    name: string,
    given: readonly Ssa[],
    properties: string,
    results: readonly { readonly dtype: DType; readonly dims: readonly Axis[] }[],
  ): readonly Ssa[];
}
