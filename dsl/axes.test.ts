import { describe, expect, test } from "@jest/globals";
import { refusalOf } from "../tests/support/refusal.ts";
import { type Axis, axes, axis, flatten, formatAxes, holds, meet, trace, unflatten } from "./index.ts";

describe("axes", () => {
  test("are names with sizes, which errors print in order", () => {
    const ax = axes({ batch: 2, embed: 2880 });
    ax.embed satisfies Axis<"embed">;
    expect(ax).toEqual({ batch: { name: "batch", size: 2 }, embed: { name: "embed", size: 2880 } });
    expect(formatAxes([ax.batch, ax.embed])).toBe("[batch 2, embed 2880]");
  });

  test.each([0, -1, 1.5, Number.NaN, Infinity])("refuse a size of %d", (size) => {
    expect(() => axis("row", size)).toThrow(`axis 'row' has size ${size}`);
  });

  test("refuse sizes with a sentence", () => {
    expect(refusalOf(() => axes({ batch: 2, embed: 0 }))).toMatchInlineSnapshot(`
      InputError AXIS_SIZE
      axis 'embed' has size 0, and a size is a whole number from 1
    `);
  });

  test("that were not declared do not exist", () => {
    const ax = axes({ batch: 2 });
    // @ts-expect-error  undeclared
    expect(ax.heads).toBeUndefined();
  });
});

describe("meet", () => {
  test.each([
    ["f32", "bf16", "f32"],
    ["bf16", "f16", "f32"],
    ["f16", "f8e5m2", "f16"],
    ["f16", "f8e8m0fnu", "f32"],
    ["f64", "f32", "f64"],
    ["f64", "f8e8m0fnu", "f64"],
    ["i8", "i32", "i32"],
    ["u8", "i16", "i16"],
    ["u8", "i8", undefined],
    ["u64", "i64", undefined],
    ["f32", "i8", undefined],
    ["bool", "u8", undefined],
    ["bool", "bool", "bool"],
  ] as const)("of %s and %s is %s, either way", (a, b, expected) => {
    expect([meet(a, b), meet(b, a)]).toEqual([expected, expected]);
  });
});

describe("holds", () => {
  test.each([
    ["i8", -128, true],
    ["i8", 128, false],
    ["u4", 15, true],
    ["u4", -1, false],
    ["u64", 2n ** 64n - 1n, true],
    ["u64", 2n ** 64n, false],
    ["i64", -(2n ** 63n), true],
    ["i32", 0.5, false],
    ["i32", Infinity, false],
    ["bool", 2, false],
    ["bool", true, true],
    ["f8e4m3fn", 1e9, true],
  ] as const)("says whether %s has %s: %s", (dtype, value, expected) => {
    expect(holds(dtype, value)).toBe(expected);
  });
});

describe("trees", () => {
  test("come back in the same form with other leaves", () => {
    trace("tree", ({ input }) => {
      const tree = { a: input("a", "f32"), list: [input("b", "f32"), { c: input("c", "f32") }], none: undefined };
      expect(flatten(tree).map(([path]) => path)).toEqual(["a", "list.0", "list.1.c"]);
      expect(unflatten(tree, [1, 2, 3])).toEqual({ a: 1, list: [2, { c: 3 }], none: undefined });
    });
  });

  test("refuse leaves that are no tensors, by path", () => {
    expect(refusalOf(() => flatten({ a: { b: "text" } }))).toMatchInlineSnapshot(`
      InputError TREE_LEAF
      a.b is a string; a tree holds tensors, records and arrays
    `);
    expect(refusalOf(() => flatten(3))).toMatchInlineSnapshot(`
      InputError TREE_LEAF
      the value is a number; a tree holds tensors, records and arrays
    `);
  });
});
