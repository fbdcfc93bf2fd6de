/** Mistakes in a model's file: what says so, and whether it names the axis, the operands, the line. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "@jest/globals";
import { axis, type Inputs, trace } from "../../dsl/index.ts";
import { llamaAxes, llamaFromHuggingFace, mlp, mlpWeights } from "../../models/index.ts";
import { projectPython } from "../../runtime-bridge/launch/environment-paths.ts";
import { root, runCli, temporaryFolder } from "../support/cli.ts";
import { refusal } from "../support/refusal.ts";
import { onTestWorker } from "../support/worker.ts";

describe("a wrong axis in llama.ts", () => {
  test.each([
    // The contraction over another axis than the two share, over one too few, and a head's axes where the stream's belong.
    ['h.dot(w.q, "embed")', 'h.dot(w.q, "dim")', /'"dim"' is not assignable to parameter of type '"embed"'/],
    ['mix.dot(w.out, "kvHead", "group", "dim")', 'mix.dot(w.out, "kvHead", "group")', /"dim"/],
    ['.dot(w.down, "mlp")', '.dot(w.up, "embed")', /"embed"/],
    ['scores.softmax("key")', 'scores.softmax("keys")', /'"keys"' is not assignable to parameter of type .*"key"/],
  ])("is a TypeScript error that names it: %s as %s", async (right, wrong, named) => {
    const source = await readFile(join(root, "models/llama.ts"), "utf8");
    expect(source).toContain(right);
    await mkdir(join(root, ".cache"), { recursive: true });
    const folder = await mkdtemp(join(root, ".cache/mistake-"));
    try {
      const moved = source.replaceAll('"../dsl/', '"../../dsl/').replaceAll('"./', '"../../models/');
      await writeFile(join(folder, "llama.ts"), moved.replace(right, wrong));
      await writeFile(join(folder, "tsconfig.json"), '{"extends": "../../tsconfig.json", "include": ["llama.ts"]}');
      const tsc = promisify(execFile)("node", [join(root, "node_modules/typescript/bin/tsc"), "-p", folder]);
      const said = await tsc.then(
        () => "",
        ({ stdout }: { stdout: string }) => stdout,
      );
      // At the line of the mistake.
      const line = source.slice(0, source.indexOf(right)).split("\n").length;
      expect(said).toMatch(new RegExp(`llama\\.ts\\(${line},\\d+\\): error TS`));
      expect(said).toMatch(named);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

const config = llamaFromHuggingFace({
  model_type: "llama",
  hidden_size: 64,
  intermediate_size: 96,
  num_hidden_layers: 1,
  num_attention_heads: 4,
  vocab_size: 300,
});

test("a wrong size is a trace error that names both operands with their lines", () => {
  const wrong = { ...llamaAxes(config), embed: axis("embed", 48) };
  const body = ({ input, weights }: Inputs) => {
    const x = input("x", "f32", axis("batch", 1), axis("pos", 3), axis("embed", 64));
    const { gate } = mlpWeights(wrong, config);
    const w = weights("w", { ...mlpWeights(llamaAxes(config), config), gate }, "f32", "f32");
    return mlp(w as never, x, config);
  };
  expect(refusal(body)).toMatchInlineSnapshot(`
ShapeError SIZE_MISMATCH
dot over 'embed': 64 on the left, 48 on the right
  left   mul     f32 [batch 1, pos 3, embed 64]  norm.ts
  right  w.gate  f32 [mlp 96, embed 48]          llama.ts
`);
  // The snapshot leaves the numbers out, so that those files may change.
  expect(() => trace("test", body)).toThrow(
    /left .*dsl\/layers\/norm\.ts:\d+:\d+\n.*right .*models\/llama\.ts:\d+:\d+/,
  );
});

test("a module that the worker rejects comes back with the TypeScript line that made the operation", async () => {
  const folder = await temporaryFolder();
  const checkpoint = join(folder, "untied");
  await promisify(execFile)(projectPython, [join(root, "tests/parity/random_llama.py"), "untied", checkpoint]);
  // An architecture of somebody's own, whose rope is all right for TypeScript and nothing for StableHLO.
  const arch = join(folder, "mine.ts");
  await writeFile(
    arch,
    `import { stablehlo } from "${root}dsl/index.ts";
import { llama } from "${root}models/index.ts";

export default {
  ...llama,
  forward(weights, inputs, config) {
    const x = llama.forward(weights, inputs, config);
    const axes = ["batch", "pos", "embed"].map((name) => ({ name, size: x.shape.size(name) }));
    return stablehlo("stablehlo.transpose", [{ value: x, order: axes }], "permutation = array<i64: 0, 0, 1>", {
      dtype: "f32",
      axes,
    });
  },
};
`,
  );
  const words = ["logits", "--model", checkpoint, "--arch", arch, "--tokens", "1,2", "--out", join(folder, "out")];
  const { code, stderr } = await runCli([...words, ...(await onTestWorker())]);
  expect(stderr).toMatch(/tsxla: .*permutation/);
  expect(stderr).toMatch(/mine\.ts:9:12/);
  expect(code).toBe(2);
});
