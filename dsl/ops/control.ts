/**
 * Control flow: a loop with carried state, a choice, a scan over an axis.
 *
 * State is any tree of tensors. A body may use tensors of its surroundings; what it makes it must return.
 */
import { type Axis, formatAxes } from "../axes.ts";
import { ShapeError } from "../errors.ts";
import { apply, bring, describeOrigin, type Scope, traceInner, type Value } from "../graph.ts";
import { defineOp, shapeError } from "../op.ts";
import type { Tensor } from "../tensor.ts";
import { flatten, type Tree, unflatten } from "../tree.ts";
import { full } from "./iota.ts";

// Public API

/**
 * Repeats `body` on `state` while `condition` holds, and returns the last state.
 *
 * @throws ShapeError that shows both sides when a body's state differs from the one it was given
 */
export function whileLoop<S extends Tree>(state: S, condition: (state: S) => Tensor<never>, body: (state: S) => S): S {
  const initial = flatten(state);
  const test = traceInner("region", (scope) => {
    const result = condition(enter(scope, state, initial));
    if (result.dtype !== "bool" || result.names.length > 0) {
      throw shapeError(
        "CONDITION",
        "while: the condition is a bool without axes",
        [["condition", result]],
        "x.any(…) or x.all(…) makes one",
      );
    }
    leave(scope, [["condition", result as unknown as Tensor<string>]]);
  });
  const step = traceInner("region", (scope) => {
    const result = flatten(body(enter(scope, state, initial)));
    requireSameState("while", initial, result);
    leave(scope, result);
  });
  const outputs = apply(
    whileOp,
    initial.map(([, each]) => each),
    {},
    [test.scope, step.scope],
  );
  return unflatten(state, outputs) as S;
}

/**
 * Runs the branch that `index` names: 0 the first. An index outside runs the last.
 *
 * @throws ShapeError that shows both sides when branches return different things
 */
export function choose<R extends Tree>(index: Tensor<never>, ...branches: readonly [() => R, ...(() => R)[]]): R {
  let shape: R | undefined;
  const scopes = branches.map((branch) => {
    const { scope } = traceInner("region", (inner) => {
      const result = branch();
      const flat = flatten(result);
      if (shape === undefined) shape = result;
      else requireSameState("choose", flatten(shape), flat);
      leave(inner, flat);
    });
    return scope;
  });
  return unflatten(shape as R, apply(caseOp, [index], {}, scopes)) as R;
}

/**
 * Runs `body` for each position of an axis in turn: `state` goes from one to the next, and what it returns beside the
 * state is stacked along the axis.
 */
export function scan<S extends Tree, X extends Tree, Y extends Tree>(
  over: Axis,
  state: S,
  slices: X,
  body: (state: S, slice: X) => { readonly state: S; readonly output: Y },
): { readonly state: S; readonly outputs: Y } {
  const inputs = flatten(slices);
  // The body is traced once aside to learn what it returns: the loop needs room for the stacked outputs beforehand.
  let output: Y | undefined;
  traceInner("region", (scope) => {
    const entered = unflatten(
      state,
      flatten(state).map(([, each]) => scope.argument(each, "")),
    ) as S;
    const one = unflatten(
      slices,
      inputs.map(([, each]) =>
        scope.argument({ dtype: each.dtype, axes: each.axes.filter(({ name }) => name !== over.name) }, ""),
      ),
    ) as X;
    output = body(entered, one).output;
  });
  const stacked = flatten(output as Y).map(([, each]) => full(0, each.dtype, over, ...each.axes) as Tensor<string>);
  const start: ScanState<S> = { index: full(0, "i32") as Tensor<never>, state, stacked };
  const end = whileLoop(
    start as unknown as Tree,
    (at) => (at as unknown as ScanState<S>).index.lt(over.size) as Tensor<never>,
    (at) => {
      const { index, state: now, stacked: rows } = at as unknown as ScanState<S>;
      const one = unflatten(
        slices,
        inputs.map(([, each]) => each.at(over.name, index as never)),
      );
      const { state: next, output: row } = body(now, one as X);
      const written = flatten(row).map(([, each], n) => {
        const room = rows[n] as Tensor<string>;
        return room.update(
          over.name,
          index as never,
          each.broadcast({ name: over.name, size: 1 } as never) as Tensor<string>,
        );
      });
      return { index: index.add(1), state: next, stacked: written } as unknown as Tree;
    },
  ) as unknown as ScanState<S>;
  return { state: end.state, outputs: unflatten(output as Y, end.stacked) as Y };
}

export const whileOp = defineOp({
  name: "while",
  infer: (inputs) => inputs,
  lower: (e, inputs, _, [condition, body]) => e.while(inputs, condition as Scope, body as Scope),
});

export const caseOp = defineOp({
  name: "choose",
  infer([index], _, scopes) {
    const which = index as Value;
    if (which.dtype !== "i32" || which.axes.length > 0) {
      throw shapeError(
        "CONDITION",
        "choose: the index is an i32 without axes",
        [["index", which]],
        'index.cast("i32")',
      );
    }
    return (scopes[0] as Scope).results;
  },
  lower: (e, [index], _, branches) => e.case(index as never, branches),
});

// Implementation

interface ScanState<S> {
  readonly index: Tensor<never>;
  readonly state: S;
  readonly stacked: readonly Tensor<string>[];
}

type Flat = readonly (readonly [string, Tensor<string>])[];

function enter<S extends Tree>(scope: Scope, state: S, flat: Flat): S {
  return unflatten(
    state,
    flat.map(([name, each]) => scope.argument(each, name)),
  ) as S;
}

function leave(scope: Scope, flat: Flat): void {
  for (const [, each] of flat) scope.results.push(bring(each, scope));
}

/** Refuses a body whose result is not what it was given, and shows where they differ. */
function requireSameState(op: string, given: Flat, returned: Flat): void {
  const lines: string[] = [];
  const paths = new Set([...given, ...returned].map(([path]) => path));
  for (const path of paths) {
    const [own, other] = [given, returned].map((side) => side.find(([each]) => each === path)?.[1]);
    if (own !== undefined && other !== undefined && sameType(own, other)) continue;
    lines.push(`  ${path || "state"}`, `    given     ${describe(own)}`, `    returned  ${describe(other)}`);
  }
  if (lines.length === 0) return;
  throw new ShapeError(
    "STATE_MISMATCH",
    [`${op}: the body returns other tensors than it was given`, ...lines].join("\n"),
    { op },
  );
}

function sameType(a: Value, b: Value): boolean {
  return (
    a.dtype === b.dtype &&
    a.axes.length === b.axes.length &&
    a.axes.every(({ name, size }) => b.axes.some((axis) => axis.name === name && axis.size === size))
  );
}

function describe(value: Value | undefined): string {
  if (value === undefined) return "nothing";
  const { what, where } = describeOrigin(value);
  return `${what}  ${value.dtype} ${formatAxes(value.axes)}  ${where}`;
}
