/** How many trips a program's loops take one after the other: each costs what its small operations cost, whatever it multiplies. */

import { usedNodes } from "../compiler/used-nodes.ts";
import type { Node, Scope } from "../dsl/graph.ts";
import { tripsOf } from "../dsl/loop-trip-count.ts";
import type { Graph } from "../dsl/trace.ts";

// Public API

/**
 * The trips of all loops, those of a loop inside another once for each trip of the outer; of a choice the branch with most.
 *
 * @param options.trips  how often a loop runs whose length the graph does not tell. Default: 1
 */
export function countTrips({ scope }: Graph, { trips = 1 }: { readonly trips?: number } = {}): number {
  return ofScope(scope, trips);
}

// Implementation

function ofScope(scope: Scope, unknown: number): number {
  const used = usedNodes(scope);
  return scope.nodes.reduce((all, node) => (used.has(node) ? all + ofNode(node, unknown) : all), 0);
}

function ofNode(node: Node, unknown: number): number {
  const inside = node.scopes.map((scope) => ofScope(scope, unknown));
  switch (node.op.runs) {
    case "loop": {
      const times = tripsOf(node)?.count ?? unknown;
      return times * (1 + inside.reduce((all, each) => all + each, 0));
    }
    case "branches":
      return Math.max(0, ...inside);
    default:
      return inside.reduce((all, each) => all + each, 0);
  }
}
