import { describe, expect, test } from "@jest/globals";
import { checkProgram } from "../../tests/support/check-program.ts";
import { refusal } from "../../tests/support/refusal.ts";
import { axes } from "../index.ts";

const ax = axes({ row: 2, column: 3, depth: 2 });

describe("broadcast", () => {
  test("repeats along new axes, which come last", async () => {
    const { text } = await checkProgram(({ input }) => input("x", "f32", ax.row).broadcast(ax.column, ax.depth), {
      inputs: { x: [1, 2] },
      expected: [Array(6).fill(1), Array(6).fill(2)],
    });
    expect(text).toMatchInlineSnapshot(`
      func.func public @main(%arg0: tensor<2xf32>) -> tensor<2x3x2xf32> {
        %0 = stablehlo.broadcast_in_dim %arg0, dims = [0] : (tensor<2xf32>) -> tensor<2x3x2xf32>
        return %0 : tensor<2x3x2xf32>
      }
    `);
  });

  test("gives a scalar axes", async () => {
    await checkProgram(({ input }) => input("x", "i32").broadcast(ax.row), { inputs: { x: 7 }, expected: [7, 7] });
  });

  test("of no axes is the tensor itself", async () => {
    await checkProgram(({ input }) => input("x", "i32", ax.row).broadcast(), {
      inputs: { x: [1, 2] },
      expected: [1, 2],
    });
  });

  test("refuses an axis that is there already", () => {
    // @ts-expect-error  the name is taken
    expect(refusal(({ input }) => input("x", "f32", ax.row).broadcast(ax.row))).toMatchInlineSnapshot(`
      ShapeError AXIS_TAKEN
      broadcast: axis 'row' already exists
        operand  x  f32 [row 2]  broadcast.test.ts:+0
        hint  rename one of the two: x.rename("row", …)
    `);
  });
});
