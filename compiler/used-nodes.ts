/** Which of a scope's nodes matter: the others are neither lowered nor counted. */
import type { Node, Scope } from "../dsl/graph.ts";
import type { Tensor } from "../dsl/tensor.ts";

// Public API

/** The nodes on which a scope's results depend, those inside regions included. */
export function usedNodes(scope: Scope): ReadonlySet<Node> {
  const used = new Set<Node>();
  const wanted: Tensor<string>[] = [...scope.results];
  for (let each = wanted.pop(); each !== undefined; each = wanted.pop()) {
    if (each.origin.kind !== "result" || used.has(each.origin.node)) continue;
    const { node } = each.origin;
    used.add(node);
    wanted.push(...node.inputs);
    for (const inner of node.scopes) if (inner.kind === "region") wanted.push(...captures(inner));
  }
  return used;
}

// Implementation

/** What a region uses of its surroundings, however deep inside. */
function captures(region: Scope): Tensor<string>[] {
  const uses = region.nodes.flatMap((node) => [
    ...node.inputs,
    ...node.scopes.filter(({ kind }) => kind === "region").flatMap(captures),
  ]);
  return [...uses, ...region.results].filter((each) => each.scope !== region);
}
