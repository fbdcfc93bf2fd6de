#!/usr/bin/env node
/**
 * Makes the Python environment of an installed package: `tsxla setup` runs it.
 *
 *     node setup-installed.mjs FOLDER REQUIREMENTS [--check]
 *
 * The folder is the user's, one for each list of requirements, and shared by all projects that want the same.
 */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { makePythonEnvironment } from "./python-environment.mjs";
import { endChildrenOnSignals, runScript } from "./run-programs.mjs";
import { acquireLock } from "./setup-lock.mjs";
import { Progress } from "./setup-progress.mjs";

const [folder, requirements, check] = process.argv.slice(2);
const isDone = () => existsSync(join(folder, "bin/python")) && !existsSync(join(folder, ".unfinished"));

await runScript(async () => {
  if (isDone()) return say(`Everything is in place: ${folder}`);
  if (check === "--check") {
    process.exitCode = 1;
    return say(`Missing: the Python environment ${folder}`);
  }
  const progress = new Progress();
  const lock = await acquireLock(join(dirname(folder), "setup.lock"), (pid) =>
    progress.say(`Another set-up (process ${pid}) is at work; waiting for it.`),
  );
  const stop = endChildrenOnSignals(lock);
  try {
    if (isDone()) return;
    progress.say(`Making ${folder}: JAX and gRPC for Python, once for this version of tsxla`);
    await progress.step("Python packages", (detail) =>
      makePythonEnvironment(
        { detail, lock, signal: new AbortController().signal },
        { folder, packages: ["-r", requirements] },
      ),
    );
    progress.say(`Ready after ${progress.elapsed}`);
  } finally {
    stop();
    lock.release();
  }
});

function say(line) {
  process.stdout.write(`${line}\n`);
}
