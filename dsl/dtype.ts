/**
 * Element types. Axis names are types of TypeScript; element types are facts of the trace, like sizes.
 *
 * Names follow StableHLO (https://openxla.org/stablehlo/spec#types) with `u` for its `ui` and `bool` for its `i1`.
 */

export const dtypes = {
  bool: { kind: "bool", bits: 8, stablehlo: "i1" },
  i4: { kind: "int", bits: 4, stablehlo: "i4" },
  i8: { kind: "int", bits: 8, stablehlo: "i8" },
  i16: { kind: "int", bits: 16, stablehlo: "i16" },
  i32: { kind: "int", bits: 32, stablehlo: "i32" },
  i64: { kind: "int", bits: 64, stablehlo: "i64" },
  u4: { kind: "uint", bits: 4, stablehlo: "ui4" },
  u8: { kind: "uint", bits: 8, stablehlo: "ui8" },
  u16: { kind: "uint", bits: 16, stablehlo: "ui16" },
  u32: { kind: "uint", bits: 32, stablehlo: "ui32" },
  u64: { kind: "uint", bits: 64, stablehlo: "ui64" },
  f4e2m1fn: { kind: "float", bits: 4, stablehlo: "f4E2M1FN" },
  f8e5m2: { kind: "float", bits: 8, stablehlo: "f8E5M2" },
  f8e4m3fn: { kind: "float", bits: 8, stablehlo: "f8E4M3FN" },
  f8e8m0fnu: { kind: "float", bits: 8, stablehlo: "f8E8M0FNU" },
  f16: { kind: "float", bits: 16, stablehlo: "f16" },
  bf16: { kind: "float", bits: 16, stablehlo: "bf16" },
  f32: { kind: "float", bits: 32, stablehlo: "f32" },
  f64: { kind: "float", bits: 64, stablehlo: "f64" },
} as const satisfies Record<string, { kind: Kind; bits: number; stablehlo: string }>;

/** The name of an element type. */
export type DType = keyof typeof dtypes;

/** What can be done with an element type. */
export type Kind = "bool" | "int" | "uint" | "float";

/** Whether `dtype` is a floating-point type. */
export const isFloat = (dtype: DType): boolean => dtypes[dtype].kind === "float";

/** Whether `dtype` counts: a signed or unsigned integer. */
export const isInteger = (dtype: DType): boolean => dtypes[dtype].kind === "int" || dtypes[dtype].kind === "uint";

/** The type that holds every value of both, where there is one: what two numbers can be compared in. */
export function meet(a: DType, b: DType): DType | undefined {
  if (a === b) return a;
  const [one, other] = [dtypes[a], dtypes[b]];
  if (one.kind === "bool" || other.kind === "bool" || isFloat(a) !== isFloat(b)) return undefined;
  if (isFloat(a)) {
    // Of two formats of one width neither holds the other, and block scales reach further than f16 does.
    if (one.bits === other.bits || a === "f8e8m0fnu" || b === "f8e8m0fnu")
      return one.bits === 64 ? a : other.bits === 64 ? b : "f32";
    return one.bits > other.bits ? a : b;
  }
  if (one.kind === other.kind) return one.bits > other.bits ? a : b;
  const [signed, unsigned] = one.kind === "int" ? [a, b] : [b, a];
  return dtypes[signed].bits > dtypes[unsigned].bits ? signed : undefined;
}

/** Whether a number is a value of `dtype`; every number is, rounded, one of a float's. */
export function holds(dtype: DType, value: number | bigint | boolean): boolean {
  const { kind, bits } = dtypes[dtype];
  if (kind === "float") return true;
  if (typeof value === "number" && !Number.isInteger(value)) return false;
  const [low, width] = kind === "bool" ? [0n, 1n] : [kind === "int" ? -(2n ** BigInt(bits - 1)) : 0n, BigInt(bits)];
  return BigInt(value) >= low && BigInt(value) < low + 2n ** width;
}
