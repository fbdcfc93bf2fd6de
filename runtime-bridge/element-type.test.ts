import { expect, test } from "@jest/globals";
import { type DType, dtypes } from "../dsl/dtype.ts";
import { ElementType } from "../proto/generated/worker.ts";
import { byteLength, fromWire, sameType, toWire, typeText } from "./element-type.ts";

test("the language and the contract know the same element types", () => {
  const ours = Object.keys(dtypes).map((name) => name.toUpperCase());
  const theirs = Object.keys(ElementType).filter((name) => name !== "UNSPECIFIED");
  expect(theirs.toSorted()).toEqual(ours.toSorted());
});

test("every element type survives the way to the contract and back", () => {
  for (const dtype of Object.keys(dtypes) as DType[]) {
    expect(fromWire(toWire({ dtype, shape: [2, 3] }))).toEqual({ dtype, shape: [2, 3] });
  }
});

test("an element of 4 bits travels as one byte", () => {
  expect(byteLength({ dtype: "u4", shape: [3, 5] })).toBe(15);
  expect(byteLength({ dtype: "f64", shape: [] })).toBe(8);
  expect(byteLength({ dtype: "f32", shape: [4, 0] })).toBe(0);
});

test("types are equal when dtype and every size are", () => {
  expect(sameType({ dtype: "f32", shape: [1, 2] }, { dtype: "f32", shape: [1, 2] })).toBe(true);
  expect(sameType({ dtype: "f32", shape: [1, 2] }, { dtype: "f32", shape: [1, 2, 1] })).toBe(false);
  expect(sameType({ dtype: "f32", shape: [1, 2] }, { dtype: "bf16", shape: [1, 2] })).toBe(false);
  expect(typeText({ dtype: "f32", shape: [1, 2] })).toBe("f32[1, 2]");
});

test("an element type of a newer worker is refused by number", () => {
  expect(() => fromWire({ elementType: 77, shape: [] })).toThrow("element type 77");
});
