/** `tsxla pull` as people run it, from a hub on this machine. */
import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import "../tests/support/plain-snapshots.ts";
import { projectPython } from "../runtime-bridge/launch/environment-paths.ts";
import { root, runCli, startCli, temporaryFolder } from "../tests/support/cli.ts";
import { HubServer, randomBytes } from "../tests/support/hub-server.ts";
import { onTestWorker } from "../tests/support/worker.ts";

let hub: HubServer;
let folder: string;

beforeAll(async () => {
  hub = await HubServer.start();
  folder = await temporaryFolder();
  const model = join(folder, "made");
  await promisify(execFile)(projectPython, [join(root, "tests/parity/random_llama.py"), "sharded", model]);
  const names = await readdir(model);
  const files = await Promise.all(names.map(async (name) => [name, await readFile(join(model, name))] as const));
  hub.commit("tiny/llama", { ...Object.fromEntries(files), "README.md": "tiny" });
  hub.commit("tiny/gguf", { "m-Q4_0.gguf": randomBytes("q4", 4000), "m-Q8_0.gguf": randomBytes("q8", 8000) });
});
afterAll(() => hub?.[Symbol.asyncDispose]());

const environment = () => ({ HF_ENDPOINT: hub.endpoint, HF_TOKEN: "hf_secret", NO_PROXY: "127.0.0.1" });
const out = (name: string) => join(folder, name);

test("a model that was pulled is one that the other commands take", async () => {
  const { code, stdout, stderr } = await runCli(["pull", "tiny/llama", "--out", out("llama")], environment());
  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect(stderr).toMatch(/^commit [0-9a-f]{40}: \d files, \S+ [kM]B\n/);
  expect(stdout).toMatch(
    /files, \S+ [kM]B, checked; \S+ [kM]B fetched in \d+ s\ntsxla generate --model \S+llama --prompt …\n$/,
  );
  expect(await readdir(out("llama"))).toContain("model.safetensors.index.json");
  const inspected = await runCli(["inspect", out("llama"), "--json", ...(await onTestWorker())]);
  expect(JSON.parse(inspected.stdout)).toMatchObject({ architecture: "llama", container: "safetensors" });
});

test("one object tells what was pulled, and stderr is for people", async () => {
  const words = ["pull", "tiny/gguf", "--file", "m-Q8_0.gguf", "--json", "--out", out("gguf")];
  const { code, stdout } = await runCli(words, environment());
  expect(code).toBe(0);
  expect(stdout.trimEnd().split("\n")).toHaveLength(1);
  expect(JSON.parse(stdout)).toEqual({
    repository: "tiny/gguf",
    revision: "main",
    commit: expect.stringMatching(/^[0-9a-f]{40}$/),
    directory: out("gguf"),
    model: out("gguf/m-Q8_0.gguf"),
    bytes: 8000,
    fetchedBytes: 8000,
    seconds: expect.any(Number),
    files: [{ path: "m-Q8_0.gguf", size: 8000, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) }],
  });
  const again = await runCli(words, environment());
  expect(JSON.parse(again.stdout)).toMatchObject({ fetchedBytes: 0 });
});

test("a dry run says what would come, and leaves nothing", async () => {
  const words = ["pull", "tiny/gguf", "--include", "*Q4*", "--dry-run", "--out", out("dry")];
  const { code, stdout } = await runCli(words, environment());
  expect({ code, stdout: stdout.replace(/[0-9a-f]{40}/, "COMMIT") }).toMatchInlineSnapshot(`
{
  code: 0,
  stdout:    4.0 kB  m-Q4_0.gguf
   4.0 kB  in 1 file, of commit COMMIT
,
}
`);
  expect(await readdir(folder)).not.toContain("dry");
});

test.each<[string, readonly string[], number, string]>([
  ["several quantisations", ["tiny/gguf"], 2, "tiny/gguf has 2 GGUF files; pick one\n  --file m-Q4_0.gguf  0.00 GB\n"],
  ["no repository", ["tiny/none"], 2, "a repository tiny/none: there is none, or it is private"],
  ["no name of one", ["https://huggingface.co/tiny/gguf"], 2, "wanted OWNER/NAME\n  hint  tiny/gguf\n"],
  ["no number", ["tiny/gguf", "--connections", "none"], 2, "It is a whole number from 1."],
])("%s is told in a sentence, with the exit code that it has", async (_, words, wanted, sentence) => {
  const { code, stdout, stderr } = await runCli(["pull", ...words, "--out", out("refused")], environment());
  expect({ code, stdout }).toEqual({ code: wanted, stdout: "" });
  expect(stderr).toContain(sentence);
  expect(stderr).not.toContain("    at ");
  expect(stderr).not.toContain("secret");
});

test("an interrupted pull says nothing wrong, and goes on later", async () => {
  const content = randomBytes("slow", 2_000_000);
  hub.commit("tiny/slow", { "slow.gguf": content });
  hub.behaviour.bytesPerSecond = 500_000;
  const words = ["pull", "tiny/slow", "--json", "--out", out("slow")];
  const running = startCli(words, environment());
  await running.until(/1 file, 2.0 MB/);
  while ((hub.requestsFor("slow.gguf").at(-1)?.bytes ?? 0) < 1_000_000)
    await new Promise((soon) => setTimeout(soon, 20));
  running.process.kill("SIGINT");
  const { code, stderr } = await running.ended;
  expect({ code, stderr: stderr.includes("bug") }).toEqual({ code: 130, stderr: false });
  delete hub.behaviour.bytesPerSecond;
  const { stdout } = await runCli(words, environment());
  expect((JSON.parse(stdout) as { fetchedBytes: number }).fetchedBytes).toBeLessThan(1_100_000);
  expect((await readFile(out("slow/slow.gguf"))).equals(content)).toBe(true);
});
