import { describe, expect, test } from "@jest/globals";
import { checkProgram } from "../../tests/support/check-program.ts";
import { refusal } from "../../tests/support/refusal.ts";
import { axes, axis } from "../index.ts";

const ax = axes({ row: 2, column: 3, flat: 6, head: 2, dim: 3, depth: 2 });
const six = [1, 2, 3, 4, 5, 6];

describe("rename", () => {
  test("writes nothing", async () => {
    const { text, program } = await checkProgram(
      ({ input }) => input("x", "f32", ax.row, ax.column).rename("row", "line"),
      {
        inputs: { x: six },
        expected: six,
      },
    );
    expect(text).toMatchInlineSnapshot(`
      func.func public @main(%arg0: tensor<2x3xf32>) -> tensor<2x3xf32> {
        return %arg0 : tensor<2x3xf32>
      }
    `);
    expect(program.signature.results[0]?.axes).toEqual(["line", "column"]);
  });

  test("keeps two axes of one chunk apart: queries against keys", async () => {
    await checkProgram(
      ({ input }) => {
        const x = input("x", "f32", ax.row);
        return x.broadcast(axis("other", 2)).sub(x.rename("row", "other"));
      },
      {
        inputs: { x: [1, 5] },
        expected: [
          [0, -4],
          [4, 0],
        ],
      },
    );
  });

  test("to the same name changes nothing", async () => {
    await checkProgram(
      ({ input }) => {
        const x = input("x", "f32", ax.row);
        // @ts-expect-error  the name is taken, by the axis itself
        return x.rename("row", "row");
      },
      { inputs: { x: [1, 2] }, expected: [1, 2] },
    );
  });

  test("refuses a name that is taken and an axis that is not there", () => {
    expect(
      refusal(({ input }) => {
        const x = input("x", "f32", ax.row, ax.column);
        // @ts-expect-error  the name is taken
        return x.rename("row", "column");
      }),
    ).toMatchInlineSnapshot(`
      ShapeError AXIS_TAKEN
      rename: axis 'column' already exists
        operand  x  f32 [row 2, column 3]  rename.test.ts:+1
        hint  rename one of the two: x.rename("column", …)
    `);
    expect(
      refusal(({ input }) => {
        const x = input("x", "f32", ax.row);
        // @ts-expect-error  no such axis
        return x.rename("column", "line");
      }),
    ).toMatchInlineSnapshot(`
      ShapeError AXIS_MISSING
      rename over 'column': the operand has no such axis
        operand  x  f32 [row 2]  rename.test.ts:+1
    `);
  });
});

describe("split", () => {
  test("makes several axes of a flat one, the first outermost", async () => {
    const { text, program } = await checkProgram(
      ({ input }) => input("x", "i32", ax.row, ax.flat).split("flat", [ax.head, ax.dim]).sum("head"),
      {
        inputs: { x: [...six, ...six] },
        expected: [5, 7, 9, 5, 7, 9],
      },
    );
    expect(text).toMatchInlineSnapshot(`
      func.func public @main(%arg0: tensor<2x6xi32>) -> tensor<2x3xi32> {
        %0 = stablehlo.reshape %arg0 : (tensor<2x6xi32>) -> tensor<2x2x3xi32>
        %c = stablehlo.constant dense<0> : tensor<i32>
        %1 = stablehlo.reduce(%0 init: %c) applies stablehlo.add across dimensions = [1] : (tensor<2x2x3xi32>, tensor<i32>) -> tensor<2x3xi32>
        return %1 : tensor<2x3xi32>
      }
    `);
    expect(program.signature.results[0]?.axes).toEqual(["row", "dim"]);
  });

  test("may give one of the parts the flat axis' own name", async () => {
    await checkProgram(
      ({ input }) =>
        input("x", "i32", ax.flat)
          .split("flat", [ax.head, axis("flat", 3)])
          .at("head", 1),
      {
        inputs: { x: six },
        expected: [4, 5, 6],
      },
    );
  });

  test("refuses parts that do not make the whole, taken names, and the same name twice", () => {
    expect(refusal(({ input }) => input("x", "i32", ax.flat).split("flat", [ax.head, ax.row]))).toMatchInlineSnapshot(`
      ShapeError SIZE_MISMATCH
      split: 'flat' has 6, and head 2 × row 2 makes 4
        operand  x  i32 [flat 6]  rename.test.ts:+0
    `);
    expect(refusal(({ input }) => input("x", "i32", ax.flat).split("flat", []))).toMatchInlineSnapshot(`
      ShapeError SIZE_MISMATCH
      split: 'flat' has 6, and nothing makes 1
        operand  x  i32 [flat 6]  rename.test.ts:+0
    `);
    expect(
      refusal(({ input }) => input("x", "i32", ax.row, ax.flat).split("flat", [ax.row, ax.dim])),
    ).toMatchInlineSnapshot(`
      ShapeError AXIS_TAKEN
      split: axis 'row' already exists
        operand  x  i32 [row 2, flat 6]  rename.test.ts:+0
        hint  rename one of the two: x.rename("row", …)
    `);
    expect(
      refusal(({ input }) => input("x", "i32", axis("flat", 4)).split("flat", [ax.head, ax.head])),
    ).toMatchInlineSnapshot(`
      ShapeError AXIS_TAKEN
      split: axis 'head' is named twice
        operand  x  i32 [flat 4]  rename.test.ts:+0
    `);
    expect(
      refusal(({ input }) => {
        const x = input("x", "i32", ax.row);
        // @ts-expect-error  no such axis
        return x.split("flat", [ax.row]);
      }),
    ).toMatchInlineSnapshot(`
      ShapeError AXIS_MISSING
      split over 'flat': the operand has no such axis
        operand  x  i32 [row 2]  rename.test.ts:+1
    `);
  });
});

describe("merge", () => {
  test("makes a flat axis of several, in the order asked for", async () => {
    const { text } = await checkProgram(
      ({ input }) => {
        const x = input("x", "i32", ax.head, ax.row, ax.dim);
        return { inner: x.merge(["head", "dim"], ax.flat), outer: x.merge(["dim", "head"], ax.flat) };
      },
      {
        inputs: { x: Array.from({ length: 12 }, (_, n) => n) },
        expected: { inner: [0, 1, 2, 6, 7, 8, 3, 4, 5, 9, 10, 11], outer: [0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11] },
      },
    );
    expect(text).toMatchInlineSnapshot(`
      func.func public @main(%arg0: tensor<2x2x3xi32>) -> (tensor<2x6xi32>, tensor<2x6xi32>) {
        %0 = stablehlo.transpose %arg0, dims = [1, 0, 2] : (tensor<2x2x3xi32>) -> tensor<2x2x3xi32>
        %1 = stablehlo.reshape %0 : (tensor<2x2x3xi32>) -> tensor<2x6xi32>
        %2 = stablehlo.transpose %arg0, dims = [1, 2, 0] : (tensor<2x2x3xi32>) -> tensor<2x3x2xi32>
        %3 = stablehlo.reshape %2 : (tensor<2x3x2xi32>) -> tensor<2x6xi32>
        return %1, %3 : tensor<2x6xi32>, tensor<2x6xi32>
      }
    `);
  });

  test("undoes a split without moving anything", async () => {
    const { text } = await checkProgram(
      ({ input }) =>
        input("x", "i32", ax.row, ax.flat).split("flat", [ax.head, ax.dim]).merge(["head", "dim"], ax.flat),
      {
        inputs: { x: [...six, ...six] },
        expected: [...six, ...six],
      },
    );
    expect(text).not.toContain("transpose");
  });

  test("of one axis gives it another name", async () => {
    await checkProgram(({ input }) => input("x", "i32", ax.row, ax.column).merge(["column"], axis("line", 3)), {
      inputs: { x: six },
      expected: six,
    });
  });

  test("refuses a flat axis of another size, taken names, and one axis named twice", () => {
    expect(
      refusal(({ input }) => input("x", "i32", ax.head, ax.dim).merge(["head", "dim"], axis("flat", 5))),
    ).toMatchInlineSnapshot(`
      ShapeError SIZE_MISMATCH
      merge: 'flat' has 5, and head 2 × dim 3 makes 6
        operand  x  i32 [head 2, dim 3]  rename.test.ts:+0
    `);
    expect(
      refusal(({ input }) => input("x", "i32", ax.row, ax.head, ax.dim).merge(["head", "dim"], axis("row", 6))),
    ).toMatchInlineSnapshot(`
      ShapeError AXIS_TAKEN
      merge: axis 'row' already exists
        operand  x  i32 [row 2, head 2, dim 3]  rename.test.ts:+0
        hint  rename one of the two: x.rename("row", …)
    `);
    expect(
      refusal(({ input }) => input("x", "i32", ax.head).merge(["head", "head"], axis("flat", 4))),
    ).toMatchInlineSnapshot(`
      ShapeError AXIS_TWICE
      merge over 'head', 'head': an axis is named twice
        operand  x  i32 [head 2]  rename.test.ts:+0
    `);
    expect(refusal(({ input }) => input("x", "i32", ax.head).merge([], ax.flat))).toMatchInlineSnapshot(`
      ShapeError SIZE_MISMATCH
      merge: 'flat' has 6, and nothing makes 1
        operand  x  i32 [head 2]  rename.test.ts:+0
    `);
  });
});
