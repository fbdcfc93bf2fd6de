/** From a fresh clone to an answer: sets up, then asks a real model one question. Extra arguments go to `tsxla generate`. */
import { spawn } from "node:child_process";
import { demoModel, root, runScript, setup } from "./setup.mjs";

const prompt = "What is the capital of France?";

await runScript(async () => {
  await setup();
  const args = ["generate", "--model", demoModel, "--prompt", prompt, ...process.argv.slice(2)];
  process.stderr.write(`SmolLM2-135M, declared in TypeScript, compiled by XLA, answers: ${prompt}\n\n`);
  const child = spawn(process.execPath, ["bin/tsxla.mjs", ...args], { cwd: root, stdio: "inherit" });
  process.exitCode = await new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve(code ?? 1));
    // Ctrl-C reaches the child through the terminal; this waits for how it ends.
    process.on("SIGINT", () => {});
  });
});
