/** Reductions, running reductions and sorting. */
import type { Axis } from "../../dsl/axes.ts";
import type { ReducerOperation } from "../../dsl/emitter.ts";
import { position } from "../dims.ts";
import { Handle, list, type Region, resultTypes, typeList } from "../stablehlo.ts";
import { alike, type Form } from "./form.ts";

// Public API

export function reduce(reducer: ReducerOperation, x: Handle, initial: Handle, over: readonly string[]): Form {
  const places = over.map((name) => position(x.dims, name)).sort((a, b) => a - b);
  const result = new Handle(
    x.dtype,
    x.dims.filter(({ name }) => !over.includes(name)),
  );
  return {
    results: [result],
    pieces: [
      "stablehlo.reduce(",
      x,
      " init: ",
      initial,
      `) applies stablehlo.${reducer} across dimensions = [${places.join(", ")}] : (${x.type}, ${initial.type}) -> ${result.type}`,
    ],
  };
}

/** @param body  combines two elements */
export function cumulative(x: Handle, initial: Handle, along: string, body: Region): Form {
  const at = position(x.dims, along);
  const size = (x.dims[at] as Axis).size;
  const each = (value: number) => x.dims.map((_, n) => (n === at ? value : 1)).join(", ");
  const rows = x.dims.map((_, n) => `[${n === at ? size - 1 : 0}, 0]`);
  const padding = size === 1 ? "0" : x.dims.length === 1 ? `[${rows[0]}]` : `[${rows.join(", ")}]`;
  const result = alike(x);
  return {
    results: [result],
    pieces: [
      '"stablehlo.reduce_window"(',
      x,
      ", ",
      initial,
      `) <{padding = dense<${padding}> : tensor<${x.dims.length}x2xi64>, window_dimensions = array<i64: ${each(size)}>}>`,
    ],
    regions: [body],
    tail: ` : (${x.type}, ${initial.type}) -> ${result.type}`,
  };
}

/** @param comparator  whether the first of two keys goes before the second */
export function sort(all: readonly Handle[], along: string, comparator: Region): Form {
  const results = all.map(alike);
  const dimension = position((all[0] as Handle).dims, along);
  return {
    results,
    pieces: ['"stablehlo.sort"(', ...list(all), `) <{dimension = ${dimension} : i64, is_stable = true}>`],
    regions: [comparator],
    tail: ` : (${typeList(all)}) -> ${resultTypes(results)}`,
  };
}
