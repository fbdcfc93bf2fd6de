/** `tsxla logits`: what a model says after every token of a list. */
import type { Command } from "commander";
import { InputError, RuntimeFailure } from "../dsl/index.ts";
import { isInvalidLogits } from "../inference/debugging/explain-logits.ts";
import type { Model, TracedChunk } from "../inference/index.ts";
import { SafetensorsWriter } from "../runtime-bridge/index.ts";
import { type CompareOptions, compareFiles, withComparison } from "./compare.ts";
import { type ModelOptions, openModelOn, openWorker, tokenIds, withModel, withRandomWeights } from "./options.ts";
import { type ProfileOptions, startProfile, withProfile } from "./profile.ts";
import { Progress } from "./progress.ts";
import { TraceWriter } from "./trace-file.ts";

// Public API

export function logitsCommand(command: Command, signal: AbortSignal): Command {
  return withProfile(withComparison(withRandomWeights(withModel(command))))
    .requiredOption("--tokens <ids>", "token ids, separated by commas", tokenIds)
    .requiredOption("--out <file>", "where to write, as safetensors")
    .option("--step", "feed one token at a time through the cache, instead of a prefill")
    .option("--trace <file>", "also write every named activation there, as safetensors")
    .option("--save-weights <file>", "also write the weights there as the devices hold them, as safetensors")
    .option("--reference <file>", "compare the trace with this one, and name the first value that departs")
    .option("--json", "print one JSON object when done")
    .action((options: LogitsCommandOptions) => run(options, signal));
}

// Implementation

interface LogitsCommandOptions extends ModelOptions, CompareOptions, ProfileOptions {
  readonly tokens: readonly number[];
  readonly out: string;
  readonly step?: true;
  readonly trace?: string;
  readonly saveWeights?: string;
  readonly reference?: string;
}

async function run(options: LogitsCommandOptions, signal: AbortSignal): Promise<void> {
  const { tokens, out, trace, reference } = options;
  if (reference !== undefined && trace === undefined) {
    throw new InputError("OPTION_MISSING", "--reference compares a trace: say with --trace FILE where to write it");
  }
  const progress = new Progress();
  await using worker = await openWorker(options, progress, signal);
  await using model = await openModelOn(worker, options, progress, signal);
  await using _profile = await startProfile(worker, options, progress);
  if (options.saveWeights !== undefined) await writeWeights(options.saveWeights, model, signal);
  const shape = [tokens.length, model.config.vocab] as const;
  const step = options.step === true;
  const started = performance.now();
  try {
    if (trace === undefined) await write(out, shape, model.logits(tokens, { step, signal }));
    else {
      await using file = new TraceWriter(trace, tokens);
      await write(out, shape, tracing(model.trace(tokens, { step, signal }), file), () => file.finish());
    }
  } catch (error) {
    if (!isInvalidLogits(error)) throw error;
    throw await progress.stage("looking for the first", () => model.explain(error, tokens, { step, signal }));
  }
  progress.end("logits", (performance.now() - started) / 1000, `${tokens.length} tokens to ${out}`);
  if (trace !== undefined && reference !== undefined) await compareFiles(trace, reference, options);
  else if (options.json) process.stdout.write(`${JSON.stringify({ out, shape, step, ...(trace && { trace }) })}\n`);
}

/**
 * Writes rows of logits as they come.
 *
 * @param atEnd  run once all have come, also when they are no numbers: what else was made of them is of use then, too
 */
async function write(
  out: string,
  shape: readonly [number, number],
  rows: AsyncGenerator<Float32Array>,
  atEnd?: () => Promise<void>,
): Promise<void> {
  const [, vocab] = shape;
  // Refused before a file is made.
  const first = await rows.next();
  await using file = await SafetensorsWriter.open(out, { logits: { dtype: "f32", shape } });
  let wrong: RuntimeFailure | undefined;
  let position = 0;
  for (let chunk = first; chunk.done !== true; chunk = await rows.next()) {
    wrong ??= notNumbers(chunk.value, position, vocab);
    if (wrong !== undefined && atEnd === undefined) throw wrong;
    await file.write(chunk.value);
    position += chunk.value.length / vocab;
  }
  await atEnd?.();
  if (wrong !== undefined) throw wrong;
  await file.finish();
}

/** Writes every weight under its checkpoint's key. */
async function writeWeights(out: string, { weights }: Model, signal: AbortSignal): Promise<void> {
  await using file = await SafetensorsWriter.open(out, Object.fromEntries(weights.map((each) => [each.key, each])));
  for (const each of weights) await file.write((await each.read(signal)).data);
  await file.finish();
}

/** The logits of a trace, whose other values go to a file on the way. */
async function* tracing(chunks: AsyncGenerator<TracedChunk>, file: TraceWriter): AsyncGenerator<Float32Array> {
  for await (const chunk of chunks) {
    await file.write(chunk);
    yield chunk.logits;
  }
}

/** The failure that a logit is NaN or infinite; undefined when none is. */
function notNumbers(rows: Float32Array, position: number, vocab: number): RuntimeFailure | undefined {
  const at = rows.findIndex((value) => !Number.isFinite(value));
  if (at < 0) return undefined;
  const where = position + Math.floor(at / vocab);
  return new RuntimeFailure(
    "LOGITS_INVALID",
    `the logits after token ${where} are no numbers: logit ${at % vocab} is ${rows[at]}`,
    {
      position: where,
      id: at % vocab,
    },
  );
}
