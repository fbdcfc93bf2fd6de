/** The check that a Python environment is there and whole. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { WorkerUnavailable } from "../errors.ts";
import { isCheckout } from "./package-root.ts";

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
