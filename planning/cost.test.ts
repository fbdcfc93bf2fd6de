import { describe, expect, test } from "@jest/globals";
import { chips } from "../chips/index.ts";
import { parseMesh } from "../compiler/mesh.ts";
import { partCountOf, placementFor } from "../compiler/placement.ts";
import { cpu } from "../compiler/target.ts";
import {
  axes,
  axis,
  choose,
  forChosen,
  full,
  type Graph,
  type Inputs,
  layer,
  param,
  scan,
  type Tensor,
  type TraceOptions,
  trace,
  whileLoop,
} from "../dsl/index.ts";
import { traceStep } from "../inference/programs/step-program.ts";
import { countActiveParameters, findByConfig, publishedConfigs } from "../models/index.ts";
import { countCost, roofline } from "./cost.ts";

const ax = axes({ row: 8, in: 64, out: 32, expert: 16, choice: 4, key: 128, vocab: 1000 });
const traced = (body: (inputs: Inputs) => unknown, options?: TraceOptions): Graph => trace("main", body, options);
const costOf = (body: (inputs: Inputs) => unknown, options = {}) => countCost(traced(body), options);

describe("flops", () => {
  test("of a product are a multiplication and an addition for each pair that meets", () => {
    const { flops } = costOf(({ input }) =>
      input("x", "f32", ax.row, ax.in).dot(input("w", "f32", ax.out, ax.in), "in"),
    );
    expect(flops).toBe(2 * 8 * 64 * 32);
  });

  test("of an elementwise op are one for each element, of a sum one for each that is added", () => {
    const { flops } = costOf(({ input }) => input("x", "f32", ax.row, ax.in).exp().sum("in"));
    expect(flops).toBe(8 * 64 + 8 * 64);
  });

  test("moving, converting, repeating and arithmetic of integers count no operations", () => {
    const { flops } = costOf(({ input }) => {
      const x = input("x", "f32", ax.row, ax.in).cast("bf16").slice("in", 2, 4);
      const n = input("n", "i32", ax.row).add(1).mul(2);
      return [x.broadcast(ax.out).rename("in", "key"), n, n.lt(3)];
    });
    expect(flops).toBe(0);
  });

  test("nothing is counted that nothing uses", () => {
    const { flops, bytes } = costOf(({ input }) => {
      const x = input("x", "f32", ax.row);
      input("unused", "f32", ax.row, ax.in).exp();
      return x.exp();
    });
    expect([flops, bytes]).toEqual([8, 8 * 4 + 8 * 4]);
  });
});

describe("loops", () => {
  const counted = (start: number, bound: number, step: number, how: "lt" | "le") =>
    costOf(({ input }) => {
      const x = input("x", "f32", ax.row);
      return whileLoop(
        { n: full(start, "i32") as Tensor<never>, x },
        ({ n }) => n[how](bound),
        ({ n, x }) => ({ n: n.add(step), x: x.exp() }),
      ).x;
    });

  test.each([
    [0, 10, 1, "lt", 10],
    [0, 10, 1, "le", 11],
    [2, 10, 3, "lt", 3],
    [5, 5, 1, "lt", 0],
  ] as const)("from %d to %d by %d (%s) run so often: %d", (start, bound, step, how, trips) => {
    expect(counted(start, bound, step, how).flops).toBe(8 * trips);
    expect(counted(start, bound, step, how).uncertainLoops).toEqual([]);
  });

  test("of unknown length run as often as the caller says, and are named", () => {
    const body = ({ input }: Inputs) => {
      const [x, many] = [input("x", "f32", ax.row), input("many", "i32") as Tensor<never>];
      return whileLoop(
        { n: full(0, "i32") as Tensor<never>, x },
        ({ n }) => n.lt(many),
        ({ n, x }) => ({ n: n.add(1), x: x.exp() }),
      ).x;
    };
    expect(costOf(body).flops).toBe(8);
    const { flops, uncertainLoops } = costOf(body, { trips: 7 });
    expect(flops).toBe(7 * 8);
    expect(uncertainLoops).toEqual([
      { where: expect.stringMatching(/^planning\/cost\.test\.ts:\d+:\d+$/), trips: 7, isBound: false },
    ]);
  });

  test("read what their body uses with every trip, and a slice as a slice", () => {
    const { bytes, flops } = costOf(({ input }) => {
      const w = input("w", "f32", ax.expert, ax.in);
      const shift = input("shift", "f32", ax.in);
      const start = full(0, "f32", ax.in) as Tensor<"in">;
      return scan(ax.expert, { sum: start }, { w }, ({ sum }, slice) => ({
        state: { sum: sum.add(slice.w).mul(shift) },
        output: {},
      })).state.sum;
    });
    // Each row of w once, shift sixteen times, and the sum at the end.
    expect(bytes).toBe(16 * 64 * 4 + 16 * 64 * 4 + 64 * 4);
    expect(flops).toBe(16 * 2 * 64);
  });

  test("of a choice's branches the dearer one counts", () => {
    const { flops } = costOf(({ input }) => {
      const x = input("x", "f32", ax.row);
      return choose(
        input("which", "i32") as Tensor<never>,
        () => ({ y: x }),
        () => ({ y: x.exp().log() }),
      ).y;
    });
    expect(flops).toBe(16);
  });
});

describe("bytes", () => {
  test("an argument is read once however many ops use it, and whatever it is called in between", () => {
    const { bytes } = costOf(({ input }) => {
      const x = input("x", "f32", ax.row, ax.in);
      const other = x.rename("in", "key").split("key", [axis("a", 8), axis("b", 8)]);
      return x
        .sum("row", "in")
        .add(x.exp().sum("row", "in"))
        .add(other.sum("row", "a", "b"));
    });
    expect(bytes).toBe(8 * 64 * 4 + 4);
  });

  test("a slice, a lookup and a pick read what they return", () => {
    const table = ({ input }: Inputs) => input("table", "bf16", ax.vocab, ax.in);
    const rows = costOf((inputs) =>
      table(inputs)
        .take("vocab", inputs.input("ids", "i32", ax.row))
        .exp(),
    );
    expect(rows.bytes).toBe(8 * 4 + 8 * 64 * 2 + 8 * 64 * 2);
    const converted = costOf((inputs) => table(inputs).cast("f32").slice("vocab", 10, 5).exp());
    // As it lies in memory, not as it is converted.
    expect(converted.bytes).toBe(5 * 64 * 2 + 5 * 64 * 4);
    const all = costOf((inputs) => {
      const x = table(inputs);
      return [x.at("vocab", 3).exp(), x.sum("vocab")];
    });
    expect(all.bytes).toBe(1000 * 64 * 2 + 2 * 64 * 2);
  });

  test("state that is updated in place costs what is written, and a copy all of it", () => {
    const written = (isState: boolean) =>
      costOf((inputs) => {
        const room = isState ? inputs.state("room", "f32", ax.key, ax.in) : inputs.input("room", "f32", ax.key, ax.in);
        const row = inputs.input("row", "f32", axis("key", 1), ax.in);
        return { room: room.update("key", inputs.input("at", "i32") as Tensor<never>, row) };
      }).bytes;
    const [row, whole] = [64 * 4, 128 * 64 * 4];
    expect(written(true)).toBe(4 + row + row);
    expect(written(false)).toBe(4 + row + row + whole + whole);
  });

  test("a layer's arguments are the program's, and so is state that a layer updates", () => {
    const { bytes, flops } = costOf((inputs) => {
      const w = inputs.weights(
        "w",
        [0, 1].map((n) => param(`${n}`, ax.in)),
        "f32",
        "f32",
      );
      const room = inputs.state("room", "f32", ax.key, ax.in);
      let x = inputs.input("x", "f32", ax.in) as Tensor<"in">;
      let kept = room as Tensor<"key" | "in">;
      w.forEach((each, n) => {
        x = layer(`layers.${n}`, () => {
          kept = kept.update("key", n, x.broadcast(axis("key", 1)) as never);
          return x.mul(each).add(kept.sum("key"));
        });
      });
      return { x, room: kept };
    });
    // Both weights, x, the state once, two rows written, x again.
    expect(bytes).toBe(2 * 256 + 256 + 128 * 256 + 2 * 256 + 256);
    expect(flops).toBe(2 * (64 + 64 + 128 * 64));
  });
});

describe("forChosen", () => {
  const mixture = (rows: number, experts = 16) =>
    traced((inputs) => {
      const [row, expert] = [axis("row", rows), axis("expert", experts)];
      const x = inputs.input("x", "f32", row, ax.in);
      const ids = inputs.input("ids", "i32", row, ax.choice);
      const weights = inputs.input("weights", "f32", row, ax.choice);
      const w = inputs.weights("w", { up: param("up", expert, ax.out, ax.in) }, "bf16", "f32");
      return forChosen(expert, { along: ax.choice, ids, weights }, w, (e) => x.dot(e.up, "in"));
    });
  const [matrix, product] = [32 * 64 * 2, 2 * 32 * 64];
  /** Products alone, and weights alone: what is small beside them is left out. */
  const near = (found: number, wanted: number) => expect(found / wanted).toBeCloseTo(1, 1);

  test("of one token reads the chosen", () => {
    const { flops, bytes, uncertainLoops } = countCost(mixture(1));
    // Each time the product, weighted and added up.
    expect(flops).toBe(4 * (product + 32 + 32));
    // Each time a matrix, the token, an id and a weight; the sum once.
    expect(bytes).toBe(4 * (matrix + 64 * 4 + 4 + 4) + 32 * 4);
    expect(uncertainLoops).toEqual([]);
  });

  test("of few tokens reads one for each choice", () => {
    const { flops, bytes } = countCost(mixture(2, 256));
    expect(flops).toBe(8 * (product + 32 + 32));
    expect(bytes).toBe(8 * (matrix + 64 * 4 + 4 + 4) + 2 * 32 * 4);
  });

  test("of a batch reads all, with every token", () => {
    const { flops, bytes } = countCost(mixture(8));
    near(flops, 16 * 8 * product);
    near(bytes, 16 * (matrix + 8 * 64 * 4) + 8 * 32 * 4);
  });

  test("of many tokens runs tiles, at most one of each entry in vain", () => {
    const { flops, uncertainLoops } = countCost(mixture(4096));
    const tiles = (4096 * 4) / 32 + 16;
    expect(uncertainLoops).toEqual([expect.objectContaining({ trips: tiles, isBound: true })]);
    // Besides products, the sort's counting.
    expect(flops / (tiles * 32 * product)).toBeGreaterThan(1);
    expect(flops / (tiles * 32 * product)).toBeLessThan(1.1);
  });

  test("over devices each runs its own part", () => {
    const roles = { expert: "experts" } as const;
    const placement = placementFor(parseMesh("expert=4", 4), roles);
    const parts: TraceOptions = { parts: (of) => (placement === undefined ? 1 : partCountOf(placement, of)) };
    const graph = traced((inputs) => {
      const x = inputs.input("x", "f32", ax.row, ax.in);
      const ids = inputs.input("ids", "i32", ax.row, ax.choice);
      const weights = inputs.input("weights", "f32", ax.row, ax.choice);
      const w = inputs.weights("w", { up: param("up", ax.expert, ax.out, ax.in) }, "bf16", "f32");
      return forChosen(ax.expert, { along: ax.choice, ids, weights }, w, (e) => x.dot(e.up, "in"));
    }, parts);
    near(countCost(graph).flops, 16 * 8 * product);
    const { flops, bytes } = countCost(graph, { placement });
    near(flops, 4 * 8 * product);
    near(bytes, 4 * (matrix + 8 * 64 * 4) + 8 * 32 * 4);
  });
});

describe("on a mesh", () => {
  const placement = placementFor(parseMesh("model=4", 4), { out: "width", row: "rows" });

  test("a device has its part of what is split by name, and all of the rest", () => {
    const { flops, bytes } = costOf(
      ({ input }) =>
        input("x", "f32", ax.row, ax.in)
          .dot(input("w", "f32", ax.out, ax.in), "in")
          .exp(),
      { placement },
    );
    expect(flops).toBe((2 * 8 * 64 * 32 + 8 * 32) / 4);
    expect(bytes).toBe(8 * 64 * 4 + (32 * 64 * 4) / 4 + (8 * 32 * 4) / 4);
  });

  test("what is summed over a split axis is split too", () => {
    const { flops } = costOf(
      ({ input }) => input("x", "f32", ax.row, ax.out).dot(input("w", "f32", ax.in, ax.out), "out"),
      { placement },
    );
    expect(flops).toBe((2 * 8 * 32 * 64) / 4);
  });
});

test("SmolLM2's decode step: two flops a parameter and the attention's, each weight and the caches once", () => {
  const published = publishedConfigs["smollm2-135m"];
  const architecture = findByConfig(published);
  const config = architecture.fromHuggingFace(published);
  const parameters = countActiveParameters(architecture, config);
  const sizes = { batch: 1, pos: 1, capacity: 1024 };
  const graph = traceStep(architecture, config, cpu({ compute: "bf16" }), sizes, "last");
  const { flops, bytes, uncertainLoops } = countCost(graph);
  // Scores and mixing: 30 layers of 9 heads of 64 numbers, for each of 1024 keys a pair of operations, twice.
  const attention = 30 * 9 * 64 * 1024 * 2 * 2;
  expect(flops / (2 * parameters + attention)).toBeCloseTo(1, 1);
  // Keys and values of 3 heads, bf16.
  const cacheBytes = 30 * 2 * 1024 * 3 * 64 * 2;
  // Weights in bf16; the logits in f32 are what else is large.
  expect(bytes / (2 * parameters + cacheBytes + 49_152 * 4)).toBeCloseTo(1, 2);
  expect(uncertainLoops).toEqual([]);
});

test("the roofline is the dearest of compute, memory and links", () => {
  const { hbmBytesPerSecond, bf16FlopsPerSecond, linkBytesPerSecond } = chips.v4;
  const at = (compute: number, memory: number, links: number) =>
    roofline(
      { flops: compute * bf16FlopsPerSecond, bytes: memory * hbmBytesPerSecond },
      chips.v4,
      links * linkBytesPerSecond,
    );
  expect(at(3, 2, 1)).toEqual({ seconds: 3, boundBy: "compute" });
  expect(at(1, 2, 0.5)).toEqual({ seconds: 2, boundBy: "memory" });
  expect(at(1, 2, 4)).toEqual({ seconds: 4, boundBy: "links" });
});
