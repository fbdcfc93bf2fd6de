import { describe, expect, test } from "@jest/globals";
import { lower } from "../../compiler/index.ts";
import type { WorkerError } from "../../runtime-bridge/index.ts";
import { checkProgram } from "../../tests/support/check-program.ts";
import { refusal } from "../../tests/support/refusal.ts";
import { testWorker } from "../../tests/support/worker.ts";
import { axes, stablehlo, trace } from "../index.ts";

const printsOtherwise = "MLIR has a shorter form for each operation it knows, and prints that";

const ax = axes({ row: 2, column: 3 });

describe("stablehlo", () => {
  test("writes any operation, its operands in the memory order asked for", async () => {
    const { text } = await checkProgram(
      ({ input }) => {
        const [low, x, high] = [input("low", "f32"), input("x", "f32", ax.column, ax.row), input("high", "f32")];
        const order = [ax.row, ax.column];
        return stablehlo(
          "stablehlo.clamp",
          [
            { value: low, order: [] },
            { value: x, order },
            { value: high, order: [] },
          ],
          "",
          { dtype: "f32", axes: [ax.row, ax.column] },
        );
      },
      {
        printsOtherwise,
        inputs: {
          low: 0,
          x: [
            [-1, 5],
            [0.5, 1],
            [9, -9],
          ],
          high: 1,
        },
        expected: [
          [0, 0.5, 1],
          [1, 1, 0],
        ],
      },
    );
    expect(text).toMatchInlineSnapshot(`
      func.func public @main(%arg0: tensor<f32>, %arg1: tensor<3x2xf32>, %arg2: tensor<f32>) -> tensor<2x3xf32> {
        %0 = stablehlo.transpose %arg1, dims = [1, 0] : (tensor<3x2xf32>) -> tensor<2x3xf32>
        %1 = "stablehlo.clamp"(%arg0, %0, %arg2) : (tensor<f32>, tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
        return %1 : tensor<2x3xf32>
      }
    `);
  });

  test("writes properties in MLIR's generic form", async () => {
    const { text } = await checkProgram(
      ({ input }) =>
        stablehlo(
          "stablehlo.reduce_precision",
          [{ value: input("x", "f32", ax.row), order: [ax.row] }],
          "exponent_bits = 8 : i32, mantissa_bits = 2 : i32",
          { dtype: "f32", axes: [ax.row] },
        ),
      { printsOtherwise, inputs: { x: [1.1, 3.3] }, expected: [1, 3.5] },
    );
    expect(text).toMatchInlineSnapshot(`
      func.func public @main(%arg0: tensor<2xf32>) -> tensor<2xf32> {
        %0 = "stablehlo.reduce_precision"(%arg0) <{exponent_bits = 8 : i32, mantissa_bits = 2 : i32}> : (tensor<2xf32>) -> tensor<2xf32>
        return %0 : tensor<2xf32>
      }
    `);
  });

  test("comes back from the worker with its own line when the operation is wrong", async () => {
    let line = 0;
    const graph = trace("wrong", ({ input }) => {
      const x = { value: input("x", "f32", ax.row), order: [ax.row] };
      line = Number(/raw\.test\.ts:(\d+)/.exec(new Error().stack ?? "")?.[1]) + 1;
      return stablehlo("stablehlo.abs", [x], "", { dtype: "f32", axes: [ax.column] });
    });
    const refused = (await testWorker()).compile(lower(graph));
    await expect(refused).rejects.toMatchObject({ code: "MODULE_INVALID", exitCode: 2 });
    await refused.catch((error: WorkerError) =>
      expect(error.place.source).toMatch(new RegExp(`raw\\.test\\.ts:${line}\\b`)),
    );
  });

  test("refuses an order that names other axes than the operand has", () => {
    expect(
      refusal(({ input }) =>
        stablehlo("stablehlo.abs", [{ value: input("x", "f32", ax.row, ax.column), order: [ax.row] }], "", {
          dtype: "f32",
          axes: [ax.row],
        }),
      ),
    ).toMatchInlineSnapshot(`
      ShapeError SIZE_MISMATCH
      stablehlo.abs: operand 0 is given in the order [row 2], which are not its axes
        operand  x  f32 [row 2, column 3]  raw.test.ts:+1
    `);
  });
});
