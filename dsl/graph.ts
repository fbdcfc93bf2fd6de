/**
 * The traced graph: nodes in scopes, made in the order in which the program called them.
 *
 * A scope is the root of a program, a function (a module of the model, printed once and called), or a region (the body
 * of a loop or of a choice). Values move between scopes by themselves: what a function's body uses of its surroundings
 * becomes an argument, and what is used of its insides afterwards becomes a result, so that a cache may hand its new
 * state out of a layer without the layer returning it.
 *
 * Pure data: nothing here knows StableHLO.
 */
import type { Axis } from "./axes.ts";
import type { DType } from "./dtype.ts";
import { ShapeError } from "./errors.ts";
import { callerLocation, formatLocation, type Location } from "./location.ts";
import type { Op } from "./op.ts";
import { Tensor } from "./tensor.ts";

// Public API

/** What is known of a value while tracing: its element type and its axes, whose order here means nothing. */
export interface ValueType {
  readonly dtype: DType;
  readonly axes: readonly Axis[];
}

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

  constructor(kind: Scope["kind"], parent: Scope | undefined, parts: PartCount = parent?.parts ?? whole) {
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

/**
 * Applies an op to values: checks it, and appends a node to the scope being traced.
 *
 * @param location  the line that it is written in, where that is not the line that calls
 */
export function apply(
  op: Op,
  inputs: readonly Value[],
  attributes: object = {},
  scopes: readonly Scope[] = [],
  location: Location = callerLocation(),
): Tensor<string>[] {
  const scope = currentScope(op.name);
  const own = inputs.map((input) => bring(input as Tensor<string>, scope));
  const types = op.infer(own, attributes as never, scopes);
  const node: Node = {
    op,
    attributes,
    inputs: own,
    outputs: [],
    scopes,
    location,
    path: scope.path.join("."),
  };
  types.forEach((type, index) => {
    node.outputs.push(new Tensor<string>(type, scope, { kind: "result", node, index }));
  });
  for (const inner of scopes) inner.holder = node;
  scope.nodes.push(node);
  return node.outputs;
}

/** Applies an op that has one result. */
export function applyOne(op: Op, inputs: readonly Value[], attributes: object = {}): Tensor<string> {
  return apply(op, inputs, attributes)[0] as Tensor<string>;
}

/** Traces `body` in a new root scope. */
export function traceRoot<R>(body: (scope: Scope) => R, parts?: PartCount): { scope: Scope; result: R } {
  if (open.length > 0) throw new ShapeError("TRACE_NESTED", "a trace was started inside another trace");
  return within(new Scope("root", undefined, parts), body);
}

/** In how many equal parts the program being traced has an axis. */
export function partCount(of: Axis): number {
  return open.at(-1)?.parts(of) ?? 1;
}

/** Traces `body` in a scope inside the one being traced. */
export function traceInner<R>(kind: "function" | "region", body: (scope: Scope) => R): { scope: Scope; result: R } {
  return within(new Scope(kind, currentScope(kind)), body);
}

/** Runs `body` with `name` as the innermost module of every op that it makes. */
export function named<R>(name: string, body: () => R): R {
  const scope = currentScope(`the module '${name}'`);
  scope.path = [...scope.path, name];
  try {
    return body();
  } finally {
    scope.path = scope.path.slice(0, -1);
  }
}

/** Remembers `value` under `name` below the module that is being traced, or as entries of a weight. */
export function mark(name: string | Tensor<string>, value: Tensor<string>): void {
  const scope = currentScope(typeof name === "string" ? `the name '${name}'` : "take");
  const named = typeof name === "string" ? [...scope.path, name].join(".") : name;
  scope.marks.push({ name: named, value, after: scope.nodes.length });
}

/** The value as `scope` sees it: captured on the way in, exported on the way out. */
export function bring(value: Tensor<string>, scope: Scope): Tensor<string> {
  const outer = lineage(scope);
  let seen = value;
  // Outwards, from where it was made to the first scope that is still open here.
  while (!outer.includes(seen.scope)) seen = exportOnce(seen, value);
  // Inwards, through every function between there and here.
  for (const inner of outer.slice(0, outer.indexOf(seen.scope)).reverse()) {
    if (inner.kind === "function") seen = captureOnce(seen, inner);
  }
  return seen;
}

/** A sentence that names a value: what made it, and where. */
export function describeOrigin(value: Value): { what: string; where: string } {
  const { origin } = value;
  if (origin.kind === "result") return { what: origin.node.op.name, where: formatLocation(origin.node.location) };
  if (origin.location !== undefined) return { what: origin.name, where: formatLocation(origin.location) };
  return { what: origin.name || "argument", where: "an argument" };
}

// Implementation

/** The scopes being traced, innermost last. */
const open: Scope[] = [];
const whole: PartCount = () => 1;

function currentScope(asker: string): Scope {
  const scope = open.at(-1);
  if (scope === undefined) {
    throw new ShapeError("NOT_TRACING", `${asker} was used outside a trace: use it in a function given to trace()`, {
      op: asker,
    });
  }
  return scope;
}

function within<R>(scope: Scope, body: (scope: Scope) => R): { scope: Scope; result: R } {
  open.push(scope);
  try {
    return { scope, result: body(scope) };
  } finally {
    open.pop();
  }
}

/** A scope and all around it, innermost first. */
function lineage(scope: Scope): Scope[] {
  const all: Scope[] = [];
  for (let each: Scope | undefined = scope; each !== undefined; each = each.parent) all.push(each);
  return all;
}

function captureOnce(value: Tensor<string>, into: Scope): Tensor<string> {
  const known = into.captured.get(value);
  if (known !== undefined) return known;
  const { origin } = value;
  const weight = origin.kind === "argument" && origin.weight;
  const made = into.argument(value, "", weight, origin.kind === "result" ? origin.node.location : origin.location);
  into.captured.set(value, made);
  return made;
}

/** `value`, one scope further out; `original` is what the program named. */
function exportOnce(value: Tensor<string>, original: Tensor<string>): Tensor<string> {
  const { scope } = value;
  if (scope.kind !== "function" || scope.holder === undefined || scope.parent === undefined) {
    const { what, where } = describeOrigin(original);
    const [reason, hint] =
      scope.kind === "root"
        ? ["it belongs to another trace", "trace both in one program"]
        : ["it was made in the body of a loop or a choice", "return it from the body, or carry it in the state"];
    throw new ShapeError(
      "VALUE_ESCAPED",
      `a tensor is used where it does not exist: ${reason}\n  tensor  ${what}  ${where}\n  hint  ${hint}`,
      { what, where },
    );
  }
  const known = scope.exported.get(value);
  if (known !== undefined) return known;
  const node = scope.holder;
  const made = new Tensor<string>(value, scope.parent, { kind: "result", node, index: node.outputs.length });
  node.outputs.push(made);
  scope.results.push(value);
  scope.exported.set(value, made);
  return made;
}
