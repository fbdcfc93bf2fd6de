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
 *
 * The graph's types stand here too: a tensor is made by a node, a node applies an op to tensors inside a scope, and each
 * of these names the others. What is done with them is in graph.ts.
 */
import type { Axis } from "./axes.ts";
import type { DType } from "./dtype.ts";
import type { Emitter, Ssa } from "./emitter.ts";
import type { Location } from "./location.ts";
import type { Meaning } from "./meaning.ts";
import type { ValueType } from "./value-type.ts";

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
    this.shape = { size: (of) => this.axes.find(({ name }) => name === of)?.size ?? 0 };
    this.scope = scope;
    this.origin = origin;
  }
}

/**
 * A tensor whose axes are known while tracing only: what the inside of the language works on.
 *
 * Its methods take any names and leave the checks to the trace; each op declares them beside the typed ones. `untyped` in
 * graph.ts is the way in, once for each operand of a public function. The way back is an assertion, which stands only
 * where a public signature promises the axes (escapes.test.ts lists them all).
 */
export interface AnyTensor extends Value {
  readonly names: readonly string[];
  /** In no value: it keeps tsc from comparing each method of a `Tensor<A>` with these, which takes it seconds. */
  readonly [untypedMark]: true;
}

declare const untypedMark: unique symbol;

/** Adds a method to every tensor. Called by the op's own file, which declares the method's types beside it. */
export function method<K extends MethodName>(name: K, body: MethodBody<AnyTensor[K]>): void {
  Object.defineProperty(Tensor.prototype, name, { value: body, configurable: true });
}

/** An untyped method that takes this and returns a tensor; a method and no function, as those of `Tensor<A>` take less. */
export type AnyMethod<Given extends readonly unknown[]> = { method(...given: Given): AnyTensor }["method"];

/** A value of the graph; `Tensor` is the one implementation, this is the view that needs no axis names. */
export interface Value extends ValueType {
  readonly scope: Scope;
  readonly origin: Argument | Result;
}

/** A value that enters its scope. */
export interface Argument {
  readonly kind: "argument";
  /** A path such as `weights.embed`; empty inside regions. */
  readonly name: string;
  /** Whether it is a weight, which decides on which side of a product it stands. */
  readonly weight: boolean;
  readonly location: Location | undefined;
}

/** A value that a node makes. */
export interface Result {
  readonly kind: "result";
  readonly node: Node;
  readonly index: number;
}

/** One application of an op. */
export interface Node {
  readonly op: Op;
  readonly attributes: object;
  readonly inputs: Tensor<string>[];
  readonly outputs: Tensor<string>[];
  /** The bodies of binders: loops, choices, modules. */
  readonly scopes: readonly Scope[];
  readonly location: Location;
  /** The module that made it, relative to its function, such as `attn`. */
  readonly path: string;
}

/** An op of the language. `Attributes` is what it is told besides its operands. */
export interface Op<Attributes = never> {
  readonly name: string;
  /**
   * It calls a module of the model: values inside have names below its path, and its location carries that path alone,
   * without the op's name.
   */
  readonly isModule?: true;
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

  /** What others may conclude from its result. Absent, or undefined for these operands: nothing. */
  meaning?(inputs: readonly Value[], attributes: Attributes): Meaning<Value> | undefined;

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
  /** How often the body of a loop runs at most, where that was declared. */
  atMost?(attributes: Attributes): number | undefined;
  /** Floating-point operations; absent means one for each element of a result of floats, or that floats decide. */
  flops?(inputs: readonly ValueType[], attributes: Attributes): number;
}

/** A value that was given a name: a path relative to its scope, or the name of the weight whose entries it holds. */
export interface Mark {
  readonly name: string | Tensor<string>;
  readonly value: Tensor<string>;
  /** How many nodes the scope had by then. */
  readonly after: number;
}

/** In how many equal parts a program has an axis (./parts.ts). */
export type PartCount = (of: Axis) => number;

/** Nodes in order, with what comes in and what goes out. */
export class Scope {
  readonly kind: "root" | "function" | "region";
  readonly parent: Scope | undefined;
  readonly arguments: Tensor<string>[] = [];
  readonly nodes: Node[] = [];
  readonly results: Tensor<string>[] = [];
  /** The node of the parent scope that holds this one, once it is closed. */
  holder: Node | undefined;
  path: string[] = [];
  /** Values with names; they cost nothing unless somebody asks for them (./activations.ts). */
  readonly marks: Mark[] = [];
  readonly captured = new Map<Tensor<string>, Tensor<string>>();
  readonly exported = new Map<Tensor<string>, Tensor<string>>();

  /** In how many equal parts the program has each axis. */
  readonly parts: PartCount;

  constructor(kind: Scope["kind"], parent: Scope | undefined, parts: PartCount = parent?.parts ?? inOnePart) {
    this.kind = kind;
    this.parent = parent;
    this.parts = parts;
  }

  /** Declares a value that enters from outside. */
  argument(type: ValueType, name: string, weight = false, location?: Location): Tensor<string> {
    const made = new Tensor<string>(type, this, { kind: "argument", name, weight, location });
    this.arguments.push(made);
    return made;
  }
}

// Implementation

type MethodName = Exclude<keyof AnyTensor, keyof Value | "names" | typeof untypedMark>;

type MethodBody<M> = M extends (...given: infer Given extends readonly unknown[]) => infer R
  ? (this: AnyTensor, ...given: Given) => R
  : never;

const inOnePart: PartCount = () => 1;
