/** How often a traced loop runs, where its condition tells: a counter that goes up by a constant, against a constant. */
import type { Node, Scope } from "./graph.ts";
import { comparisons } from "./ops/compare.ts";
import { elementwise } from "./ops/elementwise.ts";
import { constantOp } from "./ops/iota.ts";
import type { Tensor } from "./tensor.ts";

// Public API

/** The number of times that the body of a loop runs. */
export interface Trips {
  readonly count: number;
  /** It may be fewer. */
  readonly isBound: boolean;
}

/** How often a loop runs; undefined where neither its condition nor whoever made it says so. */
export function tripsOf(loop: Node): Trips | undefined {
  const count = countedTrips(loop);
  if (count !== undefined) return { count, isBound: false };
  const { atMost } = loop.attributes as { readonly atMost?: number };
  return atMost === undefined ? undefined : { count: atMost, isBound: true };
}

// Implementation

function countedTrips(loop: Node): number | undefined {
  const [condition, body] = loop.scopes as readonly [Scope, Scope];
  const test = nodeOf(condition.results[0]);
  if (test === undefined || (test.op !== comparisons.lt && test.op !== comparisons.le)) return undefined;
  const counter = condition.arguments.indexOf(test.inputs[0] as Tensor<string>);
  const bound = constantRight(test);
  if (counter < 0 || bound === undefined) return undefined;
  const next = nodeOf(body.results[counter]);
  if (next === undefined || next.op !== elementwise.add || next.inputs[0] !== body.arguments[counter]) return undefined;
  const [start, step] = [constantOf(loop.inputs[counter]), constantRight(next)];
  if (start === undefined || step === undefined || step <= 0) return undefined;
  const end = test.op === comparisons.le ? bound + 1 : bound;
  return Math.max(0, Math.ceil((end - start) / step));
}

/** The right operand of a node, where it is a number. */
function constantRight({ inputs, attributes }: Node): number | undefined {
  const { scalar } = attributes as { readonly scalar?: number };
  return scalar ?? constantOf(inputs[1]);
}

function constantOf(x: Tensor<string> | undefined): number | undefined {
  const made = nodeOf(x);
  if (made?.op !== constantOp) return undefined;
  const { values } = made.attributes as { readonly values: readonly (number | bigint | boolean)[] };
  return values.length === 1 ? Number(values[0]) : undefined;
}

function nodeOf(x: Tensor<string> | undefined): Node | undefined {
  return x?.origin.kind === "result" ? x.origin.node : undefined;
}
