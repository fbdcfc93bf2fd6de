import { describe, expect, test } from "@jest/globals";
import { checkProgram } from "../../tests/support/check-program.ts";
import { refusal } from "../../tests/support/refusal.ts";
import { axes, axis } from "../index.ts";

const ax = axes({ row: 2, column: 5, choice: 2 });
const { NaN: nan } = Number;

const partial = "the interpreter compares floats by IEEE 754 where total order is asked for";

describe("topK", () => {
  test("gives the largest, largest first, and where they were; of equals the first", async () => {
    const { text, program } = await checkProgram(
      ({ input }) => input("x", "f32", ax.row, ax.column).topK("column", ax.choice),
      {
        inputs: {
          x: [
            [1, 7, 3, 7, 7],
            [0, -1, -2, -3, 0],
          ],
        },
        expected: {
          values: [
            [7, 7],
            [0, 0],
          ],
          ids: [
            [1, 3],
            [0, 4],
          ],
        },
      },
    );
    expect(text).toMatchInlineSnapshot(`
      func.func public @main(%arg0: tensor<2x5xf32>) -> (tensor<2x2xf32>, tensor<2x2xi32>) {
        %0 = stablehlo.iota dim = 1 : tensor<2x5xi32>
        %1:2 = "stablehlo.sort"(%arg0, %0) <{dimension = 1 : i64, is_stable = true}> ({
        ^bb0(%arg1: tensor<f32>, %arg2: tensor<f32>, %arg3: tensor<i32>, %arg4: tensor<i32>):
          %4 = stablehlo.compare GT, %arg1, %arg2, TOTALORDER : (tensor<f32>, tensor<f32>) -> tensor<i1>
          stablehlo.return %4 : tensor<i1>
        }) : (tensor<2x5xf32>, tensor<2x5xi32>) -> (tensor<2x5xf32>, tensor<2x5xi32>)
        %2 = stablehlo.slice %1#0 [0:2, 0:2] : (tensor<2x5xf32>) -> tensor<2x2xf32>
        %3 = stablehlo.slice %1#1 [0:2, 0:2] : (tensor<2x5xi32>) -> tensor<2x2xi32>
        return %2, %3 : tensor<2x2xf32>, tensor<2x2xi32>
      }
    `);
    expect(program.signature.results.map((each) => each.axes)).toEqual([
      ["row", "choice"],
      ["row", "choice"],
    ]);
  });

  test("counts NaN as largest, and -Infinity as least", async () => {
    await checkProgram(({ input }) => input("x", "f32", ax.column).topK("column", axis("all", 5)), {
      inputs: { x: [-Infinity, nan, 1, Infinity, nan] },
      expected: { values: [nan, nan, Infinity, 1, -Infinity], ids: [1, 4, 3, 2, 0] },
      interpreterDiffers: { values: partial, ids: partial },
    });
  });

  test("runs along an axis that does not lie innermost, and may keep its name", async () => {
    await checkProgram(({ input }) => input("x", "i32", ax.column, ax.row).topK("column", axis("column", 1)), {
      inputs: {
        x: [
          [1, 9],
          [2, 8],
          [5, 7],
          [4, 6],
          [3, 5],
        ],
      },
      expected: { values: [[5, 9]], ids: [[2, 0]] },
    });
  });

  test("leaves unused results out of the text", async () => {
    await checkProgram(({ input }) => input("x", "bf16", ax.column).topK("column", ax.choice).ids, {
      inputs: { x: [1, 2, 3, 5, 4] },
      expected: [3, 4],
    });
  });

  test("refuses more entries than there are, and names that are taken", () => {
    expect(
      refusal(({ input }) => input("x", "f32", ax.column).topK("column", axis("choice", 6)).ids),
    ).toMatchInlineSnapshot(`
      ShapeError INDEX_RANGE
      topK over 'column': 6 of 5 entries
        operand  x  f32 [column 5]  sort.test.ts:+0
    `);
    expect(
      refusal(({ input }) => input("x", "f32", ax.row, ax.column).topK("column", ax.row).ids),
    ).toMatchInlineSnapshot(`
      ShapeError AXIS_TAKEN
      topK: axis 'row' already exists
        operand  x  f32 [row 2, column 5]  sort.test.ts:+0
        hint  rename one of the two: x.rename("row", …)
    `);
    expect(
      refusal(({ input }) => {
        const x = input("x", "f32", ax.row);
        // @ts-expect-error  no such axis
        return x.topK("column", ax.choice).ids;
      }),
    ).toMatchInlineSnapshot(`
      ShapeError AXIS_MISSING
      topK over 'column': the operand has no such axis
        operand  x  f32 [row 2]  sort.test.ts:+1
    `);
  });
});

describe("sort", () => {
  test("orders along an axis, smallest first, and keeps equals as they stood", async () => {
    const { text } = await checkProgram(({ input }) => input("x", "i8", ax.row, ax.column).sort("column"), {
      inputs: {
        x: [
          [3, -1, 2, -1, 3],
          [5, 4, 3, 2, 1],
        ],
      },
      expected: {
        values: [
          [-1, -1, 2, 3, 3],
          [1, 2, 3, 4, 5],
        ],
        ids: [
          [1, 3, 2, 0, 4],
          [4, 3, 2, 1, 0],
        ],
      },
    });
    expect(text).toMatchInlineSnapshot(`
      func.func public @main(%arg0: tensor<2x5xi8>) -> (tensor<2x5xi8>, tensor<2x5xi32>) {
        %0 = stablehlo.iota dim = 1 : tensor<2x5xi32>
        %1:2 = "stablehlo.sort"(%arg0, %0) <{dimension = 1 : i64, is_stable = true}> ({
        ^bb0(%arg1: tensor<i8>, %arg2: tensor<i8>, %arg3: tensor<i32>, %arg4: tensor<i32>):
          %2 = stablehlo.compare LT, %arg1, %arg2, SIGNED : (tensor<i8>, tensor<i8>) -> tensor<i1>
          stablehlo.return %2 : tensor<i1>
        }) : (tensor<2x5xi8>, tensor<2x5xi32>) -> (tensor<2x5xi8>, tensor<2x5xi32>)
        return %1#0, %1#1 : tensor<2x5xi8>, tensor<2x5xi32>
      }
    `);
  });

  test("orders the other way round, still keeping equals as they stood", async () => {
    await checkProgram(({ input }) => input("x", "u8", ax.column).sort("column", { descending: true }), {
      inputs: { x: [1, 200, 3, 200, 1] },
      expected: { values: [200, 200, 3, 1, 1], ids: [1, 3, 2, 0, 4] },
    });
  });

  test("is total: -0 before 0, NaN after Infinity", async () => {
    await checkProgram(({ input }) => input("x", "f32", ax.column).sort("column"), {
      inputs: { x: [nan, 0, -0, Infinity, -Infinity] },
      expected: { values: [-Infinity, -0, 0, Infinity, nan], ids: [4, 2, 1, 3, 0] },
      interpreterDiffers: { values: partial, ids: partial },
    });
  });

  test("puts false before true", async () => {
    await checkProgram(({ input }) => input("x", "bool", ax.column).sort("column"), {
      inputs: { x: [1, 0, 1, 0, 0] },
      expected: { values: [0, 0, 0, 1, 1], ids: [1, 3, 4, 0, 2] },
    });
  });

  test("refuses an axis that is not there", () => {
    expect(
      refusal(({ input }) => {
        const x = input("x", "f32", ax.row);
        // @ts-expect-error  no such axis
        return x.sort("column").ids;
      }),
    ).toMatchInlineSnapshot(`
      ShapeError AXIS_MISSING
      sort over 'column': the operand has no such axis
        operand  x  f32 [row 2]  sort.test.ts:+1
    `);
  });
});
