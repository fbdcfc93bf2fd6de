/**
 * Modules: the parts of a model, by name.
 *
 * A `layer` is printed once for all layers that mean the same, and called; a `part` only names what is inside it.
 */
import { apply, mark, named, type Scope, traceInner } from "./graph.ts";
import { defineOp } from "./op.ts";
import { Tensor } from "./tensor.ts";

// Public API

/**
 * Traces `body` as a function of its own, such as `layers.3`. What it uses of its surroundings becomes its arguments,
 * what is used of its insides later becomes its results. Names inside are relative: `attn.q`.
 */
export function layer<R>(name: string, body: () => R): R {
  const traced = named(name, () => {
    const { scope, result } = traceInner("function", body);
    // Results appear when something outside asks for a tensor of the inside, which `bring` sees.
    apply(callOp, [...scope.captured.keys()], { name }, [scope]);
    return result;
  });
  markAll(name, traced);
  return traced;
}

/** Names the ops that `body` makes: `part("attn", () => …)`. */
export function part<R>(name: string, body: () => R): R {
  const result = named(name, body);
  markAll(name, result);
  return result;
}

/**
 * Gives a value a name, so that `tsxla logits --trace` writes it: `activation("probs", scores.softmax("key"))` in
 * `part("attn", …)` of layer 3 is `layers.3.attn.probs`. Changes nothing else.
 */
export function activation<A extends string>(name: string, x: Tensor<A>): Tensor<A> {
  mark(name, x);
  return x;
}

export const callOp = defineOp<{ name: string }>({
  name: "call",
  runs: "body",
  isModule: true,
  infer: (_, __, scopes) => (scopes[0] as Scope).results,
  lower: (e, inputs, _, [scope]) => e.call(scope as Scope, inputs),
  flops: () => 0,
});

// Implementation

/** Names what a module returns, where that is a tensor or plain records and arrays of them. */
function markAll(name: string, result: unknown): void {
  if (result instanceof Tensor) mark(name, result);
  else if (Array.isArray(result)) result.forEach((each, n) => void markAll(`${name}.${n}`, each));
  else if (typeof result === "object" && result !== null && Object.getPrototypeOf(result) === Object.prototype) {
    for (const [key, each] of Object.entries(result)) markAll(`${name}.${key}`, each);
  }
}
