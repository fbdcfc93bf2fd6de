/** Weights: declared once, as values, with the checkpoint's key and the axes, which are the type. */
import { type Axis, elementsOf, type NameOf } from "./axes.ts";
import { InputError } from "./errors.ts";
import { callerLocation, type Location } from "./location.ts";
import type { Tensor } from "./tensor.ts";

// Public API

/** One checkpoint tensor: its Hugging Face key relative to the module, and its axes, outermost first. Flat dimensions are split on load. */
export interface Param<out N extends string = string> {
  readonly key: string;
  readonly axes: readonly Axis<N>[];
  readonly location: Location;
  /** How it is drawn where the checkpoint has none; absent, and the checkpoint must have it. */
  readonly untrained?: Distribution;
}

/** Numbers are drawn evenly around `mean`, so far that they have this standard deviation. */
export interface Distribution {
  readonly mean: number;
  readonly deviation: number;
}

/** Weights that a checkpoint has and the model leaves out. */
export interface Unused {
  readonly unused: readonly Param[];
}

/** Declares a weight: `param("self_attn.q_proj.weight", ax.kvHead, ax.group, ax.dim, ax.embed)`. */
export function param<const P extends readonly Axis[]>(key: string, ...of: P): Param<NameOf<P[number]>> {
  const twice = of.find(({ name }, index) => of.findIndex((each) => each.name === name) < index);
  if (twice !== undefined) {
    throw new InputError("AXIS_TWICE", `param "${key}" names axis '${twice.name}' twice`, { key, axis: twice.name });
  }
  return { key, axes: of as readonly Axis[] as readonly Axis<NameOf<P[number]>>[], location: callerLocation() };
}

/**
 * Declares that a checkpoint may lack these weights: they are drawn then, the same for one seed on every machine.
 *
 * For what a variant adds to a published model: `untrained(param("shared.weight", ax.mlp, ax.embed))`.
 *
 * @param how  default: around 0, with a standard deviation of 0.02
 */
export function untrained<S extends ParamTree>(tree: S, how: Partial<Distribution> = {}): S {
  const drawn = { mean: 0, deviation: 0.02, ...how };
  return redeclare(tree, (each) => ({ ...each, untrained: drawn }));
}

/**
 * Declares that a checkpoint may have these weights although the model leaves them out. Without it, a tensor that
 * nobody wants is an error. Only the keys count.
 */
export function unused(tree: ParamTree): Unused {
  return { unused: flattenParams(tree).map(([, each]) => each) };
}

/** Parameters, nested at will. `undefined` leaves one out: a bias that this configuration has not. */
export type ParamTree = Param | Unused | undefined | readonly ParamTree[] | { readonly [name: string]: ParamTree };

/** The tensors that a tree of `Param`s declares. */
export type Loaded<S> = S extends undefined | Unused
  ? undefined
  : S extends Param<infer N>
    ? Tensor<N>
    : { readonly [K in keyof S]: Loaded<S[K]> };

/** The tensors of a function that declares parameters: `Weights<typeof attentionWeights>`. */
export type Weights<F extends (...given: never[]) => object> = Loaded<ReturnType<F>>;

/** The same declarations under a longer key: `under("model.layers.3.", attentionWeights(ax))`. */
export function under<S extends ParamTree>(prefix: string, tree: S): S {
  return redeclare(tree, (each) => ({ ...each, key: prefix + each.key }));
}

/** Whether a value is a declaration. */
export function isParam(value: unknown): value is Param {
  return typeof value === "object" && value !== null && "key" in value && "axes" in value && "location" in value;
}

/** Whether a value stands for weights that are left out. */
export function isUnused(value: unknown): value is Unused {
  return typeof value === "object" && value !== null && "unused" in value && Array.isArray(value.unused);
}

/** All declarations with their paths, such as `layers.3.attn.q`, in the order in which they stand. */
export function flattenParams(tree: ParamTree, path = ""): readonly (readonly [path: string, param: Param])[] {
  if (tree === undefined || isUnused(tree)) return [];
  if (isParam(tree)) return [[path, tree]];
  return Object.entries(tree).flatMap(([name, each]) => flattenParams(each, path === "" ? name : `${path}.${name}`));
}

/** What the model leaves out of a checkpoint. */
export function flattenUnused(tree: ParamTree): readonly Param[] {
  if (tree === undefined || isParam(tree)) return [];
  return isUnused(tree) ? tree.unused : Object.values(tree).flatMap((each) => flattenUnused(each));
}

/** The same tree with something else for each declaration. */
export function mapParams<T>(tree: ParamTree, make: (param: Param, path: string) => T, path = ""): unknown {
  if (tree === undefined || isUnused(tree)) return undefined;
  if (isParam(tree)) return make(tree, path);
  const below = (name: string | number) => (path === "" ? String(name) : `${path}.${name}`);
  if (Array.isArray(tree)) return tree.map((each, n) => mapParams(each, make, below(n)));
  return Object.fromEntries(
    Object.entries(tree).map(([name, each]) => [name, mapParams(each as ParamTree, make, below(name))]),
  );
}

/** How many numbers a tree of declarations holds. */
export function countParameters(tree: ParamTree): number {
  return flattenParams(tree).reduce((all, [, { axes }]) => all + elementsOf(axes), 0);
}

// Implementation

/** The same tree with every declaration changed, those that are left out among them. */
function redeclare<S extends ParamTree>(tree: S, change: (param: Param) => Param): S {
  const walk = (each: ParamTree): ParamTree => {
    if (each === undefined) return undefined;
    if (isParam(each)) return change(each);
    if (isUnused(each)) return { unused: each.unused.map(change) };
    if (Array.isArray(each)) return each.map(walk);
    return Object.fromEntries(Object.entries(each).map(([name, below]) => [name, walk(below as ParamTree)]));
  };
  // The walk keeps the form of the tree.
  return walk(tree) as S;
}
