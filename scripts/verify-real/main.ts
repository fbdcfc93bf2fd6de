/**
 * Real weights under test: pulls or finds them, compares what the files say with what was published, counts the scales of
 * MXFP4 matrices, and goes on with five prompts as another engine did.
 *
 * Exit codes: 0 all holds, 1 something does not or has nothing to be compared with, 2 wrong usage or input.
 */
import { setMaxListeners } from "node:events";
import { mkdir, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Command, CommanderError } from "commander";
import { openWorker, targetOf, type WorkerOptions, wholeNumber, withWorker } from "../../cli/options.ts";
import { Progress } from "../../cli/progress.ts";
import { followPull } from "../../cli/pull.ts";
import { countParameters, InputError, type ParamTree, TsxlaError } from "../../dsl/index.ts";
import { hashFile } from "../../hub/content-hash.ts";
import { loadModel, type Model, type ModelFiles, openModel, type Worker } from "../../inference/index.ts";
import { formatBytes } from "../../planning/format-bytes.ts";
import { compareAnswer, type Expectations, type FoundAnswer, readExpectations } from "./expectations.ts";
import { type KnownModel, knownModels, root } from "./known-models.ts";
import { prompts } from "./prompts.ts";
import { type MatrixSpread, readScales } from "./read-scales.ts";
import { recordAnswers } from "./record.ts";
import { histogramLine, verdict } from "./scale-spread.ts";

// Public API

/** Runs with the words of a command line; sets the process's exit code. */
export async function main(words: readonly string[]): Promise<void> {
  const interruption = new AbortController();
  // A model is compiled in many calls at once, and each listens.
  setMaxListeners(0, interruption.signal);
  process.once("SIGINT", () => interruption.abort(new DOMException("interrupted", "AbortError")));
  const command = withWorker(new Command("verify-real"))
    .description("Holds real weights to what was published of them and to another engine's answers.")
    .argument("<model>", `${Object.keys(knownModels).join(", ")}, or the path of any model`)
    .option("--path <path>", "where a known model is: a folder or a .gguf file; nothing is pulled then")
    .option("--out <dir>", "where a known model is pulled to")
    .option("--revision <r>", "which revision of a known model", "main")
    .option("--expectations <file>", "the other engine's answers (beside this program, for known models)")
    .option("--record <engine>", "write that file: transformers, or http://HOST:PORT of a server with OpenAI's API")
    .option("--python <path>", "for --record transformers: a Python that has it", join(root, ".oracle-venv/bin/python"))
    .option("--dtype <type>", "what transformers computes in: float32 or bfloat16", "float32")
    .option("--device <name>", "where transformers computes", "cpu")
    .option(
      "--tie <logits>",
      "by how much a choice may be closer than arithmetic (0.01 in float32, 0.5 otherwise)",
      Number,
    )
    .option("--max-tokens <n>", "how long answers to record are", wholeNumber, 24)
    .option("--weights <kinds>", "how matrices are held, as for tsxla generate")
    .option("--context <n>", "how many positions a text may have", wholeNumber, 512)
    .option("--skip-scales", "count no scales")
    .option("--skip-answers", "load no weights, ask nothing")
    .option("--json", "print one JSON object")
    .exitOverride()
    .action(async (model: string, options: VerifyOptions) => {
      process.exitCode = await run(model, options, interruption.signal);
    });
  try {
    await command.parseAsync(words, { from: "user" });
  } catch (error) {
    process.exitCode = report(error);
  }
}

// Implementation

interface VerifyOptions extends WorkerOptions {
  readonly path?: string;
  readonly out?: string;
  readonly revision: string;
  readonly expectations?: string;
  readonly record?: string;
  readonly python: string;
  readonly dtype: string;
  readonly device: string;
  readonly tie?: number;
  readonly maxTokens: number;
  readonly weights?: string;
  readonly context: number;
  readonly skipScales?: true;
  readonly skipAnswers?: true;
  readonly json?: true;
}

/** What is printed with --json. */
interface Findings {
  readonly model: string;
  readonly path: string;
  readonly weights: string;
  readonly facts: readonly { what: string; published: string; found: string; holds: boolean; source: string }[];
  readonly scales: { readonly verdict: string; readonly matrices: readonly MatrixSpread[] } | undefined;
  readonly answers: readonly (FoundAnswer & { prompt: string; holds: boolean; said: string })[] | undefined;
  readonly holds: boolean;
}

async function run(name: string, options: VerifyOptions, signal: AbortSignal): Promise<number> {
  const known: KnownModel | undefined = Object.hasOwn(knownModels, name) ? knownModels[name] : undefined;
  const progress = new Progress();
  const { path, weights } = await findModel(name, known, options, progress, signal);
  const file =
    options.expectations ??
    fileURLToPath(new URL(`expectations/${known === undefined ? "none" : name}.json`, import.meta.url));
  const say = (text = "") => void (options.json || process.stdout.write(`${text}\n`));
  if (options.record !== undefined) {
    if (known === undefined && options.expectations === undefined) {
      throw new InputError(
        "OPTION_MISSING",
        "a model that is not known by name needs --expectations FILE to be recorded into",
      );
    }
    await record(name, path, weights, file, options, signal);
    progress.say(`recorded in ${relative(process.cwd(), file)}`);
  }
  const expected = options.skipAnswers ? undefined : await readExpectations(file);
  await using worker = await openWorker(options, progress, signal);
  const files = await openModel(worker, path);

  say(`${name}: ${path}`);
  const facts = compareFacts(known, files);
  for (const { what, published, found, holds, source } of facts) {
    say(`  ${holds ? "holds  " : "DIFFERS"}  ${what} ${found}${holds ? "" : `; published ${published}`}  (${source})`);
  }
  if (expected !== undefined && expected.weights !== weights) {
    say(`  note     the answers to compare with are of ${expected.weights}, and these weights are ${weights}`);
  }
  const scales = options.skipScales ? undefined : await scalesOf(worker, files, say, progress, signal);
  const answers = options.skipAnswers
    ? undefined
    : await answersOf(worker, path, expected, options, say, progress, signal);
  const holds = facts.every((fact) => fact.holds) && (answers?.every((answer) => answer.holds) ?? true);
  const isCompared = options.skipAnswers === true || expected !== undefined;
  if (!isCompared) {
    say(
      `nothing to compare the answers with: ${relative(process.cwd(), file)} is not there; --record transformers makes it`,
    );
  }
  const findings: Findings = { model: name, path, weights, facts, scales, answers, holds: holds && isCompared };
  if (options.json) process.stdout.write(`${JSON.stringify(findings)}\n`);
  return findings.holds ? 0 : 1;
}

/** Where the model is; what is not there yet is pulled. */
async function findModel(
  name: string,
  known: KnownModel | undefined,
  { path: given, out, revision }: VerifyOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<{ readonly path: string; readonly weights: string }> {
  if (known?.repository === undefined || given !== undefined) {
    const path = resolve(given ?? known?.path ?? name);
    return { path, weights: await nameOf(path) };
  }
  const { pull } = await import("../../hub/index.ts");
  const { directory, commit, fetchedBytes } = await pull(known.repository, {
    revision,
    out: resolve(out ?? join(root, known.path)),
    signal,
    onEvent: followPull(progress),
  });
  progress.say(`${known.repository} at ${commit}, ${formatBytes(fetchedBytes)} fetched`);
  return { path: directory, weights: `${known.repository}@${commit}` };
}

/** A file by its checksum, a folder by its name. */
async function nameOf(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile() !== true) return basename(path);
  return `${basename(path)}, sha256 ${await hashFile(path, found.size, { algorithm: "sha256" })}`;
}

async function record(
  name: string,
  path: string,
  weights: string,
  file: string,
  options: VerifyOptions,
  signal: AbortSignal,
): Promise<void> {
  const { python, dtype, device, maxTokens } = options;
  const engine = options.record as string;
  const tie = options.tie ?? (engine === "transformers" && dtype === "float32" ? 0.01 : 0.5);
  const recorded = await recordAnswers(path, { engine, python, dtype, device, maxTokens, prompts, signal });
  const expectations: Expectations = { model: name, weights, maxTokens, tie, ...recorded };
  await mkdir(dirname(file), { recursive: true });
  // Numbers of a list on one line.
  const text = JSON.stringify(expectations, undefined, 2).replaceAll(/\[[\s\d.,]*\]/g, (list) =>
    list.replaceAll(/\s+/g, " "),
  );
  await writeFile(file, `${text}\n`);
}

function compareFacts(
  known: KnownModel | undefined,
  { architecture, checkpoint, config }: ModelFiles,
): Findings["facts"] {
  const described = {
    parameters: countParameters(architecture.weights(config) as ParamTree),
    config: config as unknown as Readonly<Record<string, unknown>>,
    tensorBytes: [...checkpoint.tensors.values()].reduce((all, tensor) => all + tensor.bytes, 0),
  };
  return (known?.facts ?? []).map(({ what, published, source, found: find }) => {
    const found = find(described);
    return { what, published, found, holds: found === published, source };
  });
}

async function scalesOf(
  worker: Worker,
  files: ModelFiles,
  say: (text?: string) => void,
  progress: Progress,
  signal: AbortSignal,
): Promise<Findings["scales"]> {
  const matrices: MatrixSpread[] = [];
  const count = progress.count("counting scales");
  for await (const matrix of readScales(worker, files, signal)) {
    const { path, spread } = matrix;
    count.clear();
    if (matrices.length === 0) say("\nscales of MXFP4: their exponents, and how many of them an output channel spans");
    matrices.push(matrix);
    const distinct = Object.keys(spread.histogram).length;
    say(
      `  ${path}: ${spread.min} to ${spread.max}, ${distinct} different; spans up to ${spread.largestSpan}; blocks of zeros ${spread.zeroBlocks}`,
    );
    say(`    ${histogramLine(spread)}`);
    count.update(path);
  }
  count.clear();
  if (matrices.length === 0) return undefined;
  const said = verdict(matrices.map(({ spread }) => spread));
  say(`  ${said}`);
  return { verdict: said, matrices };
}

async function answersOf(
  worker: Worker,
  path: string,
  expected: Expectations | undefined,
  options: VerifyOptions,
  say: (text?: string) => void,
  progress: Progress,
  signal: AbortSignal,
): Promise<Findings["answers"]> {
  const { weights, context, maxTokens } = options;
  const bar = progress.bar("loading");
  await using model = await loadModel(path, {
    worker,
    context,
    signal,
    target: targetOf({ target: "cpu", ...(weights === undefined ? {} : { weights }) }),
    onLoad: ({ bytesDone, bytesTotal }) => bar.update(bytesDone, bytesTotal),
  });
  bar.finish();
  say(expected === undefined ? "\nanswers" : `\nanswers, beside those of ${expected.recordedBy}`);
  const asked = expected?.answers ?? prompts.map((prompt) => ({ prompt, text: "" }));
  const answers: (FoundAnswer & { prompt: string; holds: boolean; said: string })[] = [];
  for (const each of asked) {
    const found = await answer(model, each.prompt, expected?.maxTokens ?? maxTokens, signal);
    const { holds, said } =
      expected === undefined
        ? { holds: true, said: "compared with nothing" }
        : compareAnswer(each, found, expected.tie);
    answers.push({ prompt: each.prompt, ...found, holds, said });
    say(
      `  ${holds ? "holds  " : "DIFFERS"}  ${JSON.stringify(each.prompt)} → ${JSON.stringify(found.text)}\n           ${said}`,
    );
  }
  return answers;
}

async function answer(model: Model, prompt: string, maxTokens: number, signal: AbortSignal): Promise<FoundAnswer> {
  const promptIds = model.encode(prompt);
  const answerIds: number[] = [];
  let text = "";
  for await (const piece of model.generate(prompt, { maxTokens, signal })) {
    answerIds.push(piece.token);
    text += piece.text;
  }
  return { promptIds, answerIds, text };
}

function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  const known = error instanceof TsxlaError;
  const text = error instanceof Error ? (known ? error.message : (error.stack ?? error.message)) : String(error);
  process.stderr.write(`verify-real: ${text}\n`);
  return known ? error.exitCode : 1;
}
