/** `tsxla generate`: an answer to a prompt, as it comes; or those to a file of prompts. */
import { Command, InvalidArgumentError, Option } from "commander";
import { InputError } from "../dsl/index.ts";
import type { GenerateOptions, Model, Piece, Prompt, Summary, Worker } from "../inference/index.ts";
import { asJson, generateAll, printed } from "./generate-all.ts";
import { collect, type ModelOptions, number, openModelOn, openWorker, wholeNumber, withModel } from "./options.ts";
import { bytes, Progress } from "./progress.ts";
import { readPrompts } from "./prompts-file.ts";

// Public API

export function generateCommand(signal: AbortSignal): Command {
  return withModel(new Command("generate"))
    .description("Generates an answer to a prompt, or to each prompt of a file.")
    .option("--prompt <text>", "what to answer; goes through the model's chat template when it has one")
    .addOption(
      new Option(
        "--prompts <file>",
        "a prompt a line, UTF-8, empty lines skipped; answered several at once, as memory allows",
      ).conflicts("prompt"),
    )
    .option("--raw", "continue the text as it is, without the chat template")
    .option("--max-tokens <n>", "how many tokens at most (256)", wholeNumber)
    .option("--temperature <t>", "0 takes the likeliest token each time (0)", number)
    .option("--top-k <k>", "choose among the k likeliest tokens (0: all)", number)
    .option("--top-p <p>", "choose among the likeliest tokens that make up this probability (1: all)", number)
    .option("--min-p <p>", "choose among tokens at least so likely relative to the likeliest (0: all)", number)
    .option(
      "--seed <s>",
      "makes the choices repeatable; of --prompts, each has a seed of its own made from it",
      wholeSeed,
    )
    .option("--stop <text>", "ends the answer where this comes up; may be repeated", collect)
    .option("--json", "print one JSON object when done")
    .action((options: GenerateCommandOptions) => run(options, signal));
}

// Implementation

interface GenerateCommandOptions extends ModelOptions {
  readonly prompt?: string;
  readonly prompts?: string;
  readonly raw?: true;
  readonly maxTokens?: number;
  readonly temperature?: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly minP?: number;
  readonly seed?: bigint;
  readonly stop?: readonly string[];
  readonly json?: true;
}

async function run(options: GenerateCommandOptions, signal: AbortSignal): Promise<void> {
  const { prompt, prompts } = options;
  if (prompts !== undefined) await answerFile(prompts, options, signal);
  else if (prompt !== undefined) await answerOne(prompt, options, signal);
  else throw new InputError("OPTION", "generate needs --prompt TEXT, or --prompts FILE with a prompt a line");
}

async function answerOne(text: string, options: GenerateCommandOptions, signal: AbortSignal): Promise<void> {
  const progress = new Progress();
  await using worker = await openWorker(options, progress, signal);
  await using model = await openModelOn(worker, options, progress, signal);
  const prompt = promptOf(model, text, options);
  const pieces: Piece[] = [];
  const answer = model.generate(prompt, generateOptions(options, signal));
  const summary = await drain(answer, (piece) => {
    pieces.push(piece);
    if (options.json === undefined) process.stdout.write(piece.text);
  });
  const answered = pieces.map((piece) => piece.text).join("");
  if (options.json === undefined && !answered.endsWith("\n")) process.stdout.write("\n");
  const figures = {
    ...answerFigures(summary, model),
    ...(await runFigures(worker, progress)),
  };
  if (options.json === undefined) progress.say(sentence(figures));
  else {
    const tokens = pieces.map(({ token }) => token);
    const logprobs = pieces.map(({ logprob }) => logprob);
    process.stdout.write(
      `${JSON.stringify({ text: answered, tokens, logprobs, promptTokens: model.encode(prompt), ...figures })}\n`,
    );
  }
}

/** Answers a file. A line that cannot be taken is told, the others are answered, and the exit code is 2. */
async function answerFile(file: string, options: GenerateCommandOptions, signal: AbortSignal): Promise<void> {
  const lines = await readPrompts(file);
  const progress = new Progress();
  await using worker = await openWorker(options, progress, signal);
  await using model = await openModelOn(worker, options, progress, signal);
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
    process.stdout.write(`${JSON.stringify({ answers: answers.map(asJson), ...figures })}\n`);
  } else {
    progress.say(
      [
        `load ${figures.loadSeconds.toFixed(2)} s`,
        compiled(figures),
        `${summary.answers} answers, ${figures.rows} at once, ${figures.promptCount} tokens of prompts`,
        `${figures.answerCount} tokens, ${figures.tokensPerSecond.toFixed(1)} tokens/s over all`,
        `memory ${bytes(figures.workerBytes)}`,
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

function generateOptions(given: GenerateCommandOptions, signal: AbortSignal): GenerateOptions {
  const { maxTokens, temperature, topK, topP, minP, seed, stop } = given;
  const chosen = Object.entries({ maxTokens, temperature, topK, topP, minP, seed, stop });
  return { signal, ...Object.fromEntries(chosen.filter(([, value]) => value !== undefined)) };
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
    `memory ${bytes(f.workerBytes)}`,
  ].join(" · ");
}

function compiled({ compileSeconds, fromCompileCache }: RunFigures): string {
  return `compile ${compileSeconds.toFixed(2)} s${fromCompileCache ? " (from the compile cache)" : ""}`;
}

/** For commander. Seeds that the command tells may be beyond what a number holds. */
function wholeSeed(text: string): bigint {
  if (/^\d+$/.test(text) && BigInt(text) < 2n ** 64n) return BigInt(text);
  throw new InvalidArgumentError("It is a whole number from 0 to 2^64 - 1.");
}
