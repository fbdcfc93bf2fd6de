/** How often a traced loop runs, where its condition tells: a counter that goes up by a constant, against a constant. */
import { meaningOf, tensorOf } from "./graph.ts";
import type { Node, Scope, Value } from "./tensor.ts";

// Public API

/** The number of times that the body of a loop runs. */
export interface Trips {
  readonly count: number;
  /** It may be fewer. */
  readonly isBound: boolean;
}

/** How often a loop runs; undefined where neither its condition nor its maker says so. */
export function tripsOf(loop: Node): Trips | undefined {
  const count = countedTrips(loop);
  if (count !== undefined) return { count, isBound: false };
  // The op's own function made its attributes (`Op<never>`).
  const atMost = loop.op.atMost?.(loop.attributes as never);
  return atMost === undefined ? undefined : { count: atMost, isBound: true };
}

// Implementation

function countedTrips(loop: Node): number | undefined {
  const [condition, body] = loop.scopes as readonly [Scope, Scope];
  const [result] = condition.results;
  const test = result && meaningOf(result);
  if (test?.kind !== "below") return undefined;
  const counter = condition.arguments.indexOf(tensorOf(test.of));
  const [after, given] = [body.results[counter], loop.inputs[counter]];
  if (after === undefined || given === undefined) return undefined;
  const next = meaningOf(after);
  if (next?.kind !== "sum" || next.of !== body.arguments[counter]) return undefined;
  const [start, step, limit] = [given, next.and, test.limit].map(numberOf);
  if (start === undefined || step === undefined || limit === undefined || step <= 0) return undefined;
  const end = test.inclusive ? limit + 1 : limit;
  return Math.max(0, Math.ceil((end - start) / step));
}

/** The number that an operand is everywhere; undefined where it is not known while tracing. */
function numberOf(operand: Value | number): number | undefined {
  if (typeof operand === "number") return operand;
  const meaning = meaningOf(operand);
  return meaning?.kind === "number" ? meaning.value : undefined;
}
