/**
 * Named-axis tensors: a tensor's type is the *set* of its axis names.
 *
 * Names are types, checked while you type. Sizes and memory order are facts of the trace.
 *
 *   1. Select by name, create by `Axis`:   `x.sum("embed")`, `iota(ax.pos)`.
 *   2. The left operand owns the axes:     `x.add(bias)` needs axes(bias) ⊆ axes(x).
 *   3. Shapes are written once, as values: `param("norm.scale", ax.embed)` is the type.
 *
 * The methods live with their ops, in ops/<op>.ts, which add them to this class: a reader finds signature, rule and
 * lowering of an op in one place.
 */
import type { Axis } from "./axes.ts";
import type { DType } from "./dtype.ts";
import type { Scope, Value, ValueType } from "./graph.ts";

// Public API

/** How long each axis is. `in out` makes `A` invariant: a tensor lacking an axis must not pass for one that has it. */
export interface Shape<in out A extends string> {
  /** The size of an axis. */
  size(of: A): number;
}

/** Anything whose axes are all among `A`: what broadcasts into a `Tensor<A>`. */
export interface Within<out A extends string> {
  readonly names: readonly A[];
}

/** The axes a contraction may run over, or a sentence when there are none. */
export type Shared<A extends string, B extends string> =
  | (A & B)
  | ([A & B] extends [never] ? "(error) the operands share no axis" : never);

/** A name the tensor does not have yet, or a sentence. */
export type Fresh<N extends string, A extends string> = N extends A ? `(error) axis '${N}' already exists` : N;

/** A value in the traced graph. `shape` comes first so that tsc's errors name axes, not methods. */
export class Tensor<in out A extends string> implements Value {
  readonly shape: Shape<A>;
  readonly names: readonly A[];
  readonly dtype: DType;
  readonly axes: readonly Axis<A>[];
  readonly scope: Scope;
  readonly origin: Value["origin"];

  /** Made by tracing only. */
  constructor(type: ValueType, scope: Scope, origin: Value["origin"]) {
    this.dtype = type.dtype;
    // The one place where names of the trace become names of the type.
    this.axes = type.axes as readonly Axis<A>[];
    this.names = this.axes.map((axis) => axis.name);
    this.shape = { size: (of) => sizeOf(this, of) };
    this.scope = scope;
    this.origin = origin;
  }
}

/** Adds a method to every tensor. Called by the op's own file, which declares the method's type beside it. */
export function method<K extends keyof Tensor<never>>(
  name: K,
  body: (this: Tensor<string>, ...given: never[]) => unknown,
): void {
  Object.defineProperty(Tensor.prototype, name, { value: body, configurable: true });
}

/** The size of a value's axis; 0 when it has none of that name. */
export function sizeOf(value: ValueType, name: string): number {
  return value.axes.find((axis) => axis.name === name)?.size ?? 0;
}
