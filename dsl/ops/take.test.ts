import { describe, expect, test } from "@jest/globals";
import { checkProgram } from "../../tests/support/check-program.ts";
import { refusal } from "../../tests/support/refusal.ts";
import { axes, axis } from "../index.ts";

const ax = axes({ batch: 2, pos: 3, vocab: 4, embed: 2 });
const table = [
  [0, 1],
  [10, 11],
  [20, 21],
  [30, 31],
];

describe("take", () => {
  test("looks entries up by number", async () => {
    const { text, program } = await checkProgram(
      ({ input }) => input("table", "f32", ax.vocab, ax.embed).take("vocab", input("ids", "i32", ax.batch, ax.pos)),
      {
        inputs: {
          table,
          ids: [
            [3, 0, 1],
            [2, 2, 0],
          ],
        },
        expected: [
          [
            [30, 31],
            [0, 1],
            [10, 11],
          ],
          [
            [20, 21],
            [20, 21],
            [0, 1],
          ],
        ],
      },
    );
    expect(text).toMatchInlineSnapshot(`
      func.func public @main(%arg0: tensor<4x2xf32>, %arg1: tensor<2x3xi32>) -> tensor<2x3x2xf32> {
        %0 = "stablehlo.gather"(%arg0, %arg1) <{dimension_numbers = #stablehlo.gather<offset_dims = [2], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 2>, indices_are_sorted = false, slice_sizes = array<i64: 1, 2>}> : (tensor<4x2xf32>, tensor<2x3xi32>) -> tensor<2x3x2xf32>
        return %0 : tensor<2x3x2xf32>
      }
    `);
    expect(program.signature.results[0]?.axes).toEqual(["batch", "pos", "embed"]);
  });

  test("reads the nearest entry for an id outside, signed or not", async () => {
    await checkProgram(
      ({ input }) => {
        const rows = input("table", "i32", ax.vocab, ax.embed);
        return {
          signed: rows.take("vocab", input("ids", "i32", ax.pos)),
          plain: rows.take("vocab", input("far", "u32", ax.pos)),
        };
      },
      {
        inputs: { table, ids: [-1, 4, 2 ** 31 - 1], far: [4, 2 ** 31, 2 ** 32 - 1] },
        expected: {
          signed: [
            [0, 1],
            [30, 31],
            [30, 31],
          ],
          plain: [
            [30, 31],
            [30, 31],
            [30, 31],
          ],
        },
        interpreterDiffers: { plain: "the interpreter reads unsigned positions from 2^31 on as negative" },
      },
    );
  });

  test("batches the axes that the ids share, wherever they lie", async () => {
    const { text } = await checkProgram(
      ({ input }) =>
        input("x", "i32", ax.pos, ax.batch, ax.embed).take("pos", input("ids", "i32", axis("choice", 2), ax.batch)),
      {
        inputs: {
          x: Array.from({ length: 12 }, (_, n) => n),
          ids: [
            [2, 0],
            [1, 1],
          ],
        },
        // Of row b the entries ids[·][b]: x[p, b, e] = 4p + 2b + e.
        expected: [
          [
            [8, 9],
            [2, 3],
          ],
          [
            [4, 5],
            [6, 7],
          ],
        ],
      },
    );
    expect(text).toMatchInlineSnapshot(`
      func.func public @main(%arg0: tensor<3x2x2xi32>, %arg1: tensor<2x2xi32>) -> tensor<2x2x2xi32> {
        %0 = "stablehlo.gather"(%arg0, %arg1) <{dimension_numbers = #stablehlo.gather<offset_dims = [2], collapsed_slice_dims = [0], operand_batching_dims = [1], start_indices_batching_dims = [1], start_index_map = [0], index_vector_dim = 2>, indices_are_sorted = false, slice_sizes = array<i64: 1, 1, 2>}> : (tensor<3x2x2xi32>, tensor<2x2xi32>) -> tensor<2x2x2xi32>
        return %0 : tensor<2x2x2xi32>
      }
    `);
  });

  test("of one entry reads a window in place, clamped too", async () => {
    const { text } = await checkProgram(
      ({ input }) => {
        const rows = input("table", "i32", ax.vocab, ax.embed);
        return {
          one: rows.take("vocab", input("id", "i32")),
          boxed: rows.take("vocab", input("ids", "i32", axis("batch", 1))),
          far: rows.take("vocab", input("far", "i32")),
        };
      },
      { inputs: { table, id: 2, ids: [1], far: -5 }, expected: { one: [20, 21], boxed: [[10, 11]], far: [0, 1] } },
    );
    expect(text).toMatchInlineSnapshot(`
      func.func public @main(%arg0: tensor<4x2xi32>, %arg1: tensor<i32>, %arg2: tensor<1xi32>, %arg3: tensor<i32>) -> (tensor<2xi32>, tensor<1x2xi32>, tensor<2xi32>) {
        %c = stablehlo.constant dense<0> : tensor<i32>
        %0 = stablehlo.dynamic_slice %arg0, %arg1, %c, sizes = [1, 2] : (tensor<4x2xi32>, tensor<i32>, tensor<i32>) -> tensor<1x2xi32>
        %1 = stablehlo.reshape %0 : (tensor<1x2xi32>) -> tensor<2xi32>
        %2 = stablehlo.reshape %arg2 : (tensor<1xi32>) -> tensor<i32>
        %c_0 = stablehlo.constant dense<0> : tensor<i32>
        %3 = stablehlo.dynamic_slice %arg0, %2, %c_0, sizes = [1, 2] : (tensor<4x2xi32>, tensor<i32>, tensor<i32>) -> tensor<1x2xi32>
        %c_1 = stablehlo.constant dense<0> : tensor<i32>
        %4 = stablehlo.dynamic_slice %arg0, %arg3, %c_1, sizes = [1, 2] : (tensor<4x2xi32>, tensor<i32>, tensor<i32>) -> tensor<1x2xi32>
        %5 = stablehlo.reshape %4 : (tensor<1x2xi32>) -> tensor<2xi32>
        return %1, %3, %5 : tensor<2xi32>, tensor<1x2xi32>, tensor<2xi32>
      }
    `);
  });

  test("of one entry keeps an axis of size 1 that both have", async () => {
    await checkProgram(
      ({ input }) => {
        const one = axis("batch", 1);
        return input("x", "i32", ax.vocab, one, ax.embed).take("vocab", input("ids", "i32", one));
      },
      { inputs: { x: table, ids: [3] }, expected: [[30, 31]] },
    );
  });

  test("refuses ids that are no integers, and ids over the axis itself", () => {
    expect(
      refusal(({ input }) => input("table", "f32", ax.vocab, ax.embed).take("vocab", input("ids", "f32", ax.pos))),
    ).toMatchInlineSnapshot(`
      ShapeError DTYPE
      take takes signed integers or unsigned integers, and the ids are f32
        table  table  f32 [vocab 4, embed 2]  take.test.ts:+0
        ids    ids    f32 [pos 3]             take.test.ts:+0
        hint  ids.cast("i32")
    `);
    expect(
      refusal(({ input }) => input("table", "f32", ax.vocab, ax.embed).take("vocab", input("ids", "i32", ax.vocab))),
    ).toMatchInlineSnapshot(`
      ShapeError AXIS_TAKEN
      take over 'vocab': the ids have that axis too
        table  table  f32 [vocab 4, embed 2]  take.test.ts:+0
        ids    ids    i32 [vocab 4]           take.test.ts:+0
        hint  rename it: ids.rename("vocab", …)
    `);
  });

  test("refuses an axis of two sizes, and one that is not there", () => {
    expect(
      refusal(({ input }) =>
        input("x", "f32", ax.batch, ax.vocab).take("vocab", input("ids", "i32", axis("batch", 3))),
      ),
    ).toMatchInlineSnapshot(`
      ShapeError SIZE_MISMATCH
      take: axis 'batch' has 2 in the table, 3 in the ids
        table  x    f32 [batch 2, vocab 4]  take.test.ts:+1
        ids    ids  i32 [batch 3]           take.test.ts:+1
    `);
    expect(
      refusal(({ input }) => {
        const [x, ids] = [input("x", "f32", ax.embed), input("ids", "i32", ax.pos)];
        // @ts-expect-error  no such axis
        return x.take("vocab", ids);
      }),
    ).toMatchInlineSnapshot(`
      ShapeError AXIS_MISSING
      take over 'vocab': the table has no such axis
        table  x  f32 [embed 2]  take.test.ts:+1
    `);
  });

  test("refuses copies beyond 64 MiB and points to what makes none", () => {
    expect(
      refusal(({ input }) => {
        const weights = input("weights", "f32", axis("expert", 32), axis("mlp", 1024), axis("embed", 1024));
        return weights.take("expert", input("chosen", "i32", axis("token", 100), axis("choice", 4)));
      }),
    ).toMatchInlineSnapshot(`
      ShapeError TAKE_TOO_LARGE
      take would copy 1600 MiB; at most 64 MiB are copied
        table  weights  f32 [expert 32, mlp 1024, embed 1024]  take.test.ts:+1
        ids    chosen   i32 [token 100, choice 4]              take.test.ts:+2
        hint  forChosen(axis, chosen, entries, body) runs a body for the chosen entries and copies none
    `);
  });
});

describe("at", () => {
  test("picks a position that is known, from the end when it is negative, and drops the axis", async () => {
    const { text } = await checkProgram(
      ({ input }) => {
        const x = input("x", "i32", ax.vocab, ax.embed);
        return { first: x.at("vocab", 0), last: x.at("vocab", -1), column: x.at("embed", 1) };
      },
      { inputs: { x: table }, expected: { first: [0, 1], last: [30, 31], column: [1, 11, 21, 31] } },
    );
    expect(text).toMatchInlineSnapshot(`
      func.func public @main(%arg0: tensor<4x2xi32>) -> (tensor<2xi32>, tensor<2xi32>, tensor<4xi32>) {
        %0 = stablehlo.slice %arg0 [0:1, 0:2] : (tensor<4x2xi32>) -> tensor<1x2xi32>
        %1 = stablehlo.reshape %0 : (tensor<1x2xi32>) -> tensor<2xi32>
        %2 = stablehlo.slice %arg0 [3:4, 0:2] : (tensor<4x2xi32>) -> tensor<1x2xi32>
        %3 = stablehlo.reshape %2 : (tensor<1x2xi32>) -> tensor<2xi32>
        %4 = stablehlo.slice %arg0 [0:4, 1:2] : (tensor<4x2xi32>) -> tensor<4x1xi32>
        %5 = stablehlo.reshape %4 : (tensor<4x1xi32>) -> tensor<4xi32>
        return %1, %3, %5 : tensor<2xi32>, tensor<2xi32>, tensor<4xi32>
      }
    `);
  });

  test("picks another position in each row, the nearest there is", async () => {
    const { text, program } = await checkProgram(
      ({ input }) => input("x", "i32", ax.batch, ax.pos, ax.embed).at("pos", input("last", "i32", ax.batch)),
      {
        inputs: { x: Array.from({ length: 12 }, (_, n) => n), last: [1, 99] },
        expected: [
          [2, 3],
          [10, 11],
        ],
      },
    );
    expect(text).toMatchInlineSnapshot(`
      func.func public @main(%arg0: tensor<2x3x2xi32>, %arg1: tensor<2xi32>) -> tensor<2x2xi32> {
        %0 = "stablehlo.gather"(%arg0, %arg1) <{dimension_numbers = #stablehlo.gather<offset_dims = [1], collapsed_slice_dims = [1], operand_batching_dims = [0], start_indices_batching_dims = [0], start_index_map = [1], index_vector_dim = 1>, indices_are_sorted = false, slice_sizes = array<i64: 1, 1, 2>}> : (tensor<2x3x2xi32>, tensor<2xi32>) -> tensor<2x2xi32>
        return %0 : tensor<2x2xi32>
      }
    `);
    expect(program.signature.results[0]?.axes).toEqual(["batch", "embed"]);
  });

  test("picks the position that a scalar says", async () => {
    await checkProgram(({ input }) => input("x", "i32", ax.vocab, ax.embed).at("embed", input("n", "u8")), {
      inputs: { x: table, n: 1 },
      expected: [1, 11, 21, 31],
    });
  });

  test("refuses positions that are not there", () => {
    expect(refusal(({ input }) => input("x", "i32", ax.pos).at("pos", 3))).toMatchInlineSnapshot(`
      ShapeError INDEX_RANGE
      at('pos', 3): the axis has positions 0 to 2
        operand  x  i32 [pos 3]  take.test.ts:+0
    `);
    expect(refusal(({ input }) => input("x", "i32", ax.pos).at("pos", -4))).toMatchInlineSnapshot(`
      ShapeError INDEX_RANGE
      at('pos', -4): the axis has positions 0 to 2
        operand  x  i32 [pos 3]  take.test.ts:+0
    `);
    expect(refusal(({ input }) => input("x", "i32", ax.pos).at("pos", 0.5))).toMatchInlineSnapshot(`
      ShapeError INDEX_RANGE
      at('pos', 0.5): the axis has positions 0 to 2
        operand  x  i32 [pos 3]  take.test.ts:+0
    `);
    expect(
      refusal(({ input }) => {
        const x = input("x", "i32", ax.pos);
        // @ts-expect-error  no such axis
        return x.at("embed", 0);
      }),
    ).toMatchInlineSnapshot(`
      ShapeError AXIS_MISSING
      at over 'embed': the operand has no such axis
        operand  x  i32 [pos 3]  take.test.ts:+1
    `);
  });

  test("refuses a position that differs by an axis that the operand lacks", () => {
    expect(
      refusal(({ input }) => {
        const [x, at] = [input("x", "i32", ax.pos), input("last", "i32", ax.batch)];
        // @ts-expect-error  the operand has no rows
        return x.at("pos", at);
      }),
    ).toMatchInlineSnapshot(`
      ShapeError AXIS_EXTRA
      at('pos'): the position has axis 'batch', which the operand lacks
        operand   x     i32 [pos 3]    take.test.ts:+1
        position  last  i32 [batch 2]  take.test.ts:+1
        hint  x.take("pos", …) looks many entries up
    `);
  });
});
