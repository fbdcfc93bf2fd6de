import { describe, expect, test } from "@jest/globals";
import { checkProgram } from "../tests/support/check-program.ts";
import type { Tolerance } from "../tests/support/numbers.ts";
import { refusal } from "../tests/support/refusal.ts";
import { axes, axis, forChosen, type Inputs, layer, type Tensor } from "./index.ts";

const ax = axes({ token: 3, choice: 2, expert: 4, embed: 2, mlp: 3 });
const tolerance: Tolerance = { relative: 1e-6, absolute: 1e-6, because: "sums of a few products in another order" };

const x = [
  [1, 2],
  [3, -1],
  [0.5, 0],
];
const up = [0, 1, 2, 3].map((e) => [0, 1, 2].map((m) => [0, 1].map((d) => Math.sin(e * 6 + m * 2 + d + 1))));
const bias = [0, 1, 2, 3].map((e) => [0, 1, 2].map((m) => e - m));
const down = [0, 1, 2, 3].map((e) => [0, 1].map((d) => [0, 1, 2].map((m) => Math.cos(e * 6 + m * 2 + d))));

/** The sum over each token's choices of weight · expert(token), by its definition. */
function mixture(ids: readonly (readonly number[])[], weights: readonly (readonly number[])[]): number[][] {
  const expert = (e: number, token: readonly number[]) => {
    const hidden = up[e]!.map((row, m) => Math.max(0, row[0]! * token[0]! + row[1]! * token[1]! + bias[e]![m]!));
    return down[e]!.map((row) => row.reduce((sum, each, m) => sum + each * hidden[m]!, 0));
  };
  return x.map((token, t) =>
    ids[t]!.reduce((sum, e, c) => sum.map((each, d) => each + weights[t]![c]! * expert(e, token)[d]!), [0, 0]),
  );
}

function traced({ input }: Inputs): Tensor<"token" | "embed"> {
  const h = input("x", "f32", ax.token, ax.embed);
  const entries = {
    up: { weight: input("up", "f32", ax.expert, ax.mlp, ax.embed), bias: input("bias", "f32", ax.expert, ax.mlp) },
    down: input("down", "f32", ax.expert, ax.embed, ax.mlp),
  };
  const chosen = {
    along: ax.choice,
    ids: input("ids", "i32", ax.token, ax.choice),
    weights: input("weights", "f32", ax.token, ax.choice),
  };
  return forChosen(ax.expert, chosen, entries, (e) =>
    h.dot(e.up.weight, "embed").add(e.up.bias).max(0).dot(e.down, "mlp"),
  );
}

describe("forChosen", () => {
  test("is the weighted sum over what was chosen, for each token its own", async () => {
    const ids = [
      [0, 3],
      [2, 1],
      [3, 0],
    ];
    const weights = [
      [0.75, 0.25],
      [0.5, 0.5],
      [1, 2],
    ];
    const { text } = await checkProgram(traced, {
      inputs: { x, up, bias, down, ids, weights },
      expected: mixture(ids, weights),
      tolerance,
    });
    expect(text).toMatchInlineSnapshot(`
module @test {
  func.func public @main(%arg0: tensor<3x2xf32>, %arg1: tensor<4x3x2xf32>, %arg2: tensor<4x3xf32>, %arg3: tensor<4x2x3xf32>, %arg4: tensor<3x2xi32>, %arg5: tensor<3x2xf32>) -> tensor<3x2xf32> {
    %0 = stablehlo.composite "tsxla.for_chosen" %arg4, %arg5, %arg1, %arg2, %arg3, %arg0 {decomposition = @tsxla.for_chosen} : (tensor<3x2xi32>, tensor<3x2xf32>, tensor<4x3x2xf32>, tensor<4x3xf32>, tensor<4x2x3xf32>, tensor<3x2xf32>) -> tensor<3x2xf32>
    return %0 : tensor<3x2xf32>
  }
  func.func private @tsxla.for_chosen(%arg0: tensor<3x2xi32>, %arg1: tensor<3x2xf32>, %arg2: tensor<4x3x2xf32>, %arg3: tensor<4x3xf32>, %arg4: tensor<4x2x3xf32>, %arg5: tensor<3x2xf32>) -> tensor<3x2xf32> {
    %c = stablehlo.constant dense<0> : tensor<i32>
    %cst = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %0 = stablehlo.broadcast_in_dim %cst, dims = [] : (tensor<f32>) -> tensor<3x2xf32>
    %1:2 = stablehlo.while(%iterArg = %c, %iterArg_0 = %0) : tensor<i32>, tensor<3x2xf32>
    cond {
      %c_1 = stablehlo.constant dense<4> : tensor<i32>
      %2 = stablehlo.compare LT, %iterArg, %c_1, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %2 : tensor<i1>
    } do {
      %c_1 = stablehlo.constant dense<1> : tensor<i32>
      %2 = stablehlo.add %iterArg, %c_1 : tensor<i32>
      %3 = stablehlo.broadcast_in_dim %iterArg, dims = [] : (tensor<i32>) -> tensor<3x2xi32>
      %4 = stablehlo.compare EQ, %arg0, %3, SIGNED : (tensor<3x2xi32>, tensor<3x2xi32>) -> tensor<3x2xi1>
      %cst_2 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
      %5 = stablehlo.broadcast_in_dim %cst_2, dims = [] : (tensor<f32>) -> tensor<3x2xf32>
      %6 = stablehlo.select %4, %arg1, %5 : tensor<3x2xi1>, tensor<3x2xf32>
      %cst_3 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
      %7 = stablehlo.reduce(%6 init: %cst_3) applies stablehlo.add across dimensions = [1] : (tensor<3x2xf32>, tensor<f32>) -> tensor<3xf32>
      %c_4 = stablehlo.constant dense<0> : tensor<i32>
      %8 = stablehlo.dynamic_slice %arg2, %iterArg, %c_4, %c_4, sizes = [1, 3, 2] : (tensor<4x3x2xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x3x2xf32>
      %9 = stablehlo.reshape %8 : (tensor<1x3x2xf32>) -> tensor<3x2xf32>
      %c_5 = stablehlo.constant dense<0> : tensor<i32>
      %10 = stablehlo.dynamic_slice %arg3, %iterArg, %c_5, sizes = [1, 3] : (tensor<4x3xf32>, tensor<i32>, tensor<i32>) -> tensor<1x3xf32>
      %11 = stablehlo.reshape %10 : (tensor<1x3xf32>) -> tensor<3xf32>
      %c_6 = stablehlo.constant dense<0> : tensor<i32>
      %12 = stablehlo.dynamic_slice %arg4, %iterArg, %c_6, %c_6, sizes = [1, 2, 3] : (tensor<4x2x3xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x2x3xf32>
      %13 = stablehlo.reshape %12 : (tensor<1x2x3xf32>) -> tensor<2x3xf32>
      %14 = stablehlo.dot_general %arg5, %9, contracting_dims = [1] x [1], precision = [HIGHEST, HIGHEST] : (tensor<3x2xf32>, tensor<3x2xf32>) -> tensor<3x3xf32>
      %15 = stablehlo.broadcast_in_dim %11, dims = [1] : (tensor<3xf32>) -> tensor<3x3xf32>
      %16 = stablehlo.add %14, %15 : tensor<3x3xf32>
      %cst_7 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
      %17 = stablehlo.broadcast_in_dim %cst_7, dims = [] : (tensor<f32>) -> tensor<3x3xf32>
      %18 = stablehlo.maximum %16, %17 : tensor<3x3xf32>
      %19 = stablehlo.dot_general %18, %13, contracting_dims = [1] x [1], precision = [HIGHEST, HIGHEST] : (tensor<3x3xf32>, tensor<2x3xf32>) -> tensor<3x2xf32>
      %20 = stablehlo.broadcast_in_dim %7, dims = [0] : (tensor<3xf32>) -> tensor<3x2xf32>
      %21 = stablehlo.multiply %19, %20 : tensor<3x2xf32>
      %c_8 = stablehlo.constant dense<false> : tensor<i1>
      %22 = stablehlo.reduce(%4 init: %c_8) applies stablehlo.or across dimensions = [1] : (tensor<3x2xi1>, tensor<i1>) -> tensor<3xi1>
      %23 = stablehlo.broadcast_in_dim %22, dims = [0] : (tensor<3xi1>) -> tensor<3x2xi1>
      %cst_9 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
      %24 = stablehlo.broadcast_in_dim %cst_9, dims = [] : (tensor<f32>) -> tensor<3x2xf32>
      %25 = stablehlo.select %23, %21, %24 : tensor<3x2xi1>, tensor<3x2xf32>
      %26 = stablehlo.add %iterArg_0, %25 : tensor<3x2xf32>
      stablehlo.return %2, %26 : tensor<i32>, tensor<3x2xf32>
    }
    return %1#1 : tensor<3x2xf32>
  }
}
`);
  });

  test("counts an entry that was chosen twice twice, and one that was not chosen not at all", async () => {
    const ids = [
      [1, 1],
      [1, 1],
      [1, 1],
    ];
    const weights = [
      [0.5, 0.25],
      [1, 1],
      [0, -1],
    ];
    await checkProgram(traced, {
      inputs: { x, up, bias, down, ids, weights },
      expected: mixture(ids, weights),
      tolerance,
    });
  });

  test("lets no infinity through of an entry that was not chosen", async () => {
    const entry = axes({ expert: 2, token: 1, choice: 1 });
    await checkProgram(
      ({ input }) => {
        const chosen = {
          along: entry.choice,
          ids: input("ids", "i32", entry.token, entry.choice),
          weights: input("weights", "f32", entry.token, entry.choice),
        };
        const h = input("x", "f32", entry.token);
        return forChosen(entry.expert, chosen, { scale: input("scale", "f32", entry.expert) }, (e) => h.mul(e.scale));
      },
      { inputs: { x: [2], scale: [3, Infinity], ids: [[0]], weights: [[1]] }, expected: [6] },
    );
  });

  test("takes tied choices as topK gives them: the first of equals", async () => {
    await checkProgram(
      ({ input }) => {
        const scores = input("scores", "f32", ax.token, ax.expert);
        const { ids, values } = scores.topK("expert", axis("choice", 1));
        const chosen = { along: axis("choice", 1), ids, weights: values };
        const given = input("x", "f32", ax.token);
        return forChosen(ax.expert, chosen, { n: input("n", "f32", ax.expert) }, (e) => given.mul(e.n));
      },
      {
        inputs: {
          scores: [
            [1, 1, 1, 1],
            [0, 2, 2, 0],
            [0, 0, 0, 3],
          ],
          n: [1, 10, 100, 1000],
          x: [1, 1, 1],
        },
        expected: [1, 20, 3000],
      },
    );
  });

  test("may stand in a layer and call layers", async () => {
    const ids = [
      [0, 3],
      [2, 1],
      [3, 0],
    ];
    const weights = [
      [1, 1],
      [1, 1],
      [1, 1],
    ];
    await checkProgram((given) => layer("moe", () => traced(given)), {
      inputs: { x, up, bias, down, ids, weights },
      expected: mixture(ids, weights),
      tolerance,
    });
  });

  test("refuses entries without the axis, or with another size of it", () => {
    const choice = ({ input }: Inputs) => ({
      along: ax.choice,
      ids: input("ids", "i32", ax.token, ax.choice),
      weights: input("weights", "f32", ax.token, ax.choice),
    });
    expect(
      refusal((given) =>
        forChosen(ax.expert, choice(given), { up: { w: given.input("w", "f32", ax.mlp) } }, (e) => e.up.w),
      ),
    ).toMatchInlineSnapshot(`
      ShapeError AXIS_MISSING
      forChosen over 'expert' of 4: 'up.w' has no such axis
        up.w  w  f32 [mlp 3]  for-chosen.test.ts:+1
    `);
    expect(
      refusal((given) =>
        forChosen(ax.expert, choice(given), [given.input("w", "f32", axis("expert", 5), ax.mlp)], ([w]) => w!),
      ),
    ).toMatchInlineSnapshot(`
      ShapeError SIZE_MISMATCH
      forChosen over 'expert' of 4: '0' has 5
        0  w  f32 [expert 5, mlp 3]  for-chosen.test.ts:+1
    `);
  });

  test("refuses a choice that lacks its axis, or ids and weights that differ", () => {
    const entries = ({ input }: Inputs) => ({ w: input("w", "f32", ax.expert, ax.mlp) });
    expect(
      refusal((given) => {
        const [ids, weights] = [given.input("ids", "i32", ax.token), given.input("weights", "f32", ax.token)];
        // @ts-expect-error  the choice has no axis of its own
        return forChosen(ax.expert, { along: ax.choice, ids, weights }, entries(given), ({ w }) => w);
      }),
    ).toMatchInlineSnapshot(`
      ShapeError AXIS_MISSING
      forChosen over 'choice' of 2: 'ids' has no such axis
        ids  ids  i32 [token 3]  for-chosen.test.ts:+1
    `);
    expect(
      refusal((given) => {
        const [ids, weights] = [
          given.input("ids", "i32", ax.token, ax.choice),
          given.input("weights", "f32", axis("token", 5), ax.choice),
        ];

        return forChosen(ax.expert, { along: ax.choice, ids, weights }, entries(given), ({ w }) => w);
      }),
    ).toMatchInlineSnapshot(`
      ShapeError SIZE_MISMATCH
      forChosen: every id has one weight, but axis 'token' has 3 in the ids, 5 in the weights
        ids      ids      i32 [token 3, choice 2]  for-chosen.test.ts:+2
        weights  weights  f32 [token 5, choice 2]  for-chosen.test.ts:+3
    `);
    expect(
      refusal((given) => {
        const [ids, weights] = [
          given.input("ids", "f32", ax.token, ax.choice),
          given.input("weights", "f32", ax.token, ax.choice),
        ];

        return forChosen(ax.expert, { along: ax.choice, ids, weights }, entries(given), ({ w }) => w);
      }),
    ).toMatchInlineSnapshot(`
      ShapeError DTYPE
      forChosen takes signed integers or unsigned integers, and the ids are f32
        ids  ids  f32 [token 3, choice 2]  for-chosen.test.ts:+2
        hint  ids.cast("i32")
    `);
  });

  test("refuses a body whose result lacks the tokens' axes", () => {
    expect(
      refusal((given) => {
        const [ids, weights] = [
          given.input("ids", "i32", ax.token, ax.choice),
          given.input("weights", "f32", ax.token, ax.choice),
        ];

        return forChosen(
          ax.expert,
          { along: ax.choice, ids, weights },
          { w: given.input("w", "f32", ax.expert, ax.mlp) },
          ({ w }) => w,
        );
      }),
    ).toMatchInlineSnapshot(`
ShapeError AXIS_MISSING
forChosen: the body's result lacks axis 'token', by which the choice differs
  result   take     f32 [mlp 3]              for-chosen.test.ts:+6
  weights  weights  f32 [token 3, choice 2]  for-chosen.test.ts:+3
`);
  });
});
