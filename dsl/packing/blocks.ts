/** Blocks of 32 elements along the last axis, which several packed forms share. */
import { type Axis, axis } from "../axes.ts";
import { InputError } from "../errors.ts";

// Public API

/** Elements of a block. */
export const blockElements = 32;

/** The axes of one number for each block: of `mlp` they are `mlpBlock`. @throws InputError when the last axis is no multiple of 32 */
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
  return [...of.slice(0, -1), axis(`${last.name}${suffix}`, last.size / blockElements)];
}

/** The name of the axis whose blocks an axis counts; undefined for an axis that counts none. */
export function packedAxis(name: string): string | undefined {
  return name.endsWith(suffix) ? name.slice(0, -suffix.length) : undefined;
}

// Implementation

/** Blocks are of an axis, so that whoever splits it can split them. */
const suffix = "Block";
