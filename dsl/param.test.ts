import { describe, expect, test } from "@jest/globals";
import { refusalOf } from "../tests/support/refusal.ts";
import {
  axes,
  countParameters,
  flattenParams,
  flattenUnused,
  isFloat,
  isInteger,
  mapParams,
  param,
  under,
  untrained,
  unused,
} from "./index.ts";
import { formatLocation } from "./location.ts";

const ax = axes({ row: 2, column: 3 });
const weights = () => ({
  norm: param("norm.weight", ax.row),
  layers: [0, 1].map((n) => ({ up: param(`layers.${n}.up`, ax.row, ax.column), bias: undefined })),
});

describe("param", () => {
  test("remembers its key, its axes and the line that declares it", () => {
    const { key, axes: of, location } = param("norm.weight", ax.row);
    expect([key, of]).toEqual(["norm.weight", [ax.row]]);
    expect(formatLocation(location)).toMatch(/^dsl\/param\.test\.ts:\d+:\d+$/);
  });

  test("refuses an axis named twice", () => {
    expect(refusalOf(() => param("odd.weight", ax.row, ax.row))).toMatchInlineSnapshot(`
      InputError AXIS_TWICE
      param "odd.weight" names axis 'row' twice
    `);
  });
});

describe("trees of parameters", () => {
  test("are flat by path, in the order in which they stand, without those left out", () => {
    expect(flattenParams(weights()).map(([path, { key }]) => [path, key])).toEqual([
      ["norm", "norm.weight"],
      ["layers.0.up", "layers.0.up"],
      ["layers.1.up", "layers.1.up"],
    ]);
  });

  test("map to trees of the same form", () => {
    expect(mapParams(weights(), ({ key }, path) => `${path}=${key}`)).toEqual({
      norm: "norm=norm.weight",
      layers: [
        { up: "layers.0.up=layers.0.up", bias: undefined },
        { up: "layers.1.up=layers.1.up", bias: undefined },
      ],
    });
  });

  test("go under a longer key, each where it was declared", () => {
    const longer = flattenParams(under("model.", weights()));
    expect(longer.map(([, { key }]) => key)).toEqual(["model.norm.weight", "model.layers.0.up", "model.layers.1.up"]);
    expect(longer[0]?.[1].location.file).toBe("dsl/param.test.ts");
  });

  test("hold as many numbers as their axes say", () => {
    expect(countParameters(weights())).toBe(2 + 2 * 6);
  });
});

describe("what a checkpoint may lack or have too much", () => {
  const tree = () =>
    under("layers.0.", {
      norm: param("norm", ax.row),
      shared: untrained({ up: param("up", ax.row, ax.column), scale: untrained(param("scale", ax.row), { mean: 1 }) }),
      gone: unused({ sinks: param("sinks", ax.row), gate: param("gate", ax.column) }),
    });

  test("an untrained weight says how it is drawn; the outermost word counts", () => {
    const drawn = flattenParams(tree()).map(([, { key, untrained: how }]) => [key, how]);
    expect(drawn).toEqual([
      ["layers.0.norm", undefined],
      ["layers.0.up", { mean: 0, deviation: 0.02 }],
      ["layers.0.scale", { mean: 0, deviation: 0.02 }],
    ]);
  });

  test("what is unused has keys and nothing else", () => {
    expect(flattenUnused(tree()).map(({ key }) => key)).toEqual(["layers.0.sinks", "layers.0.gate"]);
    expect(countParameters(tree())).toBe(2 + 6 + 2);
    expect(mapParams(tree(), ({ key }) => key)).toMatchObject({ gone: undefined });
  });
});

test("kinds of elements", () => {
  expect(isFloat("f8e4m3fn") && !isFloat("i8") && isInteger("u4") && !isInteger("bool")).toBe(true);
});
