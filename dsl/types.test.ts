/**
 * A layer of GPT-OSS at its real sizes, and tsc's sentence about each mistake that a person might make with names.
 *
 * What compiles and what must not stands in ./types.test-d.ts, which tsc checks.
 */
import { execFile } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "@jest/globals";
import { attention, attentionWeights, gptOssAxes, moe, moeWeights } from "../tests/support/gpt-oss-layer.ts";
import "../tests/support/plain-snapshots.ts";
import { countParameters, type Inputs, LinearCache, trace } from "./index.ts";

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
