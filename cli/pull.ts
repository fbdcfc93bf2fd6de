/** `tsxla pull`: a repository of the Hugging Face hub, as much of it as tsxla reads, into a folder. */
import { relative } from "node:path";
import type { Command } from "commander";
import type { PullEvent, Pulled } from "../hub/index.ts";
import { formatBytes } from "../planning/format-bytes.ts";
import { collect, wholeNumber } from "./options.ts";
import { Progress } from "./progress.ts";
import { duration, Transfer } from "./transfer.ts";

// Public API

export function pullCommand(command: Command, signal: AbortSignal): Command {
  return command
    .argument("<repository>", "OWNER/NAME, such as openai/gpt-oss-20b")
    .option("--revision <r>", "a branch, a tag or a commit", "main")
    .option("--out <dir>", "the folder (the repository's name, in this one)")
    .option("--file <path>", "just this file, such as one of several GGUFs; may be repeated", collect)
    .option("--include <pattern>", "just what matches: * in a folder, ** across them; may be repeated", collect)
    .option("--overwrite", "replace files there that no pull put there")
    .option("--connections <n>", "requests at a time", wholeNumber, 8)
    .option("--dry-run", "say what would be fetched")
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      `
Unasked, the configuration, the tokenizer, the chat template and the weights are fetched: safetensors, or the GGUF if
there is one. From the environment: HF_TOKEN or the token of \`hf auth login\`, HF_ENDPOINT, HTTPS_PROXY, NO_PROXY.`,
    )
    .action((repository: string, options: PullCommandOptions) => run(repository, options, signal));
}

/** Shows a pull's events as they come. */
export function followPull(progress: Progress): (event: PullEvent) => void {
  const transfer = new Transfer();
  const count = progress.count("pulling");
  const say = (text: string) => {
    count.clear();
    progress.say(text);
  };
  return (event) => {
    switch (event.kind) {
      case "planned": {
        const held = event.held - event.fetched;
        const before = held === 0 ? "" : `, ${formatBytes(held)} of it here already`;
        return say(`commit ${event.commit}: ${files(event.files.length)}, ${formatBytes(event.bytes)}${before}`);
      }
      case "progress":
        return count.update(transfer.describe(event.held, event.bytes));
      case "retry":
        return event.waitMs < worthSayingMs
          ? undefined
          : say(`${event.what}: ${event.reason}; asking again in ${duration(event.waitMs / 1000)}`);
      case "discarded":
        return say(`${event.path}: ${event.reason}; ${formatBytes(event.bytes)} of it thrown away`);
      case "removed":
        return say(`${event.path}: removed, for the commit does not have it so`);
      case "checked":
        return count.clear();
    }
  };
}

// Implementation

interface PullCommandOptions {
  readonly revision: string;
  readonly out?: string;
  readonly file?: readonly string[];
  readonly include?: readonly string[];
  readonly overwrite?: true;
  readonly connections: number;
  readonly dryRun?: true;
  readonly json?: true;
}

async function run(repository: string, options: PullCommandOptions, signal: AbortSignal): Promise<void> {
  // No other command needs what speaks HTTP.
  const { pull } = await import("../hub/index.ts");
  const started = performance.now();
  const { file, json, ...others } = options;
  const pulled = await pull(repository, {
    ...others,
    files: file,
    signal,
    onEvent: followPull(new Progress()),
  });
  const seconds = (performance.now() - started) / 1000;
  if (json) process.stdout.write(`${JSON.stringify(inWords(pulled, options, seconds))}\n`);
  else process.stdout.write(options.dryRun ? listed(pulled) : summary(pulled, seconds));
}

function inWords({ files: all, ...pulled }: Pulled, { dryRun }: PullCommandOptions, seconds: number): object {
  const described = all.map(({ path, size, hash }) => ({ path, size, [hash.algorithm]: hash.digest }));
  return { ...pulled, dryRun, seconds: Number(seconds.toFixed(3)), files: described };
}

function listed({ commit, files: all, bytes: total }: Pulled): string {
  const lines = all.map(({ path, size }) => `${formatBytes(size).padStart(9)}  ${path}`);
  return `${[...lines, `${formatBytes(total).padStart(9)}  in ${files(all.length)}, of commit ${commit}`].join("\n")}\n`;
}

function summary({ directory, model, files: all, bytes: total, fetchedBytes }: Pulled, seconds: number): string {
  const where = relative(process.cwd(), directory) || ".";
  const came =
    fetchedBytes === 0 ? "nothing was missing" : `${formatBytes(fetchedBytes)} fetched in ${duration(seconds)}`;
  const lines = [`${where}: ${files(all.length)}, ${formatBytes(total)}, checked; ${came}`];
  const parts = all.filter(({ path }) => path.endsWith(".gguf")).map(({ path }) => path);
  if (model === undefined && /-\d{5}-of-\d{5}\.gguf$/.test(parts[0] ?? "")) {
    lines.push(`it is in parts, and tsxla reads a GGUF in one: llama-gguf-split --merge ${parts[0]} JOINED.gguf`);
  }
  if (model !== undefined) lines.push(`tsxla generate --model ${relative(process.cwd(), model) || "."} --prompt …`);
  return `${lines.join("\n")}\n`;
}

const files = (count: number): string => `${count} file${count === 1 ? "" : "s"}`;

/** A connection that is cut now and then is nobody's business. */
const worthSayingMs = 3000;
