/**
 * A trace against what transformers' modules give, and a wrong layer found by it. The references are made by
 * make_references.py; the tolerance is the command's own (0.001 deviations), 100 times what f32 rounding moves here.
 *
 * Example run: npm run jest -- tests/debugging/trace.test.ts -t "wrong"
 */
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, test } from "@jest/globals";
import type { Comparison } from "../../inference/index.ts";
import { toFloat32Array } from "../../runtime-bridge/index.ts";
import { projectPython } from "../../runtime-bridge/launch/environment-paths.ts";
import { openSafetensors, readSafetensors } from "../../runtime-bridge/safetensors.ts";
import { type Ended, root, runCli, temporaryFolder } from "../support/cli.ts";
import { exhaustive, testTable } from "../support/exhaustive.ts";
import { onTestWorker } from "../support/worker.ts";

const cases = {
  untied: { script: "random_llama.py", options: [] as string[], names: "scripts/transformers-names.json" },
  released: { script: "random_gpt_oss.py", options: ["--layout", "bf16"], names: undefined },
};
type Case = keyof typeof cases;

let folder: string;
/** Logits of `untied`, with a trace beside them. */
let at: string;
const tokens: Record<string, string> = {};
const reference = (name: Case) => join(root, `tests/debugging/fixtures/${name}.safetensors`);

beforeAll(async () => {
  folder = await temporaryFolder();
  for (const [name, { script, options }] of Object.entries(cases)) {
    const words = [join(root, "tests/parity", script), name, join(folder, name), ...options];
    const { stdout } = await promisify(execFile)(projectPython, words);
    await using file = await openSafetensors(reference(name as Case));
    // The reference is of these numbers and of no others.
    expect(stdout.trim().split(" ").at(-1)).toBe(file.metadata.weights);
    tokens[name] = file.metadata.tokens as string;
  }
  at = join(folder, "at.safetensors");
  expect(await logits("untied", "--out", at, "--trace", `${at}.trace`)).toMatchObject({ code: 0 });
});

async function logits(name: Case, ...words: string[]): Promise<Ended> {
  const model = ["--model", join(folder, name), "--tokens", tokens[name] as string, "--weights", "f32"];
  const out = words.includes("--out") ? [] : ["--out", join(folder, "logits.safetensors")];
  return await runCli(["logits", ...model, ...out, ...words, ...(await onTestWorker())]);
}

const traced = (name: Case, file: string) => ["--trace", join(folder, file), "--reference", reference(name)];

describe("logits --trace --reference", () => {
  test.each(Object.keys(cases) as Case[])("finds that every value of %s is transformers'", async (name) => {
    const { names } = cases[name];
    const more = names === undefined ? [] : ["--names", join(root, names)];
    const { code, stdout, stderr } = await logits(name, ...traced(name, `${name}.right`), ...more);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const found = /^all (\d+) values agree; the largest difference is (\S+) deviations/m.exec(stdout);
    // Two layers of 13 values or four of 10, and the outer ones.
    expect(Number(found?.[1])).toBe(name === "untied" ? 31 : 43);
    expect(Number(found?.[2])).toBeLessThan(2e-5);
  });

  testTable<[Case, string, string, RegExp]>(
    "says of %s with %s which value is wrong",
    [
      [
        "released",
        "wrong-expert",
        "layers.0.moe.experts",
        /^the 9 before it agree, the last is layers.0.moe.routerBias$/,
      ],
      [
        "released",
        "wrong-window",
        "layers.1.attn.out.input",
        /^the \d+ before it agree, the last is layers.1.attn.vBias$/,
      ],
      [
        "untied",
        "wrong-frequencies",
        "layers.0.attn.out.input",
        /^the 5 before it agree, the last is layers.0.attn.v$/,
      ],
    ],
    ([, variant]) => variant === "wrong-expert",
    async (name, variant, first, before) => {
      const arch = join(root, `tests/debugging/${variant}.ts`);
      const { code, stdout } = await logits(name, ...traced(name, variant), "--arch", arch);
      expect(code).toBe(1);
      const line = stdout.trimEnd().split("\n").at(-1) as string;
      const parts = /^first to depart: (\S+) \((\S+):\d+:\d+\), by (\S+) deviations, most at (.*); (.*)$/.exec(line);
      expect(parts).not.toBeNull();
      expect(parts?.[1]).toBe(first);
      expect(parts?.[2]).toMatch(/^(models\/\S+|tests\/debugging\/wrong-expert)\.ts$/);
      expect(Number(parts?.[3])).toBeGreaterThan(0.1);
      expect(parts?.[4]).toMatch(/^pos \d/);
      expect(parts?.[5]).toMatch(before);
      // What is marked begins there.
      expect(stdout.split("\n").find((each) => each.startsWith("!"))).toContain(` ${first} `);
    },
  );

  test("gives the same as one object with --json", async () => {
    const arch = join(root, "tests/debugging/wrong-window.ts");
    const { code, stdout } = await logits("released", ...traced("released", "json"), "--arch", arch, "--json");
    expect(code).toBe(1);
    const found = JSON.parse(stdout) as Omit<Comparison, "first"> & { readonly first: string };
    expect(found.first).toBe("layers.1.attn.out.input");
    expect(found.rows.find(({ departs }) => departs)).toMatchObject({
      name: found.first,
      reference: "model.layers.1.self_attn.o_proj.input",
      axes: ["pos", "kvHead", "group", "dim"],
      shape: [8, 1, 8, 64],
      tolerance: 1e-3,
    });
  });

  test("wants a trace to compare", async () => {
    expect(await logits("untied", "--reference", reference("untied"))).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("--reference compares a trace: say with --trace FILE where to write it"),
    });
  });
});

describe("a trace", () => {
  test(exhaustive("changes no logits but for rounding, and is the same token by token"), async () => {
    const [plain, step] = ["plain", "step"].map((name) => join(folder, `${name}.safetensors`)) as [string, string];
    expect(await logits("untied", "--out", plain)).toMatchObject({ code: 0 });
    expect(await logits("untied", "--out", step, "--trace", `${step}.trace`, "--step")).toMatchObject({ code: 0 });
    const [one, other] = await Promise.all(
      [plain, at].map(async (file) => toFloat32Array((await readSafetensors(file)).get("logits")!)),
    );
    const apart = one!.reduce((most, value, n) => Math.max(most, Math.abs(value - (other![n] as number))), 0);
    // More results are other fusions, which add in another order; logits have a deviation of about 1.
    expect(apart).toBeLessThan(2e-5);
    expect(await runCli(["compare", `${step}.trace`, `${at}.trace`, "--tolerance", "0.00005"])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^all \d+ values agree/m),
    });
  });

  test("says the axes, the line and the other names of each value", async () => {
    await using file = await openSafetensors(`${at}.trace`);
    expect(file.metadata.tokens).toBe(tokens.untied);
    const described = JSON.parse(file.metadata.activations as string) as Record<string, object>;
    expect(Object.keys(described)).toEqual([...file.tensors.keys()]);
    expect(described["layers.1.mlp.gate"]).toEqual({
      axes: ["pos", "mlp"],
      also: ["model.layers.1.mlp.gate_proj"],
      at: expect.stringMatching(/^models\/llama\.ts:\d+:\d+$/),
    });
    expect(file.tensors.get("layers.1.mlp.gate")).toEqual({ dtype: "f32", shape: [18, 160] });
  });
});

describe("compare", () => {
  test("refuses traces of different texts, and those with nothing in common", async () => {
    const mine = `${at}.trace`;
    expect(await runCli(["compare", mine, reference("released")])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^tsxla: the traces are of different texts\n {2}\S*at\.safetensors\.trace {2}0,4,/),
    });
    const other = await runCli(["compare", mine, join(folder, "untied/model.safetensors")]);
    expect(other).toMatchObject({ code: 2, stderr: expect.stringContaining("the traces have no value in common") });
  });

  test("refuses a file of names that is no list", async () => {
    const names = join(folder, "names.json");
    await writeFile(names, '{"a": 1}');
    const [mine, theirs] = [`${at}.trace`, reference("untied")];
    expect(await runCli(["compare", mine, theirs, "--names", names])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/names\.json is no list of names: it is to be JSON such as \{"layers/),
    });
  });
});
