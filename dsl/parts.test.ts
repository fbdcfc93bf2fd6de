import { describe, expect, test } from "@jest/globals";
import { checkProgram } from "../tests/support/check-program.ts";
import { axes, axis, forChosen, type Inputs, type TraceOptions } from "./index.ts";

const ax = axes({ batch: 1, pos: 3, vocab: 6, embed: 2, expert: 4, choice: 2 });

/** As on a mesh that splits these axes over so many devices. */
const inParts = (counts: Readonly<Record<string, number>>): TraceOptions => ({
  parts: ({ name }) => counts[name] ?? 1,
});

const table = Array.from({ length: 6 }, (_, row) => [row * 10, row * 10 + 1]);

describe("an axis in parts", () => {
  test("is looked up in part by part, ids outside of it included", async () => {
    const { text } = await checkProgram(
      ({ input }) => input("table", "f32", ax.vocab, ax.embed).take("vocab", input("ids", "i32", ax.pos)),
      {
        inputs: { table, ids: [5, 0, -7] },
        expected: [table[5], table[0], table[0]] as number[][],
        tracing: inParts({ vocab: 3 }),
      },
    );
    // Three parts of two rows each; the table itself never moves.
    expect(text).toContain("tensor<3x2x2xf32>");
    expect(text).toContain("operand_batching_dims = [0]");
  });

  test.each([2, 3, 6])("of %i gives the largest entries of the whole, of equal ones the first", async (parts) => {
    await checkProgram(({ input }) => input("x", "f32", ax.batch, ax.vocab).topK("vocab", axis("best", 1)), {
      inputs: { x: [[1, 7, 3, 7, 0, 2]] },
      expected: { values: [[7]], ids: [[1]] },
      tracing: inParts({ vocab: parts }),
    });
  });

  test("gives the largest entries in order, wherever they lie", async () => {
    await checkProgram(({ input }) => input("x", "f32", ax.batch, ax.vocab).topK("vocab", axis("best", 3)), {
      inputs: { x: [[5, 7, 3, 7, 9, 2]] },
      expected: { values: [[9, 7, 7]], ids: [[4, 1, 3]] },
      tracing: inParts({ vocab: 2 }),
    });
  });

  const mixture = ({ input }: Inputs) => {
    const x = input("x", "f32", ax.pos, ax.embed);
    const chosen = {
      along: ax.choice,
      ids: input("ids", "i32", ax.pos, ax.choice),
      weights: input("weights", "f32", ax.pos, ax.choice),
    };
    const entries = { scale: input("scale", "f32", ax.expert, ax.embed) };
    return forChosen(ax.expert, chosen, entries, (e) => x.mul(e.scale as never));
  };
  test.each([1, 2, 4])("of experts, %i parts, gives the weighted sum over the chosen", async (parts) => {
    await checkProgram(mixture, {
      inputs: {
        x: [
          [1, 1],
          [2, 2],
          [3, -3],
        ],
        ids: [
          [0, 3],
          [2, 1],
          [3, 2],
        ],
        weights: [
          [0.5, 0.5],
          [1, 0],
          [0.25, 0.75],
        ],
        scale: [
          [1, 2],
          [Number.POSITIVE_INFINITY, 0],
          [4, 8],
          [8, 16],
        ],
      },
      // The second token gives expert 1 no weight, and infinity times nothing is not a number.
      expected: [
        [4.5, 9],
        [Number.NaN, 16],
        [15, -30],
      ],
      tracing: inParts({ expert: parts }),
    });
  });

  test("whose size the parts do not divide stays whole", async () => {
    const { text } = await checkProgram(
      ({ input }) => input("table", "f32", ax.vocab, ax.embed).take("vocab", input("ids", "i32", ax.pos)),
      {
        inputs: { table, ids: [5, 0, 2] },
        expected: [table[5], table[0], table[2]] as number[][],
        tracing: inParts({ vocab: 4 }),
      },
    );
    expect(text).not.toContain("operand_batching_dims = [0]");
  });
});
