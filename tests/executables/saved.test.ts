/**
 * Executables that are saved and loaded: by another process, on a mesh, by the commands; and what is refused.
 *
 * What is inside of a file, damaged in every way, is python-worker/tests/test_saved_executables.py.
 * `npm run jest -- tests/executables`
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { isFloat } from "../../dsl/index.ts";
import {
  compile,
  describeExecutable,
  type Executable,
  type HostTensor,
  hostTensor,
  Worker,
} from "../../inference/index.ts";
import { readSafetensors, SafetensorsWriter } from "../../runtime-bridge/safetensors.ts";
import { runCli, temporaryFolder } from "../support/cli.ts";
import { exhaustive } from "../support/exhaustive.ts";
import { refusalOf } from "../support/refusal.ts";
import { onTestWorker, testWorker } from "../support/worker.ts";

const config = {
  model_type: "llama",
  hidden_size: 16,
  intermediate_size: 24,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 4,
  vocab_size: 48,
  max_position_embeddings: 64,
  rms_norm_eps: 1e-5,
  rope_theta: 10_000,
  tie_word_embeddings: true,
  hidden_act: "silu",
};

let folder: string;
let model: string;
/** The key of the run's worker (tests/support/worker-host.ts). */
let key: string;
/** Compiled, and saved, by a worker of four devices. */
let four: Worker;
let step: Executable;
let saved: Uint8Array;

beforeAll(async () => {
  folder = await temporaryFolder();
  model = join(folder, "config.json");
  await writeFile(model, JSON.stringify(config));
  key = join(folder, "key");
  await writeFile(key, "k".repeat(64));
  four = await Worker.launch({ devices: 4, cacheDir: null, executableKey: key });
  const words = { target: "cpu:4", mesh: "data=2,model=2", batch: 2, length: 16 };
  ({ executable: step } = await compile(model, { worker: four, ...words }));
  saved = await four.saveExecutable(step);
}, 120_000);
afterAll(() => four?.close());

/** Numbers for every argument: the same for the same argument, and none that a step would refuse. */
function argumentsOf({ arguments: types }: Executable): HostTensor[] {
  return types.map(({ dtype, shape }, n) => {
    const count = shape.reduce((all, size) => all * size, 1);
    const numbers = Array.from({ length: count }, (_, at) => Math.sin(at * 12.9898 + n) * 0.5);
    return hostTensor(dtype, [...shape], isFloat(dtype) ? numbers : numbers.map(() => 1));
  });
}

const resultsOf = async (worker: Worker, executable: Executable) =>
  (await worker.execute(executable, argumentsOf(executable), { fetch: "all" })).results.map(({ data }) =>
    Buffer.from(data).toString("hex"),
  );

describe("a model's step on a mesh", () => {
  test("gives in another process, from the file, the bits that it gave where it was compiled", async () => {
    await using other = await Worker.launch({ devices: 4, cacheDir: null, executableKey: key });
    const loaded = await other.loadExecutable(saved);
    expect(loaded).toMatchObject({ name: "decode", arguments: step.arguments, results: step.results });
    expect([...loaded.donated]).toEqual([...step.donated]);
    expect(step.donated.size).toBe(4);
    expect(await resultsOf(other, loaded)).toEqual(await resultsOf(four, step));
  }, 120_000);

  test("is refused by a worker with fewer devices, which goes on", async () => {
    const worker = await testWorker();
    await expect(worker.loadExecutable(saved)).rejects.toMatchObject({
      exitCode: 2,
      reason: "EXECUTABLE_MISMATCH",
      message: expect.stringContaining(
        "The executable of 'decode' was compiled for 4 devices, and here is one device: start the worker with as many devices (--devices, or --target cpu:N), or compile it again for those it has.",
      ),
    });
    expect((await worker.info()).platform).toBe("cpu");
  });
});

describe("the commands", () => {
  test(exhaustive(
    "exec runs what compile saved, on as many devices as it is for, with the numbers of the text",
  ), async () => {
    const [text, file, inputs] = ["step.mlir", "step.tsxla-exe", "inputs.safetensors"].map((name) =>
      join(folder, name),
    );
    const words = ["--model", model, "--target", "cpu:4", "--mesh", "data=2,model=2", "--batch", "2", "--length", "16"];
    const made = await runCli(["compile", ...words, "--emit", text!, "--save", file!]);
    expect(made).toMatchObject({ code: 0, stderr: expect.stringMatching(/step\.tsxla-exe written, \S+ kB/) });
    const given = Object.fromEntries(argumentsOf(step).map((each, n) => [`arg${n}`, each]));
    await using writer = await SafetensorsWriter.open(inputs!, given);
    for (const { data } of Object.values(given)) await writer.write(data);
    await writer.finish();
    const results = await Promise.all(
      [text!, file!].map(async (source, n) => {
        const out = join(folder, `out${n}.safetensors`);
        const { code, stderr } = await runCli(["exec", source, "--inputs", inputs!, "--out", out]);
        expect({ code, stderr }).toMatchObject({ code: 0 });
        expect(stderr).toMatch(n === 0 ? /compiling/ : /loading the executable/);
        return await readSafetensors(out);
      }),
    );
    expect(results[1]).toEqual(results[0]);
    expect(results[0]!.size).toBe(step.results.length);
  }, 180_000);

  test("exec --save writes an executable without running it, inspect shows it, exec runs it", async () => {
    const [text, file] = ["double.mlir", "double.tsxla-exe"].map((name) => join(folder, name)) as [string, string];
    await writeFile(
      text,
      "module @double { func.func public @main(%x: tensor<2xf32>) -> tensor<2xf32> { %0 = stablehlo.add %x, %x : tensor<2xf32> return %0 : tensor<2xf32> } }",
    );
    const worker = await onTestWorker();
    expect(await runCli(["exec", text, "--save", file, ...worker])).toMatchObject({ code: 0, stdout: "" });
    const { stdout } = await runCli(["inspect", file, "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ program: "double", platform: "cpu", devices: 1, results: ["f32[2]"] });
    const inputs = join(folder, "two.safetensors");
    const x = hostTensor("f32", [2], [3, 4]);
    await using writer = await SafetensorsWriter.open(inputs, { arg0: x });
    await writer.write(x.data);
    await writer.finish();
    const ran = await runCli(["exec", file, "--inputs", inputs, ...worker]);
    expect(ran).toMatchObject({ code: 0, stdout: "result0  f32[2]  6.00000 8.00000\n" });
  }, 60_000);

  test("what is damaged, cut off or for the interpreter is refused with code 2", async () => {
    const worker = await onTestWorker();
    const [cut, flipped] = [join(folder, "cut.tsxla-exe"), join(folder, "flipped.tsxla-exe")];
    await writeFile(cut, saved.subarray(0, saved.byteLength - 100));
    const broken = new Uint8Array(saved);
    broken[saved.byteLength >> 1]! ^= 1;
    await writeFile(flipped, broken);
    const refused = async (...words: string[]) => {
      const { code, stderr } = await runCli(["exec", ...words, ...worker]);
      expect(code).toBe(2);
      return stderr;
    };
    expect(await refused(cut)).toMatch(/It is cut off: \d+ bytes are there, \d+ are wanted/);
    expect(await refused(flipped)).toMatch(/It is damaged: its bytes do not match their SHA-256/);
    expect(await refused(flipped, "--engine", "reference")).toMatch(/--engine reference interprets text/);
    expect(await runCli(["compile", "--model", model, "--text-only", "--save", cut])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/--save is of what XLA makes of the text/),
    });
  }, 60_000);
});

describe("describeExecutable", () => {
  test("reads the head without a worker", async () => {
    expect(describeExecutable(saved, "step")).toMatchObject({
      program: "decode",
      platform: "cpu",
      devices: 4,
      facts: {
        mesh: [
          ["data", 2],
          ["expert", 1],
          ["model", 2],
        ],
      },
    });
  });

  test("refuses a file that is no saved executable, and says why", async () => {
    const refused = (data: Uint8Array) => refusalOf(() => describeExecutable(data, "step.tsxla-exe"));
    expect(refused(await readFile(model))).toMatchInlineSnapshot(`
InputError EXECUTABLE
step.tsxla-exe is no saved executable: it does not begin with TSXLAEXE; \`tsxla compile --save\` and \`tsxla exec --save\` make them
`);
    expect(refused(saved.subarray(0, 20))).toMatchInlineSnapshot(`
InputError EXECUTABLE
step.tsxla-exe is no saved executable: it is cut off after 20 bytes; \`tsxla compile --save\` and \`tsxla exec --save\` make them
`);
    expect(refused(saved.subarray(0, 200))).toMatchInlineSnapshot(`
InputError EXECUTABLE
step.tsxla-exe is no saved executable: it is cut off after 200 bytes; \`tsxla compile --save\` and \`tsxla exec --save\` make them
`);
    const later = new Uint8Array(saved);
    later[8] = 9;
    expect(refused(later)).toMatchInlineSnapshot(`
InputError EXECUTABLE
step.tsxla-exe is no saved executable: it has the format 9, and this tsxla reads 1; \`tsxla compile --save\` and \`tsxla exec --save\` make them
`);
    const torn = new Uint8Array(saved);
    torn[32] = 0;
    expect(refused(torn)).toMatchInlineSnapshot(`
InputError EXECUTABLE
step.tsxla-exe is no saved executable: it has a head that can't be read; \`tsxla compile --save\` and \`tsxla exec --save\` make them
`);
  });
});
