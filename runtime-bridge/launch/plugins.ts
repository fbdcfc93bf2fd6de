/** Compilers for devices that are not here: large packages, installed when somebody first asks for them. */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { RuntimeFailure } from "../../dsl/errors.ts";
import { projectPython } from "./environment-paths.ts";
import { packageRoot } from "./package-root.ts";

// Public API

/** What can be installed. */
export type PluginName = "tpu" | "cuda";

/**
 * Installs the compiler for a platform into the project's Python environment, unless it is there.
 *
 * @param say  told once, before a download of some hundred megabytes begins
 * @throws RuntimeFailure with pip's last words, when it can't be installed
 */
export async function ensurePlugin(name: PluginName, say: (text: string) => void, signal?: AbortSignal): Promise<void> {
  const file = join(packageRoot, `python-worker/requirements-${name}.txt`);
  const wanted = (await readFile(file, "utf8")).split("\n").filter((line) => /^[\w.-]+==/.test(line));
  if (await areInstalled(wanted)) return;
  say(`installing ${wanted.join(", ")} into the project's Python environment`);
  const words = [
    "-m",
    "pip",
    "install",
    "--no-deps",
    "--disable-pip-version-check",
    "--no-input",
    "--quiet",
    "-r",
    file,
  ];
  await run(projectPython, words, { signal }).catch((cause: Error & { stderr?: string }) => {
    const last = (cause.stderr ?? cause.message).trim().split("\n").slice(-3).join("\n");
    throw new RuntimeFailure(
      "PLUGIN_MISSING",
      `the compiler for ${name} could not be installed\n${last}`,
      { name },
      { cause },
    );
  });
}

// Implementation

const run = promisify(execFile);

async function areInstalled(wanted: readonly string[]): Promise<boolean> {
  const script =
    "import importlib.metadata as m, sys\nfor w in sys.argv[1:]:\n  n, v = w.split('==')\n  assert m.version(n) == v";
  return await run(projectPython, ["-c", script, ...wanted]).then(
    () => true,
    () => false,
  );
}
