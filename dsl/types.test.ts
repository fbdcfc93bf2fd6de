/**
 * Names in types: what compiles, what does not, and what tsc says about it.
 *
 * The layer is GPT-OSS's (arXiv:2508.10925), projection biases left out: embed = mlp = 2880 and dim = kvHead · group = 64,
 * so that only names can tell them apart.
 */
import { execFile } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "@jest/globals";
import "../tests/support/plain-snapshots.ts";
import {
  type Angles,
  type Axis,
  axes,
  countParameters,
  forChosen,
  type Inputs,
  iota,
  type KeyValueCache,
  LinearCache,
  param,
  rmsNorm,
  rope,
  type Tensor,
  trace,
  type Weights,
  type Within,
} from "./index.ts";

const gptOssAxes = (batch: number, pos: number, key: number) =>
  axes({ batch, pos, key, embed: 2880, kvHead: 8, group: 8, dim: 64, expert: 32, choice: 4, mlp: 2880, part: 2 });

type Axes = ReturnType<typeof gptOssAxes>;
type Stream = Tensor<"batch" | "pos" | "embed">;

const attentionWeights = (ax: Axes) => ({
  norm: param("input_layernorm.weight", ax.embed),
  q: param("self_attn.q_proj.weight", ax.kvHead, ax.group, ax.dim, ax.embed),
  k: param("self_attn.k_proj.weight", ax.kvHead, ax.dim, ax.embed),
  v: param("self_attn.v_proj.weight", ax.kvHead, ax.dim, ax.embed),
  out: param("self_attn.o_proj.weight", ax.embed, ax.kvHead, ax.group, ax.dim),
  sinks: param("self_attn.sinks", ax.kvHead, ax.group),
});

const moeWeights = (ax: Axes) => ({
  norm: param("post_attention_layernorm.weight", ax.embed),
  router: param("mlp.router.weight", ax.expert, ax.embed),
  experts: {
    gateUp: param("mlp.experts.gate_up_proj", ax.expert, ax.mlp, ax.part, ax.embed),
    gateUpBias: param("mlp.experts.gate_up_proj_bias", ax.expert, ax.mlp, ax.part),
    down: param("mlp.experts.down_proj", ax.expert, ax.embed, ax.mlp),
    downBias: param("mlp.experts.down_proj_bias", ax.expert, ax.embed),
  },
});

/** Softmax over `key` with one more logit, which absorbs attention and is then dropped (arXiv:2309.17453). */
function softmaxWithSink<B extends string>(
  scores: Tensor<B | "key">,
  sink: Within<Exclude<B, "key">>,
): Tensor<B | "key"> {
  const peak = scores.maxOver("key").max(sink);
  const mass = scores.sub(peak).exp();
  return mass.div(mass.sum("key").add(peak.mul(-1).add(sink).exp()));
}

function attention(
  w: Weights<typeof attentionWeights>,
  x: Stream,
  cache: KeyValueCache,
  at: { readonly window: number; readonly angles: Angles<"batch" | "pos" | "dim"> },
  ax: Axes,
): Stream {
  const h = rmsNorm(x, w.norm, 1e-5);
  const turn = <B extends string>(t: Tensor<B | "batch" | "pos" | "dim">) =>
    rope<B | "batch">(t, at.angles, ax.dim.size / 2);
  const q = turn(h.dot(w.q, "embed")).mul(ax.dim.size ** -0.5);
  const { k, v, age } = cache.extend(turn(h.dot(w.k, "embed")), h.dot(w.v, "embed"));
  const visible = age.ge(0).and(age.lt(at.window));
  const probs = softmaxWithSink(q.dot(k, "dim").where(visible, -1e30), w.sinks);
  const out = probs.dot(v, "key").dot(w.out, "kvHead", "group", "dim");
  return x.add(out);
}

function moe(w: Weights<typeof moeWeights>, x: Stream, ax: Axes): Stream {
  const h = rmsNorm(x, w.norm, 1e-5);
  const { values, ids } = h.dot(w.router, "embed").topK("expert", ax.choice);
  const chosen = { along: ax.choice, ids, weights: values.softmax("choice") };
  const out = forChosen(ax.expert, chosen, w.experts, (e) => {
    const both = h.dot(e.gateUp, "embed").add(e.gateUpBias);
    const gate = both.at("part", 0).min(7);
    const up = both.at("part", 1).max(-7).min(7);
    return gate.mul(gate.mul(1.702).sigmoid()).mul(up.add(1)).dot(e.down, "mlp").add(e.downBias);
  });
  return x.add(out);
}

describe("a layer of GPT-OSS at its real sizes", () => {
  const ax = gptOssAxes(1, 4, 16);

  test("holds 823,178,944 parameters", () => {
    expect(countParameters({ attention: attentionWeights(ax), moe: moeWeights(ax) })).toBe(823_178_944);
  });

  test("traces, and has the axes that its type says", () => {
    const names: string[] = [];
    trace("layer", (given: Inputs) => {
      const w = given.weights("w", { attention: attentionWeights(ax), moe: moeWeights(ax) }, "bf16", "bf16");
      const x = given.input("x", "bf16", ax.batch, ax.pos, ax.embed);
      const held = (name: string) => given.state(`cache.${name}`, "bf16", ax.batch, ax.key, ax.kvHead, ax.dim);
      const cache = new LinearCache({ k: held("k"), v: held("v") }, given.input("start", "i32", ax.batch));
      const turn = (name: string) => given.input(name, "bf16", ax.batch, ax.pos, ax.dim);
      const at = { window: 128, angles: { cos: turn("cos"), sin: turn("sin") } };
      const out = moe(w.moe, attention(w.attention, x, cache, at, ax), ax);
      names.push(...out.names);
      return { out, cache: cache.state };
    });
    expect(names.sort()).toEqual(["batch", "embed", "pos"]);
  });
});

/** `Tensor` is invariant, so `satisfies` is an exact comparison. Never called: tsc runs it. */
function compileTimeTests(
  x: Stream,
  scores: Tensor<"batch" | "pos" | "kvHead" | "group" | "key">,
  attn: Weights<typeof attentionWeights>,
  mixture: Weights<typeof moeWeights>,
  ax: Axes,
) {
  x.mean("embed") satisfies Tensor<"batch" | "pos">;
  x.dot(attn.q, "embed") satisfies Tensor<"batch" | "pos" | "kvHead" | "group" | "dim">;
  attn.norm.sum("embed") satisfies Tensor<never>;
  x.rename("embed", "row") satisfies Tensor<"batch" | "pos" | "row">;
  x.merge(["pos", "embed"], axes({ row: 23040 }).row) satisfies Tensor<"batch" | "row">;
  x.split("pos", [ax.kvHead, ax.group]) satisfies Tensor<"batch" | "embed" | "kvHead" | "group">;
  // An axis is covariant, so a list of them names a union; a tensor is not.
  [ax.batch, ax.pos] satisfies readonly Axis<"batch" | "pos">[];

  // Mistakes that sizes cannot catch in GPT-OSS.
  // @ts-expect-error  embed and mlp are both 2880
  x.dot(mixture.experts.down, "mlp");
  // @ts-expect-error  one sink per `dim` instead of one per head: both are 64
  softmaxWithSink(scores, iota(ax.dim));
  // @ts-expect-error  keys still named `pos`, so q·k has no `key` axis
  x.dot(attn.q, "embed").dot(x.dot(attn.k, "embed"), "dim").softmax("key");

  const { values, ids } = x.dot(mixture.router, "embed").topK("expert", ax.choice);
  const chosen = { along: ax.choice, ids, weights: values };
  forChosen(ax.expert, chosen, mixture.experts, (e) => x.rename("embed", "mlp").dot(e.down, "mlp")) satisfies Stream;
  // @ts-expect-error  the body sees one expert: there is no axis left to sum over
  forChosen(ax.expert, chosen, mixture.experts, (e) => e.down.sum("expert"));

  // Mistakes of the ordinary kind.
  // @ts-expect-error  accidental outer product
  iota(ax.pos).ge(iota(ax.key));
  // @ts-expect-error  an axis is missing
  rmsNorm(x.mean("embed"), attn.norm, 1e-5);
  // @ts-expect-error  an axis too many
  moe(mixture, x.broadcast(ax.expert), ax);
  // @ts-expect-error  the operands share no axis
  attn.norm.dot(attn.sinks, "embed");
  // @ts-expect-error  the name is taken
  x.rename("pos", "batch");
  // @ts-expect-error  a tensor lacking an axis is not one that has it
  x.mean("pos") satisfies Stream;
  // @ts-expect-error  a list of tensors of different axes is not a list of one kind
  sameAxes([x, x.mean("pos")]);
}

declare function sameAxes<A extends string>(xs: readonly Tensor<A>[]): void;

test("types are exact, and mistakes are errors", () => {
  expect(compileTimeTests).toBeDefined();
});

/** What a person might write, each on a line of its own. */
const mistakes = `
import { axes, iota, rmsNorm, type Tensor } from "DSL";
const ax = axes({ batch: 1, pos: 4, embed: 2880, mlp: 2880, kvHead: 8, group: 8, dim: 64 });
declare const x: Tensor<"batch" | "pos" | "embed">, q: Tensor<"batch" | "pos" | "kvHead" | "group" | "dim">;
declare const down: Tensor<"embed" | "mlp">, norm: Tensor<"embed">, sinks: Tensor<"kvHead" | "group">;
declare const scores: Tensor<"batch" | "pos" | "kvHead" | "group">;
export const contractOverAnAxisThatOneSideLacks = x.dot(down, "mlp");
export const noCommonAxis = norm.dot(sinks, "embed");
export const keysNotRenamed = scores.softmax("key");
export const renameOntoATakenName = x.rename("pos", "batch");
export const undeclaredAxis = ax.heads;
export const sinkPerDimInsteadOfPerHead = scores.max(iota(ax.dim));
export const missingAxis = rmsNorm(x.mean("embed"), norm, 1e-5);
export const broadcastOntoATakenName = x.broadcast(ax.pos);
export const startAlongTheAxisThatIsCut = q.slice("dim", iota(ax.dim), 1);
`;

/** What tsc says about each line, by the name that the line declares. */
async function verdicts(source: string): Promise<string> {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const folder = join(root, ".cache/type-tests", String(process.pid));
  mkdirSync(folder, { recursive: true });
  try {
    writeFileSync(join(folder, "mistakes.ts"), source.replace("DSL", "../../../dsl/index.ts"));
    const config = {
      extends: "../../../tsconfig.json",
      include: [],
      files: ["mistakes.ts"],
    };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
    const output = await new Promise<string>((resolve) => {
      const args = [join(root, "node_modules/typescript/bin/tsc"), "-p", folder, "--pretty", "false"];
      execFile(process.execPath, args, { cwd: folder }, (_, stdout) => resolve(stdout));
    });
    const names = source.split("\n").map((line) => /^export const (\w+)/.exec(line)?.[1]);
    return output
      .trimEnd()
      .replace(/^mistakes\.ts\((\d+),\d+\): error TS\d+: /gm, (_, line: string) => `${names[Number(line) - 1]}\n  `);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("tsc names the axis in its sentence about every mistake", async () => {
  expect(await verdicts(mistakes)).toMatchInlineSnapshot(`
contractOverAnAxisThatOneSideLacks
  Argument of type '"mlp"' is not assignable to parameter of type '"embed"'.
noCommonAxis
  Argument of type '"embed"' is not assignable to parameter of type '"(error) the operands share no axis"'.
keysNotRenamed
  Argument of type '"key"' is not assignable to parameter of type '"batch" | "group" | "kvHead" | "pos"'.
renameOntoATakenName
  Argument of type '"batch"' is not assignable to parameter of type '"(error) axis 'batch' already exists"'.
undeclaredAxis
  Property 'heads' does not exist on type '{ readonly batch: Axis<"batch">; readonly dim: Axis<"dim">; readonly embed: Axis<"embed">; readonly group: Axis<"group">; readonly kvHead: Axis<"kvHead">; readonly mlp: Axis<...>; readonly pos: Axis<...>; }'.
sinkPerDimInsteadOfPerHead
  Argument of type 'Tensor<"dim">' is not assignable to parameter of type 'number | Within<"batch" | "group" | "kvHead" | "pos">'.
  Type 'Tensor<"dim">' is not assignable to type 'Within<"batch" | "group" | "kvHead" | "pos">'.
    Types of property 'names' are incompatible.
      Type 'readonly "dim"[]' is not assignable to type 'readonly ("batch" | "group" | "kvHead" | "pos")[]'.
        Type '"dim"' is not assignable to type '"batch" | "group" | "kvHead" | "pos"'.
missingAxis
  Argument of type 'Tensor<"embed">' is not assignable to parameter of type 'Tensor<"embed"> & Within<"batch" | "pos">'.
  Type 'Tensor<"embed">' is not assignable to type 'Within<"batch" | "pos">'.
    Types of property 'names' are incompatible.
      Type 'readonly "embed"[]' is not assignable to type 'readonly ("batch" | "pos")[]'.
        Type '"embed"' is not assignable to type '"batch" | "pos"'.
broadcastOntoATakenName
  Argument of type 'Axis<"pos">' is not assignable to parameter of type 'Axis<"(error) axis 'pos' already exists">'.
  Type '"pos"' is not assignable to type '"(error) axis 'pos' already exists"'.
startAlongTheAxisThatIsCut
  Argument of type 'Tensor<"dim">' is not assignable to parameter of type 'number | Within<"batch" | "group" | "kvHead" | "pos">'.
  Type 'Tensor<"dim">' is not assignable to type 'Within<"batch" | "group" | "kvHead" | "pos">'.
    Types of property 'names' are incompatible.
      Type 'readonly "dim"[]' is not assignable to type 'readonly ("batch" | "group" | "kvHead" | "pos")[]'.
        Type '"dim"' is not assignable to type '"batch" | "group" | "kvHead" | "pos"'.
`);
});
