/**
 * Graph and target in, program out.
 *
 * Every function scope is lowered where it is called, and printed once for all calls whose text is the same: layers
 * that mean the same need not be declared to. Nodes that nothing uses are left out.
 */
import type { Axis } from "../dsl/axes.ts";
import type { Emitter, Ssa } from "../dsl/emitter.ts";
import type { Node, Scope } from "../dsl/graph.ts";
import type { Tensor } from "../dsl/tensor.ts";
import type { Graph } from "../dsl/trace.ts";
import { type AxisTable, axisTable } from "./axis-table.ts";
import { BlockEmitter, type ModuleContext } from "./emit/block-emitter.ts";
import { meshOperation, type Placement, shardingAttribute } from "./placement.ts";
import type { Platform } from "./platform.ts";
import { fingerprint, printModule } from "./print.ts";
import type { Program, ProgramArgument, ProgramValue } from "./program.ts";
import { ScopeKeys } from "./scope-key.ts";
import { type Func, Handle, type Module, type Origin } from "./stablehlo.ts";
import { usedNodes } from "./used-nodes.ts";

// Public API

/** How a program is printed. */
export interface LowerOptions {
  /** Whether the text says which TypeScript line made each operation. True unless told otherwise. */
  readonly locations?: boolean;
  /** What the text is for. It means the same everywhere; some forms are fast on one platform only. Default: `cpu`. */
  readonly platform?: Platform;
  /** Where arguments and results lie on a mesh; without it, on one device. */
  readonly placement?: Placement | undefined;
}

/** Lowers a traced graph to StableHLO text and says how to call it. */
export function lower(graph: Graph, { locations = true, platform = "cpu", placement }: LowerOptions = {}): Program {
  const { module, signature } = new Lowering(graph, platform, placement).run();
  return { name: graph.name, text: printModule(module, { locations }), signature };
}

/** A program with what a reader of its text wants to know. */
export interface AnnotatedProgram extends Program {
  /** The text without locations. */
  readonly plainText: string;
  readonly axes: AxisTable;
}

/** Lowers a graph for a reader: with and without locations, and with the axes of every value. */
export function lowerAnnotated(
  graph: Graph,
  { platform = "cpu", placement }: Omit<LowerOptions, "locations"> = {},
): AnnotatedProgram {
  const { module, signature } = new Lowering(graph, platform, placement).run();
  const [text, plainText] = [true, false].map((locations) => printModule(module, { locations })) as [string, string];
  return { name: graph.name, text, plainText, signature, axes: axisTable(module) };
}

// Implementation

/** A function of the module, and what it returns. */
interface Lowered {
  readonly symbol: () => string;
  readonly results: readonly Handle[];
}

class Lowering implements ModuleContext {
  readonly aliases = new Map<Handle, Handle>();
  readonly platform: Platform;
  readonly #graph: Graph;
  readonly isSpread: boolean;
  readonly #placement: Placement | undefined;
  readonly #values = new Map<Tensor<string>, Handle>();
  readonly #functions: Func[] = [];
  readonly #byText = new Map<string, Func>();
  readonly #byKey = new Map<string, Lowered>();
  readonly #keys = new ScopeKeys();

  constructor(graph: Graph, platform: Platform, placement: Placement | undefined) {
    this.platform = platform;
    this.#graph = graph;
    this.#placement = placement;
    this.isSpread = placement !== undefined;
  }

  run(): { module: Module; signature: Program["signature"] } {
    const { name, scope, results, donations, orders } = this.#graph;
    const placement = this.#placement;
    const given = scope.arguments.map((each) => {
      const weight = each.origin.kind === "argument" && each.origin.weight;
      return new Handle(each.dtype, each.axes, weight);
    });
    const block = new BlockEmitter(this, undefined);
    const lowered = this.lowerScope(scope, given, block);
    block.origin = undefined;
    // A result leaves in the order in which its axes came up, a donated one in the order of the argument it replaces.
    const replaced = new Map([...donations].map(([argument, result]) => [result, given[argument] as Handle]));
    const returns = lowered.map((each, n) => {
      return block.arrange(each, replaced.get(n)?.dims ?? (orders[n] as readonly Axis[]));
    });
    const main: Func = {
      name: "main",
      visibility: "public",
      arguments: given.map((handle, n) => ({
        handle,
        attributes: [
          ...(placement === undefined ? [] : [shardingAttribute(placement, handle.dims)]),
          ...(donations.has(n) ? [`tf.aliasing_output = ${donations.get(n)} : i32`] : []),
        ].join(", "),
        origin: { name: argumentName(scope, n) },
      })),
      body: block.instructions,
      returns: block.resolveAll(returns),
      ...(placement === undefined
        ? {}
        : { returnAttributes: returns.map(({ dims }) => shardingAttribute(placement, dims)) }),
    };
    const signature = {
      arguments: given.map((handle, n): ProgramArgument => {
        const donatedTo = donations.get(n);
        return { ...describe(argumentName(scope, n), handle), donatedTo };
      }),
      results: returns.map((handle, n) => describe(results[n] as string, handle)),
    };
    const preamble = placement === undefined ? [] : [meshOperation(placement.mesh)];
    return { module: { name, preamble, functions: [main, ...this.#functions] }, signature };
  }

  lowerScope(scope: Scope, given: readonly Handle[], into: BlockEmitter): readonly Handle[] {
    scope.arguments.forEach((each, n) => void this.#values.set(each, given[n] as Handle));
    const outer = into.origin;
    const used = usedNodes(scope);
    for (const node of scope.nodes) {
      if (!used.has(node)) continue;
      into.origin = originOf(node);
      this.#lowerNode(node, into);
    }
    into.origin = outer;
    return scope.results.map((each) => this.#value(each));
  }

  functionFor(scope: Scope, given: readonly Handle[], name: string): Lowered {
    const kinds = given.map(({ type, dims, weight }) => `${type} ${dims.map((axis) => axis.name)} ${weight}`);
    const key = [...kinds, this.#keys.of(scope)].join("\n");
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    const own = given.map(({ dtype, dims, weight }) => new Handle(dtype, dims, weight));
    const block = new BlockEmitter(this, undefined);
    const results = this.lowerScope(scope, own, block);
    const func = this.#intern(name, own, block, results);
    const made = { symbol: () => func.name, results };
    this.#byKey.set(key, made);
    return made;
  }

  helper(
    name: string,
    given: readonly Handle[],
    body: (into: BlockEmitter, given: readonly Handle[]) => readonly Handle[],
  ): () => string {
    const own = given.map(({ dtype, dims, weight }) => new Handle(dtype, dims, weight));
    const block = new BlockEmitter(this, undefined);
    const results = body(block, own);
    const func = this.#intern(name, own, block, results);
    return () => func.name;
  }

  /** The function of this text, which may have been made before. */
  #intern(name: string, given: readonly Handle[], block: BlockEmitter, results: readonly Handle[]): Func {
    const func: Func = {
      name: "",
      visibility: "private",
      arguments: given.map((handle) => ({ handle, attributes: "", origin: undefined })),
      body: block.instructions,
      returns: block.resolveAll(results),
    };
    const text = fingerprint(func);
    const known = this.#byText.get(text);
    if (known !== undefined) return known;
    func.name = this.#freshName(name);
    this.#byText.set(text, func);
    this.#functions.push(func);
    return func;
  }

  /** `layers.3` becomes `layers`, and `layers_1` for the second kind of layer. */
  #freshName(name: string): string {
    const base = name.replace(/\.\d+(?=\.|$)/g, "").replace(/[^\w$.]/g, "_") || "function";
    const taken = (candidate: string) =>
      candidate === "main" || this.#functions.some((each) => each.name === candidate);
    let fresh = base;
    for (let n = 1; taken(fresh); n++) fresh = `${base}_${n}`;
    return fresh;
  }

  #lowerNode(node: Node, e: Emitter): void {
    const inputs = node.inputs.map((each) => this.#value(each));
    const outputs = node.op.lower(e, inputs, node.attributes as never, node.scopes) as readonly Ssa[];
    node.outputs.forEach((each, n) => void this.#values.set(each, outputs[n] as Handle));
  }

  #value(of: Tensor<string>): Handle {
    const handle = this.#values.get(of);
    if (handle === undefined) throw new Error("the compiler met a tensor before the node that makes it");
    return handle;
  }
}

function originOf(node: Node): Origin {
  const name = node.op.isModule ? node.path : node.path === "" ? node.op.name : `${node.path}.${node.op.name}`;
  return { name, at: node.location };
}

function argumentName(scope: Scope, n: number): string {
  const { origin } = scope.arguments[n] as Tensor<string>;
  return origin.kind === "argument" ? origin.name : "";
}

function describe(name: string, { dtype, dims }: Handle): ProgramValue {
  return { name, dtype, axes: dims.map((axis) => axis.name), shape: dims.map(({ size }) => size) };
}
