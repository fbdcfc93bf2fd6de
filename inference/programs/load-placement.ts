/**
 * Where the tensors of a file lie that a load program takes: split as the weight will be, so that each host reads only
 * what its own devices get.
 *
 * A dimension of the file holds consecutive axes of the weight, and a contiguous part of it is a part of the outermost of
 * them. Where that one is split, the dimension is split alike; everything else is read whole. Whatever is chosen here
 * changes no number: the partitioner brings to a device what it lacks.
 */
import { type MeshAxis, type Placement, splitsOf } from "../../compiler/index.ts";
import { type Axis, packingOf, type Storage } from "../../dsl/index.ts";
import { isPacked } from "../../models/checkpoints/block-formats.ts";
import type { Feed } from "../../models/checkpoints/checkpoint.ts";
import { readingOf } from "../../models/checkpoints/sources.ts";
import { groupAxes, ownShape } from "../../models/checkpoints/stored-tensor.ts";

// Public API

/**
 * The placement that a load program is lowered with: the model's, and that of the file's dimensions `d0`, `d1`, ….
 *
 * @param storage  how the weight will lie in memory
 */
export function loadPlacement(feed: Feed, storage: Storage, placement: Placement): Placement {
  const splits = weightSplits(feed, storage, placement);
  const byTensor = feed.tensors.map((_, n) => dimensionSplits(feed, n, splits));
  const names = new Set(byTensor.flatMap((each) => Object.keys(each)));
  const over: Record<string, readonly MeshAxis[]> = { ...placement.over };
  for (const name of names) {
    const [first, ...others] = byTensor.map((each) => each[name]);
    // Tensors of one program share the names of their dimensions.
    const areAlike = others.every((other) => other?.join() === first?.join());
    if (first !== undefined && areAlike) over[name] = first;
  }
  return { ...placement, over };
}

// Implementation

/** Over what each axis of the weight is split, as it will lie in memory. */
function weightSplits(
  { param }: Feed,
  storage: Storage,
  placement: Placement,
): ReadonlyMap<string, readonly MeshAxis[]> {
  const parts = packingOf(storage)?.parts(param.axes) ?? [{ axes: param.axes }];
  const all = parts.flatMap(({ axes }) => {
    const splits = splitsOf(placement, axes);
    return axes.map(({ name }, n) => [name, splits[n] as readonly MeshAxis[]] as const);
  });
  return new Map(all);
}

function dimensionSplits(
  { param, source, tensors }: Feed,
  n: number,
  splits: ReadonlyMap<string, readonly MeshAxis[]>,
): Readonly<Record<string, readonly MeshAxis[]>> {
  const tensor = tensors[n];
  if (tensor === undefined || source.kind === "drawn") return {};
  const pieces = readingOf(source).pieces(param.axes);
  const piece = typeof pieces === "string" ? undefined : pieces[n];
  const groups = piece === undefined ? undefined : groupAxes(piece.axes, ownShape(piece, tensor));
  if (piece === undefined || groups === undefined) return {};
  // Of raw blocks the last dimension is blocks and bytes, which have names of their own.
  const plain = isPacked(tensor.format) ? groups.slice(0, -1) : groups;
  const entries = plain.flatMap((group: readonly Axis[], at) => {
    const outermost = group.find(({ size }) => size > 1);
    // Rows of several weights in one tensor, and rows that alternate, are no contiguous part.
    const isScattered = (at === 0 && piece.rows !== undefined) || outermost?.name === piece.interleaved;
    const along = outermost === undefined || isScattered ? [] : (splits.get(outermost.name) ?? []);
    return along.length === 0 ? [] : [[`d${at}`, along] as const];
  });
  return Object.fromEntries(entries);
}
