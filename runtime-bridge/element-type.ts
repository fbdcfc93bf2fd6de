/**
 * The contract's numbers for element types and our names for them.
 */
import { type DType, dtypes } from "../dsl/dtype.ts";
import { ElementType, type TensorType as WireType } from "../proto/generated/worker.ts";

/** An element type and a shape. */
export interface TensorType {
  readonly dtype: DType;
  /** Outermost first; empty for a scalar. */
  readonly shape: readonly number[];
}

const numbers = new Map<DType, number>();
const names = new Map<number, DType>();
for (const dtype of Object.keys(dtypes) as DType[]) {
  // A name that the contract lacks, or the reverse, is a test's affair (./element-type.test.ts).
  const number = (ElementType as Record<string, number>)[dtype.toUpperCase()];
  if (number === undefined) continue;
  numbers.set(dtype, number);
  names.set(number, dtype);
}

/** How many bytes an element takes on its way: 4-bit ones take one each. */
export const bytesPerElement = (dtype: DType): number => Math.ceil(dtypes[dtype].bits / 8);

/** How many bytes a tensor takes on its way. */
export const byteLength = ({ dtype, shape }: TensorType): number =>
  shape.reduce((product, size) => product * size, bytesPerElement(dtype));

/** As errors print it: `f32[2, 3]`. */
export const typeText = ({ dtype, shape }: TensorType): string => `${dtype}[${shape.join(", ")}]`;

/** Whether two types are the same. */
export const sameType = (a: TensorType, b: TensorType): boolean =>
  a.dtype === b.dtype && a.shape.length === b.shape.length && a.shape.every((size, i) => size === b.shape[i]);

/** Our words to the contract's. */
export const toWire = ({ dtype, shape }: TensorType): WireType => ({ elementType: numbers.get(dtype) ?? 0, shape });

/** The contract's words to ours. A worker that speaks of a type unknown here is newer than this side. */
export function fromWire(type: WireType | undefined): TensorType {
  const dtype = names.get(type?.elementType ?? 0);
  if (!type || !dtype)
    throw new RangeError(`the worker named element type ${type?.elementType}, which is unknown here`);
  return { dtype, shape: type.shape };
}
