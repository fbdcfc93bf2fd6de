/** Runs the project's Python: `node scripts/python.mjs -m pytest python-worker`. Sets up first when there is none. */
import { spawnSync } from "node:child_process";
import { runScript, setup, venvPython } from "./setup.mjs";

await runScript(async () => {
  await setup();
  const { status, signal, error } = spawnSync(venvPython, process.argv.slice(2), { stdio: "inherit" });
  if (error) throw error;
  process.exitCode = signal ? 1 : status;
});
