/** What set-up promises when it is interrupted, run twice, or fails. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";

const script = (name: string): string => new URL(`../scripts/${name}`, import.meta.url).href;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "setup-test-"));
});

afterAll(() => rm(folder, { recursive: true }));

/** A process that holds the lock at `path` while it does `work`. */
function holder(path: string, work: string): ChildProcess {
  const source = `
    import { appendFileSync } from "node:fs";
    import { spawn } from "node:child_process";
    import { setTimeout as sleep } from "node:timers/promises";
    const { acquireLock } = await import(${JSON.stringify(script("setup-lock.mjs"))});
    const lock = await acquireLock(${JSON.stringify(path)}, (pid) => console.log("waits for " + pid));
    ${work}
    lock.release();
  `;
  return spawn(process.execPath, ["--input-type=module", "-e", source], { stdio: ["ignore", "pipe", "inherit"] });
}

test("of four set-ups that begin together one works at a time", async () => {
  const path = join(folder, "four/lock");
  const log = join(folder, "four.log");
  const work = `
    appendFileSync(${JSON.stringify(log)}, "in ");
    await sleep(100);
    appendFileSync(${JSON.stringify(log)}, "out ");
  `;
  await Promise.all(Array.from({ length: 4 }, () => once(holder(path, work), "exit")));
  expect(await readFile(log, "utf8")).toBe("in out in out in out in out ");
  expect(await readdir(join(folder, "four"))).toEqual([]);
});

test("the lock of a killed set-up is taken over, and what it had started is ended", async () => {
  const path = join(folder, "killed/lock");
  const marker = join(folder, "marker");
  const child = `const child = spawn("sh", ["-c", ${JSON.stringify(`sleep 1.5; touch ${marker}`)}], { detached: true, stdio: "ignore" });`;
  const first = holder(path, `${child} lock.addChild(child.pid); console.log("ready"); await sleep(60_000);`);
  await once(first.stdout!, "data");
  first.kill("SIGKILL");
  await once(first, "exit");
  const [code] = await once(holder(path, ""), "exit");
  expect(code).toBe(0);
  await new Promise((resolve) => setTimeout(resolve, 2000));
  expect(existsSync(marker)).toBe(false);
  expect(await readdir(join(folder, "killed"))).toEqual([]);
});

// Where the system tells no start times, the id is all there is.
const testWithStartTimes = existsSync("/proc/self/stat") ? test : test.skip;

testWithStartTimes("a lock whose process id now belongs to another process is taken over", async () => {
  const path = join(folder, "reused.lock");
  await writeFile(path, JSON.stringify({ pid: process.pid, started: "1", children: [] }));
  const [code] = await once(holder(path, ""), "exit");
  expect(code).toBe(0);
});

test.each([
  ["npm error code ENOSPC", "The disk is full"],
  ["OSError: [Errno 28] No space left on device", "The disk is full"],
  ["npm error code EAI_AGAIN", "The package registry could not be reached"],
  ["ERROR: Could not find a version that satisfies jaxlib", "does not exist for this Python or platform"],
  ["npm error code EUSAGE", "package-lock.json does not fit"],
  ["something else", "Run `npm run setup` again"],
])("'%s' is told as: %s", async (output, advice) => {
  const { explain } = (await import(script("setup.mjs"))) as {
    explain(command: string, status: number, output: string): string;
  };
  const text = explain("npm ci", 1, output);
  expect(text).toContain(advice);
  expect(text).toContain(`  npm ci\n  ended with 1\n  | ${output}`);
});
