/** Bits of floating-point numbers of any format, rounded to nearest, ties to even. */
import { type DType, dtypes } from "../dsl/dtype.ts";

// Public API

/** A binary floating-point format. */
export interface FloatFormat {
  /** Bits of precision, the hidden one included. */
  readonly significand: number;
  readonly exponentBits: number;
  /** Whether the largest exponent is kept for infinities and NaN, as IEEE 754 does. */
  readonly ieee: boolean;
  readonly bits: number;
}

const formats: Partial<Record<DType, FloatFormat>> = {
  f4e2m1fn: { significand: 2, exponentBits: 2, ieee: false, bits: 4 },
  f8e5m2: { significand: 3, exponentBits: 5, ieee: true, bits: 8 },
  f8e4m3fn: { significand: 4, exponentBits: 4, ieee: false, bits: 8 },
  f8e8m0fnu: { significand: 1, exponentBits: 8, ieee: false, bits: 8 },
  f16: { significand: 11, exponentBits: 5, ieee: true, bits: 16 },
  bf16: { significand: 8, exponentBits: 8, ieee: true, bits: 16 },
  f32: { significand: 24, exponentBits: 8, ieee: true, bits: 32 },
  f64: { significand: 53, exponentBits: 11, ieee: true, bits: 64 },
};

/** The format of a floating-point element type. */
export function floatFormat(dtype: DType): FloatFormat {
  const format = formats[dtype];
  if (format === undefined)
    throw new Error(`${dtype} is not a floating-point type of ${Object.keys(dtypes).length} known`);
  return format;
}

/** The bits of the value of `dtype` that is nearest to `value`. */
export function encodeFloat(value: number, dtype: DType): bigint {
  const view = new DataView(new ArrayBuffer(8));
  if (dtype === "f64") {
    view.setFloat64(0, value);
    return view.getBigUint64(0);
  }
  if (dtype === "f32") {
    view.setFloat32(0, value);
    return BigInt(view.getUint32(0));
  }
  const { significand, exponentBits, ieee, bits } = floatFormat(dtype);
  if (dtype === "f8e8m0fnu") return encodeScale(value);
  const bias = 2 ** (exponentBits - 1) - 1;
  const fraction = significand - 1;
  const sign = Object.is(Math.sign(value), -1) || Object.is(value, -0) ? 1n << BigInt(bits - 1) : 0n;
  const top = (1n << BigInt(exponentBits)) - 1n;
  const infinity = top << BigInt(fraction);
  if (Number.isNaN(value))
    return ieee ? infinity | (1n << BigInt(fraction - 1)) : sign | ((1n << BigInt(bits - 1)) - 1n);
  const size = Math.abs(value);
  if (size === 0) return sign;
  if (size === Infinity) return sign | (ieee ? infinity : (1n << BigInt(bits - 1)) - 1n);
  const exponent = Math.max(Math.floor(Math.log2(size)), 1 - bias);
  // Scaled so that the last bit of the format counts 1; subnormals fall out of the same line.
  const units = BigInt(roundEven(size / 2 ** (exponent - fraction)));
  const encoded = units + (BigInt(exponent + bias - 1) << BigInt(fraction));
  const largest = ieee ? infinity : (1n << BigInt(bits - 1)) - (dtype === "f8e4m3fn" ? 1n : 0n);
  if (encoded >= largest) return sign | (ieee ? infinity : largest);
  return sign | encoded;
}

/** The value of bits. */
export function decodeFloat(bits: bigint, dtype: DType): number {
  const view = new DataView(new ArrayBuffer(8));
  if (dtype === "f64") {
    view.setBigUint64(0, bits);
    return view.getFloat64(0);
  }
  const { significand, exponentBits, ieee, bits: width } = floatFormat(dtype);
  if (dtype === "f8e8m0fnu") return bits === 255n ? Number.NaN : 2 ** (Number(bits) - 127);
  const fraction = BigInt(significand - 1);
  const bias = 2 ** (exponentBits - 1) - 1;
  const sign = (bits >> BigInt(width - 1)) & 1n ? -1 : 1;
  const exponent = Number((bits >> fraction) & ((1n << BigInt(exponentBits)) - 1n));
  const mantissa = Number(bits & ((1n << fraction) - 1n));
  if (ieee && exponent === 2 ** exponentBits - 1) return mantissa === 0 ? sign * Infinity : Number.NaN;
  if (dtype === "f8e4m3fn" && exponent === 15 && mantissa === 7) return Number.NaN;
  const scaled = mantissa / 2 ** Number(fraction);
  return exponent === 0 ? sign * scaled * 2 ** (1 - bias) : sign * (1 + scaled) * 2 ** (exponent - bias);
}

// Implementation

/**
 * An exponent alone, without sign, zero or infinity: those are NaN, as in ml_dtypes. Its one significant bit is always
 * set, hence odd, so the middle between two values goes to the larger.
 */
function encodeScale(value: number): bigint {
  if (!(value > 0)) return 255n;
  const exponent = Math.floor(Math.log2(value));
  const nearest = value / 2 ** exponent < 1.5 ? exponent : exponent + 1;
  return BigInt(Math.min(255, Math.max(0, nearest + 127)));
}

function roundEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest > 0.5 || (rest === 0.5 && floor % 2 === 1)) return floor + 1;
  return floor;
}
