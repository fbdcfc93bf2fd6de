/**
 * Control flow: a loop with carried state, a choice, a scan over an axis.
 *
 * State is any tree of tensors. A body may use tensors of its surroundings; what it makes it must return.
 */
import type { Axis } from "../axes.ts";
import { difference, requireAxis } from "../checks.ts";
import type { Ssa } from "../emitter.ts";
import { apply, bring, type Scope, traceInner, untyped, type Value } from "../graph.ts";
import { defineOp } from "../op.ts";
import { type Operand, shapeError } from "../shape-error.ts";
import type { AnyTensor, Tensor } from "../tensor.ts";
import { flatten, type Tree, unflatten, type With, type Without } from "../tree.ts";
import { untypedFull } from "./iota.ts";

// Public API

/**
 * Repeats `body` on `state` while `condition` holds, and returns the last state.
 *
 * @param atMost  how often it runs at most, where the condition does not tell: only costs are counted with it
 * @throws ShapeError that shows both sides when a body's state differs from the one it was given
 */
export function whileLoop<S extends Tree>(
  state: S,
  condition: (state: S) => Tensor<never>,
  body: (state: S) => S,
  atMost?: number,
): S {
  return loop("while", state, condition, body, atMost);
}

/**
 * The same, inside the language.
 *
 * @param op  what errors call it
 */
export function loop<S extends Tree>(
  op: string,
  state: S,
  condition: (state: S) => Value,
  body: (state: S) => S,
  atMost?: number,
): S {
  const initial = flatten(state);
  const test = traceInner("region", (scope) => {
    const result = condition(enter(scope, state, initial));
    if (result.dtype !== "bool" || result.axes.length > 0) {
      throw shapeError(
        "CONDITION",
        `${op}: the condition is a bool without axes`,
        [["condition", result]],
        "x.any(…) or x.all(…) makes one",
      );
    }
    leave(scope, [["condition", result]]);
  });
  const step = traceInner("region", (scope) => {
    const result = flatten(body(enter(scope, state, initial)));
    requireSame(`${op}: the body returns another state than it was given`, ["given", initial], ["returned", result]);
    leave(scope, result);
  });
  const outputs = apply(
    whileOp,
    initial.map(([, each]) => each),
    atMost === undefined ? {} : { atMost },
    [test.scope, step.scope],
  );
  // The body's state is that which it was given.
  return unflatten(state, outputs) as S;
}

/**
 * Runs the branch that `index` names: 0 the first. An index outside runs the last.
 *
 * @throws ShapeError that shows both sides when branches return different things
 */
export function choose<R extends Tree>(index: Tensor<never>, ...branches: readonly [() => R, ...(() => R)[]]): R {
  let first: { readonly tree: R; readonly flat: Flat } | undefined;
  const scopes = branches.map((branch, n) => {
    const { scope } = traceInner("region", (inner) => {
      const tree = branch();
      const flat = flatten(tree);
      first ??= { tree, flat };
      requireSame("choose: the branches return different tensors", ["branch 0", first.flat], [`branch ${n}`, flat]);
      leave(inner, flat);
    });
    return scope;
  });
  // What runs returns what the first branch returned.
  return unflatten(first?.tree, apply(caseOp, [index], {}, scopes)) as R;
}

/**
 * Runs `body` for each position of an axis in turn: `state` goes from one to the next, and what it returns beside the
 * state is stacked along the axis. The body sees `slices` without the axis.
 *
 * @throws ShapeError when a slice lacks the axis, or a body's state differs from the one it was given
 */
export function scan<E extends string, S extends Tree, X extends Tree, Y extends Tree>(
  over: Axis<E>,
  state: S,
  slices: X,
  body: (state: S, slice: Without<X, E>) => { readonly state: S; readonly output: Y },
): { readonly state: S; readonly outputs: With<Y, E> } {
  const inputs = flatten(slices);
  requireAxis("scan", over, inputs);
  // Every piece is a slice without the axis.
  const slice = (pieces: readonly Value[]) => unflatten(slices, pieces) as Without<X, E>;
  // The body is traced once aside to learn what it returns: the loop needs room for the stacked outputs beforehand.
  const { result: output } = traceInner("region", (scope) => {
    const one = inputs.map(([, each]) =>
      scope.argument({ ...each, axes: each.axes.filter(({ name }) => name !== over.name) }, ""),
    );
    return body(enter(scope, state, flatten(state)), slice(one)).output;
  });
  const room = flatten(output).map(([, each]) => untypedFull(0, each.dtype, [over, ...each.axes]));
  const end = loop(
    "scan",
    { index: untypedFull(0, "i32"), state, room },
    ({ index }) => index.lt(over.size),
    ({ index, state: now, room: rows }) => {
      const next = body(now, slice(inputs.map(([, each]) => untyped(each).at(over.name, index))));
      const written = flatten(next.output).map(([, each], n) => {
        const row = untyped(each).broadcast({ name: over.name, size: 1 });
        return (rows[n] as AnyTensor).update(over.name, index, row);
      });
      return { index: index.add(1), state: next.state, room: written };
    },
  );
  // Every output has the axis that it was stacked along.
  return { state: end.state, outputs: unflatten(output, end.room) as With<Y, E> };
}

export const whileOp = defineOp<{ atMost?: number }>({
  name: "while",
  runs: "loop",
  infer: (inputs) => inputs,
  lower: (e, inputs, _, [condition, body]) => e.while(inputs, condition as Scope, body as Scope),
  atMost: ({ atMost }) => atMost,
});

export const caseOp = defineOp({
  name: "choose",
  runs: "branches",
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
  lower: (e, [index], _, branches) => e.case(index as Ssa, branches),
});

// Implementation

type Flat = readonly (readonly [path: string, leaf: Value])[];

function enter<S extends Tree>(scope: Scope, state: S, flat: Flat): S {
  // Each argument has the type of the state that it stands for.
  return unflatten(
    state,
    flat.map(([name, each]) => scope.argument(each, name)),
  ) as S;
}

function leave(scope: Scope, flat: Flat): void {
  for (const [, each] of flat) scope.results.push(bring(each, scope));
}

/** Refuses trees that differ in their leaves or the leaves' types, and shows where. */
function requireSame(
  sentence: string,
  [role, own]: readonly [string, Flat],
  [other, found]: readonly [string, Flat],
): void {
  const rows: Operand[] = [];
  for (const path of new Set([...own, ...found].map(([each]) => each))) {
    const [a, b] = [own, found].map((side) => side.find(([each]) => each === path)?.[1]);
    if (a !== undefined && b !== undefined && difference("", [role, a], [other, b]) === undefined) continue;
    const before = path === "" ? "" : `${path} `;
    rows.push([`${before}${role}`, a ?? "nothing"], [`${before}${other}`, b ?? "nothing"]);
  }
  if (rows.length > 0) throw shapeError("STATE_MISMATCH", sentence, rows);
}
