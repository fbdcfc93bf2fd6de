/**
 * The emitter that ops lower against: axis names become positions, and operations become instructions.
 *
 * A value's memory order is the order of its `dims`. It is chosen by the operation that makes the value, and brought
 * into another order (`arrange`) only where an operation needs two operands alike.
 */
import type { Axis } from "../dsl/axes.ts";
import { type DType, dtypes, isFloat } from "../dsl/dtype.ts";
import type {
  BinaryOperation,
  Comparison,
  Emitter,
  Lookup,
  Platform,
  ReducerOperation,
  Ssa,
  UnaryOperation,
} from "../dsl/emitter.ts";
import type { Scope } from "../dsl/graph.ts";
import { position, sizeBeside, withSize } from "./dims.ts";
import { floatFormat } from "./floats.ts";
import { denseLiteral, element } from "./literals.ts";
import { gatherEntries, gatherWindows, type LookupForm, scatterRows, scatterWindows, sharedOrder } from "./lookup.ts";
import type { WhileInstruction } from "./print.ts";
import {
  Handle,
  type Instruction,
  list,
  type Origin,
  type Piece,
  quote,
  type Region,
  resultTypes,
  tensorType,
  typeList,
} from "./stablehlo.ts";

// Public API

/** What the emitter asks of the module around it. */
export interface Surroundings {
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
export class BlockEmitter implements Emitter {
  readonly instructions: Instruction[] = [];
  readonly #around: Surroundings;
  /** Set by whoever lowers a node: all that its op emits comes from there. */
  origin: Origin | undefined;

  constructor(around: Surroundings, origin: Origin | undefined) {
    this.#around = around;
    this.origin = origin;
  }

  get platform(): Platform {
    return this.#around.platform;
  }

  // Values from nowhere.

  constant(value: number | bigint | boolean, dtype: DType): Handle {
    return this.dense([value], dtype, []);
  }

  dense(values: readonly (number | bigint | boolean)[], dtype: DType, dims: readonly Axis[]): Handle {
    const result = new Handle(dtype, dims);
    const literal = denseLiteral(values, dtype, dims);
    return this.#add(result, [`stablehlo.constant dense<${literal}> : ${result.type}`], isFloat(dtype) ? "cst" : "c");
  }

  iota(dtype: DType, dims: readonly Axis[], along: string): Handle {
    const result = new Handle(dtype, dims);
    return this.#add(result, [`stablehlo.iota dim = ${position(dims, along)} : ${result.type}`]);
  }

  // Element by element.

  unary(operation: UnaryOperation, x: Ssa): Handle {
    const own = handle(x);
    if (operation === "is_finite") {
      const result = new Handle("bool", own.dims);
      return this.#add(result, ["stablehlo.is_finite ", own, ` : (${own.type}) -> ${result.type}`]);
    }
    return this.#add(new Handle(own.dtype, own.dims), [`stablehlo.${operation} `, own, ` : ${own.type}`]);
  }

  binary(operation: BinaryOperation, x: Ssa, y: Ssa): Handle {
    const own = handle(x);
    return this.#add(new Handle(own.dtype, own.dims), [
      `stablehlo.${operation} `,
      own,
      ", ",
      handle(y),
      ` : ${own.type}`,
    ]);
  }

  compare(comparison: Comparison, x: Ssa, y: Ssa): Handle {
    const [own, other] = [handle(x), handle(y)];
    const result = new Handle("bool", own.dims);
    const kind = { bool: "UNSIGNED", uint: "UNSIGNED", int: "SIGNED", float: "FLOAT" }[dtypes[own.dtype].kind];
    return this.#add(result, [
      `stablehlo.compare ${comparison}, `,
      own,
      ", ",
      other,
      `, ${kind} : (${own.type}, ${other.type}) -> ${result.type}`,
    ]);
  }

  select(mask: Ssa, yes: Ssa, no: Ssa): Handle {
    const [test, own, other] = [handle(mask), handle(yes), handle(no)];
    return this.#add(new Handle(own.dtype, own.dims), [
      "stablehlo.select ",
      test,
      ", ",
      own,
      ", ",
      other,
      ` : ${test.type}, ${own.type}`,
    ]);
  }

  roundTo(x: Ssa, dtype: DType): Handle {
    const own = handle(x);
    const { exponentBits, significand } = floatFormat(dtype);
    const format = `e${exponentBits}m${significand - 1}`;
    return this.#add(new Handle(own.dtype, own.dims), [
      "stablehlo.reduce_precision ",
      own,
      `, format = ${format} : ${own.type}`,
    ]);
  }

  convert(x: Ssa, dtype: DType): Handle {
    const own = handle(x);
    if (own.dtype === dtype) return own;
    // A weight in another element type still lies in memory as it lay.
    const result = new Handle(dtype, own.dims, own.weight, dtypes[own.dtype].bits < dtypes[dtype].bits);
    return this.#add(result, ["stablehlo.convert ", own, ` : (${own.type}) -> ${result.type}`]);
  }

  bitcast(x: Ssa, dtype: DType, dims: readonly Axis[]): Handle {
    return this.#shaped("stablehlo.bitcast_convert", handle(x), "", new Handle(dtype, dims));
  }

  // Order and form.

  arrange(x: Ssa, dims: readonly Axis[]): Handle {
    const own = handle(x);
    const kept = dims.filter(({ name }) => own.dims.some((axis) => axis.name === name));
    const permutation = kept.map(({ name }) => position(own.dims, name));
    let ordered = own;
    if (permutation.some((from, to) => from !== to)) {
      ordered = this.#shaped(
        "stablehlo.transpose",
        own,
        `, dims = [${permutation.join(", ")}]`,
        new Handle(own.dtype, kept),
      );
    }
    if (kept.length === dims.length) return ordered;
    const places = kept.map(({ name }) => position(dims, name));
    return this.#shaped(
      "stablehlo.broadcast_in_dim",
      ordered,
      `, dims = [${places.join(", ")}]`,
      new Handle(own.dtype, dims),
    );
  }

  reshape(x: Ssa, dims: readonly Axis[]): Handle {
    const own = handle(x);
    if (tensorType(own.dtype, dims) === own.type) return this.relabel(own, dims);
    return this.#shaped("stablehlo.reshape", own, "", new Handle(own.dtype, dims, own.weight));
  }

  relabel(x: Ssa, dims: readonly Axis[]): Handle {
    const own = handle(x);
    const named = new Handle(own.dtype, dims, own.weight);
    this.#around.aliases.set(named, this.#resolve(own));
    return named;
  }

  slice(x: Ssa, along: string, start: number, limit: number, stride = 1): Handle {
    const own = handle(x);
    const ranges = own.dims.map(({ name, size }) => {
      if (name !== along) return `0:${size}`;
      return stride === 1 ? `${start}:${limit}` : `${start}:${limit}:${stride}`;
    });
    const result = new Handle(own.dtype, withSize(own.dims, along, Math.ceil((limit - start) / stride)));
    return this.#add(result, ["stablehlo.slice ", own, ` [${ranges.join(", ")}] : (${own.type}) -> ${result.type}`]);
  }

  concatenate(xs: readonly Ssa[], along: string): Handle {
    const all = xs.map(handle);
    const first = all[0] as Handle;
    const at = position(first.dims, along);
    const size = all.reduce((sum, each) => sum + (each.dims[at] as Axis).size, 0);
    const result = new Handle(first.dtype, withSize(first.dims, along, size));
    return this.#add(result, [
      "stablehlo.concatenate ",
      ...list(all),
      `, dim = ${at} : (${typeList(all)}) -> ${result.type}`,
    ]);
  }

  reverse(x: Ssa, along: readonly string[]): Handle {
    const own = handle(x);
    const places = along.map((name) => position(own.dims, name)).sort((a, b) => a - b);
    return this.#add(new Handle(own.dtype, own.dims), [
      "stablehlo.reverse ",
      own,
      `, dims = [${places.join(", ")}] : ${own.type}`,
    ]);
  }

  pad(x: Ssa, filler: Ssa, along: string, low: number, high: number): Handle {
    const [own, fill] = [handle(x), handle(filler)];
    const at = position(own.dims, along);
    const only = (count: number) => `[${own.dims.map((_, n) => (n === at ? count : 0)).join(", ")}]`;
    const result = new Handle(own.dtype, withSize(own.dims, along, low + (own.dims[at] as Axis).size + high));
    return this.#add(result, [
      "stablehlo.pad ",
      own,
      ", ",
      fill,
      `, low = ${only(low)}, high = ${only(high)}, interior = ${only(0)} : (${own.type}, ${fill.type}) -> ${result.type}`,
    ]);
  }

  // Products and reductions.

  dotGeneral(
    left: Ssa,
    right: Ssa,
    batch: readonly string[],
    over: readonly string[],
    { spread = false }: { readonly spread?: boolean } = {},
  ): Handle {
    const [x, y] = [handle(left), handle(right)];
    if (this.platform === "cpu" && batch.length === 0) {
      const [row, matrix] = [x, y].map((each) => sizeBeside(each.dims, over)).includes(1) ? byRows(x, y, over) : [];
      if (row !== undefined && matrix?.narrow) return this.#multiplyAndReduce(row, matrix, over);
    }
    const places = (of: Handle, names: readonly string[]) =>
      `[${names.map((name) => position(of.dims, name)).join(", ")}]`;
    const free = (of: Handle) => of.dims.filter(({ name }) => !batch.includes(name) && !over.includes(name));
    const dims = [...batch.map((name) => x.dims[position(x.dims, name)] as Axis), ...free(x), ...free(y)];
    const narrow = isFloat(x.dtype) && dtypes[x.dtype].bits < 32;
    const result = new Handle(narrow ? "f32" : x.dtype, dims);
    const precision = x.dtype === "f32" ? "HIGHEST" : "DEFAULT";
    const batching = batch.length === 0 ? "" : `, batching_dims = ${places(x, batch)} x ${places(y, batch)}`;
    const made = this.#add(result, [
      "stablehlo.dot_general ",
      x,
      ", ",
      y,
      `${batching}, contracting_dims = ${places(x, over)} x ${places(y, over)}, precision = [${precision}, ${precision}] : (${x.type}, ${y.type}) -> ${result.type}`,
    ]);
    return this.convert(spread && narrow ? this.roundTo(made, x.dtype) : made, x.dtype);
  }

  /**
   * A product of one row and a matrix of narrow elements, as a sum of products: XLA on CPU reads such a matrix at memory
   * speed in this form, and converts it whole before a product in any other (docs/log.md).
   */
  #multiplyAndReduce(row: Handle, matrix: Handle, over: readonly string[]): Handle {
    const free = row.dims.filter(({ name }) => !over.includes(name));
    // Contracted axes that lie innermost are one run of memory, and one axis to the reduction.
    const inner = matrix.dims.filter(({ name }) => over.includes(name));
    const outer = matrix.dims.slice(0, matrix.dims.length - inner.length);
    const isRun = outer.every(({ name }) => !over.includes(name));
    const run = { name: "contracted", size: inner.reduce((all, { size }) => all * size, 1) };
    const vector = this.reshape(
      row,
      row.dims.filter((axis) => !free.includes(axis)),
    );
    const ordered = this.arrange(vector, inner);
    const [flat, whole, reduced] = isRun
      ? [this.reshape(ordered, [run]), this.reshape(matrix, [...outer, run]), [run.name]]
      : [ordered, matrix, over];
    const products = this.binary("multiply", whole, this.arrange(flat, whole.dims));
    const sums = this.reduce("add", products, this.constant(0, matrix.dtype), reduced);
    return this.reshape(sums, [...sums.dims, ...free]);
  }

  reduce(reducer: ReducerOperation, x: Ssa, initial: Ssa, over: readonly string[]): Handle {
    const [own, start] = [handle(x), handle(initial)];
    const places = over.map((name) => position(own.dims, name)).sort((a, b) => a - b);
    const result = new Handle(
      own.dtype,
      own.dims.filter(({ name }) => !over.includes(name)),
    );
    return this.#add(result, [
      "stablehlo.reduce(",
      own,
      " init: ",
      start,
      `) applies stablehlo.${reducer} across dimensions = [${places.join(", ")}] : (${own.type}, ${start.type}) -> ${result.type}`,
    ]);
  }

  cumulative(reducer: ReducerOperation, x: Ssa, initial: Ssa, along: string): Handle {
    const [own, start] = [handle(x), handle(initial)];
    const at = position(own.dims, along);
    const size = (own.dims[at] as Axis).size;
    const each = (value: number) => own.dims.map((_, n) => (n === at ? value : 1)).join(", ");
    const rows = own.dims.map((_, n) => `[${n === at ? size - 1 : 0}, 0]`);
    const padding = size === 1 ? "0" : own.dims.length === 1 ? `[${rows[0]}]` : `[${rows.join(", ")}]`;
    const result = new Handle(own.dtype, own.dims);
    const [a, b] = [new Handle(own.dtype, []), new Handle(own.dtype, [])];
    const body = this.#block([a, b], (inner) => [inner.binary(reducer, a, b)]);
    return this.#add(
      result,
      [
        '"stablehlo.reduce_window"(',
        own,
        ", ",
        start,
        `) <{padding = dense<${padding}> : tensor<${own.dims.length}x2xi64>, window_dimensions = array<i64: ${each(size)}>}>`,
      ],
      undefined,
      [body],
      ` : (${own.type}, ${start.type}) -> ${result.type}`,
    );
  }

  // Looking up and writing.

  gather(x: Ssa, at: Ssa, how: Lookup): Handle {
    return this.#look(gatherEntries(handle(x), handle(at), how));
  }

  gatherWindow(x: Ssa, starts: Ssa, size: number, how: Lookup): Handle {
    return this.#look(gatherWindows(handle(x), handle(starts), size, how));
  }

  scatterWindow(x: Ssa, starts: Ssa, value: Ssa, how: Lookup): Handle {
    const own = handle(x);
    const at = this.arrange(starts, sharedOrder(own, how));
    const [old, update] = [new Handle(own.dtype, []), new Handle(own.dtype, [])];
    const replace: Region = { arguments: [old, update], body: [], returns: [update] };
    return this.#look(scatterWindows(own, at, handle(value), how), [replace]);
  }

  scatterAdd(x: Ssa, at: Ssa, value: Ssa, along: string): Handle {
    const [own, where] = [handle(x), handle(at)];
    const rest = own.dims.filter(({ name }) => name !== along);
    const rows = this.arrange(value, [where.dims[0] as Axis, ...rest]);
    const [old, update] = [new Handle(own.dtype, []), new Handle(own.dtype, [])];
    const add = this.#block([old, update], (inner) => [inner.binary("add", old, update)]);
    return this.#look(scatterRows(own, where, rows, along), [add]);
  }

  dynamicSlice(x: Ssa, start: Ssa, along: string, size: number): Handle {
    const own = handle(x);
    const starts = this.#starts(own, start, along);
    const result = new Handle(own.dtype, withSize(own.dims, along, size));
    const sizes = result.dims.map((axis) => axis.size).join(", ");
    return this.#add(result, [
      "stablehlo.dynamic_slice ",
      ...list([own, ...starts]),
      `, sizes = [${sizes}] : (${typeList([own, ...starts])}) -> ${result.type}`,
    ]);
  }

  dynamicUpdateSlice(x: Ssa, value: Ssa, start: Ssa, along: string): Handle {
    const own = handle(x);
    const given = [own, handle(value), ...this.#starts(own, start, along)];
    const result = new Handle(own.dtype, own.dims);
    return this.#add(result, [
      "stablehlo.dynamic_update_slice ",
      ...list(given),
      ` : (${typeList(given)}) -> ${result.type}`,
    ]);
  }

  sort(keys: Ssa, carried: readonly Ssa[], along: string, descending: boolean): readonly Handle[] {
    const all = [keys, ...carried].map(handle);
    const results = all.map(({ dtype, dims }) => new Handle(dtype, dims));
    const compared = all.flatMap(({ dtype }) => [new Handle(dtype, []), new Handle(dtype, [])]);
    const [a, b] = compared as [Handle, Handle];
    const comparator = this.#block(compared, (inner) => [inner.#totalOrder(descending ? "GT" : "LT", a, b)]);
    const dimension = position(keys.dims, along);
    return this.#addAll(
      results,
      ['"stablehlo.sort"(', ...list(all), `) <{dimension = ${dimension} : i64, is_stable = true}>`],
      [comparator],
      ` : (${typeList(all)}) -> ${resultTypes(results)}`,
    );
  }

  // Control flow.

  while(state: readonly Ssa[], condition: Scope, body: Scope): readonly Handle[] {
    const initial = state.map(handle);
    const fresh = () => initial.map(({ dtype, dims }) => new Handle(dtype, dims));
    const [testArguments, stepArguments] = [fresh(), fresh()];
    const regions: Region[] = [
      {
        ...this.#block(testArguments, (inner) => this.#around.lowerScope(condition, testArguments, inner)),
        suggested: "iterArg",
      },
      {
        ...this.#block(stepArguments, (inner) =>
          this.#around
            .lowerScope(body, stepArguments, inner)
            .map((each, n) => inner.arrange(each, (initial[n] as Handle).dims)),
        ),
        suggested: "iterArg",
      },
    ];
    const results = fresh();
    const instruction: WhileInstruction = {
      results,
      pieces: ["stablehlo.while"],
      operands: initial,
      regions,
      layout: "while",
      tail: ` : ${typeList(initial)}`,
      origin: this.origin,
      initial: initial.map((each) => this.#resolve(each)),
    };
    this.instructions.push(instruction);
    return results;
  }

  case(index: Ssa, branches: readonly Scope[]): readonly Handle[] {
    const which = handle(index);
    /** The first branch's results, in whose memory order the others leave theirs. */
    let order: readonly Handle[] | undefined;
    const regions = branches.map((branch) =>
      this.#block([], (inner) => {
        const results = this.#around.lowerScope(branch, [], inner);
        const like = (order ??= results);
        return results.map((each, n) => inner.arrange(each, (like[n] as Handle).dims));
      }),
    );
    const results = (order ?? []).map(({ dtype, dims }) => new Handle(dtype, dims));
    return this.#addAll(
      results,
      ['"stablehlo.case"(', which, ")"],
      regions,
      ` : (${which.type}) -> ${resultTypes(results)}`,
    );
  }

  call(scope: Scope, given: readonly Ssa[]): readonly Handle[] {
    const all = given.map(handle);
    const { symbol, results: inner } = this.#around.functionFor(scope, all, this.origin?.name ?? "function");
    const results = inner.map(({ dtype, dims }) => new Handle(dtype, dims));
    return this.#addAll(results, [
      `func.call @${symbol()}(`,
      ...list(all),
      `) : (${typeList(all)}) -> ${resultTypes(results)}`,
    ]);
  }

  inline(scope: Scope, given: readonly Ssa[]): readonly Handle[] {
    return this.#around.lowerScope(scope, given.map(handle), this);
  }

  composite(
    name: string,
    given: readonly Ssa[],
    attributes: Readonly<Record<string, number | boolean>>,
    decomposition: (e: Emitter, given: readonly Ssa[]) => readonly Ssa[],
  ): readonly Handle[] {
    const all = given.map(handle);
    let inner: readonly Handle[] = [];
    const symbol = this.#around.helper(name, all, (into, own) => {
      inner = decomposition(into, own).map(handle);
      return inner;
    });
    const results = inner.map(({ dtype, dims }) => new Handle(dtype, dims));
    const written = Object.entries(attributes)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => `${key} = ${attribute(value)}`);
    const extra = written.length === 0 ? "" : `composite_attributes = {${written.join(", ")}}, `;
    return this.#addAll(results, [
      `stablehlo.composite ${quote(name)} `,
      ...list(all),
      ` {${extra}decomposition = @${symbol()}} : (${typeList(all)}) -> ${resultTypes(results)}`,
    ]);
  }

  whole(x: Ssa, along: string): Handle {
    const own = handle(x);
    if (!this.#around.isSpread) return own;
    const splits = own.dims.map(({ name }) => (name === along ? "{}" : "{?}"));
    return this.#add(new Handle(own.dtype, own.dims), [
      "sdy.sharding_constraint ",
      own,
      ` <@mesh, [${splits.join(", ")}]> : ${own.type}`,
    ]);
  }

  barrier(given: readonly Ssa[]): readonly Handle[] {
    const all = given.map(handle);
    const results = all.map(({ dtype, dims }) => new Handle(dtype, dims));
    return this.#addAll(results, ["stablehlo.optimization_barrier ", ...list(all), ` : ${typeList(all)}`]);
  }

  raw(
    name: string,
    given: readonly Ssa[],
    properties: string,
    types: readonly { readonly dtype: DType; readonly dims: readonly Axis[] }[],
  ): readonly Handle[] {
    const all = given.map(handle);
    const results = types.map(({ dtype, dims }) => new Handle(dtype, dims));
    const inside = properties === "" ? "" : ` <{${properties}}>`;
    return this.#addAll(results, [
      `"${name}"(`,
      ...list(all),
      `)${inside} : (${typeList(all)}) -> ${resultTypes(results)}`,
    ]);
  }

  // Implementation

  #resolve(x: Handle): Handle {
    return this.#around.aliases.get(x) ?? x;
  }

  /** Brings returned handles back to the values that have names in the text. */
  resolveAll(handles: readonly Handle[]): Handle[] {
    return handles.map((each) => this.#resolve(each));
  }

  #block(given: readonly Handle[], body: (inner: BlockEmitter) => readonly Ssa[]): Region {
    const inner = new BlockEmitter(this.#around, this.origin);
    const returns = body(inner).map(handle);
    return { arguments: given, body: inner.instructions, returns: inner.resolveAll(returns) };
  }

  #shaped(operation: string, own: Handle, attributes: string, result: Handle): Handle {
    return this.#add(result, [`${operation} `, own, `${attributes} : (${own.type}) -> ${result.type}`]);
  }

  #totalOrder(comparison: Comparison, a: Handle, b: Handle): Handle {
    const kind = { bool: "UNSIGNED", uint: "UNSIGNED", int: "SIGNED", float: "TOTALORDER" }[dtypes[a.dtype].kind];
    return this.#add(new Handle("bool", []), [
      `stablehlo.compare ${comparison}, `,
      a,
      ", ",
      b,
      `, ${kind} : (${a.type}, ${b.type}) -> tensor<i1>`,
    ]);
  }

  #starts(own: Handle, start: Ssa, along: string): Handle[] {
    const given = handle(start);
    const zero = own.dims.length > 1 ? this.constant(0, given.dtype) : given;
    return own.dims.map(({ name }) => (name === along ? given : zero));
  }

  #look({ result, pieces, tail }: LookupForm, regions: readonly Region[] = []): Handle {
    return this.#add(result, pieces, undefined, regions, tail);
  }

  #add(
    result: Handle,
    pieces: readonly Piece[],
    suggested?: string,
    regions: readonly Region[] = [],
    tail = "",
  ): Handle {
    this.#addAll([result], pieces, regions, tail, suggested);
    return result;
  }

  #addAll(
    results: readonly Handle[],
    pieces: readonly Piece[],
    regions: readonly Region[] = [],
    tail = "",
    suggested?: string,
  ): readonly Handle[] {
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
}

// Implementation

/** The compiler makes every `Ssa` that an op holds. */
function handle(x: Ssa): Handle {
  return x as Handle;
}

/** Whole numbers are i64, others f64. */
function attribute(value: number | boolean): string {
  if (typeof value === "boolean") return String(value);
  return Number.isInteger(value) ? `${value} : i64` : `${element(value, "f64")} : f64`;
}

/** The operand that is one row, and the other. */
function byRows(x: Handle, y: Handle, over: readonly string[]): readonly [row: Handle, matrix: Handle] {
  return sizeBeside(x.dims, over) === 1 && !x.narrow ? [x, y] : [y, x];
}
