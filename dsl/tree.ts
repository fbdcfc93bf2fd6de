/** Trees of tensors: what programs take and return, what loops carry. Records and arrays, nested at will. */
import { InputError } from "./errors.ts";
import type { Value } from "./graph.ts";
import { Tensor } from "./tensor.ts";

// Public API

/** A tensor of any axes, or records and arrays of them. `undefined` leaves one out. */
export type Tree = Value | undefined | readonly Tree[] | { readonly [name: string]: Tree };

/** The same tree without an axis: what a body sees of one entry. */
export type Without<T, E extends string> =
  T extends Tensor<infer A> ? Tensor<Exclude<A, E>> : { readonly [K in keyof T]: Without<T[K], E> };

/** The same tree with an axis more: results of a body, stacked. */
export type With<T, E extends string> =
  T extends Tensor<infer A> ? Tensor<A | E> : { readonly [K in keyof T]: With<T[K], E> };

/** The leaves with their paths, such as `layers.3.attn.q`, in the order in which they stand. */
export function flatten(tree: unknown, path = ""): readonly (readonly [path: string, leaf: Tensor<string>])[] {
  if (tree instanceof Tensor) return [[path, tree]];
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
