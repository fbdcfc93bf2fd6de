import { expect, test } from "@jest/globals";
import { checkProgram } from "../../tests/support/check-program.ts";
import { axes, barrier, settle, trace } from "../index.ts";

const ax = axes({ row: 2, column: 3 });

test("barrier changes nothing but where a value lies", async () => {
  const { text } = await checkProgram(({ input }) => barrier(input("x", "f32", ax.row, ax.column)), {
    inputs: { x: [1, 2, 3, 4, 5, 6] },
    expected: [
      [1, 2, 3],
      [4, 5, 6],
    ],
  });
  expect(text).toMatchInlineSnapshot(`
func.func public @main(%arg0: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %0 = stablehlo.optimization_barrier %arg0 : tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}
`);
});

test("settle, its former name, makes the same op", () => {
  const ops = (made: typeof barrier) =>
    trace("test", ({ input }) => made(input("x", "f32", ax.row))).scope.nodes.map(({ op }) => op);
  expect(ops((x) => settle(x))).toEqual(ops((x) => barrier(x)));
});
