/** A profile of a run leads back to TypeScript lines. Example run: npm run jest -- tests/debugging/profile.test.ts */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { gunzipSync } from "node:zlib";
import { beforeAll, expect, test } from "@jest/globals";
import { Worker } from "../../inference/index.ts";
import { projectPython } from "../../runtime-bridge/launch/environment-paths.ts";
import { root, runCli, temporaryFolder } from "../support/cli.ts";
import { exhaustive } from "../support/exhaustive.ts";
import { onTestWorker } from "../support/worker.ts";

interface Event {
  readonly name?: string;
  readonly args?: { readonly hlo_op?: string; readonly source?: string };
}

let folder: string;
let model: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  model = join(folder, "untied");
  await promisify(execFile)(projectPython, [join(root, "tests/parity/random_llama.py"), "untied", model]);
});

test("generate --profile names what XLA ran after the model and its lines, and says where the files are", async () => {
  const words = [
    "generate",
    "--model",
    model,
    "--prompt",
    "hello",
    "--max-tokens",
    "4",
    "--profile",
    join(folder, "profiles"),
  ];
  // A worker of its own, without the compile cache: from there a program has the lines of when it was compiled.
  const { code, stderr } = await runCli(words, { XDG_CACHE_HOME: folder });
  expect({ code, stderr }).toMatchObject({ code: 0 });
  const files = [...stderr.matchAll(/^profile {2}(\S+)$/gm)].map(([, file]) => file as string);
  expect(files.every((file) => file.startsWith(join(folder, "profiles/")))).toBe(true);
  const named = files.find((file) => file.endsWith("/tsxla.trace.json.gz")) as string;
  const { traceEvents } = JSON.parse(gunzipSync(await readFile(named)).toString()) as { traceEvents: Event[] };
  const ran = traceEvents.filter(({ args }) => args?.hlo_op !== undefined);
  const lines = new Map(ran.map(({ name, args }) => [name, args?.source]));
  // Both steps ran, layers by their number.
  expect(lines.get("layers.1/mlp.dot")).toMatch(/^models\/llama\.ts:\d+$/);
  expect(lines.get("layers.0/attn.mul")).toMatch(/^(models\/llama|dsl\/layers\/norm)\.ts:\d+$/);
  // Of a product that lost its name to XLA, the weight tells what it is.
  expect([...lines.keys()].some((name) => /^dot with (layers\.\d\.mlp\.\w+|unembed)$/.test(name ?? ""))).toBe(true);
  expect(ran.filter(({ args }) => args?.source !== undefined).length / ran.length).toBeGreaterThan(0.9);
  const plane = await readFile(files.find((file) => file.endsWith(".xplane.pb")) as string);
  expect(plane.includes("models/llama.ts")).toBe(true);
});

test(
  exhaustive("logits --profile records, too, and a folder outside the worker's root is refused with 2"),
  async () => {
    const words = [
      "logits",
      "--model",
      model,
      "--tokens",
      "1,2",
      "--out",
      join(folder, "out.safetensors"),
      "--profile",
    ];
    const { code, stderr } = await runCli([...words, join(folder, "other"), ...(await onTestWorker())]);
    expect({ code, stderr }).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/^profile {2}\S+\/other\/\S+\.xplane\.pb$/m),
    });
    await using confined = await Worker.launch({ root: folder });
    await expect(confined.profile("../outside")).rejects.toMatchObject({ code: "PATH_OUTSIDE_ROOT", exitCode: 2 });
    await using profile = await confined.profile("inside");
    expect(profile.directory).toMatch(new RegExp(`^${join(folder, "inside")}/`));
    await expect(confined.profile("inside")).rejects.toMatchObject({ code: "PROFILE_UNDER_WAY" });
    expect((await profile.stop()).length).toBeGreaterThan(0);
  },
);
