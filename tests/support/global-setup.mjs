/**
 * Before the first test: opens the desk where test files ask for the one worker of the run.
 *
 * Nothing is started yet. The first file that asks has it started (worker-host.ts), so tests that need none stay fast;
 * all later ones get the same. Address and token go over a socket in a folder that only this user may enter.
 */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));

const noWorker = "a quick run has no worker: import tests/support/needs-python.ts in the test, and it is left out";

export default async function openDesk() {
  const folder = mkdtempSync(join(tmpdir(), "tsxla-test-"));
  const coverage = join(root, ".cache/coverage", String(process.pid));
  mkdirSync(coverage, { recursive: true });
  let host;
  const desk = createServer(async (asker) => {
    asker.on("error", () => {});
    if (process.env.TSXLA_TEST_RUN === "quick") return asker.end(`${JSON.stringify({ error: noWorker })}\n`);
    host ??= startHost();
    asker.end(`${await host.answer}\n`);
  });
  await new Promise((resolve) => desk.listen(join(folder, "desk"), resolve));
  desk.unref();
  process.env.TSXLA_TEST_DESK = join(folder, "desk");
  process.env.TSXLA_TEST_COVERAGE = coverage;
  // Tests break things on purpose; those that want a bundle say where.
  process.env.TSXLA_BUNDLE_DIR = "";
  globalThis.tsxlaTestDesk = {
    async close() {
      desk.close();
      await host?.stop();
      rmSync(folder, { recursive: true, force: true });
      rmSync(coverage, { recursive: true, force: true });
    },
  };
}

/** Runs worker-host.ts, whose first line is where its worker is. It ends when its standard input does, or this process. */
function startHost() {
  const child = spawn(
    process.execPath,
    ["--import", new URL("../../bin/typescript-loader.mjs", import.meta.url).href, "tests/support/worker-host.ts"],
    { cwd: root, stdio: ["pipe", "pipe", "inherit"] },
  );
  const ended = new Promise((resolve) => child.on("close", resolve));
  const answer = new Promise((resolve) => {
    createInterface(child.stdout).once("line", resolve);
    child.on("close", (code) => resolve(JSON.stringify({ error: `the host of the tests' worker ended with ${code}` })));
    child.on("error", (error) => resolve(JSON.stringify({ error: error.message })));
  });
  return {
    answer,
    async stop() {
      child.stdin.end();
      await ended;
    },
  };
}
