/** `tsxla generate`: an answer to a prompt, as it comes. */
import { Command, InvalidArgumentError } from "commander";
import type { GenerateOptions, Model, Piece, Summary, Worker } from "../inference/index.ts";
import { collect, type ModelOptions, number, openModelOn, openWorker, wholeNumber, withModel } from "./options.ts";
import { bytes, Progress } from "./progress.ts";

// Public API

export function generateCommand(signal: AbortSignal): Command {
  return withModel(new Command("generate"))
    .description("Generates an answer to a prompt.")
    .requiredOption("--prompt <text>", "what to answer; goes through the model's chat template when it has one")
    .option("--raw", "continue the text as it is, without the chat template")
    .option("--max-tokens <n>", "how many tokens at most (256)", wholeNumber)
    .option("--temperature <t>", "0 takes the likeliest token each time (0)", number)
    .option("--top-k <k>", "choose among the k likeliest tokens (0: all)", number)
    .option("--top-p <p>", "choose among the likeliest tokens that make up this probability (1: all)", number)
    .option("--min-p <p>", "choose among tokens at least so likely relative to the likeliest (0: all)", number)
    .option("--seed <s>", "makes the choices repeatable", wholeSeed)
    .option("--stop <text>", "ends the answer where this comes up; may be repeated", collect)
    .option("--json", "print one JSON object when done")
    .action((options: GenerateCommandOptions) => run(options, signal));
}

// Implementation

interface GenerateCommandOptions extends ModelOptions {
  readonly prompt: string;
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
  const progress = new Progress();
  await using worker = await openWorker(options, progress, signal);
  await using model = await openModelOn(worker, options, progress, signal);
  const chat = model.hasChatTemplate && options.raw === undefined;
  const prompt = chat ? [{ role: "user", content: options.prompt }] : options.prompt;
  const pieces: Piece[] = [];
  const answer = model.generate(prompt, generateOptions(options, signal));
  const summary = await drain(answer, (piece) => {
    pieces.push(piece);
    if (options.json === undefined) process.stdout.write(piece.text);
  });
  const text = pieces.map((piece) => piece.text).join("");
  if (options.json === undefined && !text.endsWith("\n")) process.stdout.write("\n");
  const figures = await figuresOf(worker, model, summary, progress);
  if (options.json === undefined) progress.say(sentence(figures));
  else {
    const tokens = pieces.map(({ token }) => token);
    const logprobs = pieces.map(({ logprob }) => logprob);
    process.stdout.write(
      `${JSON.stringify({ text, tokens, logprobs, promptTokens: model.encode(prompt), ...figures })}\n`,
    );
  }
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

/** What a run took. Times in seconds. */
interface Figures {
  readonly finishReason: Summary["finishReason"];
  readonly seed: string;
  readonly promptCount: number;
  readonly answerCount: number;
  readonly prefillSeconds: number;
  readonly tokensPerSecond: number;
  readonly loadSeconds: number;
  readonly compileSeconds: number;
  /** Whether every program came from the compile cache. */
  readonly fromCompileCache: boolean;
  readonly cacheBytes: number;
  readonly workerBytes: number;
}

async function figuresOf(worker: Worker, model: Model, summary: Summary, progress: Progress): Promise<Figures> {
  const compiled = progress.taken.filter(({ name }) => name.startsWith("compiling"));
  const { peakResidentBytes } = await worker.info();
  return {
    finishReason: summary.finishReason,
    seed: String(summary.seed),
    promptCount: summary.promptTokens,
    answerCount: summary.answerTokens,
    prefillSeconds: summary.prefillSeconds,
    // The first token comes out of the prefill.
    tokensPerSecond: summary.answerTokens < 2 ? 0 : (summary.answerTokens - 1) / summary.decodeSeconds,
    loadSeconds: progress.taken.find(({ name }) => name === "loading")?.seconds ?? 0,
    compileSeconds: compiled.reduce((all, { seconds }) => all + seconds, 0),
    fromCompileCache: compiled.every(({ note }) => note !== ""),
    cacheBytes: model.cacheBytes(summary.promptTokens + summary.answerTokens),
    workerBytes: peakResidentBytes,
  };
}

function sentence(f: Figures): string {
  return [
    `load ${f.loadSeconds.toFixed(2)} s`,
    `compile ${f.compileSeconds.toFixed(2)} s${f.fromCompileCache ? " (from the compile cache)" : ""}`,
    `prompt ${f.promptCount} tokens in ${f.prefillSeconds.toFixed(2)} s`,
    `answer ${f.answerCount} tokens, ${f.tokensPerSecond.toFixed(1)} tokens/s`,
    `memory ${bytes(f.workerBytes)}`,
  ].join(" · ");
}

function wholeSeed(text: string): bigint {
  if (/^\d+$/.test(text) && BigInt(text) < 2n ** 64n) return BigInt(text);
  throw new InvalidArgumentError("It is a whole number from 0 to 2^64 - 1.");
}
