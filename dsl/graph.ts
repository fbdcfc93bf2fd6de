/**
 * Tracing into a graph: nodes in scopes, made in the order in which the program called them.
 *
 * A scope is the root of a program, a function (a module of the model, printed once and called), or a region (the body
 * of a loop or of a choice). Values move between scopes by themselves: what a function's body uses of its surroundings
 * becomes an argument, and what is used of its insides afterwards becomes a result, so that a cache may hand its new
 * state out of a layer without the layer returning it.
 *
 * The types of nodes, scopes and ops are in tensor.ts. Nothing here knows StableHLO.
 */
import type { Axis } from "./axes.ts";
import { ShapeError } from "./errors.ts";
import { callerLocation, formatLocation, type Location } from "./location.ts";
import type { Meaning } from "./meaning.ts";
import {
  type AnyTensor,
  type Node,
  type Op,
  type PartCount,
  Scope,
  Tensor,
  type Value,
  type Within,
} from "./tensor.ts";

// Public API

export type { Argument, Node, Op, PartCount, Result, Value } from "./tensor.ts";
export { Scope } from "./tensor.ts";
export type { ValueType } from "./value-type.ts";

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
): readonly AnyTensor[] {
  const scope = currentScope(op.name);
  const own = inputs.map((input) => bring(input, scope));
  // Each op's own function makes its attributes, so that here they need no type (`Op<never>`).
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
  return node.outputs.map(untyped);
}

/** Applies an op that has one result. */
export function applyOne(op: Op, inputs: readonly Value[], attributes: object = {}): AnyTensor {
  return apply(op, inputs, attributes)[0] as AnyTensor;
}

/**
 * What may be concluded from a value without knowing the op that made it; undefined for an argument, and where the op
 * says nothing.
 */
export function meaningOf({ origin }: Value): Meaning<Value> | undefined {
  if (origin.kind === "argument") return undefined;
  const { op, inputs, attributes } = origin.node;
  return op.meaning?.(inputs, attributes as never);
}

/** A tensor by names that are known while tracing only. Ops give every tensor the methods of this view (tensor.ts). */
export function untyped(view: Value | Within<string>): AnyTensor {
  const value: Value = tensorOf(view);
  return value as AnyTensor;
}

/** The tensor of which something is a view: tensors are the one implementation of them all. */
export function tensorOf(view: Value | Within<string>): Tensor<string> {
  if (view instanceof Tensor) return view;
  throw new TypeError("an op was given something that is no tensor: give it an input, a weight or the result of an op");
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
export function mark(name: string | Value, value: Value): void {
  const scope = currentScope(typeof name === "string" ? `the name '${name}'` : "take");
  const named = typeof name === "string" ? [...scope.path, name].join(".") : tensorOf(name);
  scope.marks.push({ name: named, value: tensorOf(value), after: scope.nodes.length });
}

/** The value as `scope` sees it: captured on the way in, exported on the way out. */
export function bring(value: Value, scope: Scope): Tensor<string> {
  const outer = lineage(scope);
  let seen = tensorOf(value);
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
function exportOnce(value: Tensor<string>, original: Value): Tensor<string> {
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
