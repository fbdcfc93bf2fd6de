import { describe, expect, test } from "@jest/globals";
import type { Node, Scope } from "./graph.ts";
import {
  addSourceRoot,
  axes,
  forChosen,
  formatLocation,
  layer,
  param,
  part,
  rmsNorm,
  type Tensor,
  trace,
} from "./index.ts";
import { callerLocation } from "./location.ts";

const ax = axes({ embed: 2 });

function nodes(scope: Scope): readonly Node[] {
  return scope.nodes.flatMap((node) => [node, ...node.scopes.flatMap(nodes)]);
}

const here = (): number => Number(/location\.test\.ts:(\d+)/.exec(new Error().stack?.split("\n")[2] ?? "")?.[1]);

describe("locations", () => {
  test("are the line and column in the TypeScript that called the op, below the checkout", () => {
    let line = 0;
    const { scope } = trace("t", ({ input }) => {
      line = here() + 1;
      return input("x", "f32", ax.embed).exp();
    });
    expect(nodes(scope).map(({ op, location }) => [op.name, formatLocation(location)])).toEqual([
      ["exp", `dsl/location.test.ts:${line}:42`],
    ]);
  });

  test("of what one method does by several ops are all the line of the method's caller", () => {
    let line = 0;
    const { scope } = trace("t", ({ input }) => {
      const x = input("x", "bf16", ax.embed);
      line = here() + 1;
      return x.softmax("embed");
    });
    expect(new Set(nodes(scope).map(({ location }) => `${location.file}:${location.line}`))).toEqual(
      new Set([`dsl/location.test.ts:${line}`]),
    );
  });

  test("of a layer are lines of the layer, which reads like model code", () => {
    const { scope } = trace("t", ({ input }) =>
      rmsNorm(input("x", "f32", ax.embed) as Tensor<"embed">, input("scale", "f32", ax.embed), 1e-5),
    );
    expect(new Set(nodes(scope).map(({ location }) => location.file))).toEqual(new Set(["dsl/layers/norm.ts"]));
  });

  test("of an entry of a packed weight, picked inside a binder, are the model's lines, however deep the language is", () => {
    const wide = axes({ batch: 1, embed: 64, mlp: 64, expert: 4, choice: 2 });
    const { scope } = trace("t", ({ input, weights }) => {
      const w = weights("w", { up: param("up", wide.expert, wide.mlp, wide.embed) }, "mxfp4", "bf16");
      const x = input("x", "bf16", wide.batch, wide.embed);
      const along = wide.choice;
      const ids = input("ids", "i32", wide.batch, along);
      const shares = input("shares", "f32", wide.batch, along);
      return layer("layers.0", () =>
        part("mlp", () => forChosen(wide.expert, { along, ids, weights: shares }, w, (e) => x.dot(e.up, "embed"))),
      );
    });
    expect(new Set(nodes(scope).map(({ location }) => location.file))).toEqual(new Set(["dsl/location.test.ts"]));
  });

  test("are cut at the longest root that is known", () => {
    const full = callerLocation().file;
    expect(full).toBe("dsl/location.test.ts");
    addSourceRoot(new URL(".", import.meta.url).pathname);
    expect(callerLocation().file).toBe("location.test.ts");
  });
});
