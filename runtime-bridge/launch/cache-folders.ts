/**
 * Where caches, bundles and logs are.
 *
 * A checkout keeps them below itself. An installed package keeps them with the user: packages are replaced at each
 * installation.
 */
import { homedir } from "node:os";
import { join } from "node:path";
import { isCheckout, packageRoot } from "./package-root.ts";

/** The folder that holds the others. */
export const cacheHome = (): string =>
  isCheckout ? join(packageRoot, ".cache") : join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "tsxla");

/** Compiled programs. */
export const compileCache = (): string => join(cacheHome(), "compile");

/** Bundles of what failed, to be run again; undefined when `TSXLA_BUNDLE_DIR` is empty, which keeps none. */
export const bundleFolder = (): string | undefined =>
  process.env.TSXLA_BUNDLE_DIR === "" ? undefined : (process.env.TSXLA_BUNDLE_DIR ?? join(cacheHome(), "bundles"));

/** Logs of launched workers. */
export const logFolder = (): string => join(cacheHome(), "logs");
