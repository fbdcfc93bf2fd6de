/** Blocks of 32 elements along the last axis, which several packed forms share. */
import { type Axis, axis } from "../axes.ts";
import { InputError } from "../errors.ts";

/** Elements of a block. */
export const blockElements = 32;

/** The axes of one number for each block. @throws InputError when the last axis is no multiple of 32 */
export function blockAxes(format: string, of: readonly Axis[]): readonly Axis[] {
  const last = of.at(-1) as Axis;
  if (last.size % blockElements !== 0) {
    throw new InputError(
      "PACKING",
      `${format} packs ${blockElements} elements a block, and axis '${last.name}' has ${last.size}`,
      {
        format,
        axis: last.name,
        size: last.size,
      },
    );
  }
  return [...of.slice(0, -1), axis("block", last.size / blockElements)];
}
