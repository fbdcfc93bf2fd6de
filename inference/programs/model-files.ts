/**
 * What a model's files say: which architecture, which configuration, which tokenizer, which chat template.
 *
 * The files lie beside the worker, so everything is read through it.
 */
import { InputError, TsxlaError } from "../../dsl/index.ts";
import { type Architecture, findArchitecture, findByConfig, gptOss, type ModelConfig } from "../../models/index.ts";
import type { Checkpoint, Worker } from "../../runtime-bridge/index.ts";
import { speaksHarmony } from "../harmony/format.ts";
import { Harmony } from "../harmony/index.ts";
import { ChatTemplate, findChatTemplate } from "../text/chat-template.ts";
import { tokenizerFromGguf } from "../text/gguf-tokenizer.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { tokenizerFromJson } from "../text/tokenizer-json.ts";

// Public API

/** A model's files, read and understood; no weight is loaded yet. */
export interface ModelFiles {
  readonly checkpoint: Checkpoint;
  readonly architecture: Architecture;
  readonly config: ModelConfig;
  /** Absent where the folder has none: token ids still run. */
  readonly tokenizer: Tokenizer | undefined;
  readonly chatTemplate: ChatTemplate | undefined;
  /** Of a GPT-OSS, which then chats in it and not by its template. */
  readonly harmony: Harmony | undefined;
  /** The tokens that end an answer. */
  readonly stopIds: ReadonlySet<number>;
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

// Implementation

function openGguf(checkpoint: Checkpoint, given: Architecture | undefined): ModelFiles {
  const { metadata, tensors } = checkpoint;
  const architecture = given ?? findArchitecture(metadata.get("general.architecture"));
  const config = architecture.fromGguf(metadata, new Set(tensors.keys()));
  const record = Object.fromEntries(metadata);
  const tokenizer = metadata.has("tokenizer.ggml.model") ? tokenizerFromGguf(record) : undefined;
  const source = findChatTemplate({ ggufMetadata: record });
  return {
    checkpoint,
    architecture,
    config,
    tokenizer,
    chatTemplate: templateOf(source, tokenizer, {}),
    harmony: harmonyOf(architecture, tokenizer),
    stopIds: new Set(tokenizer?.eosIds),
  };
}

async function openFolder(
  worker: Worker,
  checkpoint: Checkpoint,
  given: Architecture | undefined,
): Promise<ModelFiles> {
  const config = await readJson(worker, checkpoint, "config.json");
  if (config === undefined) {
    throw new InputError(
      "CONFIG_MISSING",
      `${checkpoint.directory} has weights and no config.json, which says what model they are of`,
      {
        directory: checkpoint.directory,
      },
    );
  }
  if (typeof config !== "object" || config === null || Array.isArray(config)) {
    const found = JSON.stringify(config).slice(0, 40);
    throw new InputError("CONFIG", `${checkpoint.directory}/config.json holds ${found}; wanted an object`, { found });
  }
  const architecture = given ?? findByConfig(config);
  const [tokenizerJson, tokenizerConfig, generation, template] = await Promise.all([
    readJson(worker, checkpoint, "tokenizer.json"),
    readJson(worker, checkpoint, "tokenizer_config.json"),
    readJson(worker, checkpoint, "generation_config.json"),
    readText(worker, checkpoint, "chat_template.jinja"),
  ]);
  const tokenizer = tokenizerJson === undefined ? undefined : tokenizerFromJson(tokenizerJson, tokenizerConfig ?? {});
  const settings = (tokenizerConfig ?? {}) as Record<string, unknown>;
  const source = findChatTemplate({
    ...(template === undefined ? {} : { jinjaFile: template }),
    ...(tokenizerConfig === undefined ? {} : { tokenizerConfig: settings }),
  });
  return {
    checkpoint,
    architecture,
    config: architecture.fromHuggingFace(config),
    tokenizer,
    chatTemplate: templateOf(source, tokenizer, settings),
    harmony: harmonyOf(architecture, tokenizer),
    stopIds: new Set([...eosOf(generation), ...eosOf(config), ...(tokenizer?.eosIds ?? [])]),
  };
}

/** `eos_token_id` is a number or a list of them; whatever else it is, it names no token. */
function eosOf(config: unknown): number[] {
  const value = (config as Record<string, unknown> | undefined)?.eos_token_id;
  return [value].flat().filter((id): id is number => typeof id === "number" && Number.isInteger(id));
}

/** Others may have the same tokens and another format. */
function harmonyOf({ name }: Architecture, tokenizer: Tokenizer | undefined): Harmony | undefined {
  return name === gptOss.name && tokenizer !== undefined && speaksHarmony(tokenizer)
    ? new Harmony(tokenizer)
    : undefined;
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

async function readText(worker: Worker, { directory, files }: Checkpoint, name: string): Promise<string | undefined> {
  if (!files.includes(name)) return undefined;
  const bytes = await worker.readFile(`${directory}/${name}`);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new InputError("FILE_INVALID", `${directory}/${name} is not UTF-8 text`, { directory, name }, { cause });
  }
}

async function readJson(worker: Worker, checkpoint: Checkpoint, name: string): Promise<unknown> {
  const text = await readText(worker, checkpoint, name);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    const reason = cause instanceof TsxlaError ? cause.message : (cause as Error).message;
    throw new InputError("FILE_INVALID", `${checkpoint.directory}/${name} is not JSON: ${reason}`, { name }, { cause });
  }
}
