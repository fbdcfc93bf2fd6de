/** Constants, and operations that work element by element. */
import type { Axis } from "../../dsl/axes.ts";
import { type DType, dtypes, isFloat } from "../../dsl/dtype.ts";
import type { BinaryOperation, Comparison, UnaryOperation } from "../../dsl/emitter.ts";
import { position } from "../dims.ts";
import { floatFormat } from "../floats.ts";
import { denseLiteral, type Literal } from "../literals.ts";
import { Handle } from "../stablehlo.ts";
import { alike, type Form } from "./form.ts";

// Public API

export function dense(values: readonly Literal[], dtype: DType, dims: readonly Axis[]): Form {
  const result = new Handle(dtype, dims);
  const literal = denseLiteral(values, dtype, dims);
  return {
    results: [result],
    pieces: [`stablehlo.constant dense<${literal}> : ${result.type}`],
    suggested: isFloat(dtype) ? "cst" : "c",
  };
}

export function iota(dtype: DType, dims: readonly Axis[], along: string): Form {
  const result = new Handle(dtype, dims);
  return { results: [result], pieces: [`stablehlo.iota dim = ${position(dims, along)} : ${result.type}`] };
}

export function unary(operation: UnaryOperation, x: Handle): Form {
  if (operation === "is_finite") {
    const result = new Handle("bool", x.dims);
    return { results: [result], pieces: ["stablehlo.is_finite ", x, ` : (${x.type}) -> ${result.type}`] };
  }
  return { results: [alike(x)], pieces: [`stablehlo.${operation} `, x, ` : ${x.type}`] };
}

export function binary(operation: BinaryOperation, x: Handle, y: Handle): Form {
  return { results: [alike(x)], pieces: [`stablehlo.${operation} `, x, ", ", y, ` : ${x.type}`] };
}

/** @param how  how floats are compared: as numbers, or in total order */
export function compare(comparison: Comparison, x: Handle, y: Handle, how: "FLOAT" | "TOTALORDER" = "FLOAT"): Form {
  const result = new Handle("bool", x.dims);
  const kind = { bool: "UNSIGNED", uint: "UNSIGNED", int: "SIGNED", float: how }[dtypes[x.dtype].kind];
  return {
    results: [result],
    pieces: [`stablehlo.compare ${comparison}, `, x, ", ", y, `, ${kind} : (${x.type}, ${y.type}) -> ${result.type}`],
  };
}

export function select(mask: Handle, yes: Handle, no: Handle): Form {
  return {
    results: [alike(yes)],
    pieces: ["stablehlo.select ", mask, ", ", yes, ", ", no, ` : ${mask.type}, ${yes.type}`],
  };
}

export function roundTo(x: Handle, dtype: DType): Form {
  const { exponentBits, significand } = floatFormat(dtype);
  const format = `e${exponentBits}m${significand - 1}`;
  return { results: [alike(x)], pieces: ["stablehlo.reduce_precision ", x, `, format = ${format} : ${x.type}`] };
}

export function convert(x: Handle, dtype: DType): Form {
  // A weight in another element type still lies in memory as it lay.
  const result = new Handle(dtype, x.dims, x.weight, dtypes[x.dtype].bits < dtypes[dtype].bits);
  return { results: [result], pieces: ["stablehlo.convert ", x, ` : (${x.type}) -> ${result.type}`] };
}
