import { expect, test } from "@jest/globals";
import { axes, flattenParams, param, untrained, unused } from "../../dsl/index.ts";
import { drawnFeeds } from "./random-weights.ts";

const ax = axes({ embed: 4, mlp: 8 });

test("every weight is drawn: matrices and biases around 0, scales around 1, declared ones as they say", () => {
  const feeds = drawnFeeds({
    matrix: param("mlp.weight", ax.mlp, ax.embed),
    bias: param("mlp.bias", ax.mlp),
    norm: { scale: param("norm.weight", ax.embed), bias: param("norm.bias", ax.embed) },
    router: untrained(param("router.weight", ax.mlp, ax.embed), { deviation: 0.5 }),
    none: undefined,
    left: unused(param("left.weight", ax.embed)),
  });
  expect(feeds.map(({ path, source, tensors }) => [path, source, tensors])).toEqual([
    ["matrix", { kind: "drawn", mean: 0, deviation: 0.02 }, []],
    ["bias", { kind: "drawn", mean: 0, deviation: 0.02 }, []],
    ["norm.scale", { kind: "drawn", mean: 1, deviation: 0.02 }, []],
    ["norm.bias", { kind: "drawn", mean: 0, deviation: 0.02 }, []],
    ["router", { kind: "drawn", mean: 0, deviation: 0.5 }, []],
  ]);
});

test("a weight keeps its declaration, from which its numbers follow", () => {
  const params = { a: param("a.weight", ax.mlp, ax.embed) };
  expect(drawnFeeds(params).map((feed) => feed.param)).toEqual(flattenParams(params).map(([, each]) => each));
});
