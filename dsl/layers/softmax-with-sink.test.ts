import { describe, expect, test } from "@jest/globals";
import { checkProgram } from "../../tests/support/check-program.ts";
import type { Tolerance } from "../../tests/support/numbers.ts";
import { refusal } from "../../tests/support/refusal.ts";
import { axes, softmaxWithSink } from "../index.ts";

const ax = axes({ head: 2, pos: 2, key: 3, dim: 2 });
const tolerance: Tolerance = { relative: 2e-6, absolute: 1e-30, because: "exponentials and a sum in f32" };
const masked = -1e30;

/** A softmax over the keys and one more column, which is dropped. */
function appended(scores: readonly number[], sink: number): number[] {
  const all = [...scores, sink];
  const peak = Math.max(...all);
  const sum = all.reduce((total, each) => total + Math.exp(each - peak), 0);
  return scores.map((each) => Math.exp(each - peak) / sum);
}

const scores = [
  [
    [1, 2, 3],
    [0, masked, masked],
  ],
  [
    [-50, 60, 60],
    [masked, masked, masked],
  ],
];
const traced = (sink: readonly number[]) =>
  [
    ({ input }) => softmaxWithSink(input("scores", "f32", ax.head, ax.pos, ax.key), input("sink", "f32", ax.head)),
    {
      inputs: { scores, sink },
      expected: scores.map((head, h) => head.map((row) => appended(row, sink[h] as number))),
      tolerance,
    },
  ] as Parameters<typeof checkProgram>;

describe("softmaxWithSink", () => {
  test("is a softmax with a column more, which is dropped", async () => {
    const { text } = await checkProgram(...traced([0.5, -1]));
    expect(text).toMatchInlineSnapshot(`
func.func public @main(%arg0: tensor<2x2x3xf32>, %arg1: tensor<2xf32>) -> tensor<2x2x3xf32> {
  %cst = stablehlo.constant dense<0xFF800000> : tensor<f32>
  %0 = stablehlo.reduce(%arg0 init: %cst) applies stablehlo.maximum across dimensions = [2] : (tensor<2x2x3xf32>, tensor<f32>) -> tensor<2x2xf32>
  %1 = stablehlo.broadcast_in_dim %arg1, dims = [0] : (tensor<2xf32>) -> tensor<2x2xf32>
  %2 = stablehlo.maximum %0, %1 : tensor<2x2xf32>
  %3 = stablehlo.broadcast_in_dim %2, dims = [0, 1] : (tensor<2x2xf32>) -> tensor<2x2x3xf32>
  %4 = stablehlo.subtract %arg0, %3 : tensor<2x2x3xf32>
  %5 = stablehlo.exponential %4 : tensor<2x2x3xf32>
  %cst_0 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
  %6 = stablehlo.reduce(%5 init: %cst_0) applies stablehlo.add across dimensions = [2] : (tensor<2x2x3xf32>, tensor<f32>) -> tensor<2x2xf32>
  %7 = stablehlo.negate %2 : tensor<2x2xf32>
  %8 = stablehlo.broadcast_in_dim %arg1, dims = [0] : (tensor<2xf32>) -> tensor<2x2xf32>
  %9 = stablehlo.add %7, %8 : tensor<2x2xf32>
  %10 = stablehlo.exponential %9 : tensor<2x2xf32>
  %11 = stablehlo.add %6, %10 : tensor<2x2xf32>
  %12 = stablehlo.broadcast_in_dim %11, dims = [0, 1] : (tensor<2x2xf32>) -> tensor<2x2x3xf32>
  %13 = stablehlo.divide %5, %12 : tensor<2x2x3xf32>
  return %13 : tensor<2x2x3xf32>
}
`);
  });

  test.each([
    ["above all scores takes nearly all", [40, 88]],
    ["far above takes all", [1e4, 1e30]],
    ["far below is none", [-1e4, -200]],
  ])("a sink %s", async (_, sink) => {
    await checkProgram(...traced(sink));
  });

  test("gives a row whose keys are all masked to the sink", async () => {
    const { results } = await checkProgram(...traced([0, 0]));
    expect(results.result?.slice(-3)).toEqual([0, 0, 0]);
  });

  test("of narrow floats is computed in f32 and rounded once", async () => {
    const { program } = await checkProgram(
      ({ input }) => softmaxWithSink(input("scores", "bf16", ax.key), input("sink", "bf16")),
      { inputs: { scores: [1, 2, 3], sink: 2 }, expected: appended([1, 2, 3], 2) },
    );
    expect(program.signature.results.map(({ dtype }) => dtype)).toEqual(["bf16"]);
  });

  test("refuses sinks over the head's dimension instead of the heads", () => {
    expect(
      refusal(({ input }) => {
        const [all, sink] = [input("scores", "f32", ax.head, ax.pos, ax.key), input("sinks", "f32", ax.dim)];
        // @ts-expect-error  heads and dimensions are both 2
        return softmaxWithSink(all, sink);
      }),
    ).toMatchInlineSnapshot(`
ShapeError AXIS_EXTRA
max: the right operand has 'dim', which the left one lacks
  left   maxOver  f32 [head 2, pos 2]  softmax-with-sink.ts
  right  sinks    f32 [dim 2]          softmax-with-sink.test.ts:+1
  hint  the left operand owns the axes: swap the two, or left.broadcast(ax.dim)
`);
  });
});
