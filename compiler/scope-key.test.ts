import { describe, expect, test } from "@jest/globals";
import { axes, full, type Graph, layer, type Tensor, trace } from "../dsl/index.ts";
import { lower } from "./lower.ts";
import { ScopeKeys } from "./scope-key.ts";

const ax = axes({ pos: 3, embed: 4 });
type Stream = Tensor<"pos" | "embed">;

/** A program of layers, each of which does something else to the stream. */
function program(...bodies: ((x: Stream) => Stream)[]): Graph {
  return trace("main", ({ input }) =>
    bodies.reduce<Stream>((x, body, n) => layer(`layers.${n}`, () => body(x)), input("x", "f32", ax.pos, ax.embed)),
  );
}

function keysOf(graph: Graph): readonly string[] {
  const keys = new ScopeKeys();
  return graph.scope.nodes.flatMap(({ scopes }) => scopes).map((scope) => keys.of(scope));
}

test("layers that do the same have one key, wherever they were written", () => {
  const [first, second] = keysOf(
    program(
      (x) => x.mul(2).exp(),
      (x) => x.mul(2).exp(),
    ),
  );
  expect(second).toBe(first);
});

describe("layers have two keys that differ", () => {
  test.each<[what: string, ...bodies: ((x: Stream) => Stream)[]]>([
    ["in an op", (x) => x.exp(), (x) => x.tanh()],
    ["in a number", (x) => x.mul(2), (x) => x.mul(3)],
    ["in the sign of zero", (x) => x.add(0), (x) => x.add(-0)],
    ["in who takes whose result", (x) => x.exp().sub(x), (x) => x.sub(x.exp())],
    ["in a constant", (x) => x.mul(full(1.5, "f32", ax.embed)), (x) => x.mul(full(2.5, "f32", ax.embed))],
    ["in an axis", (x) => x.softmax("embed"), (x) => x.softmax("pos")],
    ["in an element type", (x) => x.cast("bf16").cast("f32"), (x) => x.cast("f16").cast("f32")],
  ])("%s", (_, ...bodies) => {
    const graph = program(...bodies);
    const [first, second] = keysOf(graph);
    expect(second).not.toBe(first);
    expect(lower(graph).text.match(/func\.func private/g)).toHaveLength(2);
  });
});

test("a layer that captures what another one also captures has its key", () => {
  const graph = trace("main", ({ input }) => {
    const [x, scale] = [input("x", "f32", ax.pos, ax.embed), input("scale", "f32", ax.embed)];
    const scaled = (of: Stream, n: number) => layer(`layers.${n}`, () => of.mul(scale));
    return scaled(scaled(x, 0), 1);
  });
  const [first, second] = keysOf(graph);
  expect(second).toBe(first);
  expect(lower(graph).text.match(/func\.func private/g)).toHaveLength(1);
});
