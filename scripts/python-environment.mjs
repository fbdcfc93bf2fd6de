/** Makes the Python environment that workers run in, and repairs one that was left half made. */
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findPython } from "./find-python.mjs";
import { execute, SetupError } from "./run-programs.mjs";

/**
 * Makes `folder` a virtual environment with some packages, which pip is given as they stand: nothing is resolved.
 *
 * While `.unfinished` lies in it, it is not to be trusted: pip takes a package whose metadata were written for installed.
 */
export async function makePythonEnvironment(context, { folder, packages }) {
  const python = join(folder, "bin/python");
  const unfinished = join(folder, ".unfinished");
  if (existsSync(unfinished) || !existsSync(python)) rmSync(folder, { recursive: true, force: true });
  if (!existsSync(python)) {
    const { path, version } = find();
    context.detail(`Python ${version}`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(unfinished, "");
    await execute(context, path, ["-m", "venv", folder]);
  }
  writeFileSync(unfinished, "");
  // Bytecode comes with the first import.
  const options = ["--no-deps", "--no-compile", "--disable-pip-version-check", "--progress-bar=off", "--no-input"];
  await execute(context, python, ["-m", "pip", "install", ...options, ...packages]);
  rmSync(unfinished);
}

function find() {
  try {
    return findPython();
  } catch (error) {
    throw new SetupError(`tsxla ${error.message}`, { cause: error });
  }
}
