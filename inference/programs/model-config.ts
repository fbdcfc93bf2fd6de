/** Models without files: a config.json, or the name of a published one. */
import { readFile } from "node:fs/promises";
import { InputError } from "../../dsl/index.ts";
import { type Architecture, findByConfig, type ModelConfig, publishedConfigs } from "../../models/index.ts";

// Public API

/** What a configuration alone says of a model. */
export interface ConfiguredModel {
  readonly architecture: Architecture;
  readonly config: ModelConfig;
}

/** Whether a command's PATH|CONFIG stands for a configuration alone. */
export function isConfig(path: string): boolean {
  return path.endsWith(".json") || Object.hasOwn(publishedConfigs, path);
}

/**
 * Reads a config.json, or finds a published one by its name.
 *
 * @param architecture  replaces the built-in one of the configuration's name
 * @throws InputError that names the file, or every key that is missing or wrong
 */
export async function readModelConfig(path: string, architecture?: Architecture): Promise<ConfiguredModel> {
  const found = Object.hasOwn(publishedConfigs, path) ? publishedConfigs[path] : await readJson(path);
  const of = architecture ?? findByConfig(found);
  return { architecture: of, config: of.fromHuggingFace(found) };
}

/** Reads a file of JSON. @throws InputError that names it */
export async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as unknown;
  } catch (cause) {
    throw new InputError("INPUT", `${path} cannot be read as JSON: ${(cause as Error).message}`, { path }, { cause });
  }
}
