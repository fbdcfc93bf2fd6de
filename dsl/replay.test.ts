import { describe, expect, test } from "@jest/globals";
import { checkProgram } from "../tests/support/check-program.ts";
import { untyped } from "./graph.ts";
import { axes, axis, full, type Inputs, packings, param, trace, whileLoop } from "./index.ts";
import { isWeightView, pickEarly, traceBody } from "./replay.ts";
import type { AnyTensor } from "./tensor.ts";

const ax = axes({ token: 3, embed: 2, expert: 4, column: 32 });
const given = ({ input }: Inputs): Record<"x" | "scale", AnyTensor> => ({
  x: untyped(input("x", "f32", ax.token, ax.embed)),
  scale: untyped(input("scale", "f32", ax.embed)),
});
const x = [1, 2, 3, 4, 5, 6];
const tokens = new Set(["token"]);

/** The ops of a program in order. */
function opsOf(body: (given: Inputs) => unknown): string[] {
  return trace("test", body).scope.nodes.map(({ op }) => op.name);
}

describe("traceBody", () => {
  test("makes nothing until it is replayed, and then the same", async () => {
    const { text } = await checkProgram(
      (inputs) => {
        const { x, scale } = given(inputs);
        return traceBody(() => x.mul(scale).add(1)).replay(new Map());
      },
      { inputs: { x, scale: [10, 100] }, expected: [11, 201, 31, 401, 51, 601] },
    );
    expect(text).toMatchInlineSnapshot(`
func.func public @main(%arg0: tensor<3x2xf32>, %arg1: tensor<2xf32>) -> tensor<3x2xf32> {
  %0 = stablehlo.broadcast_in_dim %arg1, dims = [1] : (tensor<2xf32>) -> tensor<3x2xf32>
  %1 = stablehlo.multiply %arg0, %0 : tensor<3x2xf32>
  %cst = stablehlo.constant dense<1.000000e+00> : tensor<f32>
  %2 = stablehlo.broadcast_in_dim %cst, dims = [] : (tensor<f32>) -> tensor<3x2xf32>
  %3 = stablehlo.add %1, %2 : tensor<3x2xf32>
  return %3 : tensor<3x2xf32>
}
`);
    expect(
      opsOf((inputs) => {
        const { x } = given(inputs);
        traceBody(() => x.exp());
        return x;
      }),
    ).toEqual([]);
  });

  test("runs over one token what was written for all", async () => {
    await checkProgram(
      (inputs) => {
        const { x, scale } = given(inputs);
        const body = traceBody(() => x.mul(scale).sum("embed"));
        expect(body.uses).toEqual([x, scale]);
        expect(body.mentions(tokens)).toBe(false);
        return body.replay(new Map([[x, x.at("token", 1)]]));
      },
      { inputs: { x, scale: [10, 100] }, expected: 430 },
    );
  });

  test("is what it uses when it makes nothing", async () => {
    await checkProgram(
      (inputs) => {
        const { x, scale } = given(inputs);
        const body = traceBody(() => x);
        expect(body.uses).toEqual([x]);
        return [body.replay(new Map()), body.replay(new Map([[x, scale]]))];
      },
      { inputs: { x, scale: [10, 100] }, expected: { "0": x, "1": [10, 100] } },
    );
  });

  test("says when it cannot go without an axis: an op names it, or has a body of its own", () => {
    trace("test", (inputs) => {
      const { x, scale } = given(inputs);
      const mentions = (body: () => AnyTensor) => traceBody(body).mentions(tokens);
      expect(mentions(() => x.sum("token"))).toBe(true);
      expect(mentions(() => scale.broadcast(ax.token))).toBe(true);
      expect(mentions(() => x.sum("embed"))).toBe(false);
      const loop = () =>
        whileLoop(
          { n: full(0, "i32"), x },
          ({ n }) => n.lt(2),
          ({ n, x }) => ({ n: n.add(1), x: x.mul(scale) }),
        ).x;
      expect(mentions(loop)).toBe(true);
      expect(traceBody(loop).uses).toContain(scale);
      return x;
    });
  });
});

describe("pickEarly", () => {
  const second = (each: AnyTensor) => each.at("expert", 1);

  test("picks before what every entry goes through alone", async () => {
    const { text } = await checkProgram(
      ({ input }) => {
        const w = input("w", "bf16", ax.expert, ax.embed);
        return pickEarly(untyped(w.cast("f32").mul(2)), "expert", second);
      },
      { inputs: { w: [1, 2, 3, 4, 5, 6, 7, 8] }, expected: [6, 8] },
    );
    expect(text).toMatchInlineSnapshot(`
func.func public @main(%arg0: tensor<4x2xbf16>) -> tensor<2xf32> {
  %0 = stablehlo.slice %arg0 [1:2, 0:2] : (tensor<4x2xbf16>) -> tensor<1x2xbf16>
  %1 = stablehlo.reshape %0 : (tensor<1x2xbf16>) -> tensor<2xbf16>
  %2 = stablehlo.convert %1 : (tensor<2xbf16>) -> tensor<2xf32>
  %cst = stablehlo.constant dense<2.000000e+00> : tensor<f32>
  %3 = stablehlo.broadcast_in_dim %cst, dims = [] : (tensor<f32>) -> tensor<2xf32>
  %4 = stablehlo.multiply %2, %3 : tensor<2xf32>
  return %4 : tensor<2xf32>
}
`);
  });

  test("picks after an op that names the axis, of its result", async () => {
    await checkProgram(
      ({ input }) => {
        const w = input("w", "f32", ax.expert, ax.embed);
        return pickEarly(untyped(w.cumSum("expert")), "expert", second);
      },
      { inputs: { w: [1, 2, 3, 4, 5, 6, 7, 8] }, expected: [4, 6] },
    );
  });

  test("leaves operands alone that lack the axis", async () => {
    await checkProgram(
      ({ input }) => {
        const w = input("w", "f32", ax.expert, ax.embed);
        return pickEarly(untyped(w.mul(input("scale", "f32", ax.embed))), "expert", second);
      },
      { inputs: { w: [1, 2, 3, 4, 5, 6, 7, 8], scale: [1, 10] }, expected: [3, 40] },
    );
  });

  test("unpacks one entry of a packed matrix, not all", () => {
    const of = [ax.expert, ax.embed, ax.column];
    const shapes = trace("test", ({ input }) => {
      const parts = packings.mxfp4.parts(of).map(({ name, dtype, axes: each }) => input(name, dtype, ...each));
      return pickEarly(untyped(packings.mxfp4.unpack(parts, of, "f32")), "expert", second);
    }).scope.nodes;
    // What is left of the unpacking of all is used by nobody, and not lowered.
    const last = shapes.slice(shapes.length / 2);
    expect(last.every(({ outputs }) => outputs.every(({ names }) => !names.includes("expert")))).toBe(true);
  });
});

test("isWeightView knows a weight that was converted or unpacked from a value that was computed", () => {
  trace("test", ({ input, weights }) => {
    const tree = { plain: param("plain", ax.expert, ax.column), packed: param("packed", ax.expert, ax.column) };
    const w = weights("w", tree, ({ key }) => (key === "packed" ? "mxfp4" : "bf16"), "f32");
    const other = input("x", "f32", axis("column", 32));
    expect(isWeightView(w.plain)).toBe(true);
    expect(isWeightView(w.packed)).toBe(true);
    expect(isWeightView(other)).toBe(false);
    expect(isWeightView(w.plain.mul(other))).toBe(false);
    expect(isWeightView(full(1, "f32", ax.expert))).toBe(false);
    return w.plain;
  });
});
