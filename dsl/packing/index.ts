/** Packed forms of weights by name: one file each. */
import type { DType } from "../dtype.ts";
import { e5m2 } from "./e5m2.ts";
import { int8, q8_0 } from "./int8.ts";
import { mxfp4 } from "./mxfp4.ts";
import type { Packing } from "./packing.ts";

export type { PackedPart, Packing } from "./packing.ts";

/** The packed forms, by the words that `--weights` takes. */
export const packings = { mxfp4, e5m2, q8_0, int8 } as const satisfies Record<string, Packing>;

/** The name of a packed form. */
export type PackedFormat = keyof typeof packings;

/** How a weight lies in memory: an element type, or packed. */
export type Storage = DType | PackedFormat;

/** The packed form of that name; undefined for element types. */
export function packingOf(storage: Storage): Packing | undefined {
  return storage in packings ? packings[storage as PackedFormat] : undefined;
}
