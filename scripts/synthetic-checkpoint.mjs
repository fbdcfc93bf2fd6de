/**
 * `npm run checkpoint:synthetic -- --config 20b --out DIR`: a full-size GPT-OSS checkpoint with random weights.
 *
 * Sets up first when needed, then runs ./synthetic_checkpoint, whose __init__.py says what it can do. Paths are
 * relative to the folder that npm was called from.
 */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { root, runScript, setup, venvPython } from "./setup.mjs";

await runScript(async () => {
  await setup();
  const script = join(root, "scripts/synthetic_checkpoint");
  const child = spawn(venvPython, [script, ...process.argv.slice(2)], {
    cwd: process.env.INIT_CWD ?? process.cwd(),
    stdio: "inherit",
  });
  process.exitCode = await new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve(code ?? 1));
    // Ctrl-C reaches the child through the terminal; this waits for how it ends.
    process.on("SIGINT", () => {});
    process.on("SIGTERM", () => child.kill("SIGTERM"));
  });
});
