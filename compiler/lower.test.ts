import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "@jest/globals";
import type { Emitter, Ssa } from "../dsl/emitter.ts";
import { apply } from "../dsl/graph.ts";
import { axes, defineOp, full, layer, param, part, type Tensor, trace } from "../dsl/index.ts";
import { checkProgram, checkText } from "../tests/support/check-program.ts";
import { sampleProgram } from "../tests/support/sample-program.ts";
import { lower } from "./index.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const ax = axes({ row: 2, column: 3 });

/** The sample's text, traced and lowered by another process in the checkout at `folder`. */
function printedIn(folder: string): string {
  const args = ["--import", "./bin/typescript-loader.mjs", "tests/support/sample-program.ts"];
  return execFileSync(process.execPath, args, { cwd: folder, encoding: "utf8" });
}

describe("the same program gives the same bytes", () => {
  const text = lower(sampleProgram()).text;

  test("which are those that MLIR prints", async () => {
    await checkText(sampleProgram());
  });

  test("when it is traced again, and when one graph is lowered twice", () => {
    const graph = sampleProgram();
    expect(lower(sampleProgram()).text).toBe(text);
    expect([lower(graph).text, lower(graph).text]).toEqual([text, text]);
  });

  test("when other programs were traced and lowered in between", () => {
    lower(trace("other", ({ input }) => layer("layers", () => input("x", "f32", ax.row).exp())));
    expect(lower(sampleProgram()).text).toBe(text);
  });

  test("in another process", () => {
    expect(printedIn(root)).toBe(text);
  });

  test("when the checkout lies elsewhere, locations included", () => {
    const elsewhere = mkdtempSync(join(tmpdir(), "tsxla checkout "));
    try {
      for (const part of ["bin", "dsl", "chips", "compiler", "planning", "package.json", ".swcrc"]) {
        cpSync(join(root, part), join(elsewhere, part), { recursive: true });
      }
      mkdirSync(join(elsewhere, "tests/support"), { recursive: true });
      cpSync(join(root, "tests/support/sample-program.ts"), join(elsewhere, "tests/support/sample-program.ts"));
      symlinkSync(join(root, "node_modules"), join(elsewhere, "node_modules"));
      expect(printedIn(elsewhere)).toBe(text);
    } finally {
      rmSync(elsewhere, { recursive: true });
    }
  });
});

describe("a program", () => {
  test("has nothing in it that no result depends on, inside loops and layers neither", async () => {
    const { text } = await checkProgram(
      ({ input }) => {
        const x = input("x", "f32", ax.row);
        x.exp();
        return layer("kept", () => {
          x.tanh();
          return x.neg();
        });
      },
      { inputs: { x: [1, 2] }, expected: [-1, -2] },
    );
    expect(text).not.toMatch(/exponential|tanh/);
  });

  test("says in its text which argument gives its memory to which result", async () => {
    const { text, program } = await checkProgram(
      ({ state }) => {
        const [a, b] = [state("a", "i32", ax.row), state("b", "i32", ax.row)];
        return { b: b.add(1), extra: a.sum("row"), a: a.mul(2) };
      },
      { inputs: { a: [1, 2], b: [3, 4] }, expected: { b: [4, 5], extra: 3, a: [2, 4] } },
    );
    expect(text).toContain(
      "@main(%arg0: tensor<2xi32> {tf.aliasing_output = 2 : i32}, %arg1: tensor<2xi32> {tf.aliasing_output = 0 : i32})",
    );
    expect(program.signature.arguments.map(({ donatedTo }) => donatedTo)).toEqual([2, 0]);
    expect(program.signature.results.map(({ name }) => name)).toEqual(["b", "extra", "a"]);
  });

  test("may return its arguments as they are, one twice, or nothing that has axes", async () => {
    await checkProgram(
      ({ input }) => {
        const x = input("x", "f32", ax.row, ax.column);
        return { x, again: x, one: full(1, "f32") };
      },
      { inputs: { x: Array(6).fill(2) }, expected: { x: Array(6).fill(2), again: Array(6).fill(2), one: 1 } },
    );
  });

  test("leaves in the order in which its axes came up, whatever order it was computed in", async () => {
    const { program } = await checkProgram(
      ({ input, weights }) => {
        const w = weights("w", { m: param("m", ax.column, ax.row) }, "f32", "f32");
        return input("x", "f32", axes({ batch: 2 }).batch, ax.row).dot(w.m, "row");
      },
      {
        inputs: {
          x: [
            [1, 0],
            [0, 1],
          ],
          "w.m": [
            [1, 2],
            [3, 4],
            [5, 6],
          ],
        },
        expected: [
          [1, 3, 5],
          [2, 4, 6],
        ],
      },
    );
    expect(program.signature.results).toEqual([
      { name: "result", dtype: "f32", axes: ["batch", "column"], shape: [2, 3] },
    ]);
  });
});

describe("names of any kind are printed as MLIR prints them", () => {
  test("in symbols, arguments, modules and paths", async () => {
    const graph = trace('my "model" é', ({ input }) => {
      const x = input('x\\y "z" é\n', "f32", ax.row);
      const once = layer("blöcke.0 (a)", () => part('p"q\\r', () => x.neg()));
      return { 'out "é"': layer("2nd", () => once.neg()) };
    });
    await checkText(graph);
  });
});

/** An op made for a test, of one operand and as many results as `lower` gives, all of the operand's type. */
function lowered(x: Tensor<"row">, count: number, lowering: (e: Emitter, x: Ssa) => readonly Ssa[]): Tensor<"row">[] {
  const op = defineOp({
    name: "made",
    infer: ([own]) => Array(count).fill(own),
    lower: (e, [own]) => lowering(e, own as Ssa),
  });
  return apply(op, [x]) as unknown as Tensor<"row">[];
}

describe("the emitter", () => {
  test("writes composites with their decomposition, printed once for all that mean the same", async () => {
    const twice = (e: Emitter, x: Ssa) =>
      e.composite("tsxla.twice", [x], { scale: 0.5, axis: 1, exact: true, ugly: 1 / 3 }, (inner, [own]) => [
        inner.binary("add", own as Ssa, own as Ssa),
      ]);
    const { text } = await checkProgram(
      ({ input }) => {
        const x = input("x", "f32", ax.row);
        const [once] = lowered(x, 1, twice);
        return lowered(once as Tensor<"row">, 1, twice);
      },
      { inputs: { x: [1, 2] }, expected: { 0: [4, 8] } },
    );
    expect(text).toMatchInlineSnapshot(`
      module @test {
        func.func public @main(%arg0: tensor<2xf32>) -> tensor<2xf32> {
          %0 = stablehlo.composite "tsxla.twice" %arg0 {composite_attributes = {axis = 1 : i64, exact = true, scale = 5.000000e-01 : f64, ugly = 0.33333333333333331 : f64}, decomposition = @tsxla.twice} : (tensor<2xf32>) -> tensor<2xf32>
          %1 = stablehlo.composite "tsxla.twice" %0 {composite_attributes = {axis = 1 : i64, exact = true, scale = 5.000000e-01 : f64, ugly = 0.33333333333333331 : f64}, decomposition = @tsxla.twice} : (tensor<2xf32>) -> tensor<2xf32>
          return %1 : tensor<2xf32>
        }
        func.func private @tsxla.twice(%arg0: tensor<2xf32>) -> tensor<2xf32> {
          %0 = stablehlo.add %arg0, %arg0 : tensor<2xf32>
          return %0 : tensor<2xf32>
        }
      }
    `);
  });

  test("writes composites without attributes, of several operands and results", async () => {
    await checkProgram(
      ({ input }) =>
        lowered(input("x", "f32", ax.row), 2, (e, x) =>
          e.composite("tsxla.both", [x, x], {}, (inner, [a, b]) => [
            inner.unary("negate", a as Ssa),
            inner.unary("abs", b as Ssa),
          ]),
        ),
      { inputs: { x: [1, -2] }, expected: { 0: [-1, 2], 1: [1, 2] } },
    );
  });

  test("writes barriers", async () => {
    const { text } = await checkProgram(
      ({ input }) => lowered(input("x", "f32", ax.row), 2, (e, x) => e.barrier([x, e.unary("negate", x)])),
      { inputs: { x: [1, 2] }, expected: { 0: [1, 2], 1: [-1, -2] } },
    );
    expect(text).toMatchInlineSnapshot(`
      func.func public @main(%arg0: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>) {
        %0 = stablehlo.negate %arg0 : tensor<2xf32>
        %1:2 = stablehlo.optimization_barrier %arg0, %0 : tensor<2xf32>, tensor<2xf32>
        return %1#0, %1#1 : tensor<2xf32>, tensor<2xf32>
      }
    `);
  });
});
