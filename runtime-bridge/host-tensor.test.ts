import { expect, test } from "@jest/globals";
import type { DType } from "../dsl/dtype.ts";
import { checkTensor, hostTensor, toFloat32Array, toInt32Array, toNumbers } from "./host-tensor.ts";

test("a typed array of the same layout is taken without a copy", () => {
  const floats = Float32Array.of(1, 2, 3, 4, 5, 6).subarray(2);
  const tensor = hostTensor("f32", [2, 2], floats);
  expect(tensor.data.buffer).toBe(floats.buffer);
  expect([...toFloat32Array(tensor)]).toEqual([3, 4, 5, 6]);
  expect(toFloat32Array(tensor).buffer).toBe(floats.buffer);
});

test.each<[DType, readonly number[]]>([
  ["bool", [0, 1]],
  ["i4", [-8, 7]],
  ["i8", [-128, 127]],
  ["i16", [-32768, 32767]],
  ["i32", [-(2 ** 31), 2 ** 31 - 1]],
  ["i64", [-(2 ** 53), 2 ** 53]],
  ["u4", [0, 15]],
  ["u8", [0, 255]],
  ["u16", [0, 65535]],
  ["u32", [0, 2 ** 32 - 1]],
  ["u64", [0, 2 ** 53]],
  ["f16", [65504, -(2 ** -24)]],
  ["bf16", [1.0078125, -(2 ** -133)]],
  ["f32", [0.5, -3]],
  ["f64", [0.1, Number.MAX_VALUE]],
])("numbers of %s come back as they were", (dtype, values) => {
  expect(Array.from(toNumbers(hostTensor(dtype, [2], values)))).toEqual(values);
});

test("bytes that start anywhere are read, aligned or not", () => {
  const bytes = new Uint8Array(9);
  bytes.set(new Uint8Array(Float32Array.of(1.5, -2).buffer), 1);
  expect([...toFloat32Array({ dtype: "f32", shape: [2], data: bytes.subarray(1) })]).toEqual([1.5, -2]);
  expect([...toInt32Array({ dtype: "i32", shape: [1], data: bytes.subarray(1, 5) })]).toEqual([0x3fc00000]);
});

test("f32 becomes bf16 and f16 by rounding to the nearest, ties to even", () => {
  const round = (dtype: DType, value: number): number => toFloat32Array(hostTensor(dtype, [1], [value]))[0]!;
  expect(round("bf16", 1 + 2 ** -8)).toBe(1);
  expect(round("bf16", 1 + 3 * 2 ** -8)).toBe(1 + 2 ** -6);
  expect(round("bf16", 3.4e38)).toBe(Number.POSITIVE_INFINITY);
  expect(round("f16", 1 + 2 ** -11)).toBe(1);
  expect(round("f16", 1 + 3 * 2 ** -11)).toBe(1 + 2 ** -9);
  expect(round("f16", 65519)).toBe(65504);
  expect(round("f16", 65520)).toBe(Number.POSITIVE_INFINITY);
  expect(round("f16", 2 ** -25)).toBe(0);
  expect(round("f16", 1.5 * 2 ** -24)).toBe(2 ** -23);
  expect(Object.is(round("f16", -0), -0)).toBe(true);
  expect(Object.is(round("bf16", -0), -0)).toBe(true);
  for (const dtype of ["f16", "bf16"] as const) {
    expect(round(dtype, Number.NaN)).toBeNaN();
    expect(round(dtype, Number.NEGATIVE_INFINITY)).toBe(Number.NEGATIVE_INFINITY);
  }
});

test("every f16 survives the way to numbers and back", () => {
  const bits = Uint16Array.from({ length: 65536 }, (_, i) => i).filter(
    (b) => (b & 0x7c00) !== 0x7c00 || (b & 1023) === 0,
  );
  const numbers = toFloat32Array(hostTensor("f16", [bits.length], bits));
  expect(hostTensor("f16", [bits.length], Array.from(numbers)).data).toEqual(new Uint8Array(bits.buffer));
});

test("64-bit integers are taken from bigint arrays without a copy", () => {
  const big = BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n);
  expect(hostTensor("i64", [2], big).data.buffer).toBe(big.buffer);
});

test("bytes are taken for any type when they are as many as it has", () => {
  expect(toNumbers(hostTensor("i16", [1], Uint8Array.of(1, 1)))).toEqual(Int16Array.of(257));
  expect(hostTensor("f8e4m3fn", [3], Uint8Array.of(1, 2, 3)).data).toHaveLength(3);
});

test("what does not fit is refused with both sides", () => {
  expect(() => hostTensor("f32", [2, 3], [1, 2])).toThrowErrorMatchingInlineSnapshot(
    `"f32[2, 3] wants 6 elements; it was given 2"`,
  );
  expect(() => hostTensor("f32", [-1], [])).toThrowErrorMatchingInlineSnapshot(
    `"f32[-1] wants sizes that are whole numbers from 0; it was given [-1]"`,
  );
  expect(() => hostTensor("i8", [1], [128])).toThrowErrorMatchingInlineSnapshot(
    `"element 0 of a tensor of i8 is 128, which i8 cannot hold"`,
  );
  expect(() => hostTensor("i32", [2], [1, 0.5])).toThrowErrorMatchingInlineSnapshot(
    `"element 1 of a tensor of i32 is 0.5, which i32 cannot hold"`,
  );
  expect(() => hostTensor("u64", [1], BigInt64Array.of(-1n))).toThrowErrorMatchingInlineSnapshot(
    `"element 0 of a tensor of u64 is -1, which u64 cannot hold"`,
  );
  expect(() => hostTensor("bool", [1], [2])).toThrowErrorMatchingInlineSnapshot(
    `"element 0 of a tensor of bool is 2, which bool cannot hold"`,
  );
  expect(() => hostTensor("f8e5m2", [2], [1, 2])).toThrowErrorMatchingInlineSnapshot(
    `"f8e5m2[2] wants the bytes themselves, as a Uint8Array; it was given numbers"`,
  );
  expect(() => checkTensor({ dtype: "f32", shape: [2], data: new Uint8Array(7) })).toThrowErrorMatchingInlineSnapshot(
    `"f32[2] wants 8 bytes; it was given 7"`,
  );
});

test("a scalar has one element and an empty tensor none", () => {
  expect(hostTensor("f32", [], [7]).data).toHaveLength(4);
  expect(hostTensor("f32", [0, 5], []).data).toHaveLength(0);
});
