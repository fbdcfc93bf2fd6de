/**
 * Products, in the form that is fast on the platform that the text is for.
 *
 * XLA multiplies one row by a matrix slowly: on CPU where the matrix lies in memory in narrow elements, on TPU always.
 * The forms that are fast instead mean the same (docs/log.md).
 */
import { type Axis, elementsOf } from "../../dsl/axes.ts";
import { dtypes, isFloat } from "../../dsl/dtype.ts";
import type { Emitter, Ssa } from "../../dsl/emitter.ts";
import { position, sizeBeside } from "../dims.ts";
import type { Platform } from "../platform.ts";
import { Handle } from "../stablehlo.ts";
import type { Form, FormEmitter } from "./form.ts";

// Public API

/** Two operands, and what becomes of their axes. */
export interface Product {
  readonly x: Handle;
  readonly y: Handle;
  readonly batch: readonly string[];
  /** The axes that are contracted. */
  readonly over: readonly string[];
  /** What is contracted is spread over devices: their sums are added up in f32. */
  readonly spread: boolean;
}

export function multiply(e: FormEmitter, platform: Platform, product: Product): Ssa {
  const { x, y, batch, over } = product;
  if (platform === "cpu" && batch.length === 0) {
    const [row, matrix] = [x, y].map((each) => sizeBeside(each.dims, over)).includes(1) ? byRows(x, y, over) : [];
    if (row !== undefined && matrix?.narrow) return multiplyAndReduce(e, row, matrix, over);
  }
  if (platform === "tpu") {
    const [matrix, row] = elementsOf(y.dims) > elementsOf(x.dims) ? [y, x] : [x, y];
    if (isOneRow(row, [...batch, ...over]) && elementsOf(matrix.dims) >= largeMatrix) {
      return multiplyEightRows(e, row, matrix, product);
    }
  }
  return multiplyPlainly(e, product);
}

// Implementation

function multiplyPlainly(e: FormEmitter, { x, y, batch, over, spread }: Product): Ssa {
  const isNarrow = isFloat(x.dtype) && dtypes[x.dtype].bits < 32;
  const made = e.add(dotGeneral(x, y, batch, over, isNarrow));
  return e.convert(spread && isNarrow ? e.roundTo(made, x.dtype) : made, x.dtype);
}

function dotGeneral(x: Handle, y: Handle, batch: readonly string[], over: readonly string[], isNarrow: boolean): Form {
  const places = (of: Handle, names: readonly string[]) =>
    `[${names.map((name) => position(of.dims, name)).join(", ")}]`;
  const free = (of: Handle) => of.dims.filter(({ name }) => !batch.includes(name) && !over.includes(name));
  const dims = [...batch.map((name) => x.dims[position(x.dims, name)] as Axis), ...free(x), ...free(y)];
  const result = new Handle(isNarrow ? "f32" : x.dtype, dims);
  const precision = x.dtype === "f32" ? "HIGHEST" : "DEFAULT";
  const batching = batch.length === 0 ? "" : `, batching_dims = ${places(x, batch)} x ${places(y, batch)}`;
  return {
    results: [result],
    pieces: [
      "stablehlo.dot_general ",
      x,
      ", ",
      y,
      `${batching}, contracting_dims = ${places(x, over)} x ${places(y, over)}, precision = [${precision}, ${precision}] : (${x.type}, ${y.type}) -> ${result.type}`,
    ],
  };
}

/** The operand that is one row, and the other. */
function byRows(x: Handle, y: Handle, over: readonly string[]): readonly [row: Handle, matrix: Handle] {
  return sizeBeside(x.dims, over) === 1 && !x.narrow ? [x, y] : [y, x];
}

/**
 * A product of one row and a matrix of narrow elements, as a sum of products: XLA on CPU reads such a matrix at memory
 * speed in this form, and converts it whole before a product in any other (docs/log.md).
 */
function multiplyAndReduce(e: Emitter, row: Handle, matrix: Handle, over: readonly string[]): Ssa {
  const free = row.dims.filter(({ name }) => !over.includes(name));
  // Contracted axes that lie innermost are one run of memory, and one axis to the reduction.
  const inner = matrix.dims.filter(({ name }) => over.includes(name));
  const outer = matrix.dims.slice(0, matrix.dims.length - inner.length);
  const isRun = outer.every(({ name }) => !over.includes(name));
  const run = { name: "contracted", size: elementsOf(inner) };
  const vector = e.reshape(
    row,
    row.dims.filter((axis) => !free.includes(axis)),
  );
  const ordered = e.arrange(vector, inner);
  const [flat, whole, reduced] = isRun
    ? [e.reshape(ordered, [run]), e.reshape(matrix, [...outer, run]), [run.name]]
    : [ordered, matrix, over];
  const products = e.binary("multiply", whole, e.arrange(flat, whole.dims));
  const sums = e.reduce("add", products, e.constant(0, matrix.dtype), reduced);
  return e.reshape(sums, [...sums.dims, ...free]);
}

/** Elements from which a matrix takes a TPU longer to multiply than a row takes to pad. */
const largeMatrix = 2 ** 16;
/** Rows of a TPU's tile. */
const tileRows = 8;

function isOneRow({ dims }: Ssa, used: readonly string[]): boolean {
  return dims.every(({ name, size }) => size === 1 || used.includes(name));
}

/** A TPU multiplies eight rows in a third of the time that it takes for one (docs/log.md); seven of them are zeros. */
function multiplyEightRows(e: FormEmitter, row: Handle, matrix: Handle, product: Product): Ssa {
  const rows = (size: number) => ({ name: "row", size });
  const one = e.reshape(row, [rows(1), ...row.dims]);
  const padded = e.pad(one, e.constant(0, row.dtype), "row", 0, tileRows - 1);
  // Without the barrier the zeros are seen, and left out again.
  const [kept] = e.barrier([padded]) as [Handle];
  const sums = e.slice(multiplyPlainly(e, { ...product, x: kept, y: matrix }), "row", 0, 1);
  return e.reshape(
    sums,
    sums.dims.filter(({ name }) => name !== "row"),
  );
}
