/** Where a program's arguments lie on a mesh, as a table: layers that are alike stand in one row. */

import { keptWhole, keptWholeText, type Placement, type ProgramArgument, splitsOf } from "../compiler/index.ts";
import { byteLength } from "../runtime-bridge/index.ts";
import { formatBytes } from "./format-bytes.ts";

// Public API

/** One argument, or the same one of several layers. */
export interface PlacedArgument {
  /** Its path; the numbers of layers that are alike stand in braces. */
  readonly name: string;
  readonly dtype: string;
  /** `vocab 201088`, outermost first. */
  readonly axes: readonly string[];
  /** For each axis the axes of the mesh over which it is split. */
  readonly split: readonly (readonly string[])[];
  /** Where it lies whole on a mesh though it has an axis to be split: what does not divide, and what would. */
  readonly kept_whole: readonly string[];
  /** On each device, of all that the row stands for. */
  readonly bytes_per_device: number;
}

/** Weights and caches of a program, in the order in which it takes them. */
export function placeArguments(
  given: readonly ProgramArgument[],
  placement: Placement | undefined,
): readonly PlacedArgument[] {
  const rows = new Map<string, { readonly first: ProgramArgument; readonly layers: number[]; name: string }>();
  for (const argument of given.filter(({ name }) => /^(weights|caches)\./.test(name))) {
    const [, layer] = /\.(\d+)\./.exec(argument.name) ?? [];
    const name = argument.name.replace(/\.\d+\./, ".{}.");
    const key = `${name} ${argument.dtype} ${argument.axes} ${argument.shape}`;
    const row = rows.get(key) ?? { first: argument, layers: [], name };
    if (layer !== undefined) row.layers.push(Number(layer));
    rows.set(key, row);
  }
  return [...rows.values()].map(({ first, layers, name }) => {
    const dims = first.axes.map((axis, n) => ({ name: axis, size: first.shape[n] as number }));
    const split = placement === undefined ? dims.map(() => []) : splitsOf(placement, dims);
    const parts = split.flat().reduce((all, along) => all * (placement?.mesh[along] ?? 1), 1);
    return {
      name: name.replace("{}", layers.length === 1 ? `${layers[0]}` : `{${rangesOf(layers)}}`),
      dtype: first.dtype,
      axes: dims.map((axis) => `${axis.name} ${axis.size}`),
      split,
      kept_whole:
        placement === undefined ? [] : keptWhole(placement, dims).map((each) => keptWholeText(each, placement.mesh)),
      bytes_per_device: (byteLength(first) / parts) * Math.max(1, layers.length),
    };
  });
}

/** The rows for people. */
export function placementTable(rows: readonly PlacedArgument[]): string {
  const cells = rows.map((row) => [
    row.name,
    row.dtype,
    row.axes.map((axis, n) => `${axis}${row.split[n]?.length ? ` / ${row.split[n]?.join("·")}` : ""}`).join(", "),
    formatBytes(row.bytes_per_device),
  ]);
  const heading = ["held", "as", "axes / split over", "on each device"];
  const all = [heading, ...cells];
  const width = heading.map((_, n) => Math.max(...all.map((row) => (row[n] as string).length)));
  const lines = all.map((row) =>
    row
      .map((cell, n) => cell.padEnd(width[n] as number))
      .join("  ")
      .trimEnd(),
  );
  return [...lines, ...replicatedLines(rows)].map((line) => `${line}\n`).join("");
}

// Implementation

/** What does not divide, once for all arguments of which it is true, with what these cost. */
function replicatedLines(rows: readonly PlacedArgument[]): readonly string[] {
  const reasons = new Set(rows.flatMap(({ kept_whole }) => kept_whole));
  return [...reasons].map((reason) => {
    const same = rows.filter(({ kept_whole }) => kept_whole.includes(reason));
    const size = same.reduce((all, { bytes_per_device }) => all + bytes_per_device, 0);
    const rest = same.length === 1 ? "" : ` and ${same.length - 1} more`;
    return `kept whole: ${reason} (${same[0]?.name}${rest}, ${formatBytes(size)})`;
  });
}

/** `0…23`, or `0,2,4…9`. */
function rangesOf(numbers: readonly number[]): string {
  const [first, last] = [numbers[0] as number, numbers.at(-1) as number];
  if (numbers.length > 2 && last - first === numbers.length - 1) return `${first}…${last}`;
  const step = numbers.length > 2 ? (numbers[1] as number) - first : 0;
  const isEven = step > 1 && numbers.every((each, n) => each === first + n * step);
  return isEven ? `${first},${first + step}…${last}` : numbers.join(",");
}
