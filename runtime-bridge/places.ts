/**
 * Where things are: the checkout, its Python, and the folders for the compile cache and the logs.
 */
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const packageRoot = fileURLToPath(new URL("..", import.meta.url));
const isCheckout = existsSync(join(packageRoot, ".git"));

/** The Python that set-up made. */
export const projectPython = join(packageRoot, ".venv/bin/python");

/** What the worker is imported from. */
export const pythonPath = [join(packageRoot, "python-worker/src"), join(packageRoot, "python-worker/generated")];

const cacheHome = (): string =>
  isCheckout ? join(packageRoot, ".cache") : join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "tsxla");

/** Compiled programs: in a checkout beside its other caches, else with the user's. */
export const compileCache = (): string => join(cacheHome(), "compile");

/** What failed, to be run again; undefined when nothing is to be kept. */
export const bundleFolder = (): string | undefined =>
  process.env.TSXLA_BUNDLE_DIR === "" ? undefined : (process.env.TSXLA_BUNDLE_DIR ?? join(cacheHome(), "bundles"));

/** Logs of launched workers. */
export const logFolder = (): string => join(cacheHome(), "logs");
