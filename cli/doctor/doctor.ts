/** `tsxla doctor`: whether everything is there that a run needs, and what to do where it is not. */
import type { Command } from "commander";
import { Worker } from "../../inference/index.ts";
import { connectOptions, type WorkerOptions, withWorker } from "../options.ts";
import { type Check, guarded } from "./check.ts";
import { checkInstallation } from "./installation.ts";
import { checkMachine } from "./machine.ts";
import { checkWorker } from "./worker.ts";

// Public API

export function doctorCommand(command: Command, signal: AbortSignal): Command {
  return withWorker(command)
    .option("--json", "print one JSON object")
    .action((options: DoctorOptions) => run(options, signal));
}

// Implementation

interface DoctorOptions extends WorkerOptions {
  readonly json?: true;
}

async function run(options: DoctorOptions, signal: AbortSignal): Promise<void> {
  const checks: Check[] = [];
  const [address] = options.worker ?? [];
  const open = () =>
    address === undefined
      ? Worker.launch({ signal })
      : Worker.connect(address, { ...connectOptions(options, signal), timeoutMs: 5_000 });
  // The worker comes last: what keeps it from starting stands above.
  for (const [name, check] of [
    ["installation", checkInstallation],
    ["machine", checkMachine],
    ["worker", () => checkWorker(open)],
  ] as const) {
    for (const each of await guarded(name, check)) {
      checks.push(each);
      if (options.json === undefined) process.stdout.write(line(each));
    }
    signal.throwIfAborted();
  }
  const failed = checks.filter(({ status }) => status === "fail").length;
  const warned = checks.filter(({ status }) => status === "warn").length;
  if (options.json) process.stdout.write(`${JSON.stringify({ ok: failed === 0, checks })}\n`);
  else process.stdout.write(`\n${conclusion(failed, warned)}\n`);
  if (failed > 0) process.exitCode = 1;
}

function line({ name, status, found, hint }: Check): string {
  const text = found.replaceAll("\n", `\n${" ".repeat(26)}`);
  return `${status.padEnd(4)}  ${name.padEnd(18)}  ${text}\n${hint === undefined ? "" : `${" ".repeat(26)}→ ${hint}\n`}`;
}

function conclusion(failed: number, warned: number): string {
  if (failed > 0) return `${failed} of these keep tsxla from working${warned > 0 ? `, and ${warned} may` : ""}`;
  return warned > 0 ? `tsxla works here; ${warned} of these may become a problem` : "tsxla works here";
}
