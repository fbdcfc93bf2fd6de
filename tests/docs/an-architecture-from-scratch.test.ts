/**
 * An architecture of a user's own: docs/an-architecture-from-scratch.md, and what it promises of checkpoints.
 *
 * Example run: npm run jest -- tests/docs/an-architecture
 */
import { cp, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, test } from "@jest/globals";

import {
  type HostTensor,
  hostTensor,
  readSafetensors,
  SafetensorsWriter,
  toFloat32Array,
} from "../../runtime-bridge/index.ts";
import { runCli, temporaryFolder } from "../support/cli.ts";
import { onTestWorker } from "../support/worker.ts";
import { readPage, walkInCheckout } from "./page-folder.ts";
import { commandsOf, fileOf } from "./walk.ts";

let page: string;
let folder: string;

beforeAll(async () => {
  page = await readPage("an-architecture-from-scratch");
  folder = await walkInCheckout("an-architecture-from-scratch", page);
}, 180_000);

test("the page's model compiles, generates with random weights, and has the logits that numpy computes", () => {
  // What the commands say is compared while they run, in beforeAll.
  expect(commandsOf(page).map((command) => command.split(" ").slice(0, 3).join(" "))).toEqual([
    "npx tsxla compile",
    'grep -c "func.func"',
    "npx tsxla generate",
    "npx tsxla logits",
    "python reference.py",
  ]);
});

test("the page's file has one import and no cast", () => {
  const source = fileOf(page, "gpt2.ts").replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, "");
  expect(source.match(/\bimport\b/g)).toHaveLength(1);
  expect(source).not.toMatch(/\bas\b|\bany\b|\bunknown as\b|\w!|@ts-/);
});

test("a checkpoint in GPT-2's own layout gives the bits of the weights that it was made of", async () => {
  const checkpoint = join(await temporaryFolder(), "gpt2");
  await mkdir(checkpoint);
  await cp(join(folder, "config.json"), join(checkpoint, "config.json"));
  const held = await readSafetensors(join(folder, "weights.safetensors"));
  const mask = hostTensor("f32", [1, 1, 128, 128], new Float32Array(128 * 128));
  const stored = new Map(
    [...held].map(([key, tensor]) => [key, isMatrix(key) ? transposed(key, tensor) : tensor] as const),
  );
  await write(join(checkpoint, "model.safetensors"), new Map([...stored, ["h.0.attn.bias", mask]]));

  const [, tokens = ""] = /--tokens (\S+) --out/.exec(page) ?? [];
  const out = join(checkpoint, "logits.safetensors");
  const words = ["logits", "--model", checkpoint, "--arch", join(folder, "gpt2.ts"), "--tokens", tokens, "--out", out];
  expect(await runCli([...words, ...(await onTestWorker())])).toMatchObject({ code: 0 });
  const logits = async (path: string) => toFloat32Array((await readSafetensors(path)).get("logits") as HostTensor);
  expect(await logits(out)).toEqual(await logits(join(folder, "logits.safetensors")));
});

const isMatrix = (key: string) => /\.c_\w+\.weight$/.test(key);

/** [out, in] as [in, out]. */
function transposed(key: string, tensor: HostTensor): HostTensor {
  const size = tensor.shape.reduce((all, each) => all * each, 1);
  // Only the first matrix of attention has several axes of outputs; the second has several of inputs.
  const inputs = key.endsWith("attn.c_attn.weight")
    ? (tensor.shape.at(-1) as number)
    : size / (tensor.shape[0] as number);
  const outputs = size / inputs;
  const values = toFloat32Array(tensor);
  const turned = Float32Array.from(
    values,
    (_, n) => values[(n % outputs) * inputs + Math.floor(n / outputs)] as number,
  );
  return hostTensor("f32", [inputs, outputs], turned);
}

async function write(path: string, tensors: ReadonlyMap<string, HostTensor>): Promise<void> {
  await using file = await SafetensorsWriter.open(path, Object.fromEntries(tensors));
  for (const { data } of tensors.values()) await file.write(data);
  await file.finish();
}
