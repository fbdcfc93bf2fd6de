/**
 * Tensors in Node's memory: the bytes that travel, and typed arrays over them.
 *
 * Little-endian, row-major, without padding. Views are taken where alignment permits, copies where it does not: a
 * Buffer from the network starts at any byte, a Float32Array only at every fourth.
 */
import { type DType, dtypes } from "../dsl/dtype.ts";
import { InputError } from "../dsl/errors.ts";
import { byteLength, bytesPerElement, type TensorType, typeText } from "./element-type.ts";

// Public API

/** A tensor by value. */
export interface HostTensor extends TensorType {
  readonly data: Uint8Array;
}

/** Numbers, one an element; 64-bit integers take bigint arrays as well. */
export type Elements = ArrayLike<number> | BigInt64Array | BigUint64Array;

/**
 * Makes a tensor of numbers.
 *
 * A typed array that already has the element type's layout is taken without a copy, and a Uint8Array for any type is
 * taken as its bytes when it has exactly that length; other numbers are converted, bf16 and f16 rounding to nearest even.
 *
 * @throws InputError when the count or the byte length does not fit the shape, or an integer its type
 */
export function hostTensor(dtype: DType, shape: readonly number[], elements: Elements): HostTensor {
  const count = shape.reduce((product, size) => product * size, 1);
  if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0)) {
    throw refuse({ dtype, shape }, "sizes that are whole numbers from 0", `[${shape.join(", ")}]`);
  }
  const wanted = byteLength({ dtype, shape });
  if (elements instanceof Uint8Array && elements.byteLength === wanted) return { dtype, shape, data: elements };
  if (elements.length !== count) throw refuse({ dtype, shape }, `${count} elements`, `${elements.length}`);
  if (ArrayBuffer.isView(elements) && elements.constructor.name === layouts[dtype].name) {
    return { dtype, shape, data: bytesOf(elements) };
  }
  return { dtype, shape, data: convert(dtype, elements) };
}

/** Checks a tensor that somebody put together by hand. */
export function checkTensor(tensor: HostTensor): void {
  const wanted = byteLength(tensor);
  if (tensor.data.byteLength !== wanted) throw refuse(tensor, `${wanted} bytes`, `${tensor.data.byteLength}`);
}

/** The elements of a floating-point or small integer tensor as f32; a view when they are f32 and aligned. */
export function toFloat32Array(tensor: HostTensor): Float32Array {
  const { dtype } = tensor;
  if (dtype === "f32") return view(tensor, Float32Array);
  if (dtype === "bf16") return bf16ToFloat32(view(tensor, Uint16Array));
  if (dtype === "f16") return Float32Array.from(view(tensor, Uint16Array), f16ToNumber);
  return Float32Array.from(toNumbers(tensor));
}

/** The elements as i32; a view when they are i32 and aligned. */
export function toInt32Array(tensor: HostTensor): Int32Array {
  return tensor.dtype === "i32" ? view(tensor, Int32Array) : Int32Array.from(toNumbers(tensor));
}

/** The elements as numbers. 64-bit integers beyond 2^53 lose their last digits; 8-bit floats are not understood. */
export function toNumbers(tensor: HostTensor): ArrayLike<number> & Iterable<number> {
  const { dtype } = tensor;
  if (dtype === "bf16" || dtype === "f16") return toFloat32Array(tensor);
  if (dtype === "i64") return Array.from(view(tensor, BigInt64Array), Number);
  if (dtype === "u64") return Array.from(view(tensor, BigUint64Array), Number);
  const layout = numberLayouts[dtype];
  if (!layout) throw refuse(tensor, "a type that has a typed array", dtype);
  return view(tensor, layout);
}

// Implementation

interface Layout<T> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): T;
}

const numberLayouts: Partial<Record<DType, Layout<ArrayLike<number> & Iterable<number>>>> = {
  bool: Uint8Array,
  i4: Int8Array,
  i8: Int8Array,
  i16: Int16Array,
  i32: Int32Array,
  u4: Uint8Array,
  u8: Uint8Array,
  u16: Uint16Array,
  u32: Uint32Array,
  f32: Float32Array,
  f64: Float64Array,
};

/** The typed array whose memory is the tensor's. */
const layouts: Record<DType, { readonly name: string }> = {
  bool: Uint8Array,
  i4: Int8Array,
  i8: Int8Array,
  i16: Int16Array,
  i32: Int32Array,
  i64: BigInt64Array,
  u4: Uint8Array,
  u8: Uint8Array,
  u16: Uint16Array,
  u32: Uint32Array,
  u64: BigUint64Array,
  f4e2m1fn: Uint8Array,
  f8e5m2: Uint8Array,
  f8e4m3fn: Uint8Array,
  f8e8m0fnu: Uint8Array,
  f16: Uint16Array,
  bf16: Uint16Array,
  f32: Float32Array,
  f64: Float64Array,
};

const bytesOf = (array: ArrayBufferView): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

function view<T>({ data, dtype }: HostTensor, layout: Layout<T>): T {
  const size = bytesPerElement(dtype);
  const aligned = data.byteOffset % size === 0 ? data : new Uint8Array(data);
  return new layout(aligned.buffer, aligned.byteOffset, aligned.byteLength / size);
}

function convert(dtype: DType, elements: Elements): Uint8Array {
  const { kind, bits } = dtypes[dtype];
  const wide = dtype === "i64" || dtype === "u64";
  if (wide) {
    const out = dtype === "i64" ? new BigInt64Array(elements.length) : new BigUint64Array(elements.length);
    const low = dtype === "i64" ? -(2n ** 63n) : 0n;
    for (let i = 0; i < out.length; i++) {
      const value = BigInt(elements[i]!);
      if (value < low || value >= low + 2n ** 64n) throw outside(dtype, value, i);
      out[i] = value;
    }
    return bytesOf(out);
  }
  const numbers = Array.from(elements as ArrayLike<number | bigint>, Number);
  if (dtype === "bf16") return bytesOf(Uint16Array.from(numbers, numberToBf16));
  if (dtype === "f16") return bytesOf(Uint16Array.from(numbers, numberToF16));
  if (dtype === "f32") return bytesOf(Float32Array.from(numbers));
  if (dtype === "f64") return bytesOf(Float64Array.from(numbers));
  const layout = numberLayouts[dtype];
  if (!layout) throw refuse({ dtype, shape: [elements.length] }, "the bytes themselves, as a Uint8Array", "numbers");
  const low = kind === "int" ? -(2 ** (bits - 1)) : 0;
  const high = kind === "bool" ? 1 : low + 2 ** bits - 1;
  numbers.forEach((value, i) => {
    if (!Number.isInteger(value) || value < low || value > high) throw outside(dtype, value, i);
  });
  const bytes = new Uint8Array(numbers.length * layout.BYTES_PER_ELEMENT);
  const out = new layout(bytes.buffer, 0, numbers.length) as unknown as { set(values: readonly number[]): void };
  out.set(numbers);
  return bytes;
}

const scratch = new Float32Array(1);
const scratchBits = new Uint32Array(scratch.buffer);

function numberToBf16(value: number): number {
  scratch[0] = value;
  const bits = scratchBits[0]!;
  if (Number.isNaN(value)) return 0x7fc0;
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}

function bf16ToFloat32(bits: Uint16Array): Float32Array {
  const out = new Uint32Array(bits.length);
  for (let i = 0; i < bits.length; i++) out[i] = bits[i]! << 16;
  return new Float32Array(out.buffer);
}

function f16ToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

function numberToF16(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (size >= 65520) return sign | 0x7c00;
  // The spacing of halves around `size`: at least that of the subnormal ones.
  const exponent = Math.max(size === 0 ? -14 : Math.floor(Math.log2(size)), -14);
  const steps = toEven(size / 2 ** (exponent - 10));
  // Steps carry over into the exponent by themselves when they reach 2048.
  return sign | (exponent === -14 ? steps : ((exponent + 14) << 10) + steps);
}

function toEven(value: number): number {
  const down = Math.floor(value);
  const rest = value - down;
  return rest > 0.5 || (rest === 0.5 && down % 2 === 1) ? down + 1 : down;
}

function outside(dtype: DType, value: number | bigint, index: number): InputError {
  return new InputError(
    "TENSOR_INVALID",
    `element ${index} of a tensor of ${dtype} is ${value}, which ${dtype} cannot hold`,
    {
      dtype,
      value,
      index,
    },
  );
}

function refuse(type: TensorType, wanted: string, found: string): InputError {
  return new InputError("TENSOR_INVALID", `${typeText(type)} wants ${wanted}; it was given ${found}`, {
    type,
    wanted,
    found,
  });
}
