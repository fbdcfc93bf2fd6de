/** Tracing: running a function on symbolic tensors, once, to learn its graph. */
import { type Activation, findActivations, type WeightName } from "./activations.ts";
import type { Axis } from "./axes.ts";
import { difference } from "./checks.ts";
import type { DType } from "./dtype.ts";
import { bring, type PartCount, type Scope, traceRoot, type Value, type ValueType } from "./graph.ts";
import { callerLocation } from "./location.ts";
import { packingOf, type Storage } from "./packing/index.ts";
import { type Loaded, mapParams, type Param, type ParamTree } from "./param.ts";
import { shapeError } from "./shape-error.ts";
import type { Tensor } from "./tensor.ts";
import { flatten } from "./tree.ts";

// Public API

/** A traced program. */
export interface Graph {
  readonly name: string;
  readonly scope: Scope;
  /** A path for each result of `scope`, such as `caches.3.k`. */
  readonly results: readonly string[];
  /** For each argument the result that may take its memory over, by position; absent keeps both. */
  readonly donations: ReadonlyMap<number, number>;
  /** The memory order of each result, outermost first. */
  readonly orders: readonly (readonly Axis[])[];
  /** The named values among the results, where they were asked for; the result of `q` is called `activations.q`. */
  readonly activations: readonly Activation[];
}

/** How each weight lies in memory. */
export type StorageOf = (param: Param) => Storage;

/** How a program declares what it takes. */
export interface Inputs {
  /** A value that the caller gives each time. */
  input<const P extends readonly Axis[]>(name: string, dtype: DType, ...of: P): Tensor<P[number]["name"]>;
  /**
   * Weights: one argument for each declaration, named by its path below `name`.
   *
   * @param stored   how each lies in memory; a packed one is several arguments, such as `PATH.blocks` and `PATH.scales`
   * @param compute  the element type as which the program sees them
   */
  weights<S extends ParamTree>(name: string, tree: S, stored: Storage | StorageOf, compute: DType): Loaded<S>;
  /** A result that leaves in the memory order of `axes`; others leave in the order in which their axes came up. */
  ordered<A extends string>(x: Tensor<A>, of: readonly Axis[]): Tensor<A>;
  /** State: an argument whose memory the result of the same path takes over. */
  state<const P extends readonly Axis[]>(path: string, dtype: DType, ...of: P): Tensor<P[number]["name"]>;
}

/** What is known of where a program will run. */
export interface TraceOptions {
  /** Over how many devices an axis is spread: searches along it are done part by part. */
  readonly parts?: PartCount;
  /** Makes every named value a result, behind those of the body. The axes named here stand first in memory. */
  readonly activations?: { readonly leading: readonly string[] };
}

/**
 * Traces `body`, whose result is any tree of tensors.
 *
 * @throws ShapeError from an op that does not fit, and for state that comes back as another tensor
 */
export function trace(
  name: string,
  body: (inputs: Inputs) => unknown,
  { parts, activations: wanted }: TraceOptions = {},
): Graph {
  const donated = new Map<string, number>();
  const ordered = new Map<unknown, readonly Axis[]>();
  const weights = new Map<Tensor<string>, WeightName>();
  const { scope, result } = traceRoot((root) => {
    const returned = flatten(body(inputsOf(root, { donated, ordered, weights })));
    const found = wanted === undefined ? [] : findActivations(root, weights);
    for (const [, leaf] of returned) root.results.push(bring(leaf, root));
    for (const { value } of found) root.results.push(value);
    return { returned, found };
  }, parts);
  const { returned, found } = result;
  const results = [
    ...returned.map(([path]) => path || "result"),
    ...found.map(({ name: activation }) => `activations.${activation}`),
  ];
  const donations = new Map<number, number>();
  for (const [path, argument] of donated) {
    const index = results.indexOf(path);
    if (index < 0) continue;
    requireSameState(path, scope.arguments[argument] as Value, scope.results[index] as Value);
    donations.set(argument, index);
  }
  const orders = [
    ...returned.map(([, leaf]) => ordered.get(leaf) ?? leaf.axes),
    ...found.map(({ value }) => leadingFirst(value.axes, wanted?.leading ?? [])),
  ];
  const activations = found.map(({ value, ...activation }): Activation => activation);
  return { name, scope, results, donations, orders, activations };
}

// Implementation

/** What a body declares besides arguments. */
interface Declared {
  readonly donated: Map<string, number>;
  readonly ordered: Map<unknown, readonly Axis[]>;
  readonly weights: Map<Tensor<string>, WeightName>;
}

function inputsOf(root: Scope, { donated, ordered, weights: declared }: Declared): Inputs {
  const declare = (name: string, type: ValueType, weight: boolean, location = callerLocation()) => {
    requireNew(root, name, type.axes);
    return root.argument(type, name, weight, location);
  };
  return {
    // What a program declares has the axes that it was declared with, here and below.
    input: <const P extends readonly Axis[]>(name: string, dtype: DType, ...of: P) => {
      return declare(name, { dtype, axes: of }, false) as unknown as Tensor<P[number]["name"]>;
    },
    weights: <S extends ParamTree>(name: string, tree: S, stored: Storage | StorageOf, compute: DType) =>
      mapParams(tree, (param, path) => {
        const { axes, location } = param;
        const storage = typeof stored === "function" ? stored(param) : stored;
        const argument = (path: string, dtype: DType, of: readonly Axis[]) =>
          declare(path, { dtype, axes: of }, true, location);
        const packing = packingOf(storage);
        const load = () => {
          if (packing === undefined) return argument(`${name}.${path}`, storage as DType, axes).cast(compute);
          const parts = packing
            .parts(axes)
            .map((part) => argument(`${name}.${path}.${part.name}`, part.dtype, part.axes));
          return packing.unpack(parts, axes, compute);
        };
        const loaded = load();
        declared.set(loaded, { path, key: param.key });
        return loaded;
      }) as Loaded<S>,
    ordered: (x, of) => {
      ordered.set(x, of);
      return x;
    },
    state: <const P extends readonly Axis[]>(path: string, dtype: DType, ...of: P) => {
      donated.set(path, root.arguments.length);
      return declare(path, { dtype, axes: of }, false) as unknown as Tensor<P[number]["name"]>;
    },
  };
}

/** Arguments are bound by name, and an axis is found by its name. */
function requireNew(root: Scope, name: string, axes: readonly Axis[]): void {
  const known = root.arguments.find(({ origin }) => origin.kind === "argument" && origin.name === name);
  if (known !== undefined) {
    throw shapeError("NAME_TWICE", `the program already has an argument '${name}'`, [["first", known]], undefined, {
      name,
    });
  }
  const twice = axes.find((axis, n) => axes.findIndex((each) => each.name === axis.name) < n);
  if (twice !== undefined) {
    throw shapeError("AXIS_TWICE", `argument '${name}' names axis '${twice.name}' twice`, [], undefined, {
      axis: twice.name,
    });
  }
}

/** Memory can only be taken over by what is as large and means the same. */
function requireSameState(path: string, taken: Value, returned: Value): void {
  const reason = difference("", ["argument", taken], ["result", returned]);
  if (reason === undefined) return;
  throw shapeError("STATE_MISMATCH", `state '${path}' comes back as another tensor: ${reason}`, [
    ["argument", taken],
    ["result", returned],
  ]);
}

function leadingFirst(axes: readonly Axis[], leading: readonly string[]): readonly Axis[] {
  const first = leading.flatMap((name) => axes.find((axis) => axis.name === name) ?? []);
  return [...first, ...axes.filter((axis) => !first.includes(axis))];
}
