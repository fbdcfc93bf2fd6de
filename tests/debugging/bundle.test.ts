/**
 * What fails leaves a folder from which it fails again, in a Python that knows nothing of tsxla.
 *
 * Example run: npm run jest -- tests/debugging/bundle.test.ts -t "by reference"
 */
import { execFile, spawnSync } from "node:child_process";
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, test } from "@jest/globals";
import { projectPython } from "../../runtime-bridge/launch/environment-paths.ts";
import { type Ended, root, runCli, temporaryFolder } from "../support/cli.ts";
import { exhaustive, testTable } from "../support/exhaustive.ts";
import { onTestWorker } from "../support/worker.ts";

let folder: string;
let packages: string;
const bundles = () => join(folder, "bundles");

beforeAll(async () => {
  folder = await temporaryFolder();
  const where = await promisify(execFile)(projectPython, [
    "-c",
    "import sysconfig; print(sysconfig.get_path('purelib'))",
  ]);
  packages = where.stdout.trim();
  const random = (script: string, ...words: string[]) =>
    promisify(execFile)(projectPython, [join(root, "tests/parity", script), ...words]);
  await random("random_llama.py", "untied", join(folder, "untied"));
  await random("random_llama.py", "untied", folder, "--gguf", "Q8_0");
  await random("random_gpt_oss.py", "all-experts", join(folder, "gpt-oss"));
});

/** Runs a command on the tests' worker; its bundles go below the test's own folder. */
async function run(words: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return await runCli([...words, ...(await onTestWorker())], { TSXLA_BUNDLE_DIR: bundles(), ...env });
}

/** The folder that an error names. */
function bundleOf({ stderr }: Ended): string {
  const [, found] = /^ {2}bundle {2}(\S+) {2}\(python reproduce\.py there runs it without tsxla\)$/m.exec(stderr) ?? [];
  expect({ stderr, found }).toMatchObject({ found: expect.stringContaining(bundles()) });
  return found as string;
}

/** Runs a bundle's reproduce.py. With -S no .pth file leads to the checkout: only what is in the packages' folder is there. */
function reproduce(bundle: string, ...options: string[]) {
  const words = ["-S", "reproduce.py", ...options];
  const { status, stdout, stderr } = spawnSync(projectPython, words, { cwd: bundle, env: bare(), encoding: "utf8" });
  return { status, stdout, stderr };
}

const bare = () => ({ PATH: process.env.PATH, PYTHONPATH: packages });

const logits = (model: string, ...words: string[]) => [
  ...["logits", "--model", join(folder, model), "--tokens", "3,1,4,1,5", "--out", join(folder, "out.safetensors")],
  ...words,
];

describe("logits that are no numbers", () => {
  test("leave a bundle that makes them again, with the first NaN and its line", async () => {
    const ended = await run(logits("untied", "--arch", join(root, "tests/debugging/no-numbers-llama.ts")));
    expect(ended).toMatchObject({ code: 1, stdout: "" });
    expect(ended.stderr).toMatch(/^ {2}first NaN in {2}broken {2}\(tests\/debugging\/no-numbers-llama\.ts:7:\d+\)$/m);
    const { status, stdout } = reproduce(bundleOf(ended));
    expect(stdout).toMatch(/^expected {3}the logits after token 0 are no numbers: logit 0 is NaN$/m);
    expect(stdout).toMatch(/^result {5}logits: \d+ are no numbers$/m);
    expect(stdout).toMatch(/^first {6}broken \(tests\/debugging\/no-numbers-llama\.ts:7:\d+\): \d+ are no numbers$/m);
    expect(stdout).toMatch(/^reproduced$/m);
    expect(status).toBe(0);
  });

  test("are made again without tsxla in reach", () => {
    const { stderr } = spawnSync(projectPython, ["-S", "-c", "import tsxla_worker"], { env: bare(), encoding: "utf8" });
    expect(stderr).toContain("No module named 'tsxla_worker'");
  });

  test("are not made again by a program that was mended", async () => {
    const [name] = (await readdir(bundles())).filter((each) => each.startsWith("numbers-logits"));
    const text = await readFile(join(bundles(), name as string, "program.mlir"), "utf8");
    const mended = join(folder, "mended.mlir");
    await writeFile(mended, text.replaceAll("stablehlo.sqrt", "stablehlo.abs"));
    const { status, stdout } = reproduce(join(bundles(), name as string), "--program", mended);
    expect(stdout).toMatch(/not reproduced$/m);
    expect(status).toBe(1);
  });

  testTable(
    "of %s leave a bundle with its weights by reference, which are loaded as they were",
    [
      ["untied-Q8_0.gguf", "llama", 7],
      ["gpt-oss", "gpt-oss", 6],
    ],
    ([model]) => model === "gpt-oss",
    async (model, name, line) => {
      const arch = join(root, `tests/debugging/no-numbers-${name}.ts`);
      const ended = await run(logits(model, "--arch", arch), { TSXLA_BUNDLE_WEIGHTS: "reference" });
      expect(ended.stderr).toMatch(
        new RegExp(`^ {2}first NaN in {2}\\S+ {2}\\(tests/debugging/no-numbers-${name}\\.ts:${line}:`, "m"),
      );
      const bundle = bundleOf(ended);
      // Neither the weights nor anything of their size is in the folder, but for the caches.
      const described = JSON.parse(await readFile(join(bundle, "bundle.json"), "utf8")) as {
        arguments: { name: string; from: Record<string, unknown> }[];
      };
      const weights = described.arguments.filter((each) => each.name.startsWith("weights."));
      expect(weights.length).toBeGreaterThan(10);
      for (const { from } of weights) expect(from).toEqual({ load: expect.any(Number), result: expect.any(Number) });
      const { status, stdout } = reproduce(bundle);
      expect(stdout).toMatch(/^reproduced$/m);
      expect(status).toBe(0);
      if (name === "gpt-oss") return;
      // Copies of the weights in place of the way to make them give the same counts to the digit.
      const copied = await run(logits(model, "--arch", arch), { TSXLA_BUNDLE_WEIGHTS: "copy" });
      expect(reproduce(bundleOf(copied)).stdout).toBe(stdout);
      await rename(join(folder, model), join(folder, "elsewhere.gguf"));
      const gone = reproduce(bundle);
      expect(gone.stderr).toContain(`${join(folder, model)} is referred to and can't be read`);
      expect(gone.status).toBe(2);
    },
  );

  test(exhaustive("in the middle of an answer leave the call that made them, alone and in a batch"), async () => {
    const words = (model: string) => [
      "generate",
      "--model",
      join(folder, model),
      "--raw",
      "--max-tokens",
      "8",
      "--json",
    ];
    const good = await run([...words("untied"), "--prompt", "hello"]);
    const { tokens } = JSON.parse(good.stdout) as { tokens: number[] };
    // The embedding of a token that is chosen, and that neither prompt has.
    const at = tokens.findIndex((token, n) => n > 1 && tokens.indexOf(token) === n);
    await poison("poisoned", "model.embed_tokens.weight", tokens[at] as number);
    const alone = await run([...words("poisoned"), "--prompt", "hello"]);
    expect(alone).toMatchObject({ code: 1 });
    expect(alone.stderr).toContain(`at position ${5 + at + 1}`);
    expect(alone.stderr).toMatch(/^ {2}first NaN in {2}embed {2}\(models\/llama\.ts/m);
    const bundle = bundleOf(alone);
    expect(bundle).toContain("numbers-decode");
    expect(reproduce(bundle)).toMatchObject({ status: 0, stdout: expect.stringMatching(/^reproduced$/m) });

    const prompts = join(folder, "prompts.txt");
    await writeFile(prompts, "a\nhello\n");
    const both = await run([...words("poisoned"), "--prompts", prompts]);
    expect(both).toMatchObject({ code: 1, stderr: expect.stringMatching(/tsxla: line 2: .* at position/) });
    // Run alone, the text fails in the program of one row.
    expect(bundleOf(both)).toContain("numbers-decode");
  });
});

describe("a program that XLA refuses", () => {
  let file: string;
  beforeAll(async () => {
    file = join(folder, "refused.mlir");
    await writeFile(
      file,
      `func.func @main(%arg0: tensor<4xf32>) -> tensor<4xf32> {
  %0 = stablehlo.custom_call @mhlo.topk(%arg0) : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
`,
    );
  });

  test("leaves a bundle that is refused again", async () => {
    const ended = await run(["exec", file]);
    expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining("XLA did not compile the module: ") });
    const { status, stdout } = reproduce(bundleOf(ended));
    expect(stdout).toMatch(/^reproduced: the compiler refuses it$/m);
    expect(status).toBe(0);
  });

  test(
    exhaustive("leaves a folder of its own each time, and none beyond the limit or where none is wanted"),
    async () => {
      const [one, other] = [await run(["exec", file]), await run(["exec", file])].map(bundleOf);
      expect(one).not.toBe(other);
      const full = await run(["exec", file], { TSXLA_BUNDLE_LIMIT: "1000" });
      expect(full.stderr).toMatch(
        /^ {2}bundle {2}none: \S+ holds \d+ bytes, this one has \d+, and TSXLA_BUNDLE_LIMIT is 1000: remove some$/m,
      );
      const off = await run(["exec", file], { TSXLA_BUNDLE_DIR: "" });
      expect(off.code).toBe(1);
      expect(off.stderr).not.toContain("bundle");
      const blocked = join(folder, "blocked");
      await writeFile(blocked, "");
      const failed = await run(["exec", file], { TSXLA_BUNDLE_DIR: blocked });
      expect(failed).toMatchObject({ code: 1, stderr: expect.stringMatching(/^ {2}bundle {2}none: E(EXIST|NOTDIR)/m) });
    },
  );
});

test("a text that is no module is its writer's, and leaves nothing", async () => {
  await rm(bundles(), { recursive: true, force: true });
  const file = join(folder, "wrong.mlir");
  await writeFile(file, "func.func @main(");
  expect(await run(["exec", file])).toMatchObject({ code: 2, stderr: expect.not.stringContaining("bundle") });
  expect(await readdir(folder)).not.toContain("bundles");
});

/** A copy of `untied` with one row of a weight made NaN. */
async function poison(name: string, key: string, row: number): Promise<void> {
  const copy = join(folder, name);
  await mkdir(copy);
  await cp(join(folder, "untied"), copy, { recursive: true });
  const file = join(copy, "model.safetensors");
  const bytes = await readFile(file);
  const start = 8 + Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.subarray(8, start).toString("utf8")) as Record<
    string,
    { dtype: string; shape: number[]; data_offsets: [number, number] }
  >;
  const { dtype, shape, data_offsets } = header[key]!;
  const [width, size] = [shape[1] as number, dtype === "F32" ? 4 : 2];
  const from = start + data_offsets[0] + row * width * size;
  // All ones are NaN in every type of float.
  bytes.fill(0xff, from, from + width * size);
  await writeFile(file, bytes);
}
