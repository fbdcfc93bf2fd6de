/**
 * What the devices of a mesh must send each other, counted on the graph: before anything is compiled, and for any chip.
 *
 * Splits are followed by name from the arguments on. Where an op drops an axis that is split, every device has a part of
 * the sum and the parts are added up: an all-reduce. Where an op needs all of a split axis (`whole`), it is gathered. The
 * partitioner may join two into one, or find another way; what it did is in its text (hlo/collectives.ts).
 */

import type { Chip } from "../chips/chip.ts";
import type { MeshAxis } from "../compiler/mesh.ts";
import { type Placement, splitsOf } from "../compiler/placement.ts";
import { usedNodes } from "../compiler/used-nodes.ts";
import { type Axis, elementsOf } from "../dsl/axes.ts";
import { dtypes, isFloat } from "../dsl/dtype.ts";
import type { Node, Scope } from "../dsl/graph.ts";
import { tripsOf } from "../dsl/loop-trip-count.ts";
import { cutAxis } from "../dsl/parts.ts";
import type { Tensor } from "../dsl/tensor.ts";
import type { Graph } from "../dsl/trace.ts";

// Public API

/** Exchanges of one kind among equally many devices. */
export interface Exchanges {
  readonly kind: "all-reduce" | "all-gather";
  /** Among how many devices each happens. */
  readonly devices: number;
  /** How many run: those of a loop's body once for each trip. */
  readonly runs: number;
  /** What one device holds after them, over all runs. */
  readonly bytes: number;
}

/**
 * The exchanges of a program on a mesh; none without one.
 *
 * @param options.trips  how often a loop runs whose length the graph does not tell. Default: 1
 */
export function countExchanges(
  graph: Graph,
  placement: Placement | undefined,
  { trips = 1 }: { readonly trips?: number } = {},
): readonly Exchanges[] {
  if (placement === undefined) return [];
  return new Follower(graph, placement, trips).run();
}

/**
 * How long they take, one after the other: what an exchange costs however small it is, and its bytes over a chip's links. In
 * a ring of n devices each sends (n - 1) / n of what is gathered, and twice that of what is added up.
 *
 * @param chip  what one device has: `perDevice(chip)`
 */
export function exchangeSeconds(exchanges: readonly Exchanges[], chip: Chip): number {
  return exchanges.reduce((all, { kind, devices, runs, bytes }) => {
    const sent = ((kind === "all-reduce" ? 2 : 1) * bytes * (devices - 1)) / devices;
    return all + runs * chip.exchangeSeconds + sent / chip.linkBytesPerSecond;
  }, 0);
}

// Implementation

/** Over which axes of the mesh each axis of a value is split; what is whole is left out. */
type Splits = ReadonlyMap<string, readonly MeshAxis[]>;

const nowhere: Splits = new Map();

class Tally {
  readonly #found = new Map<string, { kind: Exchanges["kind"]; devices: number; runs: number; bytes: number }>();

  add({ kind, devices, runs, bytes }: Exchanges, times = 1): void {
    const key = `${kind} ${devices}`;
    let known = this.#found.get(key);
    if (known === undefined) this.#found.set(key, (known = { kind, devices, runs: 0, bytes: 0 }));
    known.runs += runs * times;
    known.bytes += bytes * times;
  }

  all(): Exchanges[] {
    return [...this.#found.values()];
  }
}

class Follower {
  readonly #graph: Graph;
  readonly #placement: Placement;
  readonly #trips: number;
  readonly #splits = new Map<Tensor<string>, Splits>();
  readonly #used = new Map<Scope, ReadonlySet<Node>>();

  constructor(graph: Graph, placement: Placement, trips: number) {
    this.#graph = graph;
    this.#placement = placement;
    this.#trips = trips;
  }

  run(): Exchanges[] {
    const { scope } = this.#graph;
    for (const each of scope.arguments) {
      const over = splitsOf(this.#placement, each.axes);
      this.#splits.set(each, onlySplit(each.axes.map(({ name }, n) => [name, over[n] as readonly MeshAxis[]])));
    }
    return this.#scope(scope).all();
  }

  #scope(scope: Scope): Tally {
    let used = this.#used.get(scope);
    if (used === undefined) this.#used.set(scope, (used = usedNodes(scope)));
    const tally = new Tally();
    for (const node of scope.nodes) {
      if (!used.has(node)) continue;
      for (const each of this.#node(node)) tally.add(each);
    }
    return tally;
  }

  #node(node: Node): readonly Exchanges[] {
    const { runs } = node.op;
    if (runs === "body") return this.#body(node);
    if (runs === "loop") return this.#loop(node);
    if (runs === "branches") return this.#branches(node);
    return this.#collectives(node);
  }

  #body({ scopes, inputs, outputs }: Node): readonly Exchanges[] {
    const [scope] = scopes as readonly [Scope];
    scope.arguments.forEach((each, n) => void this.#splits.set(each, this.#of(inputs[n])));
    const inside = this.#scope(scope).all();
    outputs.forEach((each, n) => void this.#splits.set(each, this.#of(scope.results[n])));
    return inside;
  }

  #loop(node: Node): readonly Exchanges[] {
    const [condition, body] = node.scopes as readonly [Scope, Scope];
    let state = node.inputs.map((each) => this.#of(each));
    let inside = new Tally();
    // What begins as zeros, whole everywhere, lies afterwards as the body leaves it: so it does from the second trip on.
    for (let trip = 0; trip < 2; trip++) {
      inside = new Tally();
      for (const scope of [condition, body]) {
        scope.arguments.forEach((each, n) => void this.#splits.set(each, state[n] ?? nowhere));
        for (const each of this.#scope(scope).all()) inside.add(each);
      }
      state = node.inputs.map((_, n) => this.#of(body.results[n]));
    }
    node.outputs.forEach((each, n) => void this.#splits.set(each, state[n] ?? nowhere));
    const times = tripsOf(node)?.count ?? this.#trips;
    const all = new Tally();
    for (const each of inside.all()) all.add(each, times);
    return all.all();
  }

  /** The branch that sends most. */
  #branches({ scopes, outputs }: Node): readonly Exchanges[] {
    const all = scopes.map((scope) => this.#scope(scope).all());
    const weigh = (found: readonly Exchanges[]) => found.reduce((sum, { runs, bytes }) => sum + runs + bytes, 0);
    outputs.forEach((each, n) => void this.#splits.set(each, this.#of(scopes[0]?.results[n])));
    return all.reduce((most, each) => (weigh(each) > weigh(most) ? each : most), []);
  }

  #collectives({ op, inputs, outputs, attributes }: Node): readonly Exchanges[] {
    const along = op.gathers?.(attributes as never);
    const [first] = outputs;
    if (along !== undefined && first !== undefined) {
      const own = this.#of(inputs[0]);
      const rest: Splits = new Map([...own].filter(([name]) => name !== along));
      this.#splits.set(first, rest);
      const over = own.get(along);
      if (over === undefined) return [];
      return [
        {
          kind: "all-gather",
          devices: this.#count(over),
          runs: 1,
          bytes: this.#bytes(first, dtypes[first.dtype].bits),
        },
      ];
    }
    for (const each of outputs) this.#splits.set(each, this.#passOn(inputs, each, op.touches === "view"));
    // What is looked up, sliced or renamed sums nothing.
    return op.touches === undefined ? this.#added(inputs, outputs) : [];
  }

  /** The sums of which each device has a part. */
  #added(inputs: readonly Tensor<string>[], outputs: readonly Tensor<string>[]): readonly Exchanges[] {
    const kept = new Set(outputs.flatMap((each) => each.names));
    const over = new Set(
      inputs.flatMap((each) => [...this.#of(each)].flatMap(([name, along]) => (kept.has(name as never) ? [] : along))),
    );
    if (over.size === 0) return [];
    // Floats are added up in f32.
    const width = ({ dtype }: Tensor<string>) =>
      isFloat(dtype) ? Math.max(32, dtypes[dtype].bits) : dtypes[dtype].bits;
    const bytes = outputs.reduce((all, each) => all + this.#bytes(each, width(each)), 0);
    return [{ kind: "all-reduce", devices: this.#count([...over]), runs: outputs.length, bytes }];
  }

  /** A result is split as the operands are that have its axes. */
  #passOn(inputs: readonly Tensor<string>[], output: Tensor<string>, isView: boolean): Splits {
    const found = new Map<string, readonly MeshAxis[]>();
    const has = (of: readonly Axis[], { name, size }: Axis) =>
      of.some((each) => each.name === name && each.size === size);
    for (const each of inputs) {
      const own = this.#of(each);
      const fresh = output.axes.filter((axis) => !has(each.axes, axis));
      for (const axis of each.axes) {
        const over = own.get(axis.name);
        if (over === undefined) continue;
        if (has(output.axes, axis)) found.set(axis.name, found.get(axis.name) ?? over);
        // An axis under another name, or in parts: the outermost of what stands in its place.
        else if (isView) {
          const heir = fresh.find(({ name }) => cutAxis(name) === axis.name) ?? fresh[0];
          if (heir !== undefined && heir.size % this.#count(over) === 0) found.set(heir.name, over);
        }
      }
    }
    return onlyOnce(found);
  }

  #of(value: Tensor<string> | undefined): Splits {
    return (value === undefined ? undefined : this.#splits.get(value)) ?? nowhere;
  }

  #count(over: readonly MeshAxis[]): number {
    return over.reduce((all, along) => all * this.#placement.mesh[along], 1);
  }

  /** On one device. */
  #bytes(value: Tensor<string>, bits: number): number {
    const elements = elementsOf(value.axes);
    return (elements * bits) / 8 / this.#count([...this.#of(value).values()].flat());
  }
}

function onlySplit(all: readonly (readonly [string, readonly MeshAxis[]])[]): Splits {
  return new Map(all.filter(([, over]) => over.length > 0));
}

/** Of two axes that claim one axis of the mesh the first has it. */
function onlyOnce(all: ReadonlyMap<string, readonly MeshAxis[]>): Splits {
  const taken = new Set<MeshAxis>();
  const left = [...all].map(([name, over]) => {
    const free = over.filter((each) => !taken.has(each));
    for (const each of free) taken.add(each);
    return [name, free] as const;
  });
  return onlySplit(left);
}
