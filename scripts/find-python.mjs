/**
 * Finds a Python to make environments from: on PATH, in pyenv, or through uv.
 *
 * Every candidate is run, because a name says little: `python3.13` may be a pyenv shim that leads nowhere, `python`
 * may be 2.7, and Debian's Python has no venv until a package is added. `TSXLA_PYTHON` names one and stops the search.
 */
import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { env } from "node:process";

/** The oldest minor version of Python 3 that the Python code here is written for. */
const OLDEST = 12;

/** Prints what decides, as one line of JSON; runs on Python 2.7 too. */
const PROBE = `
import json, sys
try:
    import ensurepip, venv
    complete = True
except ImportError:
    complete = False
v = sys.version_info
print(json.dumps([sys.executable, list(v[:3]), v[3] == "final", complete]))
`;

/**
 * The newest released Python that is new enough and can make virtual environments.
 *
 * @param {{ newest?: number }} [options]  `newest` is the last minor version that the caller's pins have wheels for
 * @returns {{ path: string, version: string }}  the interpreter's own path, and its version as "3.13.0"
 * @throws {Error} when there is none; the text says how to install one
 */
export function findPython({ newest = 14 } = {}) {
  const seen = new Map();
  for (const command of candidates()) {
    const found = probe(command);
    if (found) seen.set(found.path, found);
  }
  const all = [...seen.values()].sort((a, b) => compare(b.version, a.version));
  const fit = all.find(({ version: [major, minor], final, complete }) => {
    return major === 3 && minor >= OLDEST && minor <= newest && final && complete;
  });
  if (!fit) throw new Error(advice(all, newest));
  return { path: fit.path, version: fit.version.join(".") };
}

function* candidates() {
  if (env.TSXLA_PYTHON) {
    yield env.TSXLA_PYTHON;
    return;
  }
  for (const minor of [14, 13, OLDEST]) yield `python3.${minor}`;
  yield "python3";
  yield "python";
  const versions = join(env.PYENV_ROOT ?? join(homedir(), ".pyenv"), "versions");
  for (const version of list(versions)) yield join(versions, version, "bin", "python");
  const uv = run("uv", ["python", "find", `>=3.${OLDEST}`]);
  if (uv) yield uv;
}

function probe(command) {
  const line = run(command, ["-c", PROBE]);
  if (!line) return undefined;
  const [path, version, final, complete] = JSON.parse(line);
  return { path, version, final, complete };
}

/** The trimmed output of a command, or nothing when it is not there, fails, prints nothing or hangs. */
function run(command, args) {
  try {
    return execFileSync(command, args, {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
      timeout: 20_000,
    }).trim();
  } catch {
    return undefined;
  }
}

function list(folder) {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function compare(a, b) {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}

function advice(all, newest) {
  const found = all.map(({ path, version, final, complete }) => {
    const flaw = !final ? " (not a release)" : !complete ? " (without venv: on Debian, apt install python3-venv)" : "";
    return `  ${version.join(".")}  ${path}${flaw}`;
  });
  return [
    `needs Python 3.${OLDEST} to 3.${newest} with venv${env.TSXLA_PYTHON ? `, TSXLA_PYTHON is ${env.TSXLA_PYTHON}` : ""}`,
    found.length ? `found\n${found.join("\n")}` : "found none on PATH, in pyenv or through uv",
    "install one, then run this again:",
    "  macOS                      brew install python@3.13",
    "  Debian 13+, Ubuntu 24.04+  apt install python3 python3-venv",
    "  with uv                    uv python install 3.13",
  ].join("\n");
}
