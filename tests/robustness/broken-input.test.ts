/**
 * Broken input is refused with exit code 2 and a text that names the culprit, and the worker goes on serving.
 *
 * Everything goes to one `tsxla worker`, as other people would run it: through the command where its exit code matters,
 * through the library for sweeps. `npm run jest -- tests/robustness/broken-input.test.ts`.
 */
import { execFile } from "node:child_process";
import { chmod, copyFile, cp, mkdir, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { TsxlaError } from "../../dsl/index.ts";
import { loadModel, Worker } from "../../inference/index.ts";
import { projectPython } from "../../runtime-bridge/launch/environment-paths.ts";
import { type Ended, type Running, root, runCli, smollm2, startCli, temporaryFolder } from "../support/cli.ts";
import "../support/needs-python.ts";

let folder: string;
let serving: Running;
let address: string;
let worker: Worker;

beforeAll(async () => {
  folder = await temporaryFolder();
  const script = join(root, "tests/parity/random_llama.py");
  const write = (...words: string[]) => promisify(execFile)(projectPython, [script, ...words]);
  address = `unix:${join(folder, "s")}`;
  serving = startCli(["worker", "--root", folder, "--listen", address, "--cache-dir", join(folder, "cache")]);
  await Promise.all([
    serving.until(/"event": "ready"/),
    write("untied", join(folder, "good")),
    write("untied", folder, "--gguf", "Q4_1"),
  ]);
  worker = await Worker.connect(address);
});

afterAll(async () => {
  await worker?.close();
  serving?.process.kill("SIGTERM");
  await serving?.ended;
});

/** What loading a model comes to: `loaded`, or the text of a refusal. Anything but a refusal is a failure of the test. */
async function outcome(path: string): Promise<string> {
  try {
    await using _ = await loadModel(path, { worker });
    return "loaded";
  } catch (error) {
    if (error instanceof TsxlaError && error.exitCode === 2) return error.message;
    throw error;
  }
}

/** Runs a command of a model on the worker. */
function ask(command: "logits" | "generate", model: string, ...more: string[]): Promise<Ended> {
  const words =
    command === "logits" ? ["--tokens", "1,2", "--out", join(folder, "out.safetensors")] : ["--prompt", "hi"];
  // Later options win, so a test may give its own.
  return runCli([command, "--model", join(folder, model), "--worker", address, ...words, ...more]);
}

async function expectRefused(ended: Promise<Ended>, ...named: RegExp[]): Promise<void> {
  const { code, stderr, stdout } = await ended;
  for (const each of named) expect(stderr).toMatch(each);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  // A sentence for people, and no stack.
  expect(stderr).not.toMatch(/\n {4}at |bug of tsxla/);
}

/** A copy of the good folder, changed. */
async function variant(name: string, change: (folder: string) => Promise<unknown>): Promise<string> {
  const copy = join(folder, name);
  await cp(join(folder, "good"), copy, { recursive: true });
  await change(copy);
  return copy;
}

const withConfig = (name: string, keys: Readonly<Record<string, unknown>>) =>
  variant(name, async (copy) => {
    const config = JSON.parse(await readFile(join(copy, "config.json"), "utf8")) as Record<string, unknown>;
    await writeFile(join(copy, "config.json"), JSON.stringify({ ...config, ...keys }));
  });

/** A change of the weights file's header. */
const withHeader = (name: string, change: (header: Record<string, Entry>) => void) =>
  variant(name, async (copy) => {
    const file = join(copy, "model.safetensors");
    const bytes = await readFile(file);
    const length = Number(bytes.readBigUInt64LE(0));
    const header = JSON.parse(bytes.subarray(8, 8 + length).toString("utf8")) as Record<string, Entry>;
    change(header);
    const written = Buffer.from(JSON.stringify(header));
    const prefix = Buffer.alloc(8);
    prefix.writeBigUInt64LE(BigInt(written.length));
    await writeFile(file, Buffer.concat([prefix, written, bytes.subarray(8 + length)]));
  });

interface Entry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

describe("configurations", () => {
  test.each<[string, Readonly<Record<string, unknown>>, RegExp]>([
    ["a negative count", { num_hidden_layers: -1 }, /num_hidden_layers: found -1; wanted a whole number from 1/],
    ["zero", { hidden_size: 0 }, /hidden_size: found 0; wanted/],
    ["a fraction", { vocab_size: 331.5 }, /vocab_size: found 331\.5; wanted a whole number/],
    ["a width of 10^12", { hidden_size: 1e12 }, /hidden_size: found 1000000000000; wanted .* to 16777216/],
    ["a text for a number", { intermediate_size: "many" }, /intermediate_size: found "many"; wanted/],
    ["null for a number", { vocab_size: null }, /vocab_size: found null; wanted/],
    ["a list for a number", { num_attention_heads: [4] }, /num_attention_heads: found \[4\]; wanted/],
    ["a text for not a number", { rms_norm_eps: "NaN" }, /rms_norm_eps: found "NaN"; wanted a positive number/],
    ["heads that don't divide the width", { num_attention_heads: 5 }, /width 64 is no multiple of 5 heads/],
    [
      "heads that don't divide into groups",
      { num_key_value_heads: 3 },
      /4 heads are no multiple of 3 key\/value heads/,
    ],
    ["an odd number of turning dimensions", { head_dim: 15 }, /15 dimensions of a head of 15/],
    ["an unknown model_type", { model_type: "gptx" }, /architecture "gptx" is not known; known are .*llama/],
    ["an unknown activation", { hidden_act: "relu" }, /hidden_act: found "relu"; wanted "silu"/],
    [
      "an unknown rope type",
      { rope_scaling: { rope_type: "spiral" } },
      /rope scaling "spiral" is not known; known are/,
    ],
    ["a rope without its factor", { rope_scaling: { type: "linear" } }, /rope scaling "linear" lacks its factor/],
    [
      "rope factors of the wrong number",
      { rope_scaling: { type: "longrope", short_factor: [1], long_factor: [1] } },
      /1 factors \(shortFactor\) for 8 rotary pairs/,
    ],
    [
      "more layers than the file has",
      { num_hidden_layers: 3 },
      /the file lacks \(9\)[\s\S]*model\.layers\.2\.input_layernorm\.weight/,
    ],
    [
      "fewer layers than the file has",
      { num_hidden_layers: 1 },
      /does not want \(9\)[\s\S]*model\.layers\.1\.input_layernorm\.weight/,
    ],
    [
      "another width than the file has",
      { hidden_size: 128 },
      /embed_tokens\.weight: found \[331, 64\], wanted \[vocab 331, embed 128\]/,
    ],
    // 10^15 parameters and more: refused by the files' shapes, long before anything is allocated.
    [
      "10^15 parameters",
      { hidden_size: 2 ** 22, intermediate_size: 2 ** 22, num_hidden_layers: 50 },
      /do not fit \(21\)/,
    ],
  ])("%s is refused by name", async (what, keys, named) => {
    expect(await outcome(await withConfig(`config-${what.replaceAll(/\W/g, "-")}`, keys))).toMatch(named);
  });

  test.each([
    ["[]", /config\.json holds \[\]; wanted an object/],
    ["null", /config\.json holds null; wanted an object/],
    ['{"rms_norm_eps": NaN}', /config\.json is not JSON/],
    ['{"model_type": "llama", "rms_norm_eps": 1e999}', /rms_norm_eps: found Infinity; wanted a positive number/],
    ["\xff", /config\.json is not UTF-8/],
    ["", /config\.json is not JSON/],
  ])("a config.json of %j is refused", async (text, named) => {
    const name = `text-${Buffer.from(text).toString("hex")}`;
    const path = await variant(name, (copy) => writeFile(join(copy, "config.json"), text, "latin1"));
    expect(await outcome(path)).toMatch(named);
  });

  test("the command ends with 2 and says what is wrong on stderr alone", async () => {
    await withConfig("spiral", { rope_scaling: { rope_type: "spiral" } });
    await expectRefused(ask("logits", "spiral"), /tsxla: config\.json: rope scaling "spiral" is not known/);
    await withConfig("wide", { hidden_size: 128 });
    await expectRefused(
      ask("generate", "wide"),
      /the checkpoint does not fit the model/,
      /wanted \[vocab 331, embed 128\]/,
    );
  });
});

describe("weights", () => {
  test.each<[string, (header: Record<string, Entry>) => void, RegExp]>([
    [
      "a tensor under another name",
      (h) => {
        h["model.other"] = h["model.norm.weight"]!;
        delete h["model.norm.weight"];
      },
      /the file lacks \(1\)\s+model\.norm\.weight\s+\[embed 64\][\s\S]*does not want \(1\)\s+model\.other/,
    ],
    ["a hole between tensors", (h) => void delete h["model.norm.weight"], /lm_head\.weight begins at byte/],
    ["a surplus tensor", (h) => void (h["model.extra"] = h["model.norm.weight"]!), /model\.extra/],
    [
      "another shape of the same size",
      (h) => void (h["lm_head.weight"]!.shape = [64, 331]),
      /lm_head\.weight: found \[64, 331\], wanted \[vocab 331, embed 64\]/,
    ],
    [
      "integers",
      (h) => void (h["model.norm.weight"]!.dtype = "I32"),
      /model\.norm\.weight: found elements of I32, wanted floats/,
    ],
    ["an unknown element type", (h) => void (h["model.norm.weight"]!.dtype = "F12"), /model\.norm\.weight.*F12/],
    [
      "a shape that its bytes don't hold",
      (h) => void (h["model.norm.weight"]!.shape = [2 ** 40]),
      /model\.norm\.weight/,
    ],
    ["a negative size", (h) => void (h["model.norm.weight"]!.shape = [-64]), /model\.norm\.weight/],
    ["an end beyond the file", (h) => void (h["lm_head.weight"]!.data_offsets[1] = 1e15), /lm_head\.weight/],
  ])("%s is refused by name", async (what, change, named) => {
    expect(await outcome(await withHeader(`header-${what.replaceAll(/\W/g, "-")}`, change))).toMatch(named);
  });

  test("a header that claims 10^18 bytes is refused, and the command ends with 2", async () => {
    await variant("claims", async (copy) => {
      const bytes = await readFile(join(copy, "model.safetensors"));
      bytes.writeBigUInt64LE(10n ** 18n);
      await writeFile(join(copy, "model.safetensors"), bytes);
    });
    await expectRefused(ask("logits", "claims"), /model\.safetensors: its header claims 1000000000000000000 bytes/);
  });

  test("a truncated file is refused wherever it ends, and named", async () => {
    const size = (await readFile(join(folder, "good/model.safetensors"))).length;
    const path = await variant("cut", async () => {});
    for (const kept of [size - 1, size - 4096, Math.floor(size / 2), 4096, 100, 9, 8, 7, 1, 0]) {
      await truncate(join(path, "model.safetensors"), kept);
      expect(await outcome(path)).toMatch(/model\.safetensors/);
    }
    await expectRefused(ask("logits", "cut"), /cut\/model\.safetensors/);
  });

  test("a truncated GGUF is refused wherever it ends, and named", async () => {
    const bytes = await readFile(join(folder, "untied-Q4_1.gguf"));
    const path = join(folder, "cut.gguf");
    // The last tensor may be padded by up to 31 bytes that nobody needs.
    for (let kept = bytes.length - 32; kept > 0; kept = Math.floor(kept * 0.7)) {
      await writeFile(path, bytes.subarray(0, kept));
      expect(await outcome(path)).toMatch(/cut\.gguf/);
    }
    await expectRefused(ask("logits", "cut.gguf"), /cut\.gguf/);
  });

  test.each([
    ["good/model.safetensors", "flipped"],
    ["untied-Q4_1.gguf", "flipped.gguf"],
  ])("one flipped bit in %s is refused, or changes a number: never anything else", async (source, name) => {
    const bytes = await readFile(join(folder, source));
    const path = join(folder, name);
    const file = name === "flipped" ? join(path, "model.safetensors") : path;
    if (name === "flipped") await variant(name, async () => {});
    // The first bytes one by one, then the header in strides that are coprime to whatever repeats in it, then data.
    const places = [
      ...Array.from({ length: 24 }, (_, n) => n),
      ...Array.from({ length: 60 }, (_, n) => 24 + n * 97),
      ...[0.5, 0.75, 0.999].map((part) => Math.floor(bytes.length * part)),
    ];
    let refused = 0;
    for (const [n, place] of places.entries()) {
      const flipped = Buffer.from(bytes);
      flipped[place]! ^= 1 << (n % 8);
      await writeFile(file, flipped);
      if ((await outcome(path)) !== "loaded") refused++;
    }
    expect(refused).toBeGreaterThan(10);
  });
});

describe("paths", () => {
  test.each<[string, (path: string) => Promise<unknown>, RegExp]>([
    ["an empty folder", (path) => mkdir(path), /holds no safetensors/],
    [
      "a folder without config.json",
      async (path) => {
        await cp(join(folder, "good"), path, { recursive: true });
        await rm(join(path, "config.json"));
      },
      /has weights and no config\.json/,
    ],
    [
      "a folder without weights",
      async (path) => {
        await cp(join(folder, "good"), path, { recursive: true });
        await rm(join(path, "model.safetensors"));
      },
      /holds no safetensors/,
    ],
    ["a text file", (path) => writeFile(path, "hello"), /a checkpoint is a \.gguf file/],
    ["nothing", async () => {}, /can't be opened: No such file/],
    ["a socket", async () => {}, /can't be opened|a checkpoint is/],
  ])("%s is no model", async (what, make, named) => {
    const path = what === "a socket" ? join(folder, "s") : join(folder, `path-${what.replaceAll(/\W/g, "-")}`);
    await make(path);
    expect(await outcome(path)).toMatch(named);
    expect(await outcome(path)).toContain(path);
  });

  test("a folder that may not be read is named", async () => {
    const path = await variant("locked", (copy) => chmod(join(copy, "model.safetensors"), 0));
    // Whoever runs as root may read everything.
    expect(await outcome(path)).toMatch(process.getuid?.() === 0 ? /^loaded$/ : /model\.safetensors/);
  });

  test("the command ends with 2 for a path that is nothing", async () => {
    await expectRefused(ask("generate", "nowhere"), /nowhere can't be opened: No such file or directory/);
  });

  test.each([["missing/out.safetensors", 2, /missing\/out\.safetensors cannot be written/]])(
    "an --out of %s is refused",
    async (out, code, named) => {
      const { stderr, ...ended } = await ask("logits", "good", "--out", join(folder, out));
      expect(stderr).toMatch(named);
      expect(ended.code).toBe(code);
    },
  );

  test("a device that is full fails the run, says so, and is not replaced by a file", async () => {
    const { code, stderr } = await ask("logits", "good", "--out", "/dev/full");
    expect(stderr).toMatch(/\/dev\/full.*(ENOSPC|no space)/);
    expect(code).toBe(1);
    expect((await readdir("/dev")).filter((name) => name.startsWith("full"))).toEqual(["full"]);
  });
});

describe("tokens and options", () => {
  test("a prompt longer than the context is refused with both numbers", async () => {
    await expectRefused(
      ask("generate", "good", "--context", "8", "--prompt", "much too long for eight"),
      /the prompt has \d+ tokens, and the context holds 8/,
    );
    await expectRefused(
      ask("logits", "good", "--context", "2", "--tokens", "1,2,3"),
      /has 3 tokens, and the context holds 2/,
    );
  });

  test("an unknown token id is refused with its place and the vocabulary", async () => {
    await expectRefused(
      ask("logits", "good", "--tokens", "1,331"),
      /token 1 is 331, and the vocabulary has ids 0 to 330/,
    );
  });

  test.each<[string, string[], RegExp]>([
    ["no tokens", ["--tokens", ""], /--tokens/],
    ["tokens that are no numbers", ["--tokens", "1,x"], /holds 'x'/],
    ["a negative token", ["--tokens=-1"], /holds '-1'/],
    ["a context of zero", ["--context", "0"], /--context.*whole number from 1/],
    ["a context beyond all models", ["--context", "99999999999"], /context is 99999999999/],
    ["an unknown target", ["--target", "abacus"], /target 'abacus' is not known/],
    ["an unknown compute type", ["--compute-dtype", "f8"], /f32 or bf16, and not in f8/],
    ["an unknown kind of weights", ["--weights", "q1"], /weights 'q1' are not known/],
    ["an unknown option", ["--frobnicate"], /unknown option '--frobnicate'/],
    ["an architecture that is no file", ["--arch", "/nowhere.ts"], /--arch \/nowhere\.ts cannot be loaded/],
  ])("logits: %s is refused", async (_, words, named) => {
    await expectRefused(ask("logits", "good", ...words), named);
  });

  test.each<[string, string[], RegExp]>([
    ["no budget", ["--max-tokens", "0"], /--max-tokens.*whole number from 1/],
    ["a negative temperature", ["--temperature=-1"], /temperature/],
    ["a top-p beyond 1", ["--top-p", "1.5"], /topP|top-p/],
    ["an empty stop string", ["--stop", ""], /stop holds an empty string/],
    ["a seed that is no number", ["--seed", "x"], /--seed/],
  ])("generate: %s is refused", async (_, words, named) => {
    await expectRefused(ask("generate", "good", ...words), named);
  });

  test("a cache beyond the machine's memory is refused before it is made, with both sizes", async () => {
    await copyFile(smollm2, join(folder, "smollm2.gguf"));
    await expectRefused(
      ask("generate", "smollm2.gguf", "--context", "16777216", "--max-tokens", "16000000"),
      /a cache of 16777216 positions takes 773\.1 GB, and the worker has \d+\.\d GB; .* needs less/,
    );
  });
});

describe("logits that are no numbers", () => {
  beforeAll(async () => {
    await variant("nan", async (copy) => {
      const file = join(copy, "model.safetensors");
      const bytes = await readFile(file);
      const start = 8 + Number(bytes.readBigUInt64LE(0));
      const header = JSON.parse(bytes.subarray(8, start).toString("utf8")) as Record<string, Entry>;
      bytes.writeFloatLE(Number.NaN, start + header["model.norm.weight"]!.data_offsets[0]);
      await writeFile(file, bytes);
    });
  });

  test("end logits with 1 and the token's position, and leave no file", async () => {
    const out = join(folder, "nan.safetensors");
    const { code, stderr } = await ask("logits", "nan", "--out", out);
    expect(stderr).toMatch(/the logits after token 0 are no numbers: logit 0 is NaN/);
    expect(code).toBe(1);
    expect((await readdir(folder)).filter((name) => name.startsWith("nan.safetensors"))).toEqual([]);
  });

  test("end generate with 1 and the token's position", async () => {
    const { code, stderr, stdout } = await ask("generate", "nan");
    expect(stderr).toMatch(/tsxla: .*NaN.*position 2|tsxla: .*position 2.*NaN/);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  });
});

test("after all of this the worker serves, and holds nothing of anybody", async () => {
  expect(await outcome(join(folder, "good"))).toBe("loaded");
  expect((await worker.info()).buffers).toBe(0);
});
