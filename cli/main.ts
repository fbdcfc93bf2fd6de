/**
 * The `tsxla` command: reads words, calls the library, writes results.
 *
 * Results go to stdout, progress and errors to stderr. Exit codes: 0 done, 1 failed while running, 2 wrong usage or input.
 */
import { setMaxListeners } from "node:events";
import { Command, CommanderError } from "commander";
import { TsxlaError } from "../dsl/errors.ts";
import { addSourceRoot } from "../dsl/location.ts";
import { commands } from "./commands.ts";

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
    await commandLine(interruption.signal).parseAsync(asked(words), { from: "user" });
  } catch (error) {
    process.exitCode = report(error, words.includes("--debug"), interruption.signal.aborted);
  } finally {
    process.off("SIGINT", interrupt);
  }
}

// Implementation

/** `help NAME` is asked as `NAME --help`: commander would answer it of a command that is not loaded. */
function asked(words: readonly string[]): readonly string[] {
  return words[0] === "help" ? [...words.slice(1), "--help"] : words;
}

function commandLine(signal: AbortSignal): Command {
  const program = new Command("tsxla")
    .description("Writes language models in TypeScript, compiles them with XLA, and runs them.")
    .configureHelp({ showGlobalOptions: true })
    .option("--debug", "show where an error comes from")
    .showHelpAfterError("(--help says more)")
    .exitOverride();
  for (const { name, description } of commands) program.command(name).description(description);
  program.hook("preSubcommand", async (_, command) => {
    const listed = commands.find(({ name }) => name === command.name());
    (await listed?.load())?.(command, signal);
  });
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
