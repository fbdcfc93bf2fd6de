/** Options that several commands share, and how a model is made of them. */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { type Command, InvalidArgumentError, Option } from "commander";
import { virtualDevices, weightForms } from "../compiler/index.ts";
import { InputError } from "../dsl/index.ts";
import { loadModel, type Model, Worker } from "../inference/index.ts";
import { targetOf } from "../inference/programs/target-words.ts";
import type { Architecture } from "../models/index.ts";
import { formatBytes } from "../planning/format-bytes.ts";
import type { ConnectOptions, LoadProgress } from "../runtime-bridge/index.ts";
import type { Progress } from "./progress.ts";

// Public API

export { targetOf };

/** How to reach a worker. */
export interface WorkerOptions {
  readonly worker?: readonly string[];
  readonly tokenFile?: string;
  readonly tlsCa?: string;
}

/** What every command that takes a model is told. */
export interface ModelOptions extends WorkerOptions {
  readonly model: string;
  readonly target: string;
  readonly mesh?: string;
  readonly computeDtype?: string;
  readonly weights?: string;
  readonly context?: number;
  readonly arch?: string;
  readonly untrainedSeed?: number;
  readonly randomWeights?: number;
}

/** Adds the options of a worker. */
export function withWorker(command: Command): Command {
  return command
    .option(
      "--worker <address>",
      "a worker that runs already: unix:PATH, HOST:PORT, dns:NAME:PORT; once for each host of a group (without: one is started)",
      collect,
    )
    .option("--token-file <file>", "the token that the worker wants")
    .option("--tls-ca <file>", "certificates, PEM, that vouch for the worker");
}

/** Adds the options of a model. */
export function withModel(command: Command, models = "a Hugging Face folder or a .gguf file"): Command {
  return withWorker(
    command
      .requiredOption("--model <path>", models)
      .option("--target <spec>", "what to compile for", "cpu")
      .option("--mesh <axes>", "how a target of several devices is arranged: data=1,expert=1,model=4 (all along model)")
      .option("--compute-dtype <type>", "what is multiplied: f32 or bf16 (f32 on CPU)")
      .option(
        "--weights <kinds>",
        `how matrices are held, EXPERTS[,DENSE]: ${weightForms.join(", ")} (GPT-OSS as published, others as computed)`,
      )
      .option("--context <n>", "how many positions a text may have (what the model was made for)", wholeNumber)
      .option("--arch <file>", "a TypeScript file whose default export is the architecture")
      .option("--untrained-seed <s>", "for weights that --arch adds and the checkpoint lacks (0)", wholeFromZero),
  );
}

/** Adds the option of a model that needs no checkpoint. */
export function withRandomWeights(command: Command): Command {
  return command.addOption(
    new Option(
      "--random-weights [seed]",
      "draw every weight at random with this seed (0), and read no checkpoint: --model is a config.json, a folder that holds one, or the name of a published model",
    )
      .preset("0")
      .argParser(wholeFromZero)
      .conflicts("untrainedSeed"),
  );
}

/** Starts a worker, or reaches the one that is named. */
export async function openWorker(
  options: WorkerOptions & Partial<ModelOptions>,
  progress: Progress,
  signal: AbortSignal,
): Promise<Worker> {
  const { target } = options;
  const devices = target === undefined ? 1 : virtualDevices(targetOf({ ...options, target }));
  const addresses = options.worker ?? [];
  const isNamed = addresses.length > 0;
  return await progress.stage(isNamed ? `reaching ${addresses.join(", ")}` : "starting a worker", async () =>
    !isNamed
      ? await Worker.launch({ signal, devices })
      : await Worker.connect(addresses, connectOptions(options, signal)),
  );
}

/** How to reach a worker, from the options of a command. */
export function connectOptions({ tokenFile, tlsCa }: WorkerOptions, signal: AbortSignal): ConnectOptions {
  return { signal, tokenFile, tlsCa };
}

/** Loads a model, showing how far it is. */
export async function openModelOn(
  worker: Worker,
  options: ModelOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<Model> {
  const { target, mesh, weights, computeDtype } = options;
  const architecture = options.arch === undefined ? undefined : await importArchitecture(options.arch);
  const bar = progress.bar("loading");
  let hosts: LoadProgress["hosts"] = [];
  let bytesStored = 0;
  try {
    const model = await loadModel(options.model, {
      worker,
      target,
      signal,
      mesh,
      weights,
      computeDtype,
      context: options.context,
      architecture,
      untrainedSeed: options.untrainedSeed,
      randomWeights: options.randomWeights,
      onLoad: (now) => {
        ({ hosts, bytesStored } = now);
        bar.update(now.bytesDone, now.bytesTotal);
      },
      onCompile: ({ kind, done }) => {
        const rows = kind.batch === undefined || kind.batch === 1 ? "" : ` of ${kind.batch} rows`;
        const what = kind.pos === 1 ? `decode${rows}` : `prefill of ${kind.pos}`;
        if (done === undefined) progress.begin(`compiling ${what}`);
        else progress.end(`compiling ${what}`, done.seconds, done.fromCache ? "from the compile cache" : "");
      },
      onCache: ({ rows, positions, bytes: size }) => {
        // A batch has a row more, where prompts are prefilled.
        const prefill = rows === 1 ? "" : " and one for prefills";
        progress.say(`cache ${rows} × ${positions} positions${prefill}, ${formatBytes(size)}`);
      },
    });
    bar.finish();
    if (hosts.length > 1) {
      for (const [n, { bytesTotal }] of hosts.entries()) {
        progress.say(`host ${n} read ${formatBytes(bytesTotal)} of ${formatBytes(bytesStored)}`);
      }
    }
    if (options.randomWeights !== undefined) {
      progress.say(`every weight is drawn at random with seed ${options.randomWeights}: no checkpoint is read`);
    } else if (model.untrained.length > 0) {
      const seed = options.untrainedSeed ?? 0;
      progress.say(`drawn at random with seed ${seed}, for the checkpoint has none: ${listed(model.untrained)}`);
    }
    return model;
  } catch (error) {
    bar.stop();
    throw error;
  }
}

/** For commander: a whole number from 1. */
export function wholeNumber(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= 1) return value;
  throw new InvalidArgumentError("It is a whole number from 1.");
}

/** For commander: a whole number from 0. */
export function wholeFromZero(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError("It is a whole number from 0.");
}

/** For commander: token ids, separated by commas. */
export function tokenIds(text: string): readonly number[] {
  const ids = text.split(",").map((each) => each.trim());
  const wrong = ids.find((each) => !/^\d+$/.test(each));
  if (wrong !== undefined)
    throw new InvalidArgumentError(`It is a list of whole numbers such as 1,2,3, and holds '${wrong}'.`);
  return ids.map(Number);
}

/** For commander: a number. */
export function number(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value)) return value;
  throw new InvalidArgumentError("It is a number.");
}

/** For commander: an option that may be repeated. */
export function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

/** Loads the architecture that `--arch` names. @throws InputError that says what its default export lacks */
export async function importArchitecture(file: string): Promise<Architecture> {
  let module: { readonly default?: unknown };
  try {
    module = (await import(pathToFileURL(resolve(file)).href)) as typeof module;
  } catch (cause) {
    throw new InputError(
      "ARCHITECTURE",
      `--arch ${file} cannot be loaded: ${(cause as Error).message}`,
      { file },
      { cause },
    );
  }
  const made = module.default as Partial<Architecture> | undefined;
  const wanted = ["name", "fromHuggingFace", "weights", "forward", "unembed", "roles"] as const;
  const missing = wanted.filter((key) => made?.[key] === undefined);
  if (missing.length === 0) return made as Architecture;
  throw new InputError(
    "ARCHITECTURE",
    `--arch ${file}: the default export is no Architecture; it lacks ${missing.join(", ")}`,
    { file, missing },
  );
}

// Implementation

/** Paths, those that differ in a number alone as one: `layers.{0…23}.moe.shared.down`. */
function listed(paths: readonly string[]): string {
  const numbers = new Map<string, number[]>();
  for (const path of paths) {
    const [number] = /(?<=\.)\d+(?=\.)/.exec(path) ?? [];
    const general = number === undefined ? path : path.replace(`.${number}.`, ".{}.");
    numbers.set(general, [...(numbers.get(general) ?? []), ...(number === undefined ? [] : [Number(number)])]);
  }
  const entries = [...numbers].map(([general, of]) => {
    const [first, last] = [of[0], of.at(-1)];
    return general.replace("{}", first === last ? `${first}` : `{${first}…${last}}`);
  });
  return entries.join(", ");
}
