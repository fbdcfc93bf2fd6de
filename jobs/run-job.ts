/**
 * A job: a file of requests, answered over many workers. Whatever dies, nothing is lost and nothing is answered twice:
 * the output is the journal (./journal.ts), and the same call goes on from it.
 */
import { createHash } from "node:crypto";
import { setMaxListeners } from "node:events";
import { InputError, RuntimeFailure, TsxlaError } from "../dsl/index.ts";
import type { LoadModelOptions } from "../inference/load-model.ts";
import { targetOf } from "../inference/programs/target-words.ts";
import { answerLine, errorLine, readJobLine } from "../openai/index.ts";
import type { JobDefaults } from "../openai/job-types.ts";
import type { ConnectOptions } from "../runtime-bridge/index.ts";
import type { JobItem } from "./attempt.ts";
import { DigestSet } from "./digest-set.ts";
import { Dispatcher } from "./dispatcher.ts";
import { type InputLine, JobInput } from "./job-input.ts";
import { type JobCounts, type JobProgress, JobStatistics, type JobSummary } from "./job-statistics.ts";
import type { ReadyWorker, WorkerState } from "./job-worker.ts";
import { Journal, parseLine } from "./journal.ts";
import { Agreement } from "./worker-agreement.ts";
import { WorkerPool } from "./worker-pool.ts";
import { elsewhere, type NamedWorkers, ownWorkers, type WorkerSource } from "./worker-sources.ts";

// Public API

/** What a job is. */
export interface JobOptions
  extends Omit<LoadModelOptions, "worker" | "signal" | "onLoad" | "onCompile" | "onCache" | "randomWeights">,
    Pick<JobDefaults, "seed"> {
  /** A Hugging Face folder or a .gguf file, where the workers are. */
  readonly model: string;
  /** A file of requests, one a line, in the format of OpenAI's batches. */
  readonly input: string;
  /** Where a line for each of them goes. What it holds already is done. */
  readonly output: string;
  /**
   * Workers that run elsewhere: an address each, or the addresses of a group's hosts, as a list or with commas.
   * `dns:NAME:PORT` stands for all machines of that name. Without: some of this machine.
   */
  readonly workers?: readonly (string | readonly string[])[];
  /** How to reach them. */
  readonly connect?: Omit<ConnectOptions, "signal">;
  /** How many workers to start here, when none are named. Default: 1. */
  readonly local?: number;
  /** How many answers a worker makes at the same time. Default: as many as it takes. */
  readonly batch?: number;
  /** How many beginnings of prompts a worker keeps, so that what many share is computed once; 0 keeps none. Default: 8. */
  readonly prefixes?: number;
  /** The name that requests must have as `model`. Default: any. */
  readonly requireModel?: string;
  /** How long to go on without a single worker, in milliseconds. Default: 60 s. */
  readonly patienceMs?: number;
  readonly signal?: AbortSignal | undefined;
  /** Told what happens. */
  readonly onEvent?: (event: JobEvent) => void;
}

/** What happens in a job. */
export type JobEvent =
  | ({ readonly kind: "begun" } & JobCounts & { readonly mended: number })
  | { readonly kind: "worker"; readonly name: string; readonly state: WorkerState; readonly reason: string | undefined }
  | { readonly kind: "answered"; readonly customId: string; readonly answerTokens: number }
  | { readonly kind: "failed"; readonly customId: string; readonly code: string; readonly message: string }
  | { readonly kind: "retry"; readonly customId: string; readonly reason: string }
  | ({ readonly kind: "progress" } & JobProgress);

/**
 * Answers what is left of a job.
 *
 * @throws InputError for an input or an output that will not do, RuntimeFailure when no worker is left or the output
 * cannot be written, the signal's reason; the output is whole in any case
 */
export async function runJob(options: JobOptions): Promise<JobSummary> {
  const { onEvent = () => {}, signal } = options;
  const target = targetOf(options);
  checkNumbers(options);
  const sources = sourcesOf(options);
  await using input = await JobInput.open(options.input);
  await using journal = await Journal.open(options.output, {
    isInput: (identity) => identity === input.identity,
    signal,
  });
  const lines = await countLines(input, journal, signal);
  const statistics = new JobStatistics({ lines, answered: journal.recorded.answered, failed: journal.recorded.failed });
  onEvent({ kind: "begun", ...statistics.counts, mended: journal.recorded.mended });
  if (statistics.counts.left === 0) return statistics.summary([]);

  const over = new AbortController();
  setMaxListeners(0, over.signal);
  const abort = () => over.abort(signal?.reason);
  signal?.addEventListener("abort", abort, { once: true });
  if (signal?.aborted) abort();
  journal.failure.catch((error: unknown) => over.abort(error));

  const { model: path, architecture, context, untrainedSeed } = options;
  const dispatcher = new Dispatcher(nextOf(input, journal, options, statistics, onEvent), {
    onAnswer: (item, answers) => {
      journal.append(answerLine(item.request, answers, item.key));
      const answerTokens = statistics.answered(item.request.customId, answers);
      onEvent({ kind: "answered", customId: item.request.customId, answerTokens });
    },
    onFailure: (item, error) => fail(journal, statistics, onEvent, { ...item, customId: item.request.customId }, error),
    onRetry: (item, error) => {
      statistics.retries += 1;
      onEvent({ kind: "retry", customId: item.request.customId, reason: textOf(error) });
    },
    onToken: (worker) => statistics.token(worker),
  });
  const pool = new WorkerPool(
    {
      model: { path, target, architecture },
      load: {
        target,
        context,
        architecture,
        untrainedSeed,
      },
      engine: {
        rows: options.batch,
        prefixes: options.prefixes,
      },
      agreement: new Agreement(journal.recorded.fingerprint),
      serve: (ready) => {
        statistics.begin();
        return dispatcher.serve(ready);
      },
      onState: ({ name, state, reason }) => {
        const why = reason === undefined ? undefined : textOf(reason);
        onEvent({ kind: "worker", name, state, reason: why });
      },
    },
    options.patienceMs ?? 60_000,
  );
  const progress = () => onEvent({ kind: "progress", ...statistics.progress(pool.workers, dispatcher) });
  const timer = setInterval(progress, progressMs).unref();
  try {
    const workers = pool.run(sources.filter(isOne), sources.filter(isNamed), over.signal);
    workers.catch((error: unknown) => over.abort(error));
    await dispatcher.run(over.signal);
    await journal.flush();
    progress();
    return statistics.summary(pool.workers);
  } finally {
    clearInterval(timer);
    signal?.removeEventListener("abort", abort);
    over.abort(new DOMException("the job is over", "AbortError"));
    // What is answered counts, whatever ended the job.
    await journal.flush().catch(() => {});
    await pool.ended();
  }
}

// Implementation

const progressMs = 1_000;

const isOne = (source: WorkerSource | NamedWorkers): source is WorkerSource => "open" in source;
const isNamed = (source: WorkerSource | NamedWorkers): source is NamedWorkers => "find" in source;
const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function sourcesOf(options: JobOptions): readonly (WorkerSource | NamedWorkers)[] {
  const { workers = [], local = 1, connect = {} } = options;
  if (workers.length === 0) return ownWorkers(local, targetOf(options));
  if (options.local !== undefined) {
    throw new InputError(
      "OPTION_CONFLICT",
      "local is for workers of this machine, and workers are named; give one of the two",
      {
        option: "local",
      },
    );
  }
  const sources = workers.map((each) => elsewhere(each, connect));
  const twice = sources.find(({ name }, n) => sources.findIndex((each) => each.name === name) !== n);
  if (twice === undefined) return sources;
  throw new InputError("OPTION_CONFLICT", `the worker ${twice.name} is named twice`, {
    option: "workers",
    worker: twice.name,
  });
}

function checkNumbers({ batch, prefixes, patienceMs }: JobOptions): void {
  const check = (option: string, found: number | undefined, isFine: (found: number) => boolean, wanted: string) => {
    if (found === undefined || isFine(found)) return;
    throw new InputError("OPTION_VALUE", `${option} is ${found}, and it is ${wanted}`, { option, found });
  };
  check("batch", batch, (found) => Number.isSafeInteger(found) && found >= 1, "a whole number from 1");
  check("prefixes", prefixes, (found) => Number.isSafeInteger(found) && found >= 0, "a whole number from 0");
  check("patienceMs", patienceMs, (found) => found >= 0, "a time in milliseconds");
}

/**
 * Counts the lines, and makes sure that all that the output holds is of them.
 *
 * @throws InputError that names the first answer to something else
 */
async function countLines(input: JobInput, journal: Journal, signal: AbortSignal | undefined): Promise<number> {
  let lines = 0;
  let done = 0;
  const { keys } = journal.recorded;
  for await (const { key } of input.lines()) {
    signal?.throwIfAborted();
    lines += 1;
    if (keys.has(Buffer.from(key, "hex"))) done += 1;
  }
  if (done === keys.size) return lines;
  const wanted = new DigestSet();
  const names = new DigestSet();
  for await (const { key, customId } of input.lines()) {
    wanted.add(Buffer.from(key, "hex"));
    names.add(nameDigest(customId));
  }
  for await (const { number, text } of journal.lines()) {
    const { key, customId } = parseLine(text) ?? { key: "", customId: "" };
    if (key === "" || wanted.has(Buffer.from(key, "hex"))) continue;
    const name = JSON.stringify(customId);
    throw new InputError(
      "JOB_OUTPUT_FOREIGN",
      `the output ${journal.path} is not of this input: line ${number} answers ${name}, and in ${input.path} ` +
        `${names.has(nameDigest(customId)) ? "that request is another one now" : "there is no such request"}\n` +
        "  give the job another --output, or move that file away",
      { output: journal.path, input: input.path, line: number, customId },
    );
  }
  throw new InputError("JOB_OUTPUT_FOREIGN", `the output ${journal.path} is not of the input ${input.path}`, {});
}

const nameDigest = (name: string): Buffer => createHash("sha256").update(name).digest();

/** Reads on to the next request that is not done; tells those that cannot be taken. */
function nextOf(
  input: JobInput,
  journal: Journal,
  { requireModel, seed }: JobOptions,
  statistics: JobStatistics,
  onEvent: (event: JobEvent) => void,
): (worker: ReadyWorker) => Promise<JobItem | undefined> {
  const lines = input.lines();
  return async ({ model, fingerprint }) => {
    for (;;) {
      const next = await lines.next();
      if (next.done === true) return undefined;
      const line = next.value;
      if (journal.recorded.keys.has(Buffer.from(line.key, "hex"))) continue;
      await journal.room();
      try {
        if (line.refusal !== undefined) throw line.refusal;
        const request = readJobLine(line.text as string, model, { model: requireModel, seed, fingerprint });
        return { number: line.number, key: line.key, request };
      } catch (error) {
        // One line must not end the job, whatever is wrong with it.
        const told =
          error instanceof TsxlaError ? error : new RuntimeFailure("server_error", textOf(error), {}, { cause: error });
        fail(journal, statistics, onEvent, line, told);
      }
    }
  };
}

function fail(
  journal: Journal,
  statistics: JobStatistics,
  onEvent: (event: JobEvent) => void,
  line: Pick<InputLine, "key" | "customId" | "number">,
  error: TsxlaError,
): void {
  journal.append(errorLine(error, line));
  statistics.failed();
  onEvent({ kind: "failed", customId: line.customId, code: error.code, message: error.message });
}
