/** Trees of tensors: what programs take and return, what loops carry. Records and arrays, nested at will. */
import { InputError } from "./errors.ts";
import { Tensor } from "./tensor.ts";

// Public API

/** A tensor, or records and arrays of them. Type-checked structurally: any object whose leaves are tensors will do. */
// biome-ignore lint/suspicious/noExplicitAny: Tensor is invariant in its axes, so no other type has all tensors in it.
export type Tree = Tensor<any> | readonly Tree[] | { readonly [name: string]: Tree };

/** The leaves with their paths, such as `layers.3.attn.q`, in the order in which they stand. */
export function flatten(tree: unknown, path = ""): readonly (readonly [path: string, leaf: Tensor<string>])[] {
  if (tree instanceof Tensor) return [[path, tree as Tensor<string>]];
  if (tree === undefined || tree === null) return [];
  if (typeof tree !== "object") {
    throw new InputError(
      "TREE_LEAF",
      `${path || "the value"} is a ${typeof tree}; a tree holds tensors, records and arrays`,
      {
        path,
      },
    );
  }
  return Object.entries(tree).flatMap(([name, each]) => flatten(each, path === "" ? name : `${path}.${name}`));
}

/** A tree of the same form with other leaves, in the order of `flatten`. */
export function unflatten(form: unknown, leaves: readonly unknown[]): unknown {
  let next = 0;
  const walk = (tree: unknown): unknown => {
    if (tree instanceof Tensor) return leaves[next++];
    if (tree === undefined || tree === null) return tree;
    if (Array.isArray(tree)) return tree.map(walk);
    return Object.fromEntries(Object.entries(tree as object).map(([name, each]) => [name, walk(each)]));
  };
  return walk(form);
}
