/** Which values of a trace have names, and which names. The expected numbers are computed by hand. */
import { describe, expect, test } from "@jest/globals";
import { lower } from "../compiler/index.ts";
import { hostTensor, toFloat32Array } from "../runtime-bridge/index.ts";
import { checkText } from "../tests/support/check-program.ts";
import { testWorker } from "../tests/support/worker.ts";
import {
  activation,
  axes,
  forChosen,
  type Graph,
  type Inputs,
  layer,
  param,
  part,
  rmsNorm,
  trace,
  under,
  whileLoop,
} from "./index.ts";

const ax = axes({ batch: 1, pos: 2, embed: 2, mlp: 3, expert: 2, choice: 1 });
const named = (body: (given: Inputs) => unknown, leading: readonly string[] = []): Graph =>
  trace("test", body, { activations: { leading } });
const namesOf = ({ activations }: Graph) =>
  Object.fromEntries(activations.map(({ name, also }) => [name, also.join(" ")]));

describe("activations", () => {
  test("are named by weights, modules and checkpoint keys, also inside layers that are printed once", async () => {
    const graph = named(({ input, weights }) => {
      const w = weights(
        "weights",
        {
          embed: param("model.embed.weight", ax.mlp, ax.embed),
          layers: [0, 1].map((n) =>
            under(`model.layers.${n}.`, {
              norm: param("norm.weight", ax.embed),
              up: param("up.weight", ax.mlp, ax.embed),
              upBias: param("up.bias", ax.mlp),
              down: param("down.weight", ax.embed, ax.mlp),
            }),
          ),
        },
        "f32",
        "f32",
      );
      let x = w.embed.take("mlp", input("tokens", "i32", ax.batch, ax.pos));
      w.layers.forEach((each, n) => {
        x = layer(`layers.${n}`, () =>
          part("mlp", () => {
            const h = rmsNorm(x, each.norm, 1e-5).dot(each.up, "embed").add(each.upBias);
            return x.add(activation("half", h.mul(0.5)).dot(each.down, "mlp"));
          }),
        );
      });
      return { logits: part("unembed", () => x.dot(w.embed, "embed")) };
    });
    expect(namesOf(graph)).toEqual({
      embed: "model.embed",
      "layers.0.norm": "model.layers.0.norm layers.0.up.input model.layers.0.up.input",
      "layers.0.up": "",
      "layers.0.upBias": "model.layers.0.up",
      "layers.0.mlp.half": "layers.0.down.input model.layers.0.down.input",
      "layers.0.down": "model.layers.0.down",
      "layers.0.mlp": "layers.0 model.layers.0",
      "layers.1.norm": "model.layers.1.norm layers.1.up.input model.layers.1.up.input",
      "layers.1.up": "",
      "layers.1.upBias": "model.layers.1.up",
      "layers.1.mlp.half": "layers.1.down.input model.layers.1.down.input",
      "layers.1.down": "model.layers.1.down",
      "layers.1.mlp": "layers.1 model.layers.1 embed.input model.embed.input",
      // The tied unembedding: its weight's name is the embedding's already.
      unembed: "embed.2",
    });
    // With results from inside of functions, too, the text is MLIR's own.
    const text = await checkText(graph);
    expect(text.match(/func\.func private @layers\w*\(/g)).toEqual(
      ["@layers("].map((each) => `func.func private ${each}`),
    );
    const line = graph.activations.find(({ name }) => name === "layers.1.down")?.location;
    expect(line?.file).toBe("dsl/activations.test.ts");
  });

  test("hold the values that the program computes on the way, with the leading axes outermost", async () => {
    const graph = named(
      ({ input, weights }) => {
        const w = weights("w", { up: param("up", ax.mlp, ax.embed) }, "f32", "f32");
        const x = input("x", "f32", ax.embed, ax.pos);
        return { y: part("head", () => x.dot(w.up, "embed").mul(2)).sum("mlp") };
      },
      ["pos"],
    );
    const program = lower(graph);
    expect(program.signature.results.map(({ name, axes: of }) => [name, ...of])).toEqual([
      ["y", "pos"],
      ["activations.up", "pos", "mlp"],
      ["activations.head", "pos", "mlp"],
    ]);
    const worker = await testWorker();
    const values: Record<string, ReturnType<typeof hostTensor>> = {
      "w.up": hostTensor("f32", [3, 2], [1, 0, 0, 1, 1, 1]),
      x: hostTensor("f32", [2, 2], [1, 2, 3, 4]),
    };
    const given = program.signature.arguments.map(({ name }) => values[name] as ReturnType<typeof hostTensor>);
    const { results } = await worker.execute(await worker.compile(program), given, { fetch: "all" });
    expect(results.map((each) => [...toFloat32Array(each)])).toEqual([
      [16, 24],
      [1, 3, 4, 2, 4, 6],
      [2, 6, 8, 4, 8, 12],
    ]);
  });

  test("stop at mixtures and loops, whose insides exist once for each turn; the mixture itself has a name", () => {
    const graph = named(({ input, weights }) => {
      const w = weights(
        "w",
        {
          experts: {
            up: param("model.experts.up", ax.expert, ax.mlp, ax.embed),
            bias: param("model.experts.bias", ax.expert, ax.mlp),
          },
        },
        "f32",
        "f32",
      );
      const x = input("x", "f32", ax.batch, ax.pos, ax.embed);
      const choice = {
        along: ax.choice,
        ids: input("ids", "i32", ax.batch, ax.pos, ax.choice),
        weights: input("share", "f32", ax.batch, ax.pos, ax.choice),
      };
      const mixed = part("moe", () =>
        forChosen(ax.expert, choice, w.experts, (e) => part("inner", () => x.dot(e.up, "embed").add(e.bias))),
      );
      const end = whileLoop(
        { n: mixed.sum("batch", "pos", "mlp") },
        ({ n }) => n.lt(10),
        ({ n }) => ({ n: part("turn", () => n.add(1)) }),
      );
      return { mixed, n: end.n };
    });
    expect(namesOf(graph)).toEqual({ experts: "model.experts moe" });
  });

  test.each(["f32", "bf16", "q8_0"] as const)("name the entries of a table that lies in memory as %s", (stored) => {
    const wide = axes({ batch: 1, pos: 2, embed: 32, vocab: 4 });
    const graph = named(({ input, weights }) => {
      const w = weights("w", { table: param("model.table.weight", wide.vocab, wide.embed) }, stored, "f32");
      const ids = input("ids", "i32", wide.batch, wide.pos);
      const x = layer("layers.0", () => w.table.take("vocab", ids).mul(2));
      return { y: x.dot(w.table, "embed") };
    });
    expect(namesOf(graph)).toEqual({
      table: "model.table",
      "layers.0": "table.input model.table.input",
      "table.2": "",
    });
    const [table] = graph.activations;
    const at = graph.results.indexOf("activations.table");
    expect(graph.scope.results[at]).toMatchObject({ dtype: "f32" });
    expect(table?.location.file).toBe("dsl/activations.test.ts");
  });

  test("add no results when they are not asked for", () => {
    const body = ({ input }: Inputs) => ({ y: part("f", () => input("x", "f32", ax.embed).mul(2)).add(1) });
    expect(trace("test", body).results).toEqual(["y"]);
    expect(named(body).results).toEqual(["y", "activations.f"]);
  });
});
