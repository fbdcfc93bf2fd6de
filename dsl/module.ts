/**
 * Modules: the parts of a model, by name.
 *
 * A `layer` is printed once for all layers that mean the same, and called; a `part` only names what is inside it.
 */
import { apply, named, type Scope, traceInner } from "./graph.ts";
import { defineOp } from "./op.ts";

// Public API

/**
 * Traces `body` as a function of its own, such as `layers.3`. What it uses of its surroundings becomes its arguments,
 * what is used of its insides later becomes its results. Names inside are relative: `attn.q`.
 */
export function layer<R>(name: string, body: () => R): R {
  return named(name, () => {
    const { scope, result } = traceInner("function", body);
    // Results appear when something outside asks for a tensor of the inside, which `bring` sees.
    apply(callOp, [...scope.captured.keys()], { name }, [scope]);
    return result;
  });
}

/** Names the ops that `body` makes: `part("attn", () => …)`. */
export function part<R>(name: string, body: () => R): R {
  return named(name, body);
}

export const callOp = defineOp<{ name: string }>({
  name: "call",
  runs: "body",
  nameless: true,
  infer: (_, __, scopes) => (scopes[0] as Scope).results,
  lower: (e, inputs, _, [scope]) => e.call(scope as Scope, inputs),
  flops: () => 0,
});
