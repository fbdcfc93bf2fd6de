/**
 * What is told of two texts that differ: the operation, the line and the axis of the change, and nothing else.
 *
 * Example run: npm run jest -- testing/difference -t "tanh"
 */
import { expect, test } from "@jest/globals";
import { axes, forChosen, type Inputs, layer, param, rmsNorm, type Tensor, trace } from "../../dsl/index.ts";
import goldens from "../../tests/golden/parts.golden.ts";
import { type LowerToOptions, lowerIt } from "../lowerable.ts";
import { readModule } from "../mlir/read-module.ts";
import { mapOf, readMap, type TextMap, writeMap } from "../text-map.ts";
import { compareModules, type Side } from "./compare.ts";
import { type Report, reportDifference } from "./report.ts";
import { walk } from "./walk.ts";
import "../../tests/support/plain-snapshots.ts";

/** A layer in one of several forms. */
interface Form {
  readonly mlp?: number;
  readonly dtype?: "f32" | "bf16";
  readonly epsilon?: number;
  readonly act?: (h: Tensor<"batch" | "pos" | "mlp">) => Tensor<"batch" | "pos" | "mlp">;
  readonly residual?: boolean;
  readonly bias?: boolean;
}

const body = ({ mlp = 24, dtype = "f32", epsilon = 1e-5, act = sigmoid, residual = true, bias = false }: Form) => {
  const ax = axes({ batch: 1, pos: 4, embed: 8, mlp });
  return (given: Inputs) => {
    const w = given.weights(
      "w",
      {
        norm: param("norm.weight", ax.embed),
        up: param("up.weight", ax.mlp, ax.embed),
        ...(bias ? { bias: param("up.bias", ax.mlp) } : {}),
        down: param("down.weight", ax.embed, ax.mlp),
      },
      dtype,
      dtype,
    );
    const x = given.input("x", dtype, ax.batch, ax.pos, ax.embed);
    const h = rmsNorm(x, w.norm, epsilon).dot(w.up, "embed");
    const shifted = "bias" in w ? h.add(w.bias as Tensor<"mlp">) : h;
    const out = shifted.mul(act(shifted)).dot(w.down, "mlp");
    return residual ? x.add(out) : out;
  };
};
const sigmoid: NonNullable<Form["act"]> = (h) => h.sigmoid();

const sideOf = (what: unknown): Side => {
  const lowered = lowerIt(what, "mlp");
  const module = readModule(lowered.text, "the text");
  return { module, map: mapOf(lowered, module) };
};
const told = (before: unknown, after: unknown): Report =>
  reportDifference(compareModules(sideOf(before), sideOf(after)));
/** Lines of this file change with every edit of it. */
const text = ({ summary, text }: Report): string =>
  `${summary}\n${text}`
    .replaceAll(/difference\.test\.ts:\d+:\d+/g, "difference.test.ts:L:C")
    .replaceAll(/norm\.ts:\d+:\d+/g, "norm.ts:L:C");

test("another function is one change, though all that follow are numbered anew", () => {
  expect(text(told(body({}), body({ act: (h) => h.tanh() })))).toMatchInlineSnapshot(`
1 operation changed
  ~ tanh changed  testing/difference/difference.test.ts:L:C (tanh)
    - %12 = logistic(%11 dot_general) : f32 [mlp 24, batch 1, pos 4]  testing/difference/difference.test.ts:L:C (sigmoid)
    + %12 = tanh(%11 dot_general) : f32 [mlp 24, batch 1, pos 4]
      operation: logistic → tanh
`);
});

test("operations in between are new, and the one that takes their result changed", () => {
  expect(text(told(body({}), body({ act: (h) => h.mul(1.702).sigmoid() })))).toMatchInlineSnapshot(`
1 operation changed, 3 added
  + constant is new  testing/difference/difference.test.ts:L:C (mul)
    + %cst_2 = constant dense<1.702000e+00> : f32 []
  + broadcast_in_dim is new  testing/difference/difference.test.ts:L:C (mul)
    + %12 = broadcast_in_dim(%cst_2 constant) dims = [] : (f32 []) → f32 [mlp 24, batch 1, pos 4]
  + multiply is new  testing/difference/difference.test.ts:L:C (mul)
    + %13 = multiply(%11 dot_general, %12 broadcast_in_dim) : f32 [mlp 24, batch 1, pos 4]
  ~ logistic changed  testing/difference/difference.test.ts:L:C (sigmoid)
    - %12 = logistic(%11 dot_general) : f32 [mlp 24, batch 1, pos 4]  testing/difference/difference.test.ts:L:C (sigmoid)
    + %14 = logistic(%13 multiply) : f32 [mlp 24, batch 1, pos 4]
      operand was %11 dot_general of testing/difference/difference.test.ts:L:C (dot), is %13 multiply of testing/difference/difference.test.ts:L:C (mul)
`);
});

test("what is left out is gone, and its user says what it takes instead", () => {
  expect(text(told(body({}), body({ act: (h) => h })))).toMatchInlineSnapshot(`
1 operation changed, 1 removed
  - logistic is gone  testing/difference/difference.test.ts:L:C (sigmoid)
    - %12 = logistic(%11 dot_general) : f32 [mlp 24, batch 1, pos 4]
  ~ multiply changed  testing/difference/difference.test.ts:L:C (mul)
    - %13 = multiply(%11 dot_general, %12 logistic) : f32 [mlp 24, batch 1, pos 4]
    + %12 = multiply(%11 dot_general, %11 dot_general) : f32 [mlp 24, batch 1, pos 4]
      operand 2 was %12 logistic of testing/difference/difference.test.ts:L:C (sigmoid), is %11 dot_general of testing/difference/difference.test.ts:L:C (dot)
`);
  expect(text(told(body({}), body({ residual: false })))).toMatchInlineSnapshot(`
1 operation changed, 1 removed
  - add is gone  testing/difference/difference.test.ts:L:C (add)
    - %16 = add(x, %15 transpose) : f32 [batch 1, pos 4, embed 8]
  ~ return changed
    - return(%16 add) : f32 [batch 1, pos 4, embed 8]
    + return(%15 transpose) : f32 [batch 1, pos 4, embed 8]
      operand was %16 add of testing/difference/difference.test.ts:L:C (add), is %15 transpose
`);
});

test("another size is named by its axis, once, and not by every operation that follows", () => {
  expect(text(told(body({}), body({ mlp: 32 })))).toMatchInlineSnapshot(`
2 arguments changed, 4 operations following
  ~ argument w.up changed
    - f32 [mlp 24, embed 8]
    + f32 [mlp 32, embed 8]
      axis 'mlp': 24 → 32
  ~ argument w.down changed
    - f32 [embed 8, mlp 24]
    + f32 [embed 8, mlp 32]
      axis 'mlp': 24 → 32
  ~ 4 operations of @main only follow: axis 'mlp': 24 → 32
`);
});

test("another element type is shown by arguments; conversions are new", () => {
  const report = told(body({}), body({ dtype: "bf16" }));
  expect(text(report)).toContain("elements: f32 → bf16");
  expect(report.counts).toMatchObject({ arguments: 4 });
});

test("a constant shows both its values, and the line of the layer that has it", () => {
  expect(text(told(body({}), body({ epsilon: 1e-6 })))).toMatchInlineSnapshot(`
1 operation changed
  ~ constant changed  dsl/layers/norm.ts:L:C (add)
    - %cst_1 = constant dense<9.99999974E-6> : f32 []
    + %cst_1 = constant dense<9.99999997E-7> : f32 []
      dense<9.99999974E-6> → dense<9.99999997E-7>
`);
});

test("an argument in the middle is new, and moves no other", () => {
  const report = told(body({}), body({ bias: true }));
  expect(text(report)).toContain("+ argument w.bias is new: f32 [mlp 24]");
  expect(report.counts).toMatchObject({ arguments: 1, added: 2, changed: 2, removed: 0 });
});

test("a contraction over another axis of the same size is shown by the axis", () => {
  const ax = axes({ pos: 3, a: 4, b: 4 });
  const over = (axis: "a" | "b") => (given: Inputs) => given.input("x", "f32", ax.pos, ax.a, ax.b).sum(axis);
  expect(text(told(over("a"), over("b")))).toMatchInlineSnapshot(`
1 operation changed
  ~ reduce changed  testing/difference/difference.test.ts:L:C (sum)
    - %0 = reduce(x, %cst constant) applies stablehlo.add across dimensions = [1 a] : (f32 [pos 3, a 4, b 4], f32 []) → f32 [pos 3, b 4]
    + %0 = reduce(x, %cst constant) applies stablehlo.add across dimensions = [2 b] : (f32 [pos 3, a 4, b 4], f32 []) → f32 [pos 3, a 4]
      applies stablehlo.add across dimensions = [1 a] → applies stablehlo.add across dimensions = [2 b]
      axis 'b' of 4 is gone
      axis 'a' of 4 is new
`);
});

test("a product says which axes it contracts and batches, and only the attribute that changed", () => {
  const ax = axes({ head: 2, pos: 3, a: 4, b: 4 });
  const over = (axis: "a" | "b") => (given: Inputs) => {
    const x = given.input("x", "f32", ax.head, ax.pos, ax.a, ax.b);
    return x.sum(axis === "a" ? "b" : "a").dot(given.input("y", "f32", ax.head, ax.a, ax.b), axis as never);
  };
  const report = text(told(over("a"), over("b")));
  expect(report).toContain("batching_dims = [0 head] x [0 head], contracting_dims = [2 a] x [1 a], precision");
  expect(report).toContain("\n      contracting_dims = [2 a] x [1 a] → contracting_dims = [2 b] x [2 b]\n");
});

test("an operand's axes are those under which its operation takes it, though a rename leaves no trace in the text", () => {
  const ax = axes({ pos: 5, head: 2, dim: 4 });
  const scores = (more: readonly "head"[]) => (given: Inputs) => {
    const x = given.input("x", "f32", ax.pos, ax.head, ax.dim);
    return x.mul(2).dot(x.mul(3).rename("pos", "key"), "dim", ...more);
  };
  const { module, map } = sideOf(scores([]));
  const before = { module, map: readMap(writeMap(map as TextMap, "a digest"), "a digest") };
  const { text } = reportDifference(compareModules(before, sideOf(scores(["head"]))));
  expect(text).toContain("contracting_dims = [2 dim] x [2 dim]");
  expect(text).toContain("f32 [pos 5, head 2, dim 4], f32 [key 5, head 2, dim 4]) → f32 [head 2, pos 5, key 5]");
  expect(text).toContain("axis 'head' of 2 is gone");
});

test("another mesh and another split are shown by the axes of devices", () => {
  const on = (target: string, roles: LowerToOptions["roles"]) => {
    const lowered = lowerIt(body({}), "mlp", { target, ...(roles === undefined ? {} : { roles }) });
    const module = readModule(lowered.text, "the text");
    return { module, map: mapOf(lowered, module) };
  };
  const two = on("cpu:2", { mlp: "width" });
  const wider = reportDifference(compareModules(two, on("cpu:4", { mlp: "width" }))).text;
  expect(wider).toMatch(/- sdy\.mesh @mesh = .*"model"=2\]>\n +\+ sdy\.mesh @mesh = .*"model"=4\]>/);
  const whole = reportDifference(compareModules(two, on("cpu:2", undefined)));
  expect(whole.text).toMatch(/~ argument w\.up changed\n.*\n.*\n +\{.*"model".*\} → \{.*\}/);
  expect(whole.counts).toMatchObject({ arguments: 2, changed: 0, added: 0, removed: 0 });
  const rows = reportDifference(compareModules(two, on("cpu:2", { mlp: "width", embed: "width" })));
  expect(rows.text).toMatch(/~ result 0 of @main: \{.*\} → \{.*"model".*\}/);
});

test("functions are compared with those that say the same, and then by name", () => {
  const ax = axes({ pos: 3, embed: 4 });
  const model = (middle: boolean, first: (x: Tensor<"pos" | "embed">) => Tensor<"pos" | "embed">) =>
    trace("model", (given) => {
      let x = given.input("x", "f32", ax.pos, ax.embed);
      x = layer("layers.0", () => first(x));
      if (middle) x = layer("layers.1", () => x.exp());
      return layer("layers.2", () => x.add(1).tanh());
    });
  const same = told(
    model(false, (x) => x.sin()),
    model(true, (x) => x.sin()),
  );
  expect(text(same)).toContain("+ function @layers_1, of 1 operations, is new");
  expect(text(same)).toContain("function @layers_1 is called @layers_2 now");
  const changed = told(
    model(true, (x) => x.sin()),
    model(true, (x) => x.cos()),
  );
  expect(changed.counts).toMatchObject({ changed: 1, added: 0, removed: 0 });
  expect(text(changed)).toContain("cosine changed in @layers");
});

test("a change inside a loop's body says so", () => {
  const ax = axes({ pos: 3, expert: 5, choice: 2, embed: 4 });
  const mixture = (e: (h: Tensor<"pos" | "embed">) => Tensor<"pos" | "embed">) => (given: Inputs) => {
    const w = given.weights("w", { up: param("up", ax.expert, ax.embed) }, "f32", "f32");
    const h = given.input("x", "f32", ax.pos, ax.embed);
    const { values, ids } = given.input("scores", "f32", ax.pos, ax.expert).topK("expert", ax.choice);
    return forChosen(ax.expert, { along: ax.choice, ids, weights: values }, { up: w.up }, (own) => e(h.mul(own.up)));
  };
  const report = told(
    mixture((h) => h.tanh()),
    mixture((h) => h.sin()),
  );
  expect(report.counts).toMatchObject({ changed: 1, added: 0, removed: 0, following: 0 });
  expect(text(report)).toMatch(/~ sine changed in while in @tsxla\.for_chosen .*\(sin\)/);
});

test("operations in another order are shown as moved", () => {
  const ax = axes({ pos: 3 });
  const order = (swap: boolean) => (given: Inputs) => {
    const x = given.input("x", "f32", ax.pos);
    const [a, b] = swap ? [x.sin(), x.cos()] : [x.cos(), x.sin()].reverse();
    return (a as typeof x).sub(b as typeof x);
  };
  const report = told(order(false), order(true));
  expect(report.counts).toMatchObject({ moved: 1, changed: 0, added: 0, removed: 0 });
});

test("without a map the old side's axes are those of its counterparts", () => {
  const before: Side = { module: readModule(lowerIt(body({}), "mlp").plainText, "the text"), map: undefined };
  const report = reportDifference(compareModules(before, sideOf(body({ act: (h) => h.tanh() }))));
  expect(report.text).toContain("- %12 = logistic(%11 dot_general) : f32 [mlp 24, batch 1, pos 4]\n");
});

test("equal texts have no difference, and every golden is unlike every other", () => {
  const sides = Object.entries(goldens).map(([name, golden]) => [name, sideOf(lowerIt(golden, name))] as const);
  for (const [name, side] of sides) {
    expect(reportDifference(compareModules(side, side))).toMatchObject({ text: "" });
    for (const [otherName, other] of sides) {
      if (name === otherName) continue;
      expect(reportDifference(compareModules(side, other)).text).not.toBe("");
    }
  }
}, 60_000);

/** Operations that can stand for each other: their lines differ in the kind alone. */
const swaps: Readonly<Record<string, string>> = {
  "stablehlo.multiply": "stablehlo.subtract",
  "stablehlo.add": "stablehlo.multiply",
  "stablehlo.logistic": "stablehlo.tanh",
  "stablehlo.rsqrt": "stablehlo.sqrt",
  "stablehlo.exponential": "stablehlo.cosine",
};

test.each(Object.entries(goldens))(
  "in %s one changed operation is the only difference, wherever it stands",
  (name, golden) => {
    const { plainText } = lowerIt(golden, name);
    const before = { module: readModule(plainText, name), map: undefined };
    const lines = plainText.split("\n");
    for (const func of before.module.functions) {
      for (const { operation } of walk(func).steps) {
        const other = swaps[operation.kind];
        if (other === undefined) continue;
        const edited = lines.map((line, n) => (n === operation.line - 1 ? line.replace(operation.kind, other) : line));
        const after = { module: readModule(edited.join("\n"), name), map: undefined };
        const difference = compareModules(before, after);
        const changes = difference.functions.flatMap(({ changes }) => changes);
        expect(changes.map((change) => [change.kind, "after" in change ? change.after.operation.line : 0])).toEqual([
          ["changed", operation.line],
        ]);
        expect(difference.functions.flatMap(({ following }) => following)).toEqual([]);
      }
    }
  },
);

test.each(Object.entries(goldens))(
  "in %s one added line, which renumbers all others, is the only difference",
  (name, golden) => {
    const { plainText } = lowerIt(golden, name);
    const before = { module: readModule(plainText, name), map: undefined };
    // Every value is called otherwise, and one is new.
    const renumbered = plainText
      .replaceAll(/%(c|cst)(_\d+)?\b/g, "%$1$2_9")
      .replaceAll(/%(\d+)/g, (_, n: string) => `%${Number(n) + 1}`)
      .replace(/( -> .* \{\n)/, "$1    %0 = stablehlo.constant dense<4.200000e+01> : tensor<f64>\n");
    const difference = compareModules(before, { module: readModule(renumbered, name), map: undefined });
    expect(difference.functions.flatMap(({ changes }) => changes)).toMatchObject([
      { kind: "added", after: { operation: { form: "dense<4.200000e+01>" } } },
    ]);
  },
);
