/**
 * The `tsxla` command: reads words, calls the library, writes results.
 *
 * Results go to stdout, progress and errors to stderr. Exit codes: 0 done, 1 failed while running, 2 wrong usage or input.
 */
import { setMaxListeners } from "node:events";
import { Command, CommanderError } from "commander";
import { addSourceRoot, TsxlaError } from "../dsl/index.ts";
import { chatCommand } from "./chat.ts";
import { compareCommand } from "./compare.ts";
import { compileCommand } from "./compile.ts";
import { doctorCommand } from "./doctor.ts";
import { execCommand } from "./exec.ts";
import { generateCommand } from "./generate.ts";
import { goldenCommand } from "./golden.ts";
import { inspectCommand } from "./inspect.ts";
import { logitsCommand } from "./logits.ts";
import { probeCommand } from "./probe.ts";
import { pullCommand } from "./pull.ts";
import { setupCommand } from "./setup.ts";
import { workerCommand } from "./worker.ts";

// Public API

/** Runs the command line and sets the process's exit code. */
export async function main(words: readonly string[]): Promise<void> {
  // A user's own model files are named as they are from where the command runs.
  addSourceRoot(process.cwd());
  const interruption = new AbortController();
  // A model is compiled in many calls at once, and each listens.
  setMaxListeners(0, interruption.signal);
  const interrupt = () => {
    interruption.abort(new DOMException("interrupted", "AbortError"));
    // A second one means it.
    process.once("SIGINT", () => process.exit(130));
  };
  process.once("SIGINT", interrupt);
  // A reader that has seen enough (`| head`) is no failure.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));
  try {
    await commandLine(interruption.signal).parseAsync(words, { from: "user" });
  } catch (error) {
    process.exitCode = report(error, words.includes("--debug"), interruption.signal.aborted);
  } finally {
    process.off("SIGINT", interrupt);
  }
}

// Implementation

function commandLine(signal: AbortSignal): Command {
  const program = new Command("tsxla")
    .description("Writes language models in TypeScript, compiles them with XLA, and runs them.")
    .configureHelp({ showGlobalOptions: true })
    .option("--debug", "show where an error comes from")
    .showHelpAfterError("(--help says more)")
    .exitOverride();
  const commands = [
    generateCommand,
    chatCommand,
    logitsCommand,
    compareCommand,
    compileCommand,
    doctorCommand,
    execCommand,
    inspectCommand,
    pullCommand,
    goldenCommand,
    workerCommand,
    probeCommand,
    setupCommand,
  ];
  for (const make of commands) program.addCommand(make(signal).exitOverride().showHelpAfterError("(--help says more)"));
  return program;
}

/** Says what went wrong and what the process ends with. */
function report(thrown: unknown, debug: boolean, interrupted: boolean): number {
  const error = firstError(thrown);
  // Commander has said it already; asking for help is no error.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (interrupted) return 130;
  const known = error instanceof TsxlaError;
  const text =
    error instanceof Error ? (debug || !known ? (error.stack ?? error.message) : error.message) : String(error);
  process.stderr.write(`tsxla: ${text}\n`);
  if (!known && !debug) process.stderr.write("  This is a bug of tsxla: please report it with what you ran.\n");
  return known ? error.exitCode : 1;
}

/** Of an error and one that came up while cleaning up after it, the first: the other is its consequence. */
function firstError(thrown: unknown): unknown {
  const { name, suppressed } = thrown as { name?: unknown; suppressed?: unknown };
  return name === "SuppressedError" ? firstError(suppressed) : thrown;
}
