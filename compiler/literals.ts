/**
 * Constants as MLIR prints them: `dense<1.000000e+00>`, `dense<[1, 2]>`, `dense<"0x…">` for more than a hundred elements.
 *
 * Floats follow LLVM's APFloat::toString: six significant digits in exponent form where they mean the same value, else
 * as many digits as the type needs, else the bits. Source: llvm/lib/Support/APFloat.cpp, mlir/lib/IR/AsmPrinter.cpp.
 */
import type { Axis } from "../dsl/axes.ts";
import { type DType, dtypes } from "../dsl/dtype.ts";
import { decodeFloat, encodeFloat, floatFormat } from "./floats.ts";

// Public API

/** A number of the program. */
export type Literal = number | bigint | boolean;

/** The attribute between `dense<` and `>`, for values row-major over `dims`. */
export function denseLiteral(values: readonly Literal[], dtype: DType, dims: readonly Axis[]): string {
  const elements = values.map((value) => element(value, dtype));
  if (elements.length > 0 && elements.every((text) => text === elements[0])) return elements[0] as string;
  if (elements.length > hexFrom) return `"0x${hexBytes(values, dtype)}"`;
  return nest(
    elements,
    dims.map(({ size }) => size),
  );
}

/** One element. */
export function element(value: Literal, dtype: DType): string {
  if (dtype === "bool") return value ? "true" : "false";
  if (dtypes[dtype].kind !== "float")
    return typeof value === "bigint" ? value.toString() : String(Math.trunc(Number(value)));
  return floatText(Number(value), dtype);
}

// Implementation

/** MLIR prints tensors with more elements as their bytes. */
const hexFrom = 100;

function nest(elements: readonly string[], sizes: readonly number[]): string {
  const [size, ...inner] = sizes;
  if (size === undefined) return elements[0] as string;
  const each = elements.length / size;
  const parts = Array.from({ length: size }, (_, n) => nest(elements.slice(n * each, (n + 1) * each), inner));
  return `[${parts.join(", ")}]`;
}

function floatText(value: number, dtype: DType): string {
  const bits = encodeFloat(value, dtype);
  const exact = decodeFloat(bits, dtype);
  const hex = `0x${bits
    .toString(16)
    .toUpperCase()
    .padStart(Math.ceil(dtypes[dtype].bits / 4), "0")}`;
  if (!Number.isFinite(exact)) return hex;
  const short = shortForm(exact);
  if (encodeFloat(Number(short), dtype) === bits) return short;
  const long = longForm(exact, dtype);
  return long.includes(".") ? long : hex;
}

/** Six significant digits and an exponent of at least two. */
function shortForm(value: number): string {
  if (value === 0) return Object.is(value, -0) ? "-0.000000e+00" : "0.000000e+00";
  const { digits, exponent } = decimal(Math.abs(value), 6);
  const power = exponent + digits.length - 1;
  const written = `${digits[0]}.${digits.slice(1).padEnd(6, "0")}`;
  return `${value < 0 ? "-" : ""}${written}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
}

/** As many digits as tell every value of the type apart, plain where the number is near 1. */
function longForm(value: number, dtype: DType): string {
  const precision = 2 + Math.floor((floatFormat(dtype).significand * 59) / 196);
  const sign = value < 0 ? "-" : "";
  const { digits, exponent } = decimal(Math.abs(value), precision);
  const top = exponent + digits.length - 1;
  const scientific =
    exponent >= 0 ? exponent > padding || digits.length + exponent > precision : top < 0 && -top > padding;
  if (scientific) {
    const rest = digits.slice(1) || "0";
    return `${sign}${digits[0]}.${rest}E${top < 0 ? "-" : "+"}${Math.abs(top)}`;
  }
  if (exponent >= 0) return `${sign}${digits}${"0".repeat(exponent)}`;
  const whole = digits.length + exponent;
  if (whole > 0) return `${sign}${digits.slice(0, whole)}.${digits.slice(whole)}`;
  return `${sign}0.${"0".repeat(-whole)}${digits}`;
}

/**
 * At most `precision` decimal digits of a positive number and the power of ten of the last one.
 *
 * APFloat first divides surplus powers of ten away, which truncates, and only then rounds, half up: so the last digit is
 * sometimes one less than the nearest.
 */
function decimal(value: number, precision: number): { digits: string; exponent: number } {
  const { significand: odd, exponent: binary } = oddSignificand(value);
  let significand = binary >= 0 ? odd << BigInt(binary) : odd * 5n ** BigInt(-binary);
  let exponent = Math.min(binary, 0);
  const bits = significand.toString(2).length;
  const surplus = Math.floor(((bits - Math.floor((precision * 196 + 58) / 59)) * 59) / 196);
  if (surplus > 0) {
    significand /= 10n ** BigInt(surplus);
    exponent += surplus;
  }
  let digits = significand.toString();
  if (digits.length > precision) {
    exponent += digits.length - precision;
    const up = (digits[precision] as string) >= "5";
    digits = (BigInt(digits.slice(0, precision)) + (up ? 1n : 0n)).toString();
  }
  const kept = digits.replace(/0+$/, "");
  return { digits: kept, exponent: exponent + digits.length - kept.length };
}

/** A positive number as an odd whole number times a power of two. */
function oddSignificand(value: number): { significand: bigint; exponent: number } {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const biased = Number(bits >> 52n);
  let significand = (bits & ((1n << 52n) - 1n)) | (biased === 0 ? 0n : 1n << 52n);
  let exponent = Math.max(biased, 1) - 1075;
  while ((significand & 1n) === 0n) {
    significand >>= 1n;
    exponent++;
  }
  return { significand, exponent };
}

/** How many zeros are written out before the exponent form is shorter. */
const padding = 3;

/** Little-endian; an element takes at least a byte, truth and 4-bit numbers too. */
function hexBytes(values: readonly Literal[], dtype: DType): string {
  const { bits: width, kind } = dtypes[dtype];
  const digits = Math.max(2, width / 4);
  return values
    .map((value) => {
      const bits = kind === "float" ? encodeFloat(Number(value), dtype) : BigInt.asUintN(width, BigInt(value));
      const big = bits.toString(16).padStart(digits, "0").toUpperCase();
      return (big.match(/../g) as string[]).reverse().join("");
    })
    .join("");
}
