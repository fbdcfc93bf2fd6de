/** Choices, calls, and operations that go by a name. */
import type { Axis } from "../../dsl/axes.ts";
import type { DType } from "../../dsl/dtype.ts";
import { element } from "../literals.ts";
import { Handle, list, quote, type Region, resultTypes, typeList } from "../stablehlo.ts";
import { alike, type Form } from "./form.ts";

// Public API

export function choose(index: Handle, branches: readonly Region[], results: readonly Handle[]): Form {
  return {
    results,
    pieces: ['"stablehlo.case"(', index, ")"],
    regions: branches,
    tail: ` : (${index.type}) -> ${resultTypes(results)}`,
  };
}

export function call(symbol: string, given: readonly Handle[], results: readonly Handle[]): Form {
  return {
    results,
    pieces: [`func.call @${symbol}(`, ...list(given), `) : (${typeList(given)}) -> ${resultTypes(results)}`],
  };
}

/** @param symbol  of the function that means the same */
export function composite(
  name: string,
  given: readonly Handle[],
  attributes: Readonly<Record<string, number | boolean>>,
  symbol: string,
  results: readonly Handle[],
): Form {
  const written = Object.entries(attributes)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key} = ${attribute(value)}`);
  const extra = written.length === 0 ? "" : `composite_attributes = {${written.join(", ")}}, `;
  return {
    results,
    pieces: [
      `stablehlo.composite ${quote(name)} `,
      ...list(given),
      ` {${extra}decomposition = @${symbol}} : (${typeList(given)}) -> ${resultTypes(results)}`,
    ],
  };
}

/** Keeps the value whole along an axis on every device. */
export function gathered(x: Handle, along: string): Form {
  const splits = x.dims.map(({ name }) => (name === along ? "{}" : "{?}"));
  return {
    results: [alike(x)],
    pieces: ["sdy.sharding_constraint ", x, ` <@mesh, [${splits.join(", ")}]> : ${x.type}`],
  };
}

export function barrier(given: readonly Handle[]): Form {
  return {
    results: given.map(alike),
    pieces: ["stablehlo.optimization_barrier ", ...list(given), ` : ${typeList(given)}`],
  };
}

/** Any operation, in MLIR's generic form. */
export function raw(
  name: string,
  given: readonly Handle[],
  properties: string,
  types: readonly { readonly dtype: DType; readonly dims: readonly Axis[] }[],
): Form {
  const results = types.map(({ dtype, dims }) => new Handle(dtype, dims));
  const inside = properties === "" ? "" : ` <{${properties}}>`;
  return {
    results,
    pieces: [`"${name}"(`, ...list(given), `)${inside} : (${typeList(given)}) -> ${resultTypes(results)}`],
  };
}

// Implementation

/** Whole numbers are i64, others f64. */
function attribute(value: number | boolean): string {
  if (typeof value === "boolean") return String(value);
  return Number.isInteger(value) ? `${value} : i64` : `${element(value, "f64")} : f64`;
}
