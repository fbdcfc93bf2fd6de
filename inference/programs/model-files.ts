/**
 * What a model's files say: which architecture, which configuration, which tokenizer, which chat template.
 *
 * The files lie beside the worker, so everything is read through it.
 */
import { InputError, TsxlaError } from "../../dsl/index.ts";
import { configFromGguf } from "../../models/checkpoints/layouts.ts";
import { type Architecture, findArchitecture, findByConfig, type ModelConfig } from "../../models/index.ts";
import type { Checkpoint, Worker } from "../../runtime-bridge/index.ts";
import type { Harmony } from "../harmony/index.ts";
import { ChatTemplate, findChatTemplate } from "../text/chat-template.ts";
import { tokenizerFromGguf } from "../text/gguf-tokenizer.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { tokenizerFromJson } from "../text/tokenizer-json.ts";
import { chatFormatOf } from "./chat-formats.ts";

// Public API

/** A model that is understood; no weight is loaded yet. */
export interface UnloadedModel {
  /** Absent where every weight is drawn at random. */
  readonly checkpoint: Checkpoint | undefined;
  readonly architecture: Architecture;
  readonly config: ModelConfig;
  /** Absent where the folder has none: token ids still run. */
  readonly tokenizer: Tokenizer | undefined;
  readonly chatTemplate: ChatTemplate | undefined;
  /** Where the architecture chats in it: then not by its template. */
  readonly harmony: Harmony | undefined;
  /** The tokens that end an answer. */
  readonly stopIds: ReadonlySet<number>;
}

/** A model's files, read and understood. */
export interface ModelFiles extends UnloadedModel {
  readonly checkpoint: Checkpoint;
}

/** What config.json holds. */
export type ConfigValues = Readonly<Record<string, unknown>>;

/** The small files of a folder: config.json and those beside it. */
export interface ModelFolder {
  /** For errors. */
  readonly path: string;
  /** A file's bytes; undefined where the folder has none of that name. */
  read(name: string): Promise<Uint8Array | undefined>;
}

/**
 * Opens a model: a Hugging Face folder or a .gguf file.
 *
 * @param architecture  replaces the built-in one of the checkpoint's name
 * @throws InputError that names the file and what is wrong with it
 */
export async function openModel(worker: Worker, path: string, architecture?: Architecture): Promise<ModelFiles> {
  const checkpoint = await worker.openCheckpoint(path);
  return checkpoint.container === "gguf"
    ? openGguf(checkpoint, architecture)
    : await openFolder(worker, checkpoint, architecture);
}

/** Refuses a config.json that holds something other than an object. @param where  the file, for the error */
export function requireConfig(config: unknown, where: string): ConfigValues {
  if (typeof config === "object" && config !== null && !Array.isArray(config)) return config as ConfigValues;
  const found = String(JSON.stringify(config)).slice(0, 40);
  throw new InputError("CONFIG", `${where} holds ${found}; wanted an object`, { found });
}

/**
 * What a configuration and the files beside it say of a model.
 *
 * @param config  what config.json holds
 * @param given  replaces the built-in architecture of the configuration's name
 * @throws InputError that names the file and what is wrong with it
 */
export async function understandFolder(
  folder: ModelFolder,
  config: ConfigValues,
  given: Architecture | undefined,
): Promise<UnloadedModel> {
  const architecture = given ?? findByConfig(config);
  const [tokenizerJson, tokenizerConfig, generation, template] = await Promise.all([
    readJson(folder, "tokenizer.json"),
    readJson(folder, "tokenizer_config.json"),
    readJson(folder, "generation_config.json"),
    readText(folder, "chat_template.jinja"),
  ]);
  const tokenizer = tokenizerJson === undefined ? undefined : tokenizerFromJson(tokenizerJson, tokenizerConfig ?? {});
  const settings = (tokenizerConfig ?? {}) as Record<string, unknown>;
  const source = findChatTemplate({
    ...(template === undefined ? {} : { jinjaFile: template }),
    ...(tokenizerConfig === undefined ? {} : { tokenizerConfig: settings }),
  });
  return {
    checkpoint: undefined,
    architecture,
    config: architecture.fromHuggingFace(config),
    tokenizer,
    chatTemplate: templateOf(source, tokenizer, settings),
    harmony: chatFormatOf(architecture, tokenizer),
    stopIds: new Set([...eosOf(generation), ...eosOf(config), ...(tokenizer?.eosIds ?? [])]),
  };
}

// Implementation

function openGguf(checkpoint: Checkpoint, given: Architecture | undefined): ModelFiles {
  const { metadata, tensors } = checkpoint;
  const architecture = given ?? findArchitecture(metadata.get("general.architecture"));
  const config = configFromGguf(architecture, metadata, new Set(tensors.keys()));
  const record = Object.fromEntries(metadata);
  const tokenizer = metadata.has("tokenizer.ggml.model") ? tokenizerFromGguf(record) : undefined;
  const source = findChatTemplate({ ggufMetadata: record });
  return {
    checkpoint,
    architecture,
    config,
    tokenizer,
    chatTemplate: templateOf(source, tokenizer, {}),
    harmony: chatFormatOf(architecture, tokenizer),
    stopIds: new Set(tokenizer?.eosIds),
  };
}

async function openFolder(
  worker: Worker,
  checkpoint: Checkpoint,
  given: Architecture | undefined,
): Promise<ModelFiles> {
  const { directory, files } = checkpoint;
  const folder: ModelFolder = {
    path: directory,
    read: async (name) => (files.includes(name) ? await worker.readFile(`${directory}/${name}`) : undefined),
  };
  const config = await readJson(folder, "config.json");
  if (config === undefined) {
    throw new InputError(
      "CONFIG_MISSING",
      `${directory} has weights and no config.json, which says what model they are of`,
      { directory },
    );
  }
  return { ...(await understandFolder(folder, requireConfig(config, `${directory}/config.json`), given)), checkpoint };
}

/** `eos_token_id` is a number or a list of them; whatever else it is, it names no token. */
function eosOf(config: unknown): number[] {
  const value = (config as Record<string, unknown> | undefined)?.eos_token_id;
  return [value].flat().filter((id): id is number => typeof id === "number" && Number.isInteger(id));
}

function templateOf(
  source: string | undefined,
  tokenizer: Tokenizer | undefined,
  settings: Readonly<Record<string, unknown>>,
): ChatTemplate | undefined {
  if (source === undefined) return undefined;
  const spelled = (id: number | undefined) => (id === undefined ? undefined : tokenizer?.tokenText(id));
  const bosToken = tokenString(settings.bos_token) ?? spelled(tokenizer?.bosId);
  const eosToken = tokenString(settings.eos_token) ?? spelled(tokenizer?.eosIds[0]);
  return ChatTemplate.parse(source, {
    ...(bosToken === undefined ? {} : { bosToken }),
    ...(eosToken === undefined ? {} : { eosToken }),
  });
}

/** tokenizer_config.json spells a token as a text, or as an object with its `content`. */
function tokenString(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  const content = (value as { content?: unknown } | null | undefined)?.content;
  return typeof content === "string" ? content : undefined;
}

async function readText({ path, read }: ModelFolder, name: string): Promise<string | undefined> {
  const bytes = await read(name);
  if (bytes === undefined) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new InputError("FILE_INVALID", `${path}/${name} is not UTF-8 text`, { directory: path, name }, { cause });
  }
}

async function readJson(folder: ModelFolder, name: string): Promise<unknown> {
  const text = await readText(folder, name);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    const reason = cause instanceof TsxlaError ? cause.message : (cause as Error).message;
    throw new InputError("FILE_INVALID", `${folder.path}/${name} is not JSON: ${reason}`, { name }, { cause });
  }
}
