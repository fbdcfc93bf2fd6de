/** Tensors as tests write them: nested arrays of numbers, with every element type's own idea of a number. */
import { decodeFloat, encodeFloat } from "../../compiler/floats.ts";
import { type DType, dtypes } from "../../dsl/dtype.ts";

/** One element. */
export type Element = number | bigint | boolean;

/** A tensor, nested as its shape is, or flat. */
export type Nested = Element | readonly Nested[];

/** How far from the expected number a result may be: `absolute + relative * |expected|`. */
export interface Tolerance {
  readonly relative?: number;
  readonly absolute?: number;
  /** Why equality would be too much to ask. */
  readonly because: string;
}

/** All elements in order. */
export function flat(values: Nested): Element[] {
  return Array.isArray(values) ? values.flatMap(flat) : [values as Element];
}

/** Elements as the worker takes them: little-endian, 4-bit ones in a byte each. */
export function encode(values: readonly Element[], dtype: DType): Uint8Array {
  const width = Math.ceil(dtypes[dtype].bits / 8);
  const bytes = new Uint8Array(values.length * width);
  values.forEach((value, n) => {
    let bits =
      dtypes[dtype].kind === "float"
        ? encodeFloat(Number(value), dtype)
        : BigInt(value) & ((1n << BigInt(8 * width)) - 1n);
    for (let byte = 0; byte < width; byte++, bits >>= 8n) bytes[n * width + byte] = Number(bits & 255n);
  });
  return bytes;
}

/** Bytes from the worker as elements: bigint for 64 bits, boolean for bool. */
export function decode(bytes: Uint8Array, dtype: DType): Element[] {
  const { bits, kind } = dtypes[dtype];
  const width = Math.ceil(bits / 8);
  return Array.from({ length: bytes.length / width }, (_, n) => {
    let word = 0n;
    for (let byte = width - 1; byte >= 0; byte--) word = (word << 8n) | BigInt(bytes[n * width + byte] as number);
    if (kind === "float") return decodeFloat(word & ((1n << BigInt(bits)) - 1n), dtype);
    if (kind === "bool") return word !== 0n;
    const value = kind === "int" ? BigInt.asIntN(bits, word) : BigInt.asUintN(bits, word);
    return bits === 64 ? value : Number(value);
  });
}

/** Element by element: what is wrong with `found`, or nothing. Without a tolerance even -0 and 0 differ. */
export function difference(
  found: readonly Element[],
  wanted: readonly Element[],
  dtype: DType,
  tolerance?: Tolerance,
): string | undefined {
  if (found.length !== wanted.length) return `${found.length} elements, and ${wanted.length} are expected`;
  const isFloat = dtypes[dtype].kind === "float";
  const wrong = found.flatMap((value, n) => {
    const other = wanted[n] as Element;
    const same = isFloat ? near(Number(value), rounded(Number(other), dtype), tolerance) : equal(value, other);
    return same ? [] : [`  at ${n}: ${show(value)}, expected ${show(other)}`];
  });
  if (wrong.length === 0) return undefined;
  return `${wrong.length} of ${found.length} elements differ\n${wrong.slice(0, 12).join("\n")}`;
}

function rounded(value: number, dtype: DType): number {
  return decodeFloat(encodeFloat(value, dtype), dtype);
}

function near(found: number, wanted: number, tolerance: Tolerance | undefined): boolean {
  if (Object.is(found, wanted)) return true;
  if (tolerance === undefined || !Number.isFinite(wanted)) return false;
  const { absolute = 0, relative = 0 } = tolerance;
  return Math.abs(found - wanted) <= absolute + relative * Math.abs(wanted);
}

/** A boolean may be written as 0 or 1, a 64-bit integer as a number. */
function equal(found: Element, wanted: Element): boolean {
  return BigInt(found) === BigInt(wanted);
}

function show(value: Element): string {
  return Object.is(value, -0) ? "-0" : String(value);
}
