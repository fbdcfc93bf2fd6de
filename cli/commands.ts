/**
 * The commands: what each does in a sentence, and where its options and its action are.
 *
 * Only the command that is asked for is loaded, because the library behind all of them takes longer to load than to print
 * a page of help.
 */
import type { Command } from "commander";

// Public API

/** A command that is not loaded yet. */
export interface ListedCommand {
  readonly name: string;
  readonly description: string;
  /** Imports what gives it its arguments, options and action. */
  readonly load: () => Promise<(command: Command, signal: AbortSignal) => Command>;
}

/** All commands, as help lists them. */
export const commands: readonly ListedCommand[] = [
  {
    name: "generate",
    description: "Generates an answer to a prompt, or to each prompt of a file.",
    load: async () => (await import("./generate/generate.ts")).generateCommand,
  },
  {
    name: "chat",
    description: "Chats with a model. Ctrl-C interrupts an answer, and ends the chat where none is under way.",
    load: async () => (await import("./chat/chat.ts")).chatCommand,
  },
  {
    name: "logits",
    description: "Writes the logits after every token: `logits`, f32, [tokens, vocabulary].",
    load: async () => (await import("./logits.ts")).logitsCommand,
  },
  {
    name: "compare",
    description:
      "Compares two traces (tsxla logits --trace) and names the first value that departs. Ends with 1 if one does.",
    load: async () => (await import("./compare.ts")).compareCommand,
  },
  {
    name: "compile",
    description: "Lowers one step of a model to StableHLO and compiles it with XLA. A configuration is enough.",
    load: async () => (await import("./compile/compile.ts")).compileCommand,
  },
  {
    name: "doctor",
    description:
      "Checks what a run needs, and says what to do where something is missing. Ends with 1 if something fails.",
    load: async () => (await import("./doctor/doctor.ts")).doctorCommand,
  },
  {
    name: "exec",
    description: "Compiles a StableHLO file, or takes a saved executable, and runs its @main once.",
    load: async () => (await import("./exec.ts")).execCommand,
  },
  {
    name: "inspect",
    description:
      "Describes a model: a Hugging Face folder, a .gguf file, a config.json alone, a published model's name, or a saved executable.",
    load: async () => (await import("./inspect.ts")).inspectCommand,
  },
  {
    name: "jobs",
    description: "Runs jobs: files of requests, answered over many workers.",
    load: async () => (await import("./jobs/jobs.ts")).jobsCommand,
  },
  {
    name: "pull",
    description: "Fetches a model from the Hugging Face hub; goes on where an earlier pull was ended.",
    load: async () => (await import("./pull.ts")).pullCommand,
  },
  {
    name: "golden",
    description: "Holds golden files of StableHLO text to what a folder's case modules (*.golden.ts) lower to.",
    load: async () => (await import("./golden.ts")).goldenCommand,
  },
  {
    name: "worker",
    description: "Serves this machine's devices to other processes.",
    load: async () => (await import("./worker.ts")).workerCommand,
  },
  {
    name: "probe",
    description: "Asks a worker whether it serves; ends with 0 when it does. Needs no token.",
    load: async () => (await import("./probe.ts")).probeCommand,
  },
  {
    name: "setup",
    description: "Makes the Python environment that workers run in: once for a version of tsxla, half a gigabyte.",
    load: async () => (await import("./setup.ts")).setupCommand,
  },
];
