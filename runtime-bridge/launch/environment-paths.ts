/**
 * Where the Python environment of the workers is, and what they import.
 *
 * A checkout has its own environment. Installed packages share those of the user, since an environment takes half a
 * gigabyte: one for each list of requirements.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { cacheHome } from "./cache-folders.ts";
import { isCheckout, packageRoot } from "./package-root.ts";

/** What an installed package's environment holds. */
export const requirements = join(packageRoot, "python-worker/requirements-run.lock");

/** What the worker is imported from. */
export const pythonPath = [join(packageRoot, "python-worker/src"), join(packageRoot, "python-worker/generated")];

/** The folder of the Python environment: `TSXLA_VENV`, or the one that set-up makes. */
export const environmentFolder = process.env.TSXLA_VENV
  ? resolve(process.env.TSXLA_VENV)
  : isCheckout
    ? join(packageRoot, ".venv")
    : join(cacheHome(), `python-${digestOf(requirements)}`);

/** The Python that set-up made. */
export const projectPython = join(environmentFolder, "bin/python");

/** Other packages, another environment. */
function digestOf(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex").slice(0, 12);
}
