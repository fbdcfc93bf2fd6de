import { describe, expect, test } from "@jest/globals";
import { axes, trace } from "../dsl/index.ts";
import { checkText } from "../tests/support/check-program.ts";
import { refusalOf } from "../tests/support/refusal.ts";
import { deviceCount, formatMesh, lower, parseMesh, placementFor, splitsOf } from "./index.ts";

const ax = axes({ batch: 2, kvHead: 3, group: 4, embed: 8, expert: 8, mlp: 6, vocab: 32 });
const roles = { batch: "rows", kvHead: "heads", mlp: "width", vocab: "vocabulary", expert: "experts" } as const;

describe("a placement", () => {
  const placement = placementFor({ data: 2, expert: 4, model: 2 }, roles);
  if (placement === undefined) throw new Error("sixteen devices have one");

  test.each([
    ["rows over data", [ax.batch, ax.embed], [["data"], []]],
    [
      "experts over expert, and what is inside them over model",
      [ax.expert, ax.mlp, ax.embed],
      [["expert"], ["model"], []],
    ],
    ["what has no experts over their devices too", [ax.vocab, ax.embed], [["expert", "model"], []]],
    ["by as many axes as divide the size", [ax.embed, ax.mlp], [[], ["model"]]],
    ["nothing where none divides it", [ax.kvHead, ax.group], [[], []]],
  ])("splits %s", (_, dims, wanted) => {
    expect(splitsOf(placement, dims)).toEqual(wanted);
  });

  test("is undefined on one device", () => {
    expect(placementFor({ data: 1, expert: 1, model: 1 }, roles)).toBeUndefined();
  });

  test("is printed as MLIR prints it, beside what is donated", async () => {
    const graph = trace("main", ({ input, state }) => {
      const x = input("x", "f32", ax.batch, ax.embed);
      return { held: state("held", "f32", ax.vocab).add(1), y: x.mul(2) };
    });
    const { text } = lower(graph, { placement, locations: false });
    expect(text).toMatchInlineSnapshot(`
module @main {
  sdy.mesh @mesh = <["data"=2, "expert"=4, "model"=2]>
  func.func public @main(%arg0: tensor<2x8xf32> {sdy.sharding = #sdy.sharding<@mesh, [{"data"}, {}]>}, %arg1: tensor<32xf32> {sdy.sharding = #sdy.sharding<@mesh, [{"expert", "model"}]>, tf.aliasing_output = 0 : i32}) -> (tensor<32xf32> {sdy.sharding = #sdy.sharding<@mesh, [{"expert", "model"}]>}, tensor<2x8xf32> {sdy.sharding = #sdy.sharding<@mesh, [{"data"}, {}]>}) {
    %cst = stablehlo.constant dense<1.000000e+00> : tensor<f32>
    %0 = stablehlo.broadcast_in_dim %cst, dims = [] : (tensor<f32>) -> tensor<32xf32>
    %1 = stablehlo.add %arg1, %0 : tensor<32xf32>
    %cst_0 = stablehlo.constant dense<2.000000e+00> : tensor<f32>
    %2 = stablehlo.broadcast_in_dim %cst_0, dims = [] : (tensor<f32>) -> tensor<2x8xf32>
    %3 = stablehlo.multiply %arg0, %2 : tensor<2x8xf32>
    return %1, %3 : tensor<32xf32>, tensor<2x8xf32>
  }
}

`);
    expect(await checkText(graph, { placement })).toBe(text);
  });
});

describe("a mesh", () => {
  test("is read with its axes in any order, those left out being 1", () => {
    expect(parseMesh("model=2, data=2", 4)).toEqual({ data: 2, expert: 1, model: 2 });
    expect(formatMesh(parseMesh("expert=3"))).toBe("data=1,expert=3,model=1");
    expect(deviceCount(parseMesh("expert=3,model=5"))).toBe(15);
  });

  test.each(["", "model", "model=0", "model=2,model=2", "axis=2", "model=-1", "model=1.5"])("refuses '%s'", (text) => {
    expect(() => parseMesh(text, 2)).toThrow(/is no axis of a mesh; wanted data=1,expert=1,model=2/);
  });

  test("that does not multiply to the devices is refused with one that does", () => {
    expect(refusalOf(() => parseMesh("expert=2,model=4", 4))).toMatchInlineSnapshot(`
InputError MESH
mesh 'expert=2,model=4' has 8 devices, and the target has 4; data=1,expert=2,model=2 would fit
`);
    expect(refusalOf(() => parseMesh("expert=3", 4))).toMatchInlineSnapshot(`
InputError MESH
mesh 'expert=3' has 3 devices, and the target has 4; data=1,expert=1,model=4 would fit
`);
  });
});
