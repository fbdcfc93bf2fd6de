/** Python environments for oracles: made on the first run and whenever their pins change; nothing else uses them. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { exit } from "node:process";
import { fileURLToPath } from "node:url";
import { findPython } from "./find-python.mjs";

export const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/**
 * The Python of an environment that holds the pins of some requirements, made where it does not.
 *
 * @param pins  arguments of pip before each file, and the file
 */
export function oraclePython({ folder, pins, note }) {
  const environment = join(root, folder);
  const python = join(environment, "bin", "python");
  const stamp = join(environment, "installed.sha256");
  const hash = createHash("sha256");
  for (const { file } of pins) hash.update(readFileSync(file));
  const wanted = hash.digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return python;
  const base = interpreter();
  console.error(`installing the oracle into ${folder} with Python ${base.version} (${note})`);
  rmSync(environment, { recursive: true, force: true });
  run(base.path, ["-m", "venv", environment]);
  for (const { file, how = [] } of pins) {
    run(python, ["-m", "pip", "install", "--quiet", ...how, "--requirement", file]);
  }
  writeFileSync(stamp, wanted);
  return python;
}

/** Runs a command to its end; when it fails, so does this process. */
export function run(command, args, env = {}) {
  const { status, signal, error } = spawnSync(command, args, {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, ...env },
  });
  if (error) console.error(`oracle: ${command} did not start: ${error.message}`);
  if (status !== 0) {
    console.error(`oracle: ${command} ${args.join(" ")} ended with ${signal ?? status}`);
    exit(typeof status === "number" ? status : 1);
  }
}

function interpreter() {
  try {
    return findPython();
  } catch (error) {
    console.error(`oracle: ${error.message}`);
    return exit(1);
  }
}
