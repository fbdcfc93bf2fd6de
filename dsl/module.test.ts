import { describe, expect, test } from "@jest/globals";
import { checkProgram } from "../tests/support/check-program.ts";
import { refusal, refusalOf } from "../tests/support/refusal.ts";
import { axes, axis, full, layer, param, part, type Tensor, trace, whileLoop } from "./index.ts";

const ax = axes({ row: 2, out: 2, layer: 3 });
const functions = (text: string) =>
  text.match(/func\.func private @[\w.]+/g)?.map((each) => each.slice("func.func private ".length));

describe("layer", () => {
  test("is printed once for all layers that mean the same, and called", async () => {
    const { text } = await checkProgram(
      ({ input, weights }) => {
        const w = weights(
          "w",
          [0, 1, 2].map((n) => ({ scale: param(`layers.${n}.scale`, ax.row) })),
          "f32",
          "f32",
        );
        return w.reduce(
          (x, each, n) => layer(`layers.${n}`, () => part("norm", () => x.mul(each.scale).add(1))),
          input("x", "f32", ax.row),
        );
      },
      { inputs: { x: [1, 2], "w.0.scale": [1, 2], "w.1.scale": [3, 4], "w.2.scale": [5, 6] }, expected: [36, 127] },
    );
    expect(functions(text)).toEqual(["@layers"]);
    expect(text).toMatchInlineSnapshot(`
      module @test {
        func.func public @main(%arg0: tensor<2xf32>, %arg1: tensor<2xf32>, %arg2: tensor<2xf32>, %arg3: tensor<2xf32>) -> tensor<2xf32> {
          %0 = call @layers(%arg3, %arg0) : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
          %1 = call @layers(%0, %arg1) : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
          %2 = call @layers(%1, %arg2) : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
          return %2 : tensor<2xf32>
        }
        func.func private @layers(%arg0: tensor<2xf32>, %arg1: tensor<2xf32>) -> tensor<2xf32> {
          %0 = stablehlo.multiply %arg0, %arg1 : tensor<2xf32>
          %cst = stablehlo.constant dense<1.000000e+00> : tensor<f32>
          %1 = stablehlo.broadcast_in_dim %cst, dims = [] : (tensor<f32>) -> tensor<2xf32>
          %2 = stablehlo.add %0, %1 : tensor<2xf32>
          return %2 : tensor<2xf32>
        }
      }
    `);
  });

  test("of another meaning is another function", async () => {
    const { text } = await checkProgram(
      ({ input }) => {
        const x = input("x", "f32", ax.row);
        const double = layer("layers.0", () => x.mul(2));
        const again = layer("layers.1", () => double.mul(2));
        return layer("layers.2", () => again.add(2));
      },
      { inputs: { x: [1, 2] }, expected: [6, 10] },
    );
    expect(functions(text)).toEqual(["@layers", "@layers_1"]);
  });

  test("of another size is another function", async () => {
    const { text } = await checkProgram(
      ({ input }) => ({
        a: layer("f", () => input("a", "f32", ax.row).neg()),
        b: layer("f", () => input("b", "f32", axis("row", 3)).neg()),
      }),
      { inputs: { a: [1, 2], b: [1, 2, 3] }, expected: { a: [-1, -2], b: [-1, -2, -3] } },
    );
    expect(functions(text)).toEqual(["@f", "@f_1"]);
  });

  test("hands out what is used of its insides afterwards, and nothing else", async () => {
    const { text } = await checkProgram(
      ({ input }) => {
        let held: Tensor<"row"> | undefined;
        const out = layer("block", () => {
          const x = input("x", "f32", ax.row);
          held = x.mul(3);
          const unused = x.exp();
          return held.add(unused.mul(0));
        });
        return { out: out.mul(1), held: held as Tensor<"row"> };
      },
      { inputs: { x: [1, 2] }, expected: { out: [3, 6], held: [3, 6] } },
    );
    expect(text).toMatchInlineSnapshot(`
      module @test {
        func.func public @main(%arg0: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>) {
          %0:2 = call @block(%arg0) : (tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>)
          %cst = stablehlo.constant dense<1.000000e+00> : tensor<f32>
          %1 = stablehlo.broadcast_in_dim %cst, dims = [] : (tensor<f32>) -> tensor<2xf32>
          %2 = stablehlo.multiply %0#0, %1 : tensor<2xf32>
          return %2, %0#1 : tensor<2xf32>, tensor<2xf32>
        }
        func.func private @block(%arg0: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>) {
          %cst = stablehlo.constant dense<3.000000e+00> : tensor<f32>
          %0 = stablehlo.broadcast_in_dim %cst, dims = [] : (tensor<f32>) -> tensor<2xf32>
          %1 = stablehlo.multiply %arg0, %0 : tensor<2xf32>
          %2 = stablehlo.exponential %arg0 : tensor<2xf32>
          %cst_0 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
          %3 = stablehlo.broadcast_in_dim %cst_0, dims = [] : (tensor<f32>) -> tensor<2xf32>
          %4 = stablehlo.multiply %2, %3 : tensor<2xf32>
          %5 = stablehlo.add %1, %4 : tensor<2xf32>
          return %5, %1 : tensor<2xf32>, tensor<2xf32>
        }
      }
    `);
  });

  test("leaves nothing behind when nothing of it is used", async () => {
    const { text } = await checkProgram(
      ({ input }) => {
        const x = input("x", "f32", ax.row);
        layer("idle", () => x.exp());
        return x.neg();
      },
      { inputs: { x: [1, 2] }, expected: [-1, -2] },
    );
    expect(text).not.toContain("exponential");
  });

  test("nests: what an inner layer uses of the outermost passes through the one between", async () => {
    const { text } = await checkProgram(
      ({ input }) => {
        const [x, w] = [input("x", "f32", ax.row), input("w", "f32", ax.row)];
        return layer("outer", () => layer("inner", () => x.mul(w)).add(layer("inner", () => x.mul(w).sub(w))));
      },
      { inputs: { x: [1, 2], w: [3, 4] }, expected: [3, 12] },
    );
    expect(text).toMatchInlineSnapshot(`
      module @test {
        func.func public @main(%arg0: tensor<2xf32>, %arg1: tensor<2xf32>) -> tensor<2xf32> {
          %0 = call @outer(%arg0, %arg1) : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
          return %0 : tensor<2xf32>
        }
        func.func private @inner(%arg0: tensor<2xf32>, %arg1: tensor<2xf32>) -> tensor<2xf32> {
          %0 = stablehlo.multiply %arg0, %arg1 : tensor<2xf32>
          return %0 : tensor<2xf32>
        }
        func.func private @inner_1(%arg0: tensor<2xf32>, %arg1: tensor<2xf32>) -> tensor<2xf32> {
          %0 = stablehlo.multiply %arg0, %arg1 : tensor<2xf32>
          %1 = stablehlo.subtract %0, %arg1 : tensor<2xf32>
          return %1 : tensor<2xf32>
        }
        func.func private @outer(%arg0: tensor<2xf32>, %arg1: tensor<2xf32>) -> tensor<2xf32> {
          %0 = call @inner(%arg0, %arg1) : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
          %1 = call @inner_1(%arg0, %arg1) : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
          %2 = stablehlo.add %0, %1 : tensor<2xf32>
          return %2 : tensor<2xf32>
        }
      }
    `);
  });

  test("hands out what is used of the insides of its own layers", async () => {
    await checkProgram(
      ({ input }) => {
        const x = input("x", "f32", ax.row);
        let deep: Tensor<"row"> | undefined;
        const out = layer("outer", () => {
          const inner = layer("inner", () => {
            deep = x.mul(10);
            return deep.add(1);
          });
          return inner.neg();
        });
        return [out, deep as Tensor<"row">, layer("later", () => (deep as Tensor<"row">).add(x))];
      },
      { inputs: { x: [1, 2] }, expected: { 0: [-11, -21], 1: [10, 20], 2: [11, 22] } },
    );
  });

  test("inside a loop lets nothing out of the loop but by its state", () => {
    expect(
      refusal(({ input }) => {
        const x = input("x", "f32", ax.row);
        let inside: Tensor<"row"> | undefined;
        whileLoop(
          { n: full(0, "i32") },
          ({ n }) => n.lt(2),
          ({ n }) => {
            layer("f", () => (inside = x.mul(2)));
            return { n: n.add(1) };
          },
        );
        return inside;
      }),
    ).toMatchInlineSnapshot(`
      ShapeError VALUE_ESCAPED
      a tensor is used where it does not exist: it was made in the body of a loop or a choice
        tensor  mul  module.test.ts:+7
        hint  return it from the body, or carry it in the state
    `);
  });

  test("takes what a loop around it carries, and may hold a loop that uses what it takes", async () => {
    await checkProgram(
      ({ input }) => {
        const w = input("w", "f32", ax.row);
        return layer("block", () =>
          whileLoop(
            { x: w, n: full(0, "i32") },
            ({ n }) => n.lt(2),
            ({ x, n }) => ({ x: layer("step", () => x.mul(w)), n: n.add(1) }),
          ),
        ).x;
      },
      { inputs: { w: [2, 3] }, expected: [8, 27] },
    );
  });

  test("keeps a captured weight on the left of its products", async () => {
    const { text } = await checkProgram(
      ({ input, weights }) => {
        const x = input("x", "f32", ax.row);
        const w = weights("w", { up: param("up", ax.out, ax.row) }, "bf16", "f32");
        return layer("mlp", () => x.dot(w.up, "row"));
      },
      {
        inputs: {
          x: [1, 2],
          "w.up": [
            [1, 0],
            [1, 1],
          ],
        },
        expected: [1, 3],
      },
    );
    expect(text).toMatchInlineSnapshot(`
      module @test {
        func.func public @main(%arg0: tensor<2xf32>, %arg1: tensor<2x2xbf16>) -> tensor<2xf32> {
          %0 = stablehlo.convert %arg1 : (tensor<2x2xbf16>) -> tensor<2x2xf32>
          %1 = call @mlp(%arg0, %0) : (tensor<2xf32>, tensor<2x2xf32>) -> tensor<2xf32>
          return %1 : tensor<2xf32>
        }
        func.func private @mlp(%arg0: tensor<2xf32>, %arg1: tensor<2x2xf32>) -> tensor<2xf32> {
          %0 = stablehlo.dot_general %arg1, %arg0, contracting_dims = [1] x [0], precision = [HIGHEST, HIGHEST] : (tensor<2x2xf32>, tensor<2xf32>) -> tensor<2xf32>
          return %0 : tensor<2xf32>
        }
      }
    `);
  });

  test("refuses tensors of another trace", () => {
    let stray: Tensor<"row"> | undefined;
    trace("first", ({ input }) => {
      stray = input("x", "f32", ax.row).mul(2);
    });
    expect(refusal(({ input }) => input("y", "f32", ax.row).add(stray as Tensor<"row">))).toMatchInlineSnapshot(`
      ShapeError VALUE_ESCAPED
      a tensor is used where it does not exist: it belongs to another trace
        tensor  mul  module.test.ts:-2
        hint  trace both in one program
    `);
  });

  test("refuses ops outside a trace, and a trace inside a trace", () => {
    expect(refusalOf(() => full(0, "i32"))).toMatchInlineSnapshot(`
      ShapeError NOT_TRACING
      constant was used outside a trace: use it in a function given to trace()
    `);
    expect(refusalOf(() => layer("lonely", () => 1))).toMatchInlineSnapshot(`
      ShapeError NOT_TRACING
      the module 'lonely' was used outside a trace: use it in a function given to trace()
    `);
    expect(refusal(() => trace("inner", () => undefined))).toMatchInlineSnapshot(`
      ShapeError TRACE_NESTED
      a trace was started inside another trace
    `);
  });
});

describe("part", () => {
  test("names what is inside it, relative to its layer", async () => {
    const { program } = await checkProgram(
      ({ input }) => {
        const x = input("x", "f32", ax.row);
        return layer("layers.3", () => part("attn", () => part("q", () => x.neg())));
      },
      { inputs: { x: [1, 2] }, expected: [-1, -2] },
    );
    expect(program.text).toContain('loc("attn.q.neg"(');
    expect(program.text).toContain('loc("layers.3"(');
  });
});
