/** Weights: declared once, as values, with the checkpoint's key and the axes, which are the type. */
import type { Axis, NameOf } from "./axes.ts";
import { InputError } from "./errors.ts";
import { callerLocation, type Location } from "./location.ts";
import type { Tensor } from "./tensor.ts";

// Public API

/** One checkpoint tensor: its Hugging Face key relative to the module, and its axes, outermost first. Flat dimensions are split on load. */
export interface Param<out N extends string = string> {
  readonly key: string;
  readonly axes: readonly Axis<N>[];
  readonly location: Location;
}

/** Declares a weight: `param("self_attn.q_proj.weight", ax.kvHead, ax.group, ax.dim, ax.embed)`. */
export function param<const P extends readonly Axis[]>(key: string, ...of: P): Param<NameOf<P[number]>> {
  const twice = of.find(({ name }, index) => of.findIndex((each) => each.name === name) < index);
  if (twice !== undefined) {
    throw new InputError("AXIS_TWICE", `param "${key}" names axis '${twice.name}' twice`, { key, axis: twice.name });
  }
  return { key, axes: of as readonly Axis[] as readonly Axis<NameOf<P[number]>>[], location: callerLocation() };
}

/** Parameters, nested at will. `undefined` leaves one out: a bias that this configuration has not. */
export type ParamTree = Param | undefined | readonly ParamTree[] | { readonly [name: string]: ParamTree };

/** The tensors that a tree of `Param`s declares. */
export type Loaded<S> = S extends undefined
  ? undefined
  : S extends Param<infer N>
    ? Tensor<N>
    : { readonly [K in keyof S]: Loaded<S[K]> };

/** The tensors of a function that declares parameters: `Weights<typeof attentionWeights>`. */
export type Weights<F extends (...given: never[]) => object> = Loaded<ReturnType<F>>;

/** The same declarations under a longer key: `under("model.layers.3.", attentionWeights(ax))`. */
export function under<S extends ParamTree>(prefix: string, tree: S): S {
  return mapParams(tree, (each) => ({ ...each, key: prefix + each.key })) as S;
}

/** Whether a value is a declaration. */
export function isParam(value: unknown): value is Param {
  return typeof value === "object" && value !== null && "key" in value && "axes" in value && "location" in value;
}

/** All declarations with their paths, such as `layers.3.attn.q`, in the order in which they stand. */
export function flattenParams(tree: ParamTree, path = ""): readonly (readonly [path: string, param: Param])[] {
  if (tree === undefined) return [];
  if (isParam(tree)) return [[path, tree]];
  return Object.entries(tree).flatMap(([name, each]) => flattenParams(each, path === "" ? name : `${path}.${name}`));
}

/** The same tree with something else for each declaration. */
export function mapParams<T>(tree: ParamTree, make: (param: Param, path: string) => T, path = ""): unknown {
  if (tree === undefined) return undefined;
  if (isParam(tree)) return make(tree, path);
  const below = (name: string | number) => (path === "" ? String(name) : `${path}.${name}`);
  if (Array.isArray(tree)) return tree.map((each, n) => mapParams(each, make, below(n)));
  return Object.fromEntries(
    Object.entries(tree).map(([name, each]) => [name, mapParams(each as ParamTree, make, below(name))]),
  );
}

/** How many numbers a tree of declarations holds. */
export function countParameters(tree: ParamTree): number {
  return flattenParams(tree).reduce((all, [, { axes }]) => all + axes.reduce((size, axis) => size * axis.size, 1), 0);
}
