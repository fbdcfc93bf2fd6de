import { expect, test } from "@jest/globals";

const { compareGoldens } = (await import(new URL("../../scripts/compare-goldens.mjs", import.meta.url).href)) as {
  compareGoldens(before: Map<string, string>, after: Map<string, string>): { problems: string[]; moved: number };
};

const map = (operation: string): string => `{\n  "operations": [\n    ${operation}\n  ]\n}`;

test("goldens of two commits may differ in the places of maps, and in nothing else", () => {
  const before = new Map([
    ["a.mlir", "module @a"],
    ["a.mlir.map", map('["add","dsl/old.ts:3:4",[["batch"]]]')],
    ["b.mlir", "module @b"],
    ["b.mlir.map", map('["add","dsl/b.ts:1:1",[["batch"]]]')],
    ["gone.mlir", "module @gone"],
  ]);
  const after = new Map([
    ["a.mlir", "module @a"],
    ["a.mlir.map", map('["add","dsl/new/file.ts:30:2",[["batch"]]]')],
    ["b.mlir", "module @other"],
    ["b.mlir.map", map('["mul","dsl/b.ts:1:1",[["batch"]]]')],
    ["new.mlir", "module @new"],
  ]);
  expect(compareGoldens(before, after)).toEqual({
    moved: 1,
    problems: [
      "b.mlir has other bytes",
      'b.mlir.map differs in more than places: line 3 was ["add","",[["batch"]]], and is ["mul","",[["batch"]]]',
      "gone.mlir is gone",
      "new.mlir is new",
    ],
  });
});
