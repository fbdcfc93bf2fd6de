/** Memory order, form, and windows: no element changes. */
import type { Axis } from "../../dsl/axes.ts";
import { position, withSize } from "../dims.ts";
import { Handle, list, typeList } from "../stablehlo.ts";
import { alike, type Form } from "./form.ts";

// Public API

/** An operation that reads one value in another shape; `attributes` follow it. */
export function reshaped(operation: string, x: Handle, attributes: string, result: Handle): Form {
  return { results: [result], pieces: [`${operation} `, x, `${attributes} : (${x.type}) -> ${result.type}`] };
}

/** What brings a value into the memory order of `dims`, those that it lacks left out; nothing when it fits. */
export function transpose(x: Handle, dims: readonly Axis[]): Form | undefined {
  const permutation = dims.map(({ name }) => position(x.dims, name));
  if (permutation.every((from, to) => from === to)) return undefined;
  return reshaped("stablehlo.transpose", x, `, dims = [${permutation.join(", ")}]`, new Handle(x.dtype, dims));
}

/** Repeats a value, whose dimensions stand in the order of `dims`, along those that it lacks. */
export function broadcast(x: Handle, dims: readonly Axis[]): Form {
  const places = x.dims.map(({ name }) => position(dims, name));
  return reshaped("stablehlo.broadcast_in_dim", x, `, dims = [${places.join(", ")}]`, new Handle(x.dtype, dims));
}

export function slice(x: Handle, along: string, start: number, limit: number, stride: number): Form {
  const ranges = x.dims.map(({ name, size }) => {
    if (name !== along) return `0:${size}`;
    return stride === 1 ? `${start}:${limit}` : `${start}:${limit}:${stride}`;
  });
  const result = new Handle(x.dtype, withSize(x.dims, along, Math.ceil((limit - start) / stride)));
  return {
    results: [result],
    pieces: ["stablehlo.slice ", x, ` [${ranges.join(", ")}] : (${x.type}) -> ${result.type}`],
  };
}

export function concatenate(all: readonly Handle[], along: string): Form {
  const first = all[0] as Handle;
  const at = position(first.dims, along);
  const size = all.reduce((sum, each) => sum + (each.dims[at] as Axis).size, 0);
  const result = new Handle(first.dtype, withSize(first.dims, along, size));
  return {
    results: [result],
    pieces: ["stablehlo.concatenate ", ...list(all), `, dim = ${at} : (${typeList(all)}) -> ${result.type}`],
  };
}

export function reverse(x: Handle, along: readonly string[]): Form {
  const places = along.map((name) => position(x.dims, name)).sort((a, b) => a - b);
  return { results: [alike(x)], pieces: ["stablehlo.reverse ", x, `, dims = [${places.join(", ")}] : ${x.type}`] };
}

export function pad(x: Handle, filler: Handle, along: string, low: number, high: number): Form {
  const at = position(x.dims, along);
  const only = (count: number) => `[${x.dims.map((_, n) => (n === at ? count : 0)).join(", ")}]`;
  const result = new Handle(x.dtype, withSize(x.dims, along, low + (x.dims[at] as Axis).size + high));
  const padding = `low = ${only(low)}, high = ${only(high)}, interior = ${only(0)}`;
  return {
    results: [result],
    pieces: ["stablehlo.pad ", x, ", ", filler, `, ${padding} : (${x.type}, ${filler.type}) -> ${result.type}`],
  };
}

/** @param starts  one for each dimension */
export function dynamicSlice(x: Handle, starts: readonly Handle[], along: string, size: number): Form {
  const given = [x, ...starts];
  const result = new Handle(x.dtype, withSize(x.dims, along, size));
  const sizes = result.dims.map((axis) => axis.size).join(", ");
  return {
    results: [result],
    pieces: [
      "stablehlo.dynamic_slice ",
      ...list(given),
      `, sizes = [${sizes}] : (${typeList(given)}) -> ${result.type}`,
    ],
  };
}

/** @param starts  one for each dimension */
export function dynamicUpdateSlice(x: Handle, value: Handle, starts: readonly Handle[]): Form {
  const given = [x, value, ...starts];
  const result = alike(x);
  return {
    results: [result],
    pieces: ["stablehlo.dynamic_update_slice ", ...list(given), ` : (${typeList(given)}) -> ${result.type}`],
  };
}
