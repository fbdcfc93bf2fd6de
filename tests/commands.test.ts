/** The commands' forms: what stands on stdout, what on stderr, and what they end with. */
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, test } from "@jest/globals";
import { commands } from "../cli/commands.ts";
import { toFloat32Array } from "../runtime-bridge/index.ts";
import { projectPython } from "../runtime-bridge/launch/environment-paths.ts";
import { readSafetensors, SafetensorsWriter } from "../runtime-bridge/safetensors.ts";
import { root, runCli, temporaryFolder } from "./support/cli.ts";
import { exhaustive, testTable } from "./support/exhaustive.ts";
import { onTestWorker } from "./support/worker.ts";

let folder: string;
let model: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  model = join(folder, "untied");
  await promisify(execFile)(projectPython, [join(root, "tests/parity/random_llama.py"), "untied", model]);
});

/** Runs a command that must succeed. */
async function run(...words: string[]): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const { code, ...said } = await runCli(words);
  expect({ code, ...said }).toMatchObject({ code: 0 });
  return said;
}

const onWorker = async (...words: string[]) => run(...words, ...(await onTestWorker()));

describe("generate", () => {
  const words = () => ["generate", "--model", model, "--prompt", "hello", "--max-tokens", "5"];

  test("prints the answer alone on stdout, and what it took on stderr", async () => {
    const { stdout, stderr } = await onWorker(...words());
    expect(stdout).toMatch(/^.*\n$/s);
    expect(stdout).not.toMatch(/tokens\/s/);
    expect(stderr).toMatch(/load \S+ s · compile \S+ s.* · prompt 5 tokens in \S+ s · answer 5 tokens, \S+ tokens\/s/);
  });

  test("prints one object with --json, whose text is what it prints without", async () => {
    const { stdout } = await onWorker(...words(), "--json");
    expect(stdout.trimEnd().split("\n")).toHaveLength(1);
    const answer = JSON.parse(stdout) as Record<string, unknown>;
    expect(answer).toMatchObject({ finishReason: "length", promptCount: 5, answerCount: 5 });
    expect(answer.tokens).toHaveLength(5);
    expect(answer.logprobs).toHaveLength(5);
    expect((await onWorker(...words())).stdout.trimEnd()).toBe((answer.text as string).trimEnd());
  });

  test("takes all of how tokens are chosen by its name, and tells the likeliest ones", async () => {
    const flags = ["--presence-penalty", "-0.5", "--frequency-penalty", "1", "--repetition-penalty", "1.2"];
    const more = ["--logit-bias", "7=100", "--logit-bias", "8=-100", "--min-tokens", "2", "--stop-token", "7"];
    const { stdout } = await onWorker(...words(), ...flags, ...more, "--logprobs", "2", "--json");
    const told = JSON.parse(stdout) as { tokens: number[]; topLogprobs: { token: number; logprob: number }[][] };
    // Not before there are two: then the bias wins, and the token ends the text.
    expect(told.tokens[2]).toBe(7);
    expect(told).toMatchObject({ finishReason: "stop", answerCount: 3 });
    expect(told.topLogprobs.map((each) => each.length)).toEqual([2, 2, 2]);
    expect(told.topLogprobs[0]?.[0]).toEqual({
      token: expect.any(Number),
      text: expect.any(String),
      logprob: expect.any(Number),
    });
  });

  testTable<[string[], string]>(
    "refuses %j",
    [
      [["--logit-bias", "7"], "It is a token id and what is added to its logit, such as 42=-1.5."],
      [["--logit-bias", "7=1", "--logit-bias", "7=2"], "Token 7 has a bias already."],
      [["--logit-bias", "999999=1"], "logitBias names token 999999, and the vocabulary has ids 0 to"],
      [["--presence-penalty", "3"], "presencePenalty is 3; wanted a number from -2 to 2"],
      [["--stop-token", "999999"], "stopTokens holds 999999, and token ids are whole numbers from 0 to"],
      [["--logprobs", "2"], "--logprobs are told with --json only; add it"],
    ],
    ([[option]]) => option === "--logit-bias",
    async (wrong, said) => {
      const { code, stdout, stderr } = await runCli([...words(), ...wrong, ...(await onTestWorker())]);
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).toContain(said);
    },
  );

  test("repeats its choices with the seed that it names", async () => {
    const hot = [...words(), "--temperature", "1", "--json"];
    const first = JSON.parse((await onWorker(...hot)).stdout) as { seed: string; tokens: number[] };
    // Seeds of its own have 64 bits, and all of them count.
    const again = JSON.parse((await onWorker(...hot, "--seed", first.seed)).stdout) as typeof first;
    expect(again).toMatchObject({ seed: first.seed, tokens: first.tokens });
  });
});

test("logits says with --json what it wrote where", async () => {
  const out = join(folder, "logits.safetensors");
  const { stdout } = await onWorker("logits", "--model", model, "--tokens", "0, 1,2", "--out", out, "--json");
  expect(JSON.parse(stdout)).toEqual({ out, shape: [3, 331], step: false });
  expect((await readSafetensors(out)).get("logits")).toMatchObject({ dtype: "f32", shape: [3, 331] });
});

describe("exec", () => {
  let file: string;
  let inputs: string;
  beforeAll(async () => {
    file = join(folder, "double.mlir");
    inputs = join(folder, "inputs.safetensors");
    await writeFile(
      file,
      `func.func @main(%arg0: tensor<3xf32>) -> tensor<3xf32> {
  %0 = stablehlo.add %arg0, %arg0 : tensor<3xf32>
  return %0 : tensor<3xf32>
}
`,
    );
    await using writer = await SafetensorsWriter.open(inputs, { arg0: { dtype: "f32", shape: [3] } });
    await writer.write(Float32Array.of(1, 2, 3.5));
    await writer.finish();
  });

  test.each(["xla", "reference"])("runs a file by %s, and prints or writes its results", async (engine) => {
    const words = ["exec", file, "--inputs", inputs, "--engine", engine];
    expect((await onWorker(...words)).stdout).toBe("result0  f32[3]  2.00000 4.00000 7.00000\n");
    const out = join(folder, `${engine}.safetensors`);
    expect((await onWorker(...words, "--out", out)).stdout).toBe("");
    expect([...toFloat32Array((await readSafetensors(out)).get("result0")!)]).toEqual([2, 4, 7]);
  });

  test("refuses an argument that is missing and a text that is no module, with 2", async () => {
    const worker = await onTestWorker();
    const missing = await runCli(["exec", file, ...worker]);
    expect(missing).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/@main takes 1 arguments?, and --inputs has no arg0/),
    });
    const text = join(folder, "text.mlir");
    await writeFile(text, "func.func @main(");
    expect(await runCli(["exec", text, ...worker])).toMatchObject({ code: 2, stdout: "" });
  });
});

describe("inspect", () => {
  test("describes a folder with its files, as a table and with --json", async () => {
    const { stdout } = await onWorker("inspect", model, "--json");
    expect(JSON.parse(stdout)).toMatchObject({
      architecture: "llama",
      layers: 2,
      vocab: 331,
      container: "safetensors",
    });
    expect((await onWorker("inspect", model)).stdout).toMatch(/^architecture +llama\nparameters +136,?\d{3}/m);
  });

  test("describes a config.json alone, without a worker", async () => {
    const { stdout, stderr } = await run("inspect", join(model, "config.json"), "--json");
    expect(JSON.parse(stdout)).toMatchObject({ architecture: "llama", layers: 2 });
    expect(stderr).toBe("");
  });

  test("describes a published model by its name", async () => {
    const { stdout } = await run("inspect", "gpt-oss-20b", "--json");
    expect(JSON.parse(stdout)).toMatchObject({ parameters: 20_914_757_184, activeParameters: 3_608_310_144 });
  });
});

describe("compile", () => {
  const emit = async (name: string, words: readonly string[]) => {
    const file = join(folder, `${name}.mlir`);
    const { stdout } = await onWorker("compile", "--emit", file, "--json", ...words);
    return { text: await readFile(file, "utf8"), report: JSON.parse(stdout) as Record<string, unknown> };
  };

  test("gives the text of a model from its configuration alone, and without a worker", async () => {
    const sizes = ["--phase", "prefill", "--length", "5", "--batch", "2"];
    const ofFiles = await emit("files", ["--model", model, ...sizes, "--text-only"]);
    const file = join(folder, "config.mlir");
    await run("compile", "--model", join(model, "config.json"), ...sizes, "--text-only", "--emit", file);
    expect(await readFile(file, "utf8")).toBe(ofFiles.text);
    expect(ofFiles.text).toMatch(/module @prefill .*%arg0: tensor<2x5xi32>/s);
  });

  test("reports what XLA says of the program, and writes the optimised module", async () => {
    const hlo = join(folder, "module.hlo");
    const { report } = await emit("decode", ["--model", model, "--length", "300", "--hlo", hlo]);
    expect(report).toMatchObject({ phase: "decode", tokens: 1, positions: 300, target: "cpu" });
    for (const name of ["argument_bytes", "output_bytes", "alias_bytes", "temp_bytes", "text_bytes"]) {
      expect(report[name]).toBeGreaterThan(0);
    }
    expect(await readFile(hlo, "utf8")).toMatch(/^HloModule /);
  });

  test("shows where weights and caches lie on a mesh, and what each device holds of them", async () => {
    const words = ["compile", "--model", "gpt-oss-20b", "--text-only", "--weights", "e5m2", "--length", "2048"];
    const mesh = ["--target", "tpu:v4:2x2x1", "--mesh", "expert=2,model=2"];
    const { stdout } = await run(...words, ...mesh);
    expect(stdout).toMatch(/^weights\.embed +bf16 +vocab 201088 \/ expert·model, embed 2880 +289\.6 MB$/m);
    expect(stdout).toMatch(
      /^caches\.\{1,3…23\}\.k +bf16 +batch 1, kvHead 8 \/ expert·model, dim 64, key 2048 +6\.3 MB$/m,
    );
    const report = JSON.parse((await run(...words, ...mesh, "--json")).stdout) as {
      readonly placement: readonly { readonly name: string; readonly bytes_per_device: number }[];
    };
    const held = report.placement.reduce((all, { bytes_per_device }) => all + bytes_per_device, 0);
    // A quarter of 22.7 GB of weights, what is small whole on each, and caches.
    expect(held / 1e9).toBeCloseTo(5.7, 1);
  });

  test("lowers the whole of GPT-OSS-20B's decode step to less than 500 kB", async () => {
    const file = join(folder, "20b.mlir");
    const words = ["compile", "--model", "gpt-oss-20b", "--text-only", "--no-locations", "--emit", file, "--json"];
    const report = JSON.parse((await run(...words)).stdout) as Record<string, unknown>;
    expect(report.text_bytes).toBe(Buffer.byteLength(await readFile(file, "utf8")));
    expect(report.text_bytes).toBeLessThan(500_000);
  });

  test(exhaustive("names what it cannot do, with 2"), async () => {
    const refused = async (...words: string[]) => {
      const { code, stdout, stderr } = await runCli(["compile", ...words]);
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      return stderr;
    };
    expect(await refused("--model", "nothing.json", "--text-only")).toMatch(
      /nothing.json cannot be read as JSON: ENOENT/,
    );
    expect(await refused("--model", "smollm2-135m", "--text-only", "--hlo", "x")).toMatch(
      /--text-only stops before it/,
    );
    expect(await refused("--model", "smollm2-135m", "--text-only", "--target", "abacus")).toMatch(
      /'abacus' is not known/,
    );
    expect(
      await refused("--model", "smollm2-135m", "--text-only", "--emit", join(folder, "no", "such", "folder")),
    ).toMatch(/cannot be written: ENOENT/);
  });
});

test(exhaustive("every command explains itself with --help, on stdout, and ends with 0"), async () => {
  const { stdout } = await run("--help");
  const names = [...stdout.matchAll(/^ {2}(\w+) .*/gm)]
    .map(([, name]) => name as string)
    .filter((name) => name !== "help");
  expect(names).toEqual(commands.map(({ name }) => name));
  for (const name of names) {
    const help = await run(name, "--help");
    expect(help.stdout).toMatch(new RegExp(`^Usage: tsxla ${name} \\[options\\]`));
    expect(help.stderr).toBe("");
  }
});

test("a reader that has seen enough is no failure", async () => {
  const { stdout } = await promisify(execFile)("bash", [
    "-o",
    "pipefail",
    "-c",
    '"$0" "$1" inspect "$2" --json | head -c 1',
    process.execPath,
    join(root, "bin/tsxla.mjs"),
    join(model, "config.json"),
  ]);
  expect(stdout).toBe("{");
});
