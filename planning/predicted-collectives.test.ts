/** The counts for GPT-OSS are those of XLA's own programs: tests/sharding/collectives.test.ts and docs/plans.md. */
import { describe, expect, test } from "@jest/globals";
import { chips, countExchanges, countTrips, exchangeSeconds, type Mesh, placementFor } from "../compiler/index.ts";
import { axes, trace, whileLoop } from "../dsl/index.ts";

const ax = axes({ batch: 4, embed: 8, mlp: 16, vocab: 64, kvHead: 4, group: 2, dim: 8, best: 2 });
const roles = { batch: "rows", kvHead: "heads", mlp: "width", vocab: "vocabulary" } as const;
const mesh = (given: Partial<Mesh>) => placementFor({ data: 1, expert: 1, model: 1, ...given }, roles);

const mlp = trace("mlp", ({ input }) => {
  const x = input("x", "bf16", ax.batch, ax.embed);
  return x.dot(input("up", "bf16", ax.mlp, ax.embed), "embed").dot(input("down", "bf16", ax.embed, ax.mlp), "mlp");
});

describe("exchanges", () => {
  test("one device predicts no collectives", () => {
    expect(countExchanges(mlp, undefined)).toEqual([]);
  });

  test("add up what a product sums over a split axis, in f32, and nothing else", () => {
    expect(countExchanges(mlp, mesh({ model: 4 }))).toEqual([
      { kind: "all-reduce", devices: 4, runs: 1, bytes: ax.batch.size * ax.embed.size * 4 },
    ]);
  });

  test("are of a device's own rows where rows are split", () => {
    expect(countExchanges(mlp, mesh({ data: 2, model: 2 }))).toEqual([
      { kind: "all-reduce", devices: 2, runs: 1, bytes: (ax.batch.size / 2) * ax.embed.size * 4 },
    ]);
    expect(countExchanges(mlp, mesh({ data: 4 }))).toEqual([]);
  });

  test("run among the devices of all axes that split what is summed", () => {
    expect(countExchanges(mlp, mesh({ expert: 2, model: 2 }))).toMatchObject([{ devices: 4, runs: 1 }]);
  });

  test("gather what is needed whole, once", () => {
    const graph = trace(
      "best",
      ({ input }) => input("scores", "f32", ax.batch, ax.vocab).topK("vocab", ax.best).values,
      { parts: ({ name }) => (name === "vocab" ? 4 : 1) },
    );
    expect(countExchanges(graph, mesh({ model: 4 }))).toEqual([
      { kind: "all-gather", devices: 4, runs: 1, bytes: ax.batch.size * ax.vocab.size * 4 },
    ]);
  });

  test("run once for each trip of a loop, and follow what its state becomes", () => {
    const graph = trace("loop", ({ input }) => {
      const [x, w] = [input("x", "f32", ax.batch, ax.mlp), input("w", "f32", ax.embed, ax.mlp)];
      const end = whileLoop(
        { n: input("n", "i32").mul(0), sum: input("zero", "f32", ax.batch, ax.embed) },
        ({ n }) => n.lt(6),
        ({ n, sum }) => ({ n: n.add(1), sum: sum.add(x.dot(w, "mlp")) }),
        6,
      );
      return end.sum;
    });
    expect(countExchanges(graph, mesh({ model: 2 }))).toEqual([
      { kind: "all-reduce", devices: 2, runs: 6, bytes: 6 * ax.batch.size * ax.embed.size * 4 },
    ]);
    expect(countTrips(graph)).toBe(6);
  });

  test("follow an axis that is merged and taken apart", () => {
    const graph = trace("heads", ({ input }) => {
      const q = input("q", "f32", ax.batch, ax.kvHead, ax.dim);
      const flat = q.merge(["kvHead", "dim"], { name: "flat", size: ax.kvHead.size * ax.dim.size });
      return flat.sum("flat");
    });
    expect(countExchanges(graph, mesh({ model: 4 }))).toMatchObject([{ kind: "all-reduce", devices: 4, runs: 1 }]);
  });
});

test("an exchange costs its latency, and twice what is gathered where it is added up", () => {
  const { v4 } = chips;
  const bytes = 270e3;
  const gather = exchangeSeconds([{ kind: "all-gather", devices: 4, runs: 2, bytes }], v4);
  // 270 kB at 270 GB/s take a microsecond; a device sends three quarters of it.
  expect(gather).toBeCloseTo(2 * 1e-6 + 0.75e-6, 12);
  const sum = exchangeSeconds([{ kind: "all-reduce", devices: 4, runs: 2, bytes }], v4);
  expect(sum).toBeCloseTo(2 * 1e-6 + 1.5e-6, 12);
  expect(exchangeSeconds([], v4)).toBe(0);
});
