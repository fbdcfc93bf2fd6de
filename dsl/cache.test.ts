import { describe, expect, test } from "@jest/globals";
import { lower } from "../compiler/index.ts";
import { type HostTensor, hostTensor, toFloat32Array } from "../runtime-bridge/index.ts";
import { checkProgram } from "../tests/support/check-program.ts";
import { testWorker } from "../tests/support/worker.ts";
import { axes, axis, type DType, type Inputs, LinearCache, linearAge, RingCache, ringAge, trace } from "./index.ts";

const ax = axes({ batch: 2, pos: 2, key: 5, kvHead: 1, dim: 1 });

/** Appends one chunk, row 0 after one position and row 1 after three, and returns all that `extend` and `state` give. */
function extended({ input, state }: Inputs, dtype: DType = "f32") {
  const held = (name: string) => state(`cache.${name}`, dtype, ax.batch, ax.key, ax.kvHead, ax.dim);
  const cache = new LinearCache({ k: held("k"), v: held("v") }, input("start", "i32", ax.batch));
  const chunk = (name: string) => input(name, "f32", ax.batch, ax.pos, ax.kvHead, ax.dim);
  const seen = cache.extend(chunk("k"), chunk("v"));
  return { ...seen, cache: cache.state };
}

const inputs = {
  "cache.k": [
    [1, 0, 0, 0, 0],
    [1, 2, 3, 0, 0],
  ],
  "cache.v": [
    [-1, 0, 0, 0, 0],
    [-1, -2, -3, 0, 0],
  ],
  start: [1, 3],
  k: [
    [8, 9],
    [8, 9],
  ],
  v: [
    [-8, -9],
    [-8, -9],
  ],
};
const k = [
  [1, 8, 9, 0, 0],
  [1, 2, 3, 8, 9],
];
const v = [
  [-1, -8, -9, 0, 0],
  [-1, -2, -3, -8, -9],
];
// Of row 0 the queries stand at 1 and 2, of row 1 at 3 and 4.
const age = [
  [
    [1, 0, -1, -2, -3],
    [2, 1, 0, -1, -2],
  ],
  [
    [3, 2, 1, 0, -1],
    [4, 3, 2, 1, 0],
  ],
];
const zeros = { because: "-0 and 0 hold nothing alike" };

describe("LinearCache", () => {
  test("writes each row's chunk where that row stands, and says how old every key is for every query", async () => {
    const { program, text } = await checkProgram((given) => extended(given), {
      inputs,
      expected: { k, v, age, "cache.k": k, "cache.v": v },
      tolerance: zeros,
    });
    expect(program.signature.results.map(({ name, axes: of }) => [name, of])).toEqual([
      ["k", ["batch", "key", "kvHead", "dim"]],
      ["v", ["batch", "key", "kvHead", "dim"]],
      ["age", ["batch", "pos", "key"]],
      ["cache.k", ["batch", "key", "kvHead", "dim"]],
      ["cache.v", ["batch", "key", "kvHead", "dim"]],
    ]);
    expect(text.match(/scatter"/g)?.length).toBe(2);
  });

  test("gives its memory to the new state", async () => {
    const { program } = await checkProgram((given) => extended(given), { inputs, tolerance: zeros });
    expect(program.signature.arguments.map(({ name, donatedTo }) => [name, donatedTo])).toEqual([
      ["cache.k", 3],
      ["cache.v", 4],
      ["start", undefined],
      ["k", undefined],
      ["v", undefined],
    ]);
  });

  test("may hold narrower numbers than the model computes with", async () => {
    const { program } = await checkProgram((given) => extended(given, "bf16"), {
      inputs,
      expected: { k, v, age, "cache.k": k, "cache.v": v },
      tolerance: zeros,
    });
    expect(program.signature.results.map(({ dtype }) => dtype)).toEqual(["f32", "f32", "i32", "bf16", "bf16"]);
  });

  test("of one row is written by a slice, not a scatter", async () => {
    const one = axes({ batch: 1, pos: 1, key: 4, kvHead: 2, dim: 1 });
    const { text } = await checkProgram(
      ({ input, state }) => {
        const held = (name: string) => state(name, "f32", one.batch, one.key, one.kvHead, one.dim);
        const cache = new LinearCache({ k: held("k"), v: held("v") }, input("start", "i32", one.batch));
        const chunk = input("chunk", "f32", one.batch, one.pos, one.kvHead, one.dim);
        cache.extend(chunk, chunk);
        return cache.state;
      },
      {
        inputs: { k: Array(8).fill(0), v: Array(8).fill(0), start: [2], chunk: [[[[1], [2]]]] },
        expected: { k: [0, 0, 0, 0, 1, 2, 0, 0], v: [0, 0, 0, 0, 1, 2, 0, 0] },
      },
    );
    expect(text).toContain("dynamic_update_slice");
    expect(text).not.toContain("scatter");
  });

  test("may be extended twice in one program", async () => {
    await checkProgram(
      ({ input, state }) => {
        const held = (name: string) => state(name, "f32", ax.batch, ax.key, ax.kvHead, ax.dim);
        const start = input("start", "i32", ax.batch);
        const chunk = input("chunk", "f32", ax.batch, axis("pos", 1), ax.kvHead, ax.dim);
        const first = new LinearCache({ k: held("k"), v: held("v") }, start);
        first.extend(chunk, chunk);
        const second = new LinearCache(first.state, start.add(1));
        second.extend(chunk.mul(10), chunk);
        return second.state;
      },
      {
        inputs: { k: Array(10).fill(0), v: Array(10).fill(0), start: [0, 2], chunk: [1, 2] },
        expected: {
          k: [
            [1, 10, 0, 0, 0],
            [0, 0, 2, 20, 0],
          ],
          v: [
            [1, 1, 0, 0, 0],
            [0, 0, 2, 2, 0],
          ],
        },
      },
    );
  });
});

test("linearAge counts back from each query, below 0 for what is yet to come", async () => {
  await checkProgram(({ input }) => linearAge(input("start", "i32", ax.batch), ax.pos, ax.key), {
    inputs: { start: [1, 3] },
    expected: age,
  });
});

describe("RingCache", () => {
  const ring = axes({ batch: 2, key: 4, kvHead: 1, dim: 1 });
  const held = ({ input, state }: Inputs) => {
    const room = (name: string) => state(name, "f32", ring.batch, ring.key, ring.kvHead, ring.dim);
    return new RingCache({ k: room("k"), v: room("v") }, input("start", "i32", ring.batch));
  };

  test("writes a position where it falls modulo the size, over what stood there", async () => {
    const { text } = await checkProgram(
      (given) => {
        const cache = held(given);
        const chunk = given.input("chunk", "f32", ring.batch, axis("pos", 3), ring.kvHead, ring.dim);
        const { age } = cache.extend(chunk, chunk.mul(10));
        return { ...cache.state, age };
      },
      {
        // Row 0 holds nothing; row 1 holds positions 3, 4, 5 and 2 and gets 6, 7 and 8.
        inputs: {
          k: [0, 0, 0, 0, 4, 5, 2, 3],
          v: [0, 0, 0, 0, 40, 50, 20, 30],
          start: [0, 6],
          chunk: [7, 8, 9, 6, 7, 8],
        },
        expected: {
          k: [7, 8, 9, 0, 8, 5, 6, 7],
          v: [70, 80, 90, 0, 80, 50, 60, 70],
          age: [
            // Of row 0 the last place was never written.
            ...[0, -1, -2, -1, 1, 0, -1, -1, 2, 1, 0, -1],
            ...[-2, 1, 0, -1, -1, 2, 1, 0, 0, 3, 2, 1],
          ],
        },
      },
    );
    expect(text).toMatchInlineSnapshot(`
func.func public @main(%arg0: tensor<2x4x1x1xf32> {tf.aliasing_output = 0 : i32}, %arg1: tensor<2x4x1x1xf32> {tf.aliasing_output = 1 : i32}, %arg2: tensor<2xi32>, %arg3: tensor<2x3x1x1xf32>) -> (tensor<2x4x1x1xf32>, tensor<2x4x1x1xf32>, tensor<2x3x4xi32>) {
  %cst = stablehlo.constant dense<1.000000e+01> : tensor<f32>
  %0 = stablehlo.broadcast_in_dim %cst, dims = [] : (tensor<f32>) -> tensor<2x3x1x1xf32>
  %1 = stablehlo.multiply %arg3, %0 : tensor<2x3x1x1xf32>
  %2 = stablehlo.broadcast_in_dim %arg2, dims = [0] : (tensor<2xi32>) -> tensor<2x4xi32>
  %3 = stablehlo.negate %2 : tensor<2x4xi32>
  %4 = stablehlo.iota dim = 0 : tensor<4xi32>
  %5 = stablehlo.broadcast_in_dim %4, dims = [1] : (tensor<4xi32>) -> tensor<2x4xi32>
  %6 = stablehlo.add %3, %5 : tensor<2x4xi32>
  %c = stablehlo.constant dense<4> : tensor<i32>
  %7 = stablehlo.broadcast_in_dim %c, dims = [] : (tensor<i32>) -> tensor<2x4xi32>
  %8 = stablehlo.remainder %6, %7 : tensor<2x4xi32>
  %c_0 = stablehlo.constant dense<4> : tensor<i32>
  %9 = stablehlo.broadcast_in_dim %c_0, dims = [] : (tensor<i32>) -> tensor<2x4xi32>
  %10 = stablehlo.add %8, %9 : tensor<2x4xi32>
  %c_1 = stablehlo.constant dense<4> : tensor<i32>
  %11 = stablehlo.broadcast_in_dim %c_1, dims = [] : (tensor<i32>) -> tensor<2x4xi32>
  %12 = stablehlo.remainder %10, %11 : tensor<2x4xi32>
  %c_2 = stablehlo.constant dense<2> : tensor<i32>
  %13 = stablehlo.broadcast_in_dim %c_2, dims = [] : (tensor<i32>) -> tensor<2x4xi32>
  %14 = stablehlo.minimum %12, %13 : tensor<2x4xi32>
  %15 = "stablehlo.gather"(%arg3, %14) <{dimension_numbers = #stablehlo.gather<offset_dims = [2, 3], collapsed_slice_dims = [1], operand_batching_dims = [0], start_indices_batching_dims = [0], start_index_map = [1], index_vector_dim = 2>, indices_are_sorted = false, slice_sizes = array<i64: 1, 1, 1, 1>}> : (tensor<2x3x1x1xf32>, tensor<2x4xi32>) -> tensor<2x4x1x1xf32>
  %c_3 = stablehlo.constant dense<3> : tensor<i32>
  %16 = stablehlo.broadcast_in_dim %c_3, dims = [] : (tensor<i32>) -> tensor<2x4xi32>
  %17 = stablehlo.compare LT, %12, %16, SIGNED : (tensor<2x4xi32>, tensor<2x4xi32>) -> tensor<2x4xi1>
  %18 = stablehlo.broadcast_in_dim %17, dims = [0, 1] : (tensor<2x4xi1>) -> tensor<2x4x1x1xi1>
  %19 = stablehlo.select %18, %15, %arg0 : tensor<2x4x1x1xi1>, tensor<2x4x1x1xf32>
  %20 = stablehlo.optimization_barrier %19 : tensor<2x4x1x1xf32>
  %21 = stablehlo.broadcast_in_dim %arg2, dims = [0] : (tensor<2xi32>) -> tensor<2x4xi32>
  %22 = stablehlo.negate %21 : tensor<2x4xi32>
  %23 = stablehlo.iota dim = 0 : tensor<4xi32>
  %24 = stablehlo.broadcast_in_dim %23, dims = [1] : (tensor<4xi32>) -> tensor<2x4xi32>
  %25 = stablehlo.add %22, %24 : tensor<2x4xi32>
  %c_4 = stablehlo.constant dense<4> : tensor<i32>
  %26 = stablehlo.broadcast_in_dim %c_4, dims = [] : (tensor<i32>) -> tensor<2x4xi32>
  %27 = stablehlo.remainder %25, %26 : tensor<2x4xi32>
  %c_5 = stablehlo.constant dense<4> : tensor<i32>
  %28 = stablehlo.broadcast_in_dim %c_5, dims = [] : (tensor<i32>) -> tensor<2x4xi32>
  %29 = stablehlo.add %27, %28 : tensor<2x4xi32>
  %c_6 = stablehlo.constant dense<4> : tensor<i32>
  %30 = stablehlo.broadcast_in_dim %c_6, dims = [] : (tensor<i32>) -> tensor<2x4xi32>
  %31 = stablehlo.remainder %29, %30 : tensor<2x4xi32>
  %c_7 = stablehlo.constant dense<2> : tensor<i32>
  %32 = stablehlo.broadcast_in_dim %c_7, dims = [] : (tensor<i32>) -> tensor<2x4xi32>
  %33 = stablehlo.minimum %31, %32 : tensor<2x4xi32>
  %34 = "stablehlo.gather"(%1, %33) <{dimension_numbers = #stablehlo.gather<offset_dims = [2, 3], collapsed_slice_dims = [1], operand_batching_dims = [0], start_indices_batching_dims = [0], start_index_map = [1], index_vector_dim = 2>, indices_are_sorted = false, slice_sizes = array<i64: 1, 1, 1, 1>}> : (tensor<2x3x1x1xf32>, tensor<2x4xi32>) -> tensor<2x4x1x1xf32>
  %c_8 = stablehlo.constant dense<3> : tensor<i32>
  %35 = stablehlo.broadcast_in_dim %c_8, dims = [] : (tensor<i32>) -> tensor<2x4xi32>
  %36 = stablehlo.compare LT, %31, %35, SIGNED : (tensor<2x4xi32>, tensor<2x4xi32>) -> tensor<2x4xi1>
  %37 = stablehlo.broadcast_in_dim %36, dims = [0, 1] : (tensor<2x4xi1>) -> tensor<2x4x1x1xi1>
  %38 = stablehlo.select %37, %34, %arg1 : tensor<2x4x1x1xi1>, tensor<2x4x1x1xf32>
  %39 = stablehlo.optimization_barrier %38 : tensor<2x4x1x1xf32>
  %c_9 = stablehlo.constant dense<2> : tensor<i32>
  %40 = stablehlo.broadcast_in_dim %c_9, dims = [] : (tensor<i32>) -> tensor<2xi32>
  %41 = stablehlo.add %arg2, %40 : tensor<2xi32>
  %42 = stablehlo.broadcast_in_dim %41, dims = [0] : (tensor<2xi32>) -> tensor<2x4xi32>
  %43 = stablehlo.iota dim = 0 : tensor<4xi32>
  %44 = stablehlo.broadcast_in_dim %43, dims = [1] : (tensor<4xi32>) -> tensor<2x4xi32>
  %45 = stablehlo.subtract %42, %44 : tensor<2x4xi32>
  %c_10 = stablehlo.constant dense<4> : tensor<i32>
  %46 = stablehlo.broadcast_in_dim %c_10, dims = [] : (tensor<i32>) -> tensor<2x4xi32>
  %47 = stablehlo.remainder %45, %46 : tensor<2x4xi32>
  %48 = stablehlo.broadcast_in_dim %41, dims = [0] : (tensor<2xi32>) -> tensor<2x4xi32>
  %c_11 = stablehlo.constant dense<0> : tensor<i32>
  %49 = stablehlo.broadcast_in_dim %c_11, dims = [] : (tensor<i32>) -> tensor<2x4xi32>
  %50 = stablehlo.compare GE, %47, %49, SIGNED : (tensor<2x4xi32>, tensor<2x4xi32>) -> tensor<2x4xi1>
  %c_12 = stablehlo.constant dense<4> : tensor<i32>
  %51 = stablehlo.broadcast_in_dim %c_12, dims = [] : (tensor<i32>) -> tensor<2x4xi32>
  %52 = stablehlo.add %47, %51 : tensor<2x4xi32>
  %53 = stablehlo.select %50, %47, %52 : tensor<2x4xi1>, tensor<2x4xi32>
  %54 = stablehlo.subtract %48, %53 : tensor<2x4xi32>
  %55 = stablehlo.broadcast_in_dim %arg2, dims = [0] : (tensor<2xi32>) -> tensor<2x3xi32>
  %56 = stablehlo.iota dim = 0 : tensor<3xi32>
  %57 = stablehlo.broadcast_in_dim %56, dims = [1] : (tensor<3xi32>) -> tensor<2x3xi32>
  %58 = stablehlo.add %55, %57 : tensor<2x3xi32>
  %59 = stablehlo.broadcast_in_dim %58, dims = [0, 1] : (tensor<2x3xi32>) -> tensor<2x3x4xi32>
  %60 = stablehlo.broadcast_in_dim %54, dims = [0, 2] : (tensor<2x4xi32>) -> tensor<2x3x4xi32>
  %61 = stablehlo.subtract %59, %60 : tensor<2x3x4xi32>
  %c_13 = stablehlo.constant dense<0> : tensor<i32>
  %62 = stablehlo.broadcast_in_dim %c_13, dims = [] : (tensor<i32>) -> tensor<2x4xi32>
  %63 = stablehlo.compare GE, %54, %62, SIGNED : (tensor<2x4xi32>, tensor<2x4xi32>) -> tensor<2x4xi1>
  %64 = stablehlo.broadcast_in_dim %63, dims = [0, 2] : (tensor<2x4xi1>) -> tensor<2x3x4xi1>
  %c_14 = stablehlo.constant dense<-1> : tensor<i32>
  %65 = stablehlo.broadcast_in_dim %c_14, dims = [] : (tensor<i32>) -> tensor<2x3x4xi32>
  %66 = stablehlo.select %64, %61, %65 : tensor<2x3x4xi1>, tensor<2x3x4xi32>
  return %20, %39, %66 : tensor<2x4x1x1xf32>, tensor<2x4x1x1xf32>, tensor<2x3x4xi32>
}
`);
  });

  test("writes one position in place", async () => {
    const { text, program } = await checkProgram(
      (given) => {
        const cache = held(given);
        const chunk = given.input("chunk", "f32", ring.batch, axis("pos", 1), ring.kvHead, ring.dim);
        const { age } = cache.extend(chunk, chunk);
        return { ...cache.state, age };
      },
      {
        inputs: { k: [0, 1, 0, 0, 4, 5, 2, 3], v: Array(8).fill(0), start: [2, 6], chunk: [9, 6] },
        expected: {
          k: [0, 1, 9, 0, 4, 5, 6, 3],
          v: [0, 0, 9, 0, 0, 0, 6, 0],
          age: [2, 1, 0, -1, 2, 1, 0, 3],
        },
      },
    );
    expect(text).toContain("scatter");
    expect(text).not.toContain("gather");
    expect(program.signature.arguments.map(({ name, donatedTo }) => [name, donatedTo])).toEqual([
      ["k", 0],
      ["v", 1],
      ["start", undefined],
      ["chunk", undefined],
    ]);
  });

  test("ringAge is that of the position last written to each place", async () => {
    await checkProgram(({ input }) => ringAge(input("start", "i32", ax.batch), ax.pos, ax.key), {
      inputs: { start: [1, 13] },
      // Row 0 has written 0 to 2, row 1 0 to 14; the places hold 10 to 14.
      expected: [1, 0, -1, -1, -1, 2, 1, 0, -1, -1, 3, 2, 1, 0, -1, 4, 3, 2, 1, 0],
    });
  });

  // Numbers are whole and sums below 2^24, so that no order of adding matters and equality is exact.
  test.each([
    { window: 5, chunks: [8, 1, 3], rows: 2, size: 13 },
    { window: 5, chunks: [8, 1, 3], rows: 2, size: 12 },
    { window: 8, chunks: [16], rows: 3, size: 24 },
    { window: 8, chunks: [1], rows: 3, size: 8 },
    { window: 1, chunks: [4, 2], rows: 1, size: 5 },
    { window: 7, chunks: [2, 5, 1], rows: 1, size: 11 },
  ])(
    "of $size places sees what a window of $window sees of all positions: chunks of $chunks, $rows rows",
    async (of) => {
      const worker = await testWorker();
      const capacity = 20 * of.size;
      const dims = axes({ batch: of.rows, kvHead: 1, dim: 1 });
      const step = async (kind: "ring" | "linear", pos: number) => {
        const graph = trace(kind, ({ input, state }) => {
          const key = axis("key", kind === "ring" ? of.size : capacity);
          const room = (name: string) => state(name, "f32", dims.batch, key, dims.kvHead, dims.dim);
          const start = input("start", "i32", dims.batch);
          const cache = new (kind === "ring" ? RingCache : LinearCache)({ k: room("k"), v: room("v") }, start);
          const chunk = input("chunk", "f32", dims.batch, axis("pos", pos), dims.kvHead, dims.dim);
          const { k, v, age } = cache.extend(chunk, chunk.add(3));
          const share = age
            .add(1)
            .where(age.ge(0).and(age.lt(of.window)), 0)
            .cast("f32");
          const seen = share.dot(k, "key").add(share.dot(v, "key").mul(7));
          return { ...cache.state, seen };
        });
        return await worker.compile(lower(graph));
      };
      const programs = new Map<string, Awaited<ReturnType<typeof step>>>();
      for (const pos of of.chunks) {
        for (const kind of ["ring", "linear"] as const) programs.set(`${kind} ${pos}`, await step(kind, pos));
      }
      const empty = (places: number) => hostTensor("f32", [of.rows, places, 1, 1], new Float32Array(of.rows * places));
      let caches = { ring: [empty(of.size), empty(of.size)], linear: [empty(capacity), empty(capacity)] };
      const starts = Array.from({ length: of.rows }, (_, row) => row * 3);
      // Rows begin at other positions: what they hold before is zeros in either cache.
      let bits = 1;
      const random = (below: number) => {
        bits = (Math.imul(bits, 1103515245) + 12345) >>> 0;
        return (bits >>> 16) % below;
      };
      let wraps = 0;
      while (wraps < 12) {
        const pos = of.chunks[random(of.chunks.length)] as number;
        const lengths = starts.map(() => random(pos + 1));
        const chunk = hostTensor(
          "f32",
          [of.rows, pos, 1, 1],
          Float32Array.from({ length: of.rows * pos }, () => random(999)),
        );
        const given = hostTensor("i32", [of.rows], Int32Array.from(starts));
        const run = async (kind: "ring" | "linear") => {
          const [k, v] = caches[kind] as [HostTensor, HostTensor];
          const executable = programs.get(`${kind} ${pos}`) as Awaited<ReturnType<typeof step>>;
          return (await worker.execute(executable, [given, k, v, chunk], { fetch: "all" })).results as HostTensor[];
        };
        const [byRing, byLinear] = [await run("ring"), await run("linear")];
        const [found, wanted] = [byRing, byLinear].map((each) => [...toFloat32Array(each[2] as HostTensor)]);
        const real = (all: number[] | undefined) =>
          all?.filter((_, n) => n % pos < (lengths[Math.floor(n / pos)] as number));
        expect(real(found)).toEqual(real(wanted));
        caches = { ring: byRing.slice(0, 2), linear: byLinear.slice(0, 2) };
        lengths.forEach((length, row) => {
          starts[row] = (starts[row] as number) + length;
        });
        wraps = Math.min(...starts) / of.size;
      }
      expect(Math.max(...starts) + 16).toBeLessThan(capacity);
    },
  );
});
