import { describe, expect, test } from "@jest/globals";
import { checkProgram } from "../../tests/support/check-program.ts";
import { refusal } from "../../tests/support/refusal.ts";
import { axes, axis, choose, full, layer, scan, type Tensor, whileLoop } from "../index.ts";

const ax = axes({ row: 2, column: 3, step: 4 });

describe("whileLoop", () => {
  test("repeats its body while the condition holds, and may use what surrounds it", async () => {
    const { text } = await checkProgram(
      ({ input }) => {
        const [start, by] = [input("start", "i32"), input("by", "i32")];
        return whileLoop(
          { n: start, steps: full(0, "i32") },
          ({ n }) => n.lt(100),
          ({ n, steps }) => ({
            n: n.mul(by),
            steps: steps.add(1),
          }),
        );
      },
      { inputs: { start: 1, by: 3 }, expected: { n: 243, steps: 5 } },
    );
    expect(text).toMatchInlineSnapshot(`
      func.func public @main(%arg0: tensor<i32>, %arg1: tensor<i32>) -> (tensor<i32>, tensor<i32>) {
        %c = stablehlo.constant dense<0> : tensor<i32>
        %0:2 = stablehlo.while(%iterArg = %arg0, %iterArg_0 = %c) : tensor<i32>, tensor<i32>
        cond {
          %c_1 = stablehlo.constant dense<100> : tensor<i32>
          %1 = stablehlo.compare LT, %iterArg, %c_1, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
          stablehlo.return %1 : tensor<i1>
        } do {
          %1 = stablehlo.multiply %iterArg, %arg1 : tensor<i32>
          %c_1 = stablehlo.constant dense<1> : tensor<i32>
          %2 = stablehlo.add %iterArg_0, %c_1 : tensor<i32>
          stablehlo.return %1, %2 : tensor<i32>, tensor<i32>
        }
        return %0#0, %0#1 : tensor<i32>, tensor<i32>
      }
    `);
  });

  test("runs no time when the condition does not hold at first", async () => {
    await checkProgram(
      ({ input }) =>
        whileLoop(
          { n: input("n", "i32") },
          ({ n }) => n.lt(0),
          ({ n }) => ({ n: n.sub(1) }),
        ),
      {
        inputs: { n: 5 },
        expected: { n: 5 },
      },
    );
  });

  test("keeps its state in the memory order in which it came, whatever order the body leaves", async () => {
    const { text } = await checkProgram(
      ({ input }) => {
        const start = { x: input("x", "i32", ax.row, ax.column), n: full(0, "i32") };
        const other = input("other", "i32", ax.column, ax.row);
        return whileLoop(
          start,
          ({ n }) => n.lt(2),
          ({ x, n }) => ({ x: other.add(x), n: n.add(1) }),
        ).x;
      },
      {
        inputs: {
          x: [
            [0, 1, 2],
            [3, 4, 5],
          ],
          other: [
            [10, 40],
            [20, 50],
            [30, 60],
          ],
        },
        expected: [
          [20, 41, 62],
          [83, 104, 125],
        ],
      },
    );
    expect(text).toMatchInlineSnapshot(`
      func.func public @main(%arg0: tensor<2x3xi32>, %arg1: tensor<3x2xi32>) -> tensor<2x3xi32> {
        %c = stablehlo.constant dense<0> : tensor<i32>
        %0:2 = stablehlo.while(%iterArg = %arg0, %iterArg_0 = %c) : tensor<2x3xi32>, tensor<i32>
        cond {
          %c_1 = stablehlo.constant dense<2> : tensor<i32>
          %1 = stablehlo.compare LT, %iterArg_0, %c_1, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
          stablehlo.return %1 : tensor<i1>
        } do {
          %1 = stablehlo.transpose %iterArg, dims = [1, 0] : (tensor<2x3xi32>) -> tensor<3x2xi32>
          %2 = stablehlo.add %arg1, %1 : tensor<3x2xi32>
          %c_1 = stablehlo.constant dense<1> : tensor<i32>
          %3 = stablehlo.add %iterArg_0, %c_1 : tensor<i32>
          %4 = stablehlo.transpose %2, dims = [1, 0] : (tensor<3x2xi32>) -> tensor<2x3xi32>
          stablehlo.return %4, %3 : tensor<2x3xi32>, tensor<i32>
        }
        return %0#0 : tensor<2x3xi32>
      }
    `);
  });

  test("nests: the inner body and condition use both outer states", async () => {
    const { text } = await checkProgram(
      ({ input }) => {
        const limit = input("limit", "i32");
        // The sum of i * j over 0 <= j < i < limit.
        return whileLoop(
          { i: full(0, "i32"), sum: full(0, "i32") },
          ({ i }) => i.lt(limit),
          ({ i, sum }) => {
            const inner = whileLoop(
              { j: full(0, "i32"), sum },
              ({ j }) => j.lt(i),
              (now) => ({
                j: now.j.add(1),
                sum: now.sum.add(now.j.mul(i)),
              }),
            );
            return { i: i.add(1), sum: inner.sum };
          },
        );
      },
      { inputs: { limit: 5 }, expected: { i: 5, sum: 0 + 0 + 2 + 3 * 3 + 4 * 6 } },
    );
    expect(text).toMatchInlineSnapshot(`
      func.func public @main(%arg0: tensor<i32>) -> (tensor<i32>, tensor<i32>) {
        %c = stablehlo.constant dense<0> : tensor<i32>
        %c_0 = stablehlo.constant dense<0> : tensor<i32>
        %0:2 = stablehlo.while(%iterArg = %c, %iterArg_1 = %c_0) : tensor<i32>, tensor<i32>
        cond {
          %1 = stablehlo.compare LT, %iterArg, %arg0, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
          stablehlo.return %1 : tensor<i1>
        } do {
          %c_2 = stablehlo.constant dense<0> : tensor<i32>
          %1:2 = stablehlo.while(%iterArg_4 = %c_2, %iterArg_5 = %iterArg_1) : tensor<i32>, tensor<i32>
          cond {
            %3 = stablehlo.compare LT, %iterArg_4, %iterArg, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
            stablehlo.return %3 : tensor<i1>
          } do {
            %c_6 = stablehlo.constant dense<1> : tensor<i32>
            %3 = stablehlo.add %iterArg_4, %c_6 : tensor<i32>
            %4 = stablehlo.multiply %iterArg_4, %iterArg : tensor<i32>
            %5 = stablehlo.add %iterArg_5, %4 : tensor<i32>
            stablehlo.return %3, %5 : tensor<i32>, tensor<i32>
          }
          %c_3 = stablehlo.constant dense<1> : tensor<i32>
          %2 = stablehlo.add %iterArg, %c_3 : tensor<i32>
          stablehlo.return %2, %1#1 : tensor<i32>, tensor<i32>
        }
        return %0#0, %0#1 : tensor<i32>, tensor<i32>
      }
    `);
  });

  test("carries records and arrays, nested at will", async () => {
    await checkProgram(
      ({ input }) => {
        const state = { pair: [input("a", "i32"), input("b", "i32")] as const, deep: { n: full(0, "i32") } };
        return whileLoop(
          state,
          ({ deep }) => deep.n.lt(10),
          ({ pair: [a, b], deep }) => ({
            pair: [b, a.add(b)] as const,
            deep: { n: deep.n.add(1) },
          }),
        );
      },
      { inputs: { a: 0, b: 1 }, expected: { "pair.0": 55, "pair.1": 89, "deep.n": 10 } },
    );
  });

  test("may call a layer inside its body", async () => {
    const { text } = await checkProgram(
      ({ input }) => {
        const w = input("w", "f32", ax.row);
        return whileLoop(
          { x: input("x", "f32", ax.row), n: full(0, "i32") },
          ({ n }) => n.lt(3),
          ({ x, n }) => ({
            x: layer("twice", () => x.mul(w)),
            n: n.add(1),
          }),
        ).x;
      },
      { inputs: { x: [1, 1], w: [2, 3] }, expected: [8, 27] },
    );
    expect(text).toMatchInlineSnapshot(`
      module @test {
        func.func public @main(%arg0: tensor<2xf32>, %arg1: tensor<2xf32>) -> tensor<2xf32> {
          %c = stablehlo.constant dense<0> : tensor<i32>
          %0:2 = stablehlo.while(%iterArg = %arg1, %iterArg_0 = %c) : tensor<2xf32>, tensor<i32>
          cond {
            %c_1 = stablehlo.constant dense<3> : tensor<i32>
            %1 = stablehlo.compare LT, %iterArg_0, %c_1, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
            stablehlo.return %1 : tensor<i1>
          } do {
            %1 = func.call @twice(%iterArg, %arg0) : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
            %c_1 = stablehlo.constant dense<1> : tensor<i32>
            %2 = stablehlo.add %iterArg_0, %c_1 : tensor<i32>
            stablehlo.return %1, %2 : tensor<2xf32>, tensor<i32>
          }
          return %0#0 : tensor<2xf32>
        }
        func.func private @twice(%arg0: tensor<2xf32>, %arg1: tensor<2xf32>) -> tensor<2xf32> {
          %0 = stablehlo.multiply %arg0, %arg1 : tensor<2xf32>
          return %0 : tensor<2xf32>
        }
      }
    `);
  });

  test("shows both sides where the body's state differs from its own", () => {
    expect(
      refusal(({ input }) =>
        whileLoop(
          { x: input("x", "bf16", ax.row), n: full(0, "i32") },
          ({ n }) => n.lt(3),
          ({ x, n }) => ({
            x: x.cast("f32").mul(2),
            n: n.add(1),
          }),
        ),
      ),
    ).toMatchInlineSnapshot(`
      ShapeError STATE_MISMATCH
      while: the body returns another state than it was given
        x given     x    bf16 [row 2]  control.test.ts:+2
        x returned  mul  f32 [row 2]   control.test.ts:+5
    `);
    expect(
      refusal(({ input }) =>
        whileLoop({ x: input("x", "f32", ax.row), n: full(0, "i32") }, ({ n }) => n.lt(3), (({
          n,
        }: {
          n: Tensor<never>;
        }) => ({ n })) as never),
      ),
    ).toMatchInlineSnapshot(`
      ShapeError STATE_MISMATCH
      while: the body returns another state than it was given
        x given     x        f32 [row 2]  control.test.ts:+1
        x returned  nothing
    `);
  });

  test("refuses a condition that is no bool, or not one alone", () => {
    expect(
      refusal(({ input }) =>
        whileLoop(
          { n: input("n", "i32") },
          ({ n }) => n.add(1),
          (state) => state,
        ),
      ),
    ).toMatchInlineSnapshot(`
      ShapeError CONDITION
      while: the condition is a bool without axes
        condition  add  i32 []  control.test.ts:+3
        hint  x.any(…) or x.all(…) makes one
    `);
    expect(
      refusal(({ input }) =>
        whileLoop(
          { x: input("x", "f32", ax.row) },
          ({ x }) => x.lt(1) as unknown as Tensor<never>,
          (state) => state,
        ),
      ),
    ).toMatchInlineSnapshot(`
      ShapeError CONDITION
      while: the condition is a bool without axes
        condition  lt  bool [row 2]  control.test.ts:+3
        hint  x.any(…) or x.all(…) makes one
    `);
  });

  test("lets no tensor out of its body but by its state", () => {
    expect(
      refusal(({ input }) => {
        let inside: Tensor<"row"> | undefined;
        whileLoop(
          { x: input("x", "f32", ax.row), n: full(0, "i32") },
          ({ n }) => n.lt(3),
          ({ x, n }) => {
            inside = x.mul(2);
            return { x: inside, n: n.add(1) };
          },
        );
        return inside?.add(1);
      }),
    ).toMatchInlineSnapshot(`
      ShapeError VALUE_ESCAPED
      a tensor is used where it does not exist: it was made in the body of a loop or a choice
        tensor  mul  control.test.ts:+6
        hint  return it from the body, or carry it in the state
    `);
  });
});

describe("choose", () => {
  test("runs the branch that the index names, and the last for an index outside", async () => {
    const branches = (index: Tensor<never>, x: Tensor<"row">) =>
      choose(
        index,
        () => x.add(1),
        () => x.mul(10),
        () => x.neg(),
      );
    const { text } = await checkProgram(({ input }) => branches(input("n", "i32"), input("x", "i32", ax.row)), {
      inputs: { n: 1, x: [1, 2] },
      expected: [10, 20],
    });
    expect(text).toMatchInlineSnapshot(`
      func.func public @main(%arg0: tensor<i32>, %arg1: tensor<2xi32>) -> tensor<2xi32> {
        %0 = "stablehlo.case"(%arg0) ({
          %c = stablehlo.constant dense<1> : tensor<i32>
          %1 = stablehlo.broadcast_in_dim %c, dims = [] : (tensor<i32>) -> tensor<2xi32>
          %2 = stablehlo.add %arg1, %1 : tensor<2xi32>
          stablehlo.return %2 : tensor<2xi32>
        }, {
          %c = stablehlo.constant dense<10> : tensor<i32>
          %1 = stablehlo.broadcast_in_dim %c, dims = [] : (tensor<i32>) -> tensor<2xi32>
          %2 = stablehlo.multiply %arg1, %1 : tensor<2xi32>
          stablehlo.return %2 : tensor<2xi32>
        }, {
          %1 = stablehlo.negate %arg1 : tensor<2xi32>
          stablehlo.return %1 : tensor<2xi32>
        }) : (tensor<i32>) -> tensor<2xi32>
        return %0 : tensor<2xi32>
      }
    `);
    for (const [n, expected] of [
      [0, [2, 3]],
      [2, [-1, -2]],
      [7, [-1, -2]],
      [-1, [-1, -2]],
    ] as const) {
      await checkProgram(({ input }) => branches(input("n", "i32"), input("x", "i32", ax.row)), {
        inputs: { n, x: [1, 2] },
        expected,
      });
    }
  });

  test("returns trees, whose memory order the branches agree on", async () => {
    const { text } = await checkProgram(
      ({ input }) => {
        const [x, y] = [input("x", "i32", ax.row, ax.column), input("y", "i32", ax.column, ax.row)];
        return choose(
          input("n", "i32"),
          () => ({ a: x, b: [x.sum("row")] }),
          () => ({ a: y, b: [y.sum("row")] }),
        );
      },
      {
        inputs: {
          n: 1,
          x: Array(6).fill(0),
          y: [
            [1, 4],
            [2, 5],
            [3, 6],
          ],
        },
        expected: {
          a: [
            [1, 2, 3],
            [4, 5, 6],
          ],
          "b.0": [5, 7, 9],
        },
      },
    );
    expect(text).toMatchInlineSnapshot(`
      func.func public @main(%arg0: tensor<2x3xi32>, %arg1: tensor<3x2xi32>, %arg2: tensor<i32>) -> (tensor<2x3xi32>, tensor<3xi32>) {
        %0:2 = "stablehlo.case"(%arg2) ({
          %c = stablehlo.constant dense<0> : tensor<i32>
          %1 = stablehlo.reduce(%arg0 init: %c) applies stablehlo.add across dimensions = [0] : (tensor<2x3xi32>, tensor<i32>) -> tensor<3xi32>
          stablehlo.return %arg0, %1 : tensor<2x3xi32>, tensor<3xi32>
        }, {
          %c = stablehlo.constant dense<0> : tensor<i32>
          %1 = stablehlo.reduce(%arg1 init: %c) applies stablehlo.add across dimensions = [1] : (tensor<3x2xi32>, tensor<i32>) -> tensor<3xi32>
          %2 = stablehlo.transpose %arg1, dims = [1, 0] : (tensor<3x2xi32>) -> tensor<2x3xi32>
          stablehlo.return %2, %1 : tensor<2x3xi32>, tensor<3xi32>
        }) : (tensor<i32>) -> (tensor<2x3xi32>, tensor<3xi32>)
        return %0#0, %0#1 : tensor<2x3xi32>, tensor<3xi32>
      }
    `);
  });

  test("refuses branches that return different things", () => {
    expect(
      refusal(({ input }) => {
        const x = input("x", "f32", ax.row);
        return choose(
          input("n", "i32"),
          () => x,
          () => x.cast("i32"),
        );
      }),
    ).toMatchInlineSnapshot(`
      ShapeError STATE_MISMATCH
      choose: the branches return different tensors
        branch 0  x     f32 [row 2]  control.test.ts:+1
        branch 1  cast  i32 [row 2]  control.test.ts:+5
    `);
  });

  test("refuses an index that is no i32 alone", () => {
    expect(
      refusal(({ input }) =>
        choose(
          input("n", "bool"),
          () => full(0, "i32"),
          () => full(1, "i32"),
        ),
      ),
    ).toMatchInlineSnapshot(`
      ShapeError CONDITION
      choose: the index is an i32 without axes
        index  n  bool []  control.test.ts:+2
        hint  index.cast("i32")
    `);
  });
});

describe("scan", () => {
  test("hands the state from one position to the next and stacks what comes beside it", async () => {
    const { text } = await checkProgram(
      ({ input }) =>
        scan(ax.step, { sum: input("start", "i32") }, { x: input("x", "i32", ax.step) }, ({ sum }, { x }) => {
          const next = sum.add(x);
          return { state: { sum: next }, output: { seen: next } };
        }),
      { inputs: { start: 100, x: [1, 2, 3, 4] }, expected: { "state.sum": 110, "outputs.seen": [101, 103, 106, 110] } },
    );
    expect(text).toMatchInlineSnapshot(`
      func.func public @main(%arg0: tensor<i32>, %arg1: tensor<4xi32>) -> (tensor<i32>, tensor<4xi32>) {
        %c = stablehlo.constant dense<0> : tensor<i32>
        %0 = stablehlo.broadcast_in_dim %c, dims = [] : (tensor<i32>) -> tensor<4xi32>
        %c_0 = stablehlo.constant dense<0> : tensor<i32>
        %1:3 = stablehlo.while(%iterArg = %c_0, %iterArg_1 = %arg0, %iterArg_2 = %0) : tensor<i32>, tensor<i32>, tensor<4xi32>
        cond {
          %c_3 = stablehlo.constant dense<4> : tensor<i32>
          %2 = stablehlo.compare LT, %iterArg, %c_3, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
          stablehlo.return %2 : tensor<i1>
        } do {
          %2 = stablehlo.dynamic_slice %arg1, %iterArg, sizes = [1] : (tensor<4xi32>, tensor<i32>) -> tensor<1xi32>
          %3 = stablehlo.reshape %2 : (tensor<1xi32>) -> tensor<i32>
          %4 = stablehlo.add %iterArg_1, %3 : tensor<i32>
          %5 = stablehlo.broadcast_in_dim %4, dims = [] : (tensor<i32>) -> tensor<1xi32>
          %6 = stablehlo.dynamic_update_slice %iterArg_2, %5, %iterArg : (tensor<4xi32>, tensor<1xi32>, tensor<i32>) -> tensor<4xi32>
          %c_3 = stablehlo.constant dense<1> : tensor<i32>
          %7 = stablehlo.add %iterArg, %c_3 : tensor<i32>
          stablehlo.return %7, %4, %6 : tensor<i32>, tensor<i32>, tensor<4xi32>
        }
        return %1#1, %1#2 : tensor<i32>, tensor<4xi32>
      }
    `);
  });

  test("cuts tensors along an axis anywhere, and leaves the body's axes beside it", async () => {
    await checkProgram(
      ({ input }) =>
        scan(ax.step, {}, [input("x", "i32", ax.row, ax.step)], (state, [x]) => ({ state, output: x!.mul(2) })).outputs,
      {
        inputs: {
          x: [
            [1, 2, 3, 4],
            [5, 6, 7, 8],
          ],
        },
        expected: [
          [2, 10],
          [4, 12],
          [6, 14],
          [8, 16],
        ],
      },
    );
  });

  test("runs layers over stacked weights", async () => {
    await checkProgram(
      ({ input }) => {
        const w = input("w", "f32", ax.step, axis("out", 2), ax.row);
        return scan(ax.step, { x: input("x", "f32", ax.row) }, { w }, ({ x }, one) => ({
          state: { x: x.dot(one.w, "row").rename("out", "row") },
          output: {},
        })).state.x;
      },
      {
        inputs: {
          x: [1, 2],
          w: [
            [
              [0, 1],
              [1, 0],
            ],
            [
              [2, 0],
              [0, 2],
            ],
            [
              [1, 1],
              [0, 1],
            ],
            [
              [1, 0],
              [0, 1],
            ],
          ],
        },
        expected: [6, 2],
      },
    );
  });

  test("refuses what has no such axis, or another size of it", () => {
    expect(
      refusal(({ input }) =>
        scan(ax.step, {}, { x: input("x", "i32", ax.row) }, (state, { x }) => ({ state, output: { x } })),
      ),
    ).toMatchInlineSnapshot(`
      ShapeError AXIS_MISSING
      scan over 'step' of 4: 'x' has no such axis
        x  x  i32 [row 2]  control.test.ts:+1
    `);
    expect(
      refusal(({ input }) =>
        scan(ax.step, {}, { x: input("x", "i32", axis("step", 5)) }, (state, { x }) => ({ state, output: { x } })),
      ),
    ).toMatchInlineSnapshot(`
      ShapeError SIZE_MISMATCH
      scan over 'step' of 4: 'x' has 5
        x  x  i32 [step 5]  control.test.ts:+1
    `);
  });

  test("refuses a state that changes its type on the way", () => {
    expect(
      refusal(({ input }) =>
        scan(ax.step, { n: input("n", "i32") }, { x: input("x", "f32", ax.step) }, ({ n }, { x }) => ({
          state: { n: n.cast("f32").add(x as Tensor<never>) },
          output: {},
        })),
      ),
    ).toMatchInlineSnapshot(`
      ShapeError STATE_MISMATCH
      scan: the body returns another state than it was given
        state.n given     n    i32 []  control.test.ts:+1
        state.n returned  add  f32 []  control.test.ts:+2
    `);
  });
});
