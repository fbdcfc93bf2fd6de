/**
 * Activations: the values of a traced model that have names, so that a run can be compared with another's.
 *
 * Names need no words in model code. What a module returns has the module's path (`layers.3.attn`), and what is made
 * with a weight has the weight's (`layers.3.attn.q`). As weights are declared by checkpoint keys, such a value is also
 * known by the key without its last word (`model.layers.3.self_attn.q_proj`): the module whose output it is in the
 * library that the checkpoint comes from, and with `.input` behind it that module's input. `activation` names others.
 *
 * Values inside loops, choices and mixtures have no names here: they exist once for each turn.
 */
import { bring, type Node, type Scope } from "./graph.ts";
import type { Location } from "./location.ts";
import type { Tensor } from "./tensor.ts";

// Public API

/** A named value. */
export interface Activation {
  /** Its path in the model, such as `layers.3.attn.q`. */
  readonly name: string;
  /** Its other names: those of modules that return the same value, and those that checkpoint keys give it. */
  readonly also: readonly string[];
  /** The line that made it. */
  readonly location: Location;
}

/** What a weight is called: its path in the model, and its key in a checkpoint. */
export interface WeightName {
  readonly path: string;
  readonly key: string;
}

/** An activation, and the root's tensor that holds it. */
export interface FoundActivation extends Activation {
  readonly value: Tensor<string>;
}

/**
 * The named values of a trace that is not closed yet, in the order in which they are made. Each becomes a value of
 * `root`, so that it can be a result.
 *
 * @param weights  the tensors that `root` has for weights
 */
export function findActivations(
  root: Scope,
  weights: ReadonlyMap<Tensor<string>, WeightName>,
): readonly FoundActivation[] {
  const names = new Names(root);
  walk(root, "", new Map(weights), { names, all: weights });
  return names.found();
}

// Implementation

interface Entry {
  readonly names: string[];
  /** Names that another value had first, with a number behind them. */
  readonly numbered: string[];
  readonly location: Location;
}

/** The names of each value, and who has a name already. */
class Names {
  readonly #root: Scope;
  readonly #byValue = new Map<Tensor<string>, Entry>();
  readonly #taken = new Set<string>();
  /** Of each module that a checkpoint's keys tell, the weight that made its latest value. */
  readonly #modules = new Map<string, { readonly weight: string; readonly names: string[] }>();

  constructor(root: Scope) {
    this.#root = root;
  }

  /** @param name  a path in the model */
  add(value: Tensor<string>, name: string): void {
    const entry = this.#entryOf(value);
    if (entry === undefined || entry.names.includes(name)) return;
    let free = name;
    for (let n = 2; this.#taken.has(free); n++) free = `${name}.${n}`;
    this.#taken.add(free);
    (free === name ? entry.names : entry.numbered).push(free);
  }

  /**
   * Calls a value what the library of the checkpoint calls it. A module that adds a bias returns what the bias made; of
   * a weight that is used twice, the first use is the module's.
   */
  addModule(value: Tensor<string>, module: string, weight: string): void {
    const names = this.#entryOf(value)?.names;
    const before = this.#modules.get(module);
    if (names === undefined || before?.weight === weight || names.includes(module)) return;
    before?.names.splice(before.names.indexOf(module), 1);
    this.#modules.set(module, { weight, names });
    names.push(module);
  }

  found(): readonly FoundActivation[] {
    return [...this.#byValue].map(([value, { names, numbered, location }]) => {
      const [name, ...also] = [...names, ...numbered] as [string, ...string[]];
      return { name, also, location, value };
    });
  }

  #entryOf(value: Tensor<string>): Entry | undefined {
    const own = outermost(value);
    const { origin } = own;
    // What enters the program is no activation; what a loop makes exists once for each turn.
    if (origin.kind === "argument" || isInRegion(own.scope)) return undefined;
    const known = bring(own, this.#root);
    const entry = this.#byValue.get(known) ?? { names: [], numbered: [], location: origin.node.location };
    this.#byValue.set(known, entry);
    return entry;
  }
}

/**
 * @param prefix   the path of the scope's module, with a dot, or nothing
 * @param weights  the tensors of the scope that are made of weights alone
 */
function walk(
  scope: Scope,
  prefix: string,
  weights: Map<Tensor<string>, WeightName>,
  found: { readonly names: Names; readonly all: ReadonlyMap<Tensor<string>, WeightName> },
): void {
  const { names, all } = found;
  const constants = new Set<Tensor<string>>();
  const marks = [...scope.marks];
  /** Of each layer, by its path, what the keys of its weights have in common: `model.layers.3`. */
  const layers = new Map<string, string>();
  const note = (until: number) => {
    while (marks[0] !== undefined && marks[0].after <= until) {
      const { name, value } = marks.shift() as (typeof marks)[number];
      if (typeof name === "string") {
        names.add(value, prefix + name);
        const module = layers.get(name);
        if (module !== undefined) names.addModule(value, module, module);
      } else {
        // Entries of a weight are picked before it is unpacked, so no op has the weight itself.
        const weight = all.get(outermost(name));
        if (weight === undefined) continue;
        names.add(value, weight.path);
        names.addModule(value, moduleOf(weight.key), weight.key);
      }
    }
  };
  // What is brought out of a function on the way appends no nodes.
  for (const [n, node] of scope.nodes.entries()) {
    note(n);
    if (node.op.isModule) {
      const [inner] = node.scopes as readonly [Scope];
      const seen = [...inner.captured].flatMap(([outer, own]): [Tensor<string>, WeightName][] => {
        const weight = weights.get(outer);
        return weight === undefined ? [] : [[own, weight]];
      });
      const module = common(seen.map(([, { key }]) => key));
      if (seen.length > 1 && module !== "") layers.set(node.path, module);
      walk(inner, `${prefix}${node.path}.`, new Map(seen), found);
      continue;
    }
    const used = node.inputs.flatMap((input) => weights.get(input) ?? []);
    const isMade = (input: Tensor<string>) => weights.has(input) || constants.has(input);
    if (used.length === 0) {
      if (node.inputs.every((input) => constants.has(input))) for (const each of node.outputs) constants.add(each);
    } else if (node.inputs.every(isMade)) {
      for (const each of node.outputs) weights.set(each, used[0] as WeightName);
    } else nameAfterWeights(node, used, isMade, names);
  }
  note(scope.nodes.length);
}

function nameAfterWeights(
  node: Node,
  used: readonly WeightName[],
  isMade: (input: Tensor<string>) => boolean,
  names: Names,
): void {
  const [output] = node.outputs;
  if (output === undefined) return;
  const path = common(used.map((each) => each.path));
  const key = common(used.map((each) => each.key));
  if (path === "") return;
  // `experts.gate_up_proj` and its kin belong to `experts`.
  const module = used.length > 1 ? key : moduleOf(key);
  for (const input of node.inputs) {
    // Only a contraction has an input that is not nearly the output.
    if (isMade(input) || input.names.every((name) => output.names.includes(name))) continue;
    names.add(input, `${path}.input`);
    // Whatever takes several weights is given more than its module is in the library.
    if (used.length === 1) names.addModule(input, `${module}.input`, key);
  }
  names.add(output, path);
  names.addModule(output, module, key);
}

/** `q_proj.weight` and `q_proj.bias` belong to `q_proj`. */
function moduleOf(key: string): string {
  return key.replace(/\.(weight|bias)$/, "");
}

/** The words with which all of them begin. */
function common(paths: readonly string[]): string {
  const [first = [], ...others] = paths.map((path) => path.split("."));
  const length = first.findIndex((word, n) => others.some((other) => other[n] !== word));
  return (length < 0 ? first : first.slice(0, length)).join(".");
}

/** Of an argument of a function, what it stands for outside. */
function outermost(value: Tensor<string>): Tensor<string> {
  const { scope, origin } = value;
  if (origin.kind !== "argument" || scope.kind !== "function") return value;
  for (const [outer, own] of scope.captured) if (own === value) return outermost(outer);
  return value;
}

function isInRegion(scope: Scope): boolean {
  for (let each: Scope | undefined = scope; each !== undefined; each = each.parent) {
    if (each.kind === "region") return true;
  }
  return false;
}
