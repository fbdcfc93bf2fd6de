/** `tsxla generate`: an answer to a prompt, as it comes; or those to a file of prompts. */
import { type Command, Option } from "commander";
import { InputError } from "../../dsl/index.ts";
import type { ReasoningEffort } from "../../inference/harmony/index.ts";
import type { ChatOptions, Model, Piece, Prompt, Summary, Worker } from "../../inference/index.ts";
import { formatBytes } from "../../planning/format-bytes.ts";
import { Thoughts, withoutAnswer } from "../chat/thoughts.ts";
import { type ModelOptions, openModelOn, openWorker, tokenIds, withModel, withRandomWeights } from "../options.ts";
import { type ProfileOptions, startProfile, withProfile } from "../profile.ts";
import { Progress } from "../progress.ts";
import { reasoningOption, type SamplingFlags, sampling, withSampling } from "../sampling.ts";
import { asJson, generateAll, logprobsOf, printed } from "./generate-all.ts";
import { readPrompts } from "./prompts-file.ts";

// Public API

export function generateCommand(command: Command, signal: AbortSignal): Command {
  withProfile(withRandomWeights(withModel(command)))
    .option("--prompt <text>", "what to answer; goes through the model's chat template when it has one")
    .addOption(
      new Option(
        "--prompts <file>",
        "a prompt a line, UTF-8, empty lines skipped; answered several at once, as memory allows",
      ).conflicts("prompt"),
    )
    .addOption(
      new Option(
        "--tokens <ids>",
        "token ids in place of a text, separated by commas; a model without a tokenizer takes no other prompt",
      )
        .argParser(tokenIds)
        .conflicts(["prompt", "prompts"]),
    )
    .option("--raw", "continue the text as it is, without the chat template")
    .addOption(reasoningOption())
    .option("--json", "print one JSON object when done");
  return withSampling(command).action((options: GenerateCommandOptions) => run(options, signal));
}

// Implementation

interface GenerateCommandOptions extends ModelOptions, SamplingFlags, ProfileOptions {
  readonly prompt?: string;
  readonly prompts?: string;
  readonly tokens?: readonly number[];
  readonly raw?: true;
  readonly reasoning?: ReasoningEffort;
  readonly json?: true;
}

async function run(options: GenerateCommandOptions, signal: AbortSignal): Promise<void> {
  const { prompt, prompts, tokens } = options;
  if (options.logprobs !== undefined && options.json === undefined) {
    throw new InputError("OPTION_MISSING", "--logprobs are told with --json only; add it");
  }
  if (prompts !== undefined) await answerFile(prompts, options, signal);
  else if (prompt !== undefined) await answerOne((model) => promptOf(model, prompt, options), options, signal);
  else if (tokens !== undefined) await answerOne(() => ({ tokens }), options, signal);
  else {
    throw new InputError(
      "OPTION_MISSING",
      "generate needs --prompt TEXT, or --prompts FILE with a prompt a line; without a tokenizer, --tokens IDS",
    );
  }
}

async function answerOne(
  promptFor: (model: Model) => Prompt,
  options: GenerateCommandOptions,
  signal: AbortSignal,
): Promise<void> {
  const progress = new Progress();
  await using worker = await openWorker(options, progress, signal);
  await using model = await openModelOn(worker, options, progress, signal);
  await using _profile = await startProfile(worker, options, progress);
  const prompt = promptFor(model);
  const pieces: Piece[] = [];
  const answer = model.generate(prompt, generateOptions(options, signal));
  const thoughts = new Thoughts(process.stderr);
  const summary = await drain(answer, (piece) => {
    pieces.push(piece);
    thoughts.show(piece.events ?? []);
    if (options.json === undefined) process.stdout.write(shown(piece, model, pieces.length));
  });
  thoughts.close();
  const answered = pieces.map((piece) => piece.text).join("");
  if (options.json === undefined && !answered.endsWith("\n")) process.stdout.write("\n");
  if (answered === "" && summary.messages !== undefined) progress.say(withoutAnswer(summary));
  const figures = {
    ...answerFigures(summary, model),
    ...(await runFigures(worker, progress)),
  };
  if (options.json === undefined) progress.say(sentence(figures));
  else {
    const tokens = pieces.map(({ token }) => token);
    const { messages } = summary;
    const told = { text: answered, ...(messages && { messages }), tokens, ...logprobsOf(pieces, model.tokenizer) };
    const promptTokens = model.encode(prompt, { reasoning: options.reasoning });
    process.stdout.write(`${JSON.stringify({ ...told, promptTokens, ...figures })}\n`);
  }
}

/** Answers a file. A line that cannot be taken is told, the others are answered, and the exit code is 2. */
async function answerFile(file: string, options: GenerateCommandOptions, signal: AbortSignal): Promise<void> {
  const lines = await readPrompts(file);
  const progress = new Progress();
  await using worker = await openWorker(options, progress, signal);
  await using model = await openModelOn(worker, options, progress, signal);
  await using _profile = await startProfile(worker, options, progress);
  const { answers, summary, seconds } = await generateAll(model, {
    lines,
    toPrompt: (text) => promptOf(model, text, options),
    options: generateOptions(options, signal),
    progress,
    onAnswer: (answer) => {
      if (options.json === undefined) process.stdout.write(printed(answer));
    },
  });
  const figures = {
    rows: summary.rows,
    cacheBytes: summary.cacheBytes,
    answerCount: summary.answerTokens,
    promptCount: summary.promptTokens,
    prefillSeconds: summary.prefillSeconds,
    decodeSeconds: summary.decodeSeconds,
    tokensPerSecond: seconds === 0 ? 0 : summary.answerTokens / seconds,
    seed: String(summary.seed),
    ...(await runFigures(worker, progress)),
  };
  if (options.json !== undefined) {
    process.stdout.write(
      `${JSON.stringify({ answers: answers.map((answer) => asJson(answer, model.tokenizer)), ...figures })}\n`,
    );
  } else {
    progress.say(
      [
        `load ${figures.loadSeconds.toFixed(2)} s`,
        compiled(figures),
        `${summary.answers} answers, ${figures.rows} at once, ${figures.promptCount} tokens of prompts`,
        `${figures.answerCount} tokens, ${figures.tokensPerSecond.toFixed(1)} tokens/s over all`,
        `memory ${formatBytes(figures.workerBytes)}`,
      ].join(" · "),
    );
  }
  for (const answer of answers) {
    if ("error" in answer) progress.say(`tsxla: ${file}:${answer.line}: ${answer.error.message}`);
  }
  if (summary.refused > 0) process.exitCode = 2;
}

function promptOf(model: Model, text: string, { raw }: GenerateCommandOptions): Prompt {
  return model.hasChatTemplate && raw === undefined ? [{ role: "user", content: text }] : text;
}

/** What is printed of a piece: its text, or where there is no tokenizer its id. */
function shown({ text, token }: Piece, { tokenizer }: Model, count: number): string {
  return tokenizer === undefined ? `${count === 1 ? "" : " "}${token}` : text;
}

function generateOptions(given: GenerateCommandOptions, signal: AbortSignal): ChatOptions {
  return { signal, reasoning: given.reasoning, ...sampling(given) };
}

/** Walks a generator to its end and gives its return value. */
async function drain(answer: AsyncGenerator<Piece, Summary>, each: (piece: Piece) => void): Promise<Summary> {
  for (;;) {
    const next = await answer.next();
    if (next.done === true) return next.value;
    each(next.value);
  }
}

/** What one answer took. Times in seconds. */
function answerFigures(summary: Summary, model: Model) {
  return {
    finishReason: summary.finishReason,
    seed: String(summary.seed),
    promptCount: summary.promptTokens,
    answerCount: summary.answerTokens,
    prefillSeconds: summary.prefillSeconds,
    // The first token comes out of the prefill.
    tokensPerSecond: summary.answerTokens < 2 ? 0 : (summary.answerTokens - 1) / summary.decodeSeconds,
    cacheBytes: model.cacheBytes(summary.promptTokens + summary.answerTokens),
  };
}

/** What a run took, whatever was answered. Times in seconds. */
interface RunFigures {
  readonly loadSeconds: number;
  readonly compileSeconds: number;
  /** Whether every program came from the compile cache. */
  readonly fromCompileCache: boolean;
  readonly workerBytes: number;
}

async function runFigures(worker: Worker, progress: Progress): Promise<RunFigures> {
  const programs = progress.taken.filter(({ name }) => name.startsWith("compiling"));
  const { peakResidentBytes } = await worker.info();
  return {
    loadSeconds: progress.taken.find(({ name }) => name === "loading")?.seconds ?? 0,
    compileSeconds: programs.reduce((all, { seconds }) => all + seconds, 0),
    fromCompileCache: programs.every(({ note }) => note !== ""),
    workerBytes: peakResidentBytes,
  };
}

function sentence(f: ReturnType<typeof answerFigures> & RunFigures): string {
  return [
    `load ${f.loadSeconds.toFixed(2)} s`,
    compiled(f),
    `prompt ${f.promptCount} tokens in ${f.prefillSeconds.toFixed(2)} s`,
    `answer ${f.answerCount} tokens, ${f.tokensPerSecond.toFixed(1)} tokens/s`,
    `memory ${formatBytes(f.workerBytes)}`,
  ].join(" · ");
}

function compiled({ compileSeconds, fromCompileCache }: RunFigures): string {
  return `compile ${compileSeconds.toFixed(2)} s${fromCompileCache ? " (from the compile cache)" : ""}`;
}
