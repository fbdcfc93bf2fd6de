/**
 * What a traced program costs: floating-point operations, and the bytes of its arguments and results that it moves.
 *
 * Counted on the graph, so that loops count their trips, an entry that is picked counts as that entry, and the numbers
 * are the same for every compiler and chip. XLA's own `cost_analysis` counts a loop's body once and a sliced operand
 * whole.
 *
 * What is made on the way may stay on the chip, or be fused away, and counts nothing. An argument is read once however
 * many ops use it, but again with every trip of a loop whose body uses it; of one that is sliced or looked up only what
 * is taken is read. A result is written; one that takes over its argument's memory costs what is written into it.
 */

import type { Chip } from "../chips/chip.ts";
import { type Placement, shareOf } from "../compiler/placement.ts";
import { usedNodes } from "../compiler/used-nodes.ts";
import { type Axis, elementsOf } from "../dsl/axes.ts";
import { dtypes, isFloat } from "../dsl/dtype.ts";
import type { Node, Scope, ValueType } from "../dsl/graph.ts";
import { formatLocation } from "../dsl/location.ts";
import { tripsOf } from "../dsl/loop-trip-count.ts";
import type { Tensor } from "../dsl/tensor.ts";
import type { Graph } from "../dsl/trace.ts";

// Public API

/** How to count. */
export interface CostOptions {
  /**
   * Counts one device's part: work is split as the axes are that it runs over, where their names say so. Without it, the
   * whole program's.
   */
  readonly placement?: Placement | undefined;
  /** How often a loop runs whose length the graph does not tell. Default: 1. */
  readonly trips?: number;
}

/** What a program costs. */
export interface Cost {
  readonly flops: number;
  /** Read and written. */
  readonly bytes: number;
  /** Loops whose length is not known for certain, and how often they were taken to run. */
  readonly uncertainLoops: readonly UncertainLoop[];
}

/** A loop whose length is data; one entry for all layers that have it. */
export interface UncertainLoop {
  /** The line that made it, such as `models/gpt-oss.ts:110:18`. */
  readonly where: string;
  readonly trips: number;
  /** Whether it runs at most that often; otherwise the number is the caller's. */
  readonly isBound: boolean;
}

/** Counts a program's cost. */
export function countCost(graph: Graph, options: CostOptions = {}): Cost {
  return new Counter(graph, options).run();
}

/** The least time that a program can take, and what sets it. */
export interface Roofline {
  readonly seconds: number;
  readonly boundBy: "compute" | "memory" | "links";
}

/**
 * The least time for a device's part of a program, were everything but one of a chip's abilities free.
 *
 * @param chip       what one device has: `perDevice(chip)`
 * @param linkBytes  what its collectives send, where that is known
 */
export function roofline({ flops, bytes }: Pick<Cost, "flops" | "bytes">, chip: Chip, linkBytes = 0): Roofline {
  const times = [
    { boundBy: "memory", seconds: bytes / chip.hbmBytesPerSecond },
    { boundBy: "compute", seconds: flops / chip.bf16FlopsPerSecond },
    { boundBy: "links", seconds: linkBytes / chip.linkBytesPerSecond },
  ] as const;
  return times.reduce((most, each) => (each.seconds > most.seconds ? each : most));
}

// Implementation

/** A value that is an argument in another form, or a part of one: reading it reads so much of the argument. */
interface View {
  readonly argument: Tensor<string>;
  /** A number of each element of the value, as it lies in the argument. */
  readonly bits: number;
}

/** What runs equally often. */
class Tally {
  flops = 0;
  /** Written, and read inside loops. */
  bytes = 0;
  /** What is read of each argument: the whole, or values that are parts of it. */
  readonly reads = new Map<Tensor<string>, Map<Tensor<string>, number>>();

  /** All bytes; the parts that are read of an argument are at most the argument. */
  total(whole: (argument: Tensor<string>) => number): number {
    return [...this.reads].reduce((all, [argument, parts]) => {
      const read = [...parts.values()].reduce((sum, bytes) => sum + bytes, 0);
      return all + Math.min(read, whole(argument));
    }, this.bytes);
  }
}

class Counter {
  readonly #graph: Graph;
  readonly #placement: Placement | undefined;
  readonly #trips: number;
  readonly #views = new Map<Tensor<string>, View>();
  readonly #uncertain = new Map<string, UncertainLoop>();
  readonly #used = new Map<Scope, ReadonlySet<Node>>();

  constructor(graph: Graph, { placement, trips = 1 }: CostOptions) {
    this.#graph = graph;
    this.#placement = placement;
    this.#trips = trips;
  }

  run(): Cost {
    const { scope, donations } = this.#graph;
    for (const each of scope.arguments) this.#views.set(each, { argument: each, bits: dtypes[each.dtype].bits });
    const tally = new Tally();
    this.#scope(scope, tally);
    const taken = new Map([...donations].map(([argument, result]) => [result, scope.arguments[argument]]));
    scope.results.forEach((each, n) => {
      const argument = this.#views.get(each)?.argument;
      if (argument !== undefined && argument === taken.get(n)) return;
      this.#read(each, tally);
      tally.bytes += this.#bytes(each, each.axes);
    });
    return { flops: tally.flops, bytes: this.#total(tally), uncertainLoops: [...this.#uncertain.values()] };
  }

  #scope(scope: Scope, tally: Tally): void {
    let used = this.#used.get(scope);
    if (used === undefined) this.#used.set(scope, (used = usedNodes(scope)));
    for (const node of scope.nodes) if (used.has(node)) this.#node(node, tally);
  }

  #node(node: Node, tally: Tally): void {
    const { runs } = node.op;
    if (runs === "body") this.#body(node, tally);
    else if (runs === "loop") this.#loop(node, tally);
    else if (runs === "branches") this.#branches(node, tally);
    else {
      tally.flops += flopsOf(node) / this.#share(workAxes(node));
      this.#touch(node, tally);
    }
  }

  #touch({ op, inputs, outputs }: Node, tally: Tally): void {
    const [first, second] = inputs;
    const view = first === undefined ? undefined : this.#views.get(first);
    if (op.touches === undefined) {
      for (const each of inputs) this.#read(each, tally);
      return;
    }
    for (const each of inputs.slice(1)) this.#read(each, tally);
    for (const each of outputs) this.#set(each, view);
    if (view !== undefined && (op.touches === "update" || op.touches === "add")) {
      const written = this.#bytes(first as Tensor<string>, (second as Tensor<string>).axes);
      tally.bytes += op.touches === "add" ? 2 * written : written;
    }
  }

  #read(value: Tensor<string>, tally: Tally): void {
    const view = this.#views.get(value);
    if (view === undefined) return;
    let parts = tally.reads.get(view.argument);
    if (parts === undefined) tally.reads.set(view.argument, (parts = new Map()));
    const isWhole = elementsOf(value.axes) >= elementsOf(view.argument.axes);
    const bytes = (elementsOf(value.axes) * view.bits) / 8 / this.#share(value.axes);
    // Every form of the whole is the same read; a part is read by all that use the value.
    parts.set(isWhole ? view.argument : value, isWhole ? this.#whole(view.argument) : bytes);
  }

  /** A function's body, where it is called. */
  #body({ scopes, inputs, outputs }: Node, tally: Tally): void {
    const [scope] = scopes as readonly [Scope];
    scope.arguments.forEach((each, n) => void this.#pass(inputs[n] as Tensor<string>, each));
    this.#scope(scope, tally);
    outputs.forEach((each, n) => void this.#pass(scope.results[n] as Tensor<string>, each));
  }

  #loop(node: Node, tally: Tally): void {
    const trips = this.#tripsOf(node);
    const [condition, body] = node.scopes as readonly [Scope, Scope];
    // State that the body replaces by something new is an argument at its first trip alone: it counts as made on the way.
    const given = node.inputs.map((each) => this.#views.get(each));
    let one = new Tally();
    for (let isStable = false; !isStable; ) {
      one = new Tally();
      for (const scope of [condition, body]) {
        scope.arguments.forEach((each, n) => void this.#set(each, given[n]));
        this.#scope(scope, one);
      }
      const replaced = given.flatMap((view, n) => {
        const after = this.#views.get(body.results[n] as Tensor<string>);
        return view !== undefined && after?.argument !== view.argument ? [n] : [];
      });
      for (const n of replaced) {
        this.#read(node.inputs[n] as Tensor<string>, tally);
        given[n] = undefined;
      }
      isStable = replaced.length === 0;
    }
    tally.flops += one.flops * trips;
    tally.bytes += this.#total(one) * trips;
    node.outputs.forEach((each, n) => void this.#set(each, given[n]));
  }

  /** The dearest, by time on a machine that does a hundred operations while it moves a byte. */
  #branches({ scopes, inputs, outputs }: Node, tally: Tally): void {
    for (const each of inputs) this.#read(each, tally);
    const all = scopes.map((scope) => {
      const one = new Tally();
      this.#scope(scope, one);
      return { flops: one.flops, bytes: this.#total(one) };
    });
    const weigh = ({ flops, bytes }: Pick<Cost, "flops" | "bytes">) => Math.max(flops, 100 * bytes);
    const dearest = all.reduce((most, each) => (weigh(each) > weigh(most) ? each : most));
    tally.flops += dearest.flops;
    tally.bytes += dearest.bytes;
    outputs.forEach((each, n) => {
      const views = scopes.map((scope) => this.#views.get(scope.results[n] as Tensor<string>));
      const isOne = views.every((view) => view !== undefined && view.argument === views[0]?.argument);
      this.#set(each, isOne ? views[0] : undefined);
    });
  }

  #tripsOf(node: Node): number {
    const known = tripsOf(node);
    if (known !== undefined && !known.isBound) return known.count;
    const trips = known?.count ?? this.#trips;
    const where = formatLocation(node.location);
    this.#uncertain.set(`${where} ${trips}`, { where, trips, isBound: known !== undefined });
    return trips;
  }

  #pass(from: Tensor<string>, to: Tensor<string>): void {
    this.#set(to, this.#views.get(from));
  }

  #set(value: Tensor<string>, view: View | undefined): void {
    if (view === undefined) this.#views.delete(value);
    else this.#views.set(value, view);
  }

  #total(tally: Tally): number {
    return tally.total((argument) => this.#whole(argument));
  }

  #whole(argument: Tensor<string>): number {
    return this.#bytes(argument, argument.axes);
  }

  /** Of so many elements of a value's type. */
  #bytes({ dtype }: ValueType, axes: readonly Axis[]): number {
    return (elementsOf(axes) * dtypes[dtype].bits) / 8 / this.#share(axes);
  }

  #share(axes: readonly Axis[]): number {
    return this.#placement === undefined ? 1 : shareOf(this.#placement, axes);
  }
}

function flopsOf({ op, inputs, outputs, attributes }: Node): number {
  if (op.flops !== undefined) return op.flops(inputs, attributes as never);
  // Counting and looking up is whole numbers' work.
  const [first] = outputs;
  const isArithmetic = [...inputs, ...outputs].some(({ dtype }) => isFloat(dtype));
  return first === undefined || !isArithmetic ? 0 : elementsOf(first.axes);
}

/** The axes over which an op works: those of its result, and those that it sums over. */
function workAxes({ inputs, outputs }: Node): readonly Axis[] {
  const axes = new Map<string, Axis>();
  for (const each of [...outputs, ...inputs])
    for (const axis of each.axes) axes.set(axis.name, axes.get(axis.name) ?? axis);
  return [...axes.values()];
}
