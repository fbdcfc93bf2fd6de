/**
 * The emitter that ops lower against: axis names become positions, and operations become instructions.
 *
 * A value's memory order is the order of its `dims`. It is chosen by the operation that makes the value, and brought
 * into another order (`arrange`) only where an operation needs two operands alike.
 *
 * The texts of operations stand beside this file, by what they do; here they become instructions of a block.
 */
import type { Axis } from "../../dsl/axes.ts";
import type { DType } from "../../dsl/dtype.ts";
import type {
  BinaryOperation,
  Comparison,
  Emitter,
  Lookup,
  ReducerOperation,
  Ssa,
  TracedBody,
  UnaryOperation,
} from "../../dsl/emitter.ts";
import type { Scope } from "../../dsl/graph.ts";
import type { Platform } from "../platform.ts";
import type { WhileInstruction } from "../print.ts";
import { Handle, type Instruction, type Origin, type Region, tensorType, typeList } from "../stablehlo.ts";
import * as calls from "./calls.ts";
import * as elementwise from "./elementwise.ts";
import { alike, type Form, type FormEmitter, handle } from "./form.ts";
import { decodeFp4 } from "./fp4.ts";
import { gatherEntries, gatherWindows, scatterRows, scatterWindows, sharedOrder } from "./lookup.ts";
import { multiply } from "./products.ts";
import * as reductions from "./reductions.ts";
import * as shapes from "./shapes.ts";

// Public API

/** What the emitter asks of the module that it writes for. */
export interface ModuleContext {
  /** Handles that are other names for dimensions of the same value. */
  readonly aliases: Map<Handle, Handle>;
  /** What the text is for: some forms are fast on one platform only. */
  readonly platform: Platform;
  /** Whether the program is for several devices. */
  readonly isSpread: boolean;
  /** Emits a scope's nodes into `into`, with these values for its arguments, and returns its results. */
  lowerScope(scope: Scope, given: readonly Handle[], into: BlockEmitter): readonly Handle[];
  /** The function that means the scope, called with values like these, and what it returns. */
  functionFor(
    scope: Scope,
    given: readonly Handle[],
    name: string,
  ): { readonly symbol: () => string; readonly results: readonly Handle[] };
  /** A private function made by `body`. */
  helper(
    name: string,
    given: readonly Handle[],
    body: (into: BlockEmitter, given: readonly Handle[]) => readonly Handle[],
  ): () => string;
}

/** Emits into one block. */
export class BlockEmitter implements FormEmitter {
  readonly instructions: Instruction[] = [];
  readonly #context: ModuleContext;
  /** Where the node that is being lowered comes from: all that its op emits comes from there. */
  origin: Origin | undefined;

  constructor(context: ModuleContext, origin: Origin | undefined) {
    this.#context = context;
    this.origin = origin;
  }

  // Values from nowhere.

  constant(value: number | bigint | boolean, dtype: DType): Handle {
    return this.dense([value], dtype, []);
  }

  dense(values: readonly (number | bigint | boolean)[], dtype: DType, dims: readonly Axis[]): Handle {
    return this.add(elementwise.dense(values, dtype, dims));
  }

  iota(dtype: DType, dims: readonly Axis[], along: string): Handle {
    return this.add(elementwise.iota(dtype, dims, along));
  }

  // Element by element.

  unary(operation: UnaryOperation, x: Ssa): Handle {
    return this.add(elementwise.unary(operation, handle(x)));
  }

  binary(operation: BinaryOperation, x: Ssa, y: Ssa): Handle {
    return this.add(elementwise.binary(operation, handle(x), handle(y)));
  }

  compare(comparison: Comparison, x: Ssa, y: Ssa): Handle {
    return this.add(elementwise.compare(comparison, handle(x), handle(y)));
  }

  select(mask: Ssa, yes: Ssa, no: Ssa): Handle {
    return this.add(elementwise.select(handle(mask), handle(yes), handle(no)));
  }

  roundTo(x: Ssa, dtype: DType): Handle {
    return this.add(elementwise.roundTo(handle(x), dtype));
  }

  convert(x: Ssa, dtype: DType): Handle {
    const own = handle(x);
    return own.dtype === dtype ? own : this.add(elementwise.convert(own, dtype));
  }

  bitcast(x: Ssa, dtype: DType, dims: readonly Axis[]): Handle {
    return this.add(shapes.reshaped("stablehlo.bitcast_convert", handle(x), "", new Handle(dtype, dims)));
  }

  decodeFp4(bytes: Ssa, into: Axis): Handle {
    return handle(decodeFp4(this, this.#context.platform, bytes, into));
  }

  // Order and form.

  arrange(x: Ssa, dims: readonly Axis[]): Handle {
    const own = handle(x);
    const kept = dims.filter(({ name }) => own.dims.some((axis) => axis.name === name));
    const transpose = shapes.transpose(own, kept);
    const ordered = transpose === undefined ? own : this.add(transpose);
    return kept.length === dims.length ? ordered : this.add(shapes.broadcast(ordered, dims));
  }

  reshape(x: Ssa, dims: readonly Axis[]): Handle {
    const own = handle(x);
    if (tensorType(own.dtype, dims) === own.type) return this.relabel(own, dims);
    return this.add(shapes.reshaped("stablehlo.reshape", own, "", new Handle(own.dtype, dims, own.weight)));
  }

  relabel(x: Ssa, dims: readonly Axis[]): Handle {
    const own = handle(x);
    const named = new Handle(own.dtype, dims, own.weight);
    this.#context.aliases.set(named, this.#resolve(own));
    return named;
  }

  slice(x: Ssa, along: string, start: number, limit: number, stride = 1): Handle {
    return this.add(shapes.slice(handle(x), along, start, limit, stride));
  }

  concatenate(xs: readonly Ssa[], along: string): Handle {
    return this.add(shapes.concatenate(xs.map(handle), along));
  }

  reverse(x: Ssa, along: readonly string[]): Handle {
    return this.add(shapes.reverse(handle(x), along));
  }

  pad(x: Ssa, filler: Ssa, along: string, low: number, high: number): Handle {
    return this.add(shapes.pad(handle(x), handle(filler), along, low, high));
  }

  // Products, reductions and order.

  dotGeneral(
    left: Ssa,
    right: Ssa,
    batch: readonly string[],
    over: readonly string[],
    { spread = false }: { readonly spread?: boolean } = {},
  ): Handle {
    const product = { x: handle(left), y: handle(right), batch, over, spread };
    return handle(multiply(this, this.#context.platform, product));
  }

  reduce(reducer: ReducerOperation, x: Ssa, initial: Ssa, over: readonly string[]): Handle {
    return this.add(reductions.reduce(reducer, handle(x), handle(initial), over));
  }

  cumulative(reducer: ReducerOperation, x: Ssa, initial: Ssa, along: string): Handle {
    const [a, b] = [new Handle(x.dtype, []), new Handle(x.dtype, [])];
    const body = this.#block([a, b], (inner) => [inner.binary(reducer, a, b)]);
    return this.add(reductions.cumulative(handle(x), handle(initial), along, body));
  }

  sort(keys: Ssa, carried: readonly Ssa[], along: string, descending: boolean): readonly Handle[] {
    const all = [keys, ...carried].map(handle);
    const compared = all.flatMap(({ dtype }) => [new Handle(dtype, []), new Handle(dtype, [])]);
    const [a, b] = compared as [Handle, Handle];
    const order = elementwise.compare(descending ? "GT" : "LT", a, b, "TOTALORDER");
    const comparator = this.#block(compared, (inner) => [inner.add(order)]);
    return this.#addAll(reductions.sort(all, along, comparator));
  }

  // Looking up and writing.

  gather(x: Ssa, at: Ssa, how: Lookup): Handle {
    return this.add(gatherEntries(handle(x), handle(at), how));
  }

  gatherWindow(x: Ssa, starts: Ssa, size: number, how: Lookup): Handle {
    return this.add(gatherWindows(handle(x), handle(starts), size, how));
  }

  scatterWindow(x: Ssa, starts: Ssa, value: Ssa, how: Lookup): Handle {
    const own = handle(x);
    const at = this.arrange(starts, sharedOrder(own, how));
    const [old, update] = [new Handle(own.dtype, []), new Handle(own.dtype, [])];
    const replace: Region = { arguments: [old, update], body: [], returns: [update] };
    return this.add(scatterWindows(own, at, handle(value), how, replace));
  }

  scatterAdd(x: Ssa, at: Ssa, value: Ssa, along: string): Handle {
    const [own, where] = [handle(x), handle(at)];
    const rest = own.dims.filter(({ name }) => name !== along);
    const rows = this.arrange(value, [where.dims[0] as Axis, ...rest]);
    const [old, update] = [new Handle(own.dtype, []), new Handle(own.dtype, [])];
    const add = this.#block([old, update], (inner) => [inner.binary("add", old, update)]);
    return this.add(scatterRows(own, where, rows, along, add));
  }

  dynamicSlice(x: Ssa, start: Ssa, along: string, size: number): Handle {
    const own = handle(x);
    return this.add(shapes.dynamicSlice(own, this.#starts(own, start, along), along, size));
  }

  dynamicUpdateSlice(x: Ssa, value: Ssa, start: Ssa, along: string): Handle {
    const own = handle(x);
    return this.add(shapes.dynamicUpdateSlice(own, handle(value), this.#starts(own, start, along)));
  }

  // Control flow.

  while(state: readonly Ssa[], condition: TracedBody, body: TracedBody): readonly Handle[] {
    const initial = state.map(handle);
    const [tested, stepped] = [initial.map(alike), initial.map(alike)];
    const test = this.#block(tested, (inner) => this.#context.lowerScope(scopeOf(condition), tested, inner));
    const step = this.#block(stepped, (inner) =>
      this.#context
        .lowerScope(scopeOf(body), stepped, inner)
        .map((each, n) => inner.arrange(each, (initial[n] as Handle).dims)),
    );
    const results = initial.map(alike);
    const instruction: WhileInstruction = {
      results,
      pieces: ["stablehlo.while"],
      operands: initial,
      regions: [test, step].map((region) => ({ ...region, suggested: "iterArg" })),
      layout: "while",
      tail: ` : ${typeList(initial)}`,
      origin: this.origin,
      initial: initial.map((each) => this.#resolve(each)),
    };
    this.instructions.push(instruction);
    return results;
  }

  case(index: Ssa, branches: readonly TracedBody[]): readonly Handle[] {
    /** The first branch's results, in whose memory order the others leave theirs. */
    let order: readonly Handle[] | undefined;
    const regions = branches.map((branch) =>
      this.#block([], (inner) => {
        const results = this.#context.lowerScope(scopeOf(branch), [], inner);
        const like = (order ??= results);
        return results.map((each, n) => inner.arrange(each, (like[n] as Handle).dims));
      }),
    );
    return this.#addAll(calls.choose(handle(index), regions, (order ?? []).map(alike)));
  }

  call(body: TracedBody, given: readonly Ssa[]): readonly Handle[] {
    const all = given.map(handle);
    const name = this.origin?.name ?? "function";
    const { symbol, results } = this.#context.functionFor(scopeOf(body), all, name);
    return this.#addAll(calls.call(symbol(), all, results.map(alike)));
  }

  inline(body: TracedBody, given: readonly Ssa[]): readonly Handle[] {
    return this.#context.lowerScope(scopeOf(body), given.map(handle), this);
  }

  composite(
    name: string,
    given: readonly Ssa[],
    attributes: Readonly<Record<string, number | boolean>>,
    decomposition: (e: Emitter, given: readonly Ssa[]) => readonly Ssa[],
  ): readonly Handle[] {
    const all = given.map(handle);
    let inner: readonly Handle[] = [];
    const symbol = this.#context.helper(name, all, (into, own) => {
      inner = decomposition(into, own).map(handle);
      return inner;
    });
    return this.#addAll(calls.composite(name, all, attributes, symbol(), inner.map(alike)));
  }

  whole(x: Ssa, along: string): Handle {
    return this.#context.isSpread ? this.add(calls.gathered(handle(x), along)) : handle(x);
  }

  barrier(given: readonly Ssa[]): readonly Handle[] {
    return this.#addAll(calls.barrier(given.map(handle)));
  }

  raw(
    name: string,
    given: readonly Ssa[],
    properties: string,
    types: readonly { readonly dtype: DType; readonly dims: readonly Axis[] }[],
  ): readonly Handle[] {
    return this.#addAll(calls.raw(name, given.map(handle), properties, types));
  }

  /** Brings returned handles back to the values that have names in the text. */
  resolveAll(handles: readonly Handle[]): Handle[] {
    return handles.map((each) => this.#resolve(each));
  }

  /** Writes an operation with one result. */
  add(form: Form): Handle {
    return this.#addAll(form)[0] as Handle;
  }

  // Implementation

  #addAll({ results, pieces, suggested, regions = [], tail = "" }: Form): readonly Handle[] {
    this.instructions.push({
      results,
      suggested,
      pieces: pieces.map((piece) => (typeof piece === "string" ? piece : this.#resolve(piece))),
      operands: pieces.filter((piece) => typeof piece !== "string"),
      regions,
      layout: regions.length === 0 ? "none" : "generic",
      tail,
      origin: this.origin,
    });
    return results;
  }

  #resolve(x: Handle): Handle {
    return this.#context.aliases.get(x) ?? x;
  }

  #block(given: readonly Handle[], body: (inner: BlockEmitter) => readonly Ssa[]): Region {
    const inner = new BlockEmitter(this.#context, this.origin);
    const returns = body(inner).map(handle);
    return { arguments: given, body: inner.instructions, returns: inner.resolveAll(returns) };
  }

  /** A start for each dimension: 0 but along one axis. */
  #starts(own: Handle, start: Ssa, along: string): Handle[] {
    const given = handle(start);
    const zero = own.dims.length > 1 ? this.constant(0, given.dtype) : given;
    return own.dims.map(({ name }) => (name === along ? given : zero));
  }
}

// Implementation

/** Tracing makes every body that an op hands on. */
function scopeOf(body: TracedBody): Scope {
  return body as Scope;
}
