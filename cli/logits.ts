/** `tsxla logits`: what a model says after every token of a list. */
import { Command, InvalidArgumentError } from "commander";
import { RuntimeFailure } from "../dsl/index.ts";
import { type ModelOptions, openModelOn, openWorker, withModel } from "./options.ts";
import { Progress } from "./progress.ts";
import { SafetensorsWriter } from "./safetensors.ts";

// Public API

export function logitsCommand(signal: AbortSignal): Command {
  return withModel(new Command("logits"))
    .description("Writes the logits after every token: `logits`, f32, [tokens, vocabulary].")
    .requiredOption("--tokens <ids>", "token ids, separated by commas", tokenIds)
    .requiredOption("--out <file>", "where to write, as safetensors")
    .option("--step", "feed one token at a time through the cache, instead of a prefill")
    .option("--json", "print one JSON object when done")
    .action((options: LogitsCommandOptions) => run(options, signal));
}

// Implementation

interface LogitsCommandOptions extends ModelOptions {
  readonly tokens: readonly number[];
  readonly out: string;
  readonly step?: true;
  readonly json?: true;
}

async function run(options: LogitsCommandOptions, signal: AbortSignal): Promise<void> {
  const progress = new Progress();
  await using worker = await openWorker(options, progress, signal);
  await using model = await openModelOn(worker, options, progress, signal);
  const { tokens, out } = options;
  const shape = [tokens.length, model.config.vocab];
  const rows = model.logits(tokens, { step: options.step === true, signal });
  // Refused before a file is made.
  const first = await rows.next();
  await using file = await SafetensorsWriter.open(out, { logits: { dtype: "f32", shape } });
  const started = performance.now();
  let position = 0;
  for (let chunk = first; chunk.done !== true; chunk = await rows.next()) {
    requireNumbers(chunk.value, position, model.config.vocab);
    await file.write(chunk.value);
    position += chunk.value.length / model.config.vocab;
  }
  await file.finish();
  progress.end("logits", (performance.now() - started) / 1000, `${tokens.length} tokens to ${out}`);
  if (options.json) process.stdout.write(`${JSON.stringify({ out, shape, step: options.step === true })}\n`);
}

/** @throws RuntimeFailure when a logit is NaN or infinite */
function requireNumbers(rows: Float32Array, position: number, vocab: number): void {
  const at = rows.findIndex((value) => !Number.isFinite(value));
  if (at < 0) return;
  const where = position + Math.floor(at / vocab);
  throw new RuntimeFailure(
    "LOGITS_INVALID",
    `the logits after token ${where} are no numbers: logit ${at % vocab} is ${rows[at]}`,
    {
      position: where,
      id: at % vocab,
    },
  );
}

function tokenIds(text: string): readonly number[] {
  const ids = text.split(",").map((each) => each.trim());
  const wrong = ids.find((each) => !/^\d+$/.test(each));
  if (wrong !== undefined)
    throw new InvalidArgumentError(`It is a list of whole numbers such as 1,2,3, and holds '${wrong}'.`);
  return ids.map(Number);
}
