/**
 * Where things are: the Python environment, and the folders for the compile cache and the logs.
 *
 * A checkout keeps all of it below itself. An installed package keeps it with the user: packages are replaced at each
 * installation, and several projects share an environment of half a gigabyte.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { WorkerUnavailable } from "../errors.ts";

export const packageRoot = fileURLToPath(new URL("../..", import.meta.url));

/** Whether this is the project itself and not an installed package. */
export const isCheckout = existsSync(join(packageRoot, "dsl/index.ts"));

/** What an installed package's environment holds. */
export const requirements = join(packageRoot, "python-worker/requirements-run.lock");

/** What the worker is imported from. */
export const pythonPath = [join(packageRoot, "python-worker/src"), join(packageRoot, "python-worker/generated")];

const cacheHome = (): string =>
  isCheckout ? join(packageRoot, ".cache") : join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "tsxla");

/** The folder of the Python environment: `TSXLA_VENV`, or the one that set-up makes. */
export const environmentFolder = process.env.TSXLA_VENV
  ? resolve(process.env.TSXLA_VENV)
  : isCheckout
    ? join(packageRoot, ".venv")
    : join(cacheHome(), `python-${digestOf(requirements)}`);

/** The Python that set-up made. */
export const projectPython = join(environmentFolder, "bin/python");

/** Compiled programs: in a checkout beside its other caches, else with the user's. */
export const compileCache = (): string => join(cacheHome(), "compile");

/** What failed, to be run again; undefined when nothing is to be kept. */
export const bundleFolder = (): string | undefined =>
  process.env.TSXLA_BUNDLE_DIR === "" ? undefined : (process.env.TSXLA_BUNDLE_DIR ?? join(cacheHome(), "bundles"));

/** Logs of launched workers. */
export const logFolder = (): string => join(cacheHome(), "logs");

/**
 * Refuses a Python that is not there, or whose set-up was interrupted.
 *
 * @throws WorkerUnavailable that says what to run
 */
export function requirePython(python: string): void {
  const isMade = existsSync(python) && !existsSync(join(dirname(dirname(python)), ".unfinished"));
  if (isMade) return;
  const advice = isCheckout
    ? "run `npm run setup`"
    : process.env.TSXLA_VENV
      ? "TSXLA_VENV names a virtual environment that has the worker's packages; without it `npx tsxla setup` makes one"
      : "run `npx tsxla setup`, once for this version of tsxla; TSXLA_VENV names an environment that exists";
  throw new WorkerUnavailable("SETUP_MISSING", `there is no Python at ${python}: ${advice}`, { python });
}

/** Other packages, another environment. */
function digestOf(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex").slice(0, 12);
}
