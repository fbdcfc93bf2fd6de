/** `tsxla jobs run`: a file of requests, answered over many workers; whatever dies, the same command goes on. */
import { Command } from "commander";
import { runJob } from "../../inference/index.ts";
import {
  connectOptions,
  importArchitecture,
  type ModelOptions,
  wholeFromZero,
  wholeNumber,
  withModel,
} from "../options.ts";
import { serveMetrics } from "./job-metrics.ts";
import { jobReporter } from "./job-reporter.ts";
import { jobsManifestCommand } from "./jobs-manifest.ts";

// Public API

interface JobsRunOptions extends ModelOptions {
  readonly input: string;
  readonly output: string;
  readonly batch?: number;
  readonly prefixes?: number;
  readonly local?: number;
  readonly requireModel?: string;
  readonly seed?: number;
  readonly patience: number;
  readonly metrics?: string;
  readonly json?: true;
}

export function jobsCommand(command: Command, signal: AbortSignal): Command {
  const run = withModel(new Command("run"))
    .description("Answers a file of requests in OpenAI's batch format. The same command goes on where it was ended.")
    .requiredOption("--input <file>", "requests, one a line: custom_id, method, url, body")
    .requiredOption("--output <file>", "a line for each of them; those that it holds already are done")
    .option("--batch <b>", "answers at the same time on each worker (8)", wholeNumber)
    .option("--prefixes <n>", "beginnings of prompts that a worker keeps for others (8); 0 for none", wholeFromZero)
    .option("--local <n>", "workers to start here, when no --worker is named (1)", wholeNumber)
    .option("--require-model <name>", "what requests must have as `model` (any)")
    .option("--seed <s>", "of requests without a seed: theirs are made of it and their custom_id (0)", wholeFromZero)
    .option("--patience <seconds>", "how long to go on without a single worker", wholeNumber, 60)
    .option("--metrics <address>", "serves /metrics for Prometheus at HOST:PORT; port 0 picks one")
    .option("--json", "one JSON object on stdout, progress as lines of JSON on stderr")
    .action(async (options: JobsRunOptions) => await runCommand(options, signal));
  const worker = run.options.find(({ long }) => long === "--worker");
  if (worker !== undefined) {
    worker.description =
      "a worker that runs already: unix:PATH, HOST:PORT; again for each; the hosts of a group with commas; " +
      "dns:NAME:PORT for all machines of the name (without: one is started)";
  }
  const all = [run, jobsManifestCommand()].map((each) => each.exitOverride().showHelpAfterError("(--help says more)"));
  return all.reduce((whole, each) => whole.addCommand(each), command.usage("[options] [command]"));
}

// Implementation

async function runCommand(options: JobsRunOptions, signal: AbortSignal): Promise<void> {
  const { target, mesh, computeDtype, weights, context, untrainedSeed } = options;
  const { batch, prefixes, local, requireModel, seed } = options;
  const architecture = options.arch === undefined ? undefined : await importArchitecture(options.arch);
  const { signal: _, ...connect } = connectOptions(options, signal);
  const reporter = jobReporter({ json: options.json === true });
  const model = { mesh, computeDtype, weights, context, untrainedSeed, architecture };
  const given = { ...model, batch, prefixes, local, requireModel, seed };
  const said = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  await using metrics = options.metrics === undefined ? undefined : await serveMetrics(options.metrics);
  if (metrics !== undefined) reporter.say(`metrics at ${metrics.address}`);
  try {
    const summary = await runJob({
      model: options.model,
      input: options.input,
      output: options.output,
      target,
      ...said,
      workers: options.worker ?? [],
      connect,
      patienceMs: options.patience * 1000,
      signal,
      onEvent: (event) => {
        reporter.tell(event);
        metrics?.tell(event);
      },
    });
    reporter.end(summary);
  } finally {
    reporter.clear();
  }
}
