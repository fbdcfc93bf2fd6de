/**
 * The forms of `gather` and `scatter`: which dimension of which operand is which.
 *
 * Spec: https://openxla.org/stablehlo/spec#gather, #scatter.
 */
import type { Axis } from "../../dsl/axes.ts";
import type { Lookup } from "../../dsl/emitter.ts";
import { position, positions, withSize } from "../dims.ts";
import { Handle, list, type Region, typeList } from "../stablehlo.ts";
import { alike, type Form } from "./form.ts";

// Public API

/** Single entries along an axis: the axis goes. */
export function gatherEntries(x: Handle, at: Handle, { along, batch }: Lookup): Form {
  const kept = x.dims.filter(({ name }) => name !== along && !batch.includes(name));
  const sizes = x.dims.map(({ name, size }) => (name === along || batch.includes(name) ? 1 : size));
  return gather(x, at, { along, batch }, [along], sizes, kept);
}

/** A window along an axis: the axis stays, shorter. */
export function gatherWindows(x: Handle, at: Handle, size: number, { along, batch }: Lookup): Form {
  const kept = withSize(x.dims, along, size).filter(({ name }) => !batch.includes(name));
  const sizes = x.dims.map(({ name, size: whole }) => (name === along ? size : batch.includes(name) ? 1 : whole));
  return gather(x, at, { along, batch }, [], sizes, kept);
}

/** The operand's order of the axes that it shares with the positions: starts and updates must stand in it too. */
export function sharedOrder(x: Handle, { batch }: Pick<Lookup, "batch">): readonly Axis[] {
  return x.dims.filter(({ name }) => batch.includes(name));
}

/** A window of `value` at one position for each batch entry. `at` stands in `sharedOrder`; `replace` takes the new of two. */
export function scatterWindows(x: Handle, at: Handle, value: Handle, { along, batch }: Lookup, replace: Region): Form {
  const shared = at.dims.map(({ name }) => name);
  const window = value.dims.map(({ name }) => name).filter((name) => !batch.includes(name));
  const numbers = {
    update_window_dims: positions(value.dims, window),
    input_batching_dims: positions(x.dims, shared),
    scatter_indices_batching_dims: positions(at.dims, shared),
    scatter_dims_to_operand_dims: [position(x.dims, along)],
  };
  return scatter(x, at, value, numbers, { unique: true, body: replace });
}

/**
 * Rows of `value`, whose first dimension is that of the positions, and whose others keep the operand's order. `add` adds
 * two elements.
 */
export function scatterRows(x: Handle, at: Handle, value: Handle, along: string, add: Region): Form {
  const place = position(x.dims, along);
  const numbers = {
    update_window_dims: value.dims.slice(1).map((_, n) => n + 1),
    inserted_window_dims: [place],
    scatter_dims_to_operand_dims: [place],
  };
  return scatter(x, at, value, numbers, { unique: false, body: add });
}

// Implementation

type Numbers = Readonly<Record<string, readonly number[]>>;

function gather(
  x: Handle,
  at: Handle,
  { along, batch }: Lookup,
  collapsed: readonly string[],
  sizes: readonly number[],
  kept: readonly Axis[],
): Form {
  const result = new Handle(x.dtype, [...at.dims, ...kept]);
  // Operand and positions list their batch dimensions in pairs; the operand's must be sorted.
  const shared = sharedOrder(x, { batch }).map(({ name }) => name);
  const numbers = {
    offset_dims: kept.map((_, n) => at.dims.length + n),
    collapsed_slice_dims: positions(x.dims, collapsed),
    operand_batching_dims: positions(x.dims, shared),
    start_indices_batching_dims: positions(at.dims, shared),
    start_index_map: [position(x.dims, along)],
  };
  const properties = `dimension_numbers = #stablehlo.gather<${fields(numbers, at)}>, indices_are_sorted = false, slice_sizes = array<i64: ${sizes.join(", ")}>`;
  const types = ` : (${typeList([x, at])}) -> ${result.type}`;
  return { results: [result], pieces: ['"stablehlo.gather"(', ...list([x, at]), `) <{${properties}}>${types}`] };
}

function scatter(
  x: Handle,
  at: Handle,
  value: Handle,
  numbers: Numbers,
  { unique, body }: { readonly unique: boolean; readonly body: Region },
): Form {
  const result = alike(x);
  const given = [x, at, value];
  const properties = `indices_are_sorted = false, scatter_dimension_numbers = #stablehlo.scatter<${fields(numbers, at)}>, unique_indices = ${unique}`;
  return {
    results: [result],
    pieces: ['"stablehlo.scatter"(', ...list(given), `) <{${properties}}>`],
    regions: [body],
    tail: ` : (${typeList(given)}) -> ${result.type}`,
  };
}

/** Dimension numbers as an attribute writes them: empty lists and a zero are left out. Positions are scalars, side by side. */
function fields(of: Numbers, at: Handle): string {
  const lists = Object.entries(of)
    .filter(([, places]) => places.length > 0)
    .map(([name, places]) => `${name} = [${places.join(", ")}]`);
  const vector = at.dims.length;
  return [...lists, ...(vector === 0 ? [] : [`index_vector_dim = ${vector}`])].join(", ");
}
