/** How a model is opened: through its checkpoint, or as a configuration whose weights are all drawn at random. */
import { readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { InputError } from "../../dsl/index.ts";
import { type Architecture, publishedConfigs } from "../../models/index.ts";
import type { Worker } from "../../runtime-bridge/index.ts";
import { readJson } from "./model-config.ts";
import {
  type ConfigValues,
  type ModelFolder,
  openModel,
  requireConfig,
  type UnloadedModel,
  understandFolder,
} from "./model-files.ts";

// Public API

/** What says how a model is opened. */
export interface OpenOptions {
  readonly worker: Worker;
  readonly architecture?: Architecture | undefined;
  readonly randomWeights?: number | undefined;
  readonly untrainedSeed?: number | undefined;
}

/**
 * Opens a model: a checkpoint, through the worker that has its files; or with `randomWeights` a configuration, which is
 * read here.
 *
 * @throws InputError that names the file or the option, and what was wanted
 */
export async function openUnloaded(model: string | ConfigValues, options: OpenOptions): Promise<UnloadedModel> {
  const { worker, architecture, randomWeights, untrainedSeed } = options;
  if (randomWeights === undefined) return await openModel(worker, requireCheckpoint(model), architecture);
  if (!Number.isSafeInteger(randomWeights) || randomWeights < 0) {
    throw new InputError(
      "OPTION_VALUE",
      `the seed of random weights is ${randomWeights}; wanted a whole number from 0`,
      {
        option: "randomWeights",
        found: randomWeights,
      },
    );
  }
  if (untrainedSeed !== undefined) {
    throw new InputError(
      "OPTION_CONFLICT",
      "random weights are all drawn with one seed; an untrained seed is for a checkpoint that lacks some. Give one of the two",
      { options: ["randomWeights", "untrainedSeed"] },
    );
  }
  return await configuredModel(model, architecture);
}

/**
 * A model of which only the configuration is known: what config.json holds, a config.json, a folder that holds one, or the
 * name of a published model. Tokenizer and chat template are read where they lie beside config.json.
 *
 * @throws InputError that names the file, or every key that is missing or wrong
 */
export async function configuredModel(
  model: string | ConfigValues,
  architecture?: Architecture,
): Promise<UnloadedModel> {
  if (typeof model !== "string")
    return await understandFolder(noFolder, requireConfig(model, "the model"), architecture);
  const published = Object.hasOwn(publishedConfigs, model) ? publishedConfigs[model] : undefined;
  if (published !== undefined) return await understandFolder(noFolder, published, architecture);
  const path = await configPath(model);
  const config = requireConfig(await readJson(path), path);
  return await understandFolder(localFolder(dirname(path)), config, architecture);
}

// Implementation

const noFolder: ModelFolder = { path: "", read: async () => undefined };

function localFolder(path: string): ModelFolder {
  const read = async (name: string) => {
    try {
      return await readFile(join(path, name));
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw new InputError("INPUT", `${join(path, name)} cannot be read: ${(cause as Error).message}`, {}, { cause });
    }
  };
  return { path, read };
}

async function configPath(model: string): Promise<string> {
  if (model.endsWith(".json")) return model;
  const found = await stat(model).catch(() => undefined);
  if (found?.isDirectory()) return join(model, "config.json");
  const names = Object.keys(publishedConfigs).join(", ");
  throw new InputError(
    "CONFIG_MISSING",
    [
      `random weights need a configuration, and ${model} is ${found === undefined ? "no file" : "a file of another kind"}`,
      `  hint  give a config.json, a folder that holds one, or the name of a published model: ${names}`,
    ].join("\n"),
    { model },
  );
}

/** A configuration alone has no weights. A published model's name may be the name of a folder too. */
function requireCheckpoint(model: string | ConfigValues): string {
  if (typeof model === "string" && !model.endsWith(".json")) return model;
  throw new InputError(
    "WEIGHTS_MISSING",
    [
      `${typeof model === "string" ? model : "the model"} is a configuration and holds no weights`,
      "  hint  give a Hugging Face folder or a .gguf file, or have every weight drawn: --random-weights SEED, or randomWeights in a program",
    ].join("\n"),
    { model },
  );
}
