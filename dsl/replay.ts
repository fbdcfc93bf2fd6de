/**
 * Traced nodes, made again over other inputs.
 *
 * Ops speak of axes by name, so a node means the same when an axis that it does not name has another size, or is gone.
 * This is how a body that was written for all tokens runs for one, and how one expert of a packed matrix is unpacked
 * instead of all.
 */
import type { Axis } from "./axes.ts";
import { apply, type Node, type Scope, traceInner, untyped, type Value } from "./graph.ts";
import type { AnyTensor } from "./tensor.ts";

// Public API

/** A body that was traced once: what it uses of its surroundings, and how to run it over something else. */
export interface Body {
  /** The tensors of its surroundings that it uses. */
  readonly uses: readonly AnyTensor[];
  readonly result: AnyTensor;
  /** Whether any of its ops names one of the axes, so that it cannot go without them. */
  mentions(axes: ReadonlySet<string>): boolean;
  /**
   * Runs it again, with other tensors for some that it uses.
   *
   * @param spread  an axis that some of those have besides: where an op's other operands lack it, they are repeated
   */
  replay(instead: ReadonlyMap<AnyTensor, AnyTensor>, spread?: Axis): AnyTensor;
}

/** Traces `body` aside: nothing of it becomes part of the program until it is replayed. */
export function traceBody(body: () => AnyTensor): Body {
  const { scope, result } = traceInner("region", body);
  const inside = new Set(scope.nodes.flatMap(({ outputs }) => outputs.map(untyped)));
  const uses = [...new Set([result, ...scope.nodes.flatMap(usesOf)])].filter((each) => !inside.has(each));
  return {
    uses,
    result,
    mentions: (axes) =>
      scope.nodes.some((node) => node.scopes.length > 0 || names(node.attributes).some((name) => axes.has(name))),
    replay: (instead, spread) => {
      const made = new Map(instead);
      for (const node of scope.nodes) remake(node, made, spread);
      return made.get(result) ?? result;
    },
  };
}

/**
 * A pick along an axis, done before everything that does not need the other positions: of a packed matrix, the packed
 * entries are picked and then unpacked.
 *
 * @param pick  takes the positions of a tensor that has the axis, and drops or replaces it
 */
export function pickEarly(x: AnyTensor, along: string, pick: (x: AnyTensor) => AnyTensor): AnyTensor {
  const { origin } = x;
  const movable = origin.kind === "result" && origin.node.scopes.length === 0 && origin.node.inputs.length > 0;
  if (!movable || names(origin.node.attributes).includes(along)) return pick(x);
  const inputs = origin.node.inputs.map((input) =>
    input.names.includes(along) ? pickEarly(untyped(input), along, pick) : input,
  );
  const { op, attributes, location } = origin.node;
  return apply(op, inputs, attributes, [], location)[origin.index] as AnyTensor;
}

/** Whether a tensor is a weight in another form: converted, or unpacked. */
export function isWeightView({ origin }: Value): boolean {
  if (origin.kind === "argument") return origin.weight;
  const { inputs, scopes } = origin.node;
  return inputs.length > 0 && scopes.length === 0 && inputs.every(isWeightView);
}

// Implementation

function usesOf(node: Node): AnyTensor[] {
  const inner = (scope: Scope): AnyTensor[] => [...scope.nodes.flatMap(usesOf), ...scope.results.map(untyped)];
  return [...node.inputs.map(untyped), ...node.scopes.flatMap(inner)];
}

function remake(node: Node, made: Map<AnyTensor, AnyTensor>, spread: Axis | undefined): void {
  const inputs = node.inputs.map(untyped).map((input) => made.get(input) ?? input);
  const outputs = apply(
    node.op,
    spread === undefined || node.op.mergesAxes ? inputs : repeated(inputs, spread),
    node.attributes,
    node.scopes,
    node.location,
  );
  node.outputs.map(untyped).forEach((old, n) => void made.set(old, outputs[n] as AnyTensor));
}

/** Operands of which one has the axis, with the axis. */
function repeated(inputs: readonly AnyTensor[], along: Axis): readonly AnyTensor[] {
  const has = ({ names }: AnyTensor) => names.includes(along.name);
  if (!inputs.some(has)) return inputs;
  return inputs.map((each) => (has(each) ? each : each.broadcast(along)));
}

/** Every string in an op's attributes, axes' names among them. */
function names(attributes: unknown): string[] {
  if (typeof attributes === "string") return [attributes];
  if (typeof attributes !== "object" || attributes === null) return [];
  return Object.values(attributes).flatMap(names);
}
