import { describe, expect, test } from "@jest/globals";
import { cpu, lower } from "../../compiler/index.ts";
import { type Architecture, llama, llamaOf, llamaParts, publishedConfigs } from "../../models/index.ts";
import { refusalOf } from "../../tests/support/refusal.ts";
import { traceStep } from "./step-program.ts";

const config = llama.fromHuggingFace({ ...publishedConfigs["smollm2-135m"], num_hidden_layers: 2 });
const sizes = { batch: 3, pos: 4, capacity: 32 };

test("logits are those of the last position, or of all, and the same equation makes both", () => {
  const shapes = (["last", "all"] as const).map((outputs) => {
    const { results } = lower(traceStep(llama, config, cpu(), sizes, outputs)).signature;
    return results.find(({ name }) => name === "logits")?.shape;
  });
  expect(shapes).toEqual([
    [3, 49_152],
    [3, 4, 49_152],
  ]);
});

test("forward is given the cache of each layer, and asking for another is an error", () => {
  const asking: (layer: number) => Architecture = (layer) => ({
    ...llama,
    forward(weights, inputs, c) {
      const caches = [inputs.cache(0), inputs.cache(1)];
      expect(caches).toEqual(inputs.caches);
      inputs.cache(layer);
      return llama.forward(weights, inputs, { ...config, ...c });
    },
  });
  expect(() => traceStep(asking(1), config, cpu(), sizes, "last")).not.toThrow();
  expect(refusalOf(() => traceStep(asking(2), config, cpu(), sizes, "last"))).toMatchInlineSnapshot(`
InputError LAYER
forward asks for the cache of layer 2, and the configuration has 2 layers, counted from 0
`);
});

describe("frequencies in several sets", () => {
  const bases = (names: readonly string[], of: (layer: number) => string) =>
    llamaOf({
      ...llamaParts,
      rope: {
        sets: (c) => Object.fromEntries(names.map((name, n) => [name, { ...c.rope, theta: 10 ** (n + 4) }])),
        of: (_, layer) => of(layer),
      },
    });

  test("are an argument each, by name, and one set alone has no name", () => {
    const argumentsOf = (...names: string[]) => {
      const { signature } = lower(
        traceStep(
          bases(names, () => names[0] as string),
          config,
          cpu(),
          sizes,
          "last",
        ),
      );
      return signature.arguments.flatMap(({ name, shape }) => (name.startsWith("freq") ? [`${name} ${shape}`] : []));
    };
    expect(argumentsOf("near", "far")).toEqual(["frequencies.near 3,32", "frequencies.far 3,32"]);
    expect(argumentsOf("near")).toEqual(["frequencies 3,32"]);
    expect(argumentsOf("near")).toEqual(argumentsOf("all"));
  });

  test("change nothing of the text of layers that turn by the same one", () => {
    const text = (of: (layer: number) => string) =>
      lower(traceStep(bases(["near", "far"], of), config, cpu(), sizes, "last"), { locations: false }).text;
    const functions = (of: (layer: number) => string) => text(of).match(/func\.func private/g)?.length;
    // Both are given angles: whose they are is said where a layer is called.
    expect(functions(() => "near")).toBe(1);
    expect(functions((layer) => (layer === 0 ? "near" : "far"))).toBe(1);
    expect(text((layer) => (layer === 0 ? "near" : "far"))).not.toBe(text(() => "near"));
  });

  test("are refused where a layer names another", () => {
    expect(
      refusalOf(() =>
        traceStep(
          bases(["near", "far"], () => "middle"),
          config,
          cpu(),
          sizes,
          "last",
        ),
      ),
    ).toMatchInlineSnapshot(`
InputError ROPE_SET
a layer turns by 'middle', which is no set of frequencies; there are near, far
`);
  });
});

test("without frequencies a step has no such argument, and forward cannot read any", () => {
  const { frequencies: _, ...rest } = llama;
  const still: Architecture = {
    ...rest,
    name: "still",
    forward: (w, { tokens, ...inputs }) => {
      expect("frequencies" in { ...inputs }).toBe(false);
      return w.embed.take("vocab", tokens);
    },
  };
  const { signature } = lower(traceStep(still, config, cpu(), sizes, "last"));
  const given = signature.arguments.map(({ name }) => name).filter((name) => !/^(weights|caches)\./.test(name));
  expect(given).toEqual(["tokens", "start", "length"]);
  const turning: Architecture = { ...rest, name: "turning" };
  expect(refusalOf(() => traceStep(turning, config, cpu(), sizes, "last"))).toMatchInlineSnapshot(`
InputError ARCHITECTURE
forward of architecture "turning" reads frequencies, and the architecture declares none
  hint  add frequencies(config, length), such as ropeFrequencies(config.rope, length)
`);
});
