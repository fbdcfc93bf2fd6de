/** `tsxla setup`: makes the Python environment that workers run in. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { environmentFolder, requirements } from "../runtime-bridge/launch/environment-paths.ts";
import { isCheckout } from "../runtime-bridge/launch/package-root.ts";

// Public API

export function setupCommand(command: Command, signal: AbortSignal): Command {
  return command
    .option("--check", "only say whether it is there; ends with 1 if it is not")
    .action((options: { readonly check?: true }) => run(options, signal));
}

// Implementation

/** Set-up is a script of its own: it also runs where nothing is installed yet. */
async function run({ check }: { readonly check?: true }, signal: AbortSignal): Promise<void> {
  const [script, words] = isCheckout ? ["setup", []] : ["setup-installed", [environmentFolder, requirements]];
  const path = fileURLToPath(new URL(`../scripts/${script}.mjs`, import.meta.url));
  const child = spawn(process.execPath, [path, ...words, ...(check ? ["--check"] : [])], { stdio: "inherit", signal });
  process.exitCode = await new Promise<number>((resolve, reject) => {
    child.on("error", (error) => (signal.aborted ? resolve(130) : reject(error)));
    child.on("close", (code) => resolve(code ?? 1));
  });
}
