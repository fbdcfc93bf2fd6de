/**
 * Which files of a repository are fetched: those that tsxla reads, or those that are asked for.
 *
 * Unasked, a repository gives its configuration, tokenizer and chat template, and its weights: `model.safetensors`, else
 * the shards that its index names, else one file of safetensors, else one GGUF, which needs nothing beside it. Only the
 * top folder is looked at: other layouts of the same weights, such as GPT-OSS's `original/` and `metal/`, lie below.
 * Where several files could be the model, none is guessed.
 */
import { posix } from "node:path";
import picomatch from "picomatch";
import { InputError } from "../dsl/index.ts";
import { requireSafeName } from "./file-name.ts";
import type { HubFile } from "./listing.ts";

// Public API

/** What is asked for; nothing means what tsxla reads. */
export interface Wanted {
  /** Paths; any part of a GGUF in several stands for all of them. */
  readonly files?: readonly string[] | undefined;
  /** Patterns: `*` within a folder, `**` across them. */
  readonly include?: readonly string[] | undefined;
}

/**
 * Picks files.
 *
 * @param read  gives the text of a file, for the index of shards
 * @throws InputError that lists what there is, when nothing or too much fits; that names a file whose name is dangerous
 */
export async function selectFiles(
  id: string,
  files: readonly HubFile[],
  wanted: Wanted,
  read: (file: HubFile) => Promise<string>,
): Promise<readonly HubFile[]> {
  const { files: paths = [], include = [] } = wanted;
  const isAsked = paths.length + include.length > 0;
  const chosen = isAsked ? asked(id, files, paths, include) : await needed(id, files, read);
  for (const { path } of chosen) requireSafeName(path);
  return chosen;
}

// Implementation

/** What inference/programs/model-files.ts reads, and what other programs would miss in such a folder. */
const besides = new Set([
  "config.json",
  "generation_config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "chat_template.jinja",
]);
const single = "model.safetensors";
const index = "model.safetensors.index.json";

async function needed(
  id: string,
  files: readonly HubFile[],
  read: (file: HubFile) => Promise<string>,
): Promise<readonly HubFile[]> {
  const weights = await weightsOf(id, files, read);
  if (weights.every(({ path }) => path.endsWith(".gguf"))) return weights;
  return [...files.filter(({ path }) => besides.has(path)), ...weights];
}

function asked(
  id: string,
  files: readonly HubFile[],
  paths: readonly string[],
  include: readonly string[],
): readonly HubFile[] {
  const chosen = new Set<HubFile>();
  for (const path of paths) {
    const found = files.find((file) => file.path === path);
    if (found === undefined) throw missing(id, `no file '${path}'`, files, path);
    for (const part of files.filter((file) => choiceOf(file) === choiceOf(found))) chosen.add(part);
  }
  for (const pattern of include) {
    const matches = picomatch(pattern, { dot: true });
    const found = files.filter(({ path }) => matches(path));
    if (found.length === 0) throw missing(id, `no file that matches '${pattern}'`, files, pattern);
    for (const file of found) chosen.add(file);
  }
  return [...chosen];
}

async function weightsOf(
  id: string,
  files: readonly HubFile[],
  read: (file: HubFile) => Promise<string>,
): Promise<readonly HubFile[]> {
  const top = files.filter(({ path }) => !path.includes("/"));
  const named = (name: string) => top.find(({ path }) => path === name);
  const whole = named(single);
  if (whole !== undefined) return [whole];
  const list = named(index);
  if (list !== undefined) {
    const shards = shardsIn(await read(list), id).map((name) => {
      const found = named(name);
      if (found !== undefined) return found;
      throw new InputError("INDEX", `${index} of ${id} names ${name}, which the repository does not have`, {
        shard: name,
      });
    });
    return [list, ...shards];
  }
  const safetensors = top.filter(({ path }) => path.endsWith(".safetensors"));
  // Asked by name, a file comes alone, and these need a configuration and a tokenizer.
  if (safetensors.length > 0) return oneChoice(id, "safetensors files", safetensors, ' --include "*.{json,jinja}"');
  // A quantisation may lie in a folder of its own; projectors and importance matrices are no models.
  const gguf = files.filter(({ path }) => path.endsWith(".gguf") && !/mmproj|imatrix/i.test(posix.basename(path)));
  if (gguf.length > 0) return oneChoice(id, "GGUF files", gguf, "");
  const others = top.filter(({ path }) => /\.(?:bin|pt|pth|ckpt|h5|msgpack|onnx)$/.test(path)).map(({ path }) => path);
  const has = others.length === 0 ? "" : `; it has ${others.slice(0, 3).join(", ")}, which tsxla does not read`;
  throw new InputError("NO_WEIGHTS", `${id} has no safetensors in its top folder and no GGUF${has}`, {
    repository: id,
  });
}

/** The one model that the files are, in however many parts. @throws InputError with the choices */
function oneChoice(id: string, kind: string, files: readonly HubFile[], besides: string): readonly HubFile[] {
  const choices = new Map<string, HubFile[]>();
  for (const file of files) choices.set(choiceOf(file), [...(choices.get(choiceOf(file)) ?? []), file]);
  if (choices.size === 1) return files;
  const lines = [...choices.values()].map((parts) => {
    const [{ path }] = parts as [HubFile];
    const size = parts.reduce((all, part) => all + part.size, 0);
    const count = parts.length === 1 ? "" : `, in ${parts.length} parts`;
    return `  --file ${/[^\w./-]/.test(path) ? JSON.stringify(path) : path}${besides}  ${(size / 1e9).toFixed(2)} GB${count}`;
  });
  throw new InputError("SEVERAL_MODELS", [`${id} has ${choices.size} ${kind}; pick one`, ...lines].join("\n"), {
    repository: id,
    choices: [...choices.values()].map(([first]) => first?.path),
  });
}

/** Files that are one, cut into parts (`NAME-00001-of-00003.gguf`), have the same. */
function choiceOf({ path }: HubFile): string {
  return path.replace(/-\d{5}-of-(\d{5})\.(gguf|safetensors)$/, "-of-$1.$2");
}

function shardsIn(text: string, id: string): readonly string[] {
  let map: unknown;
  try {
    map = (JSON.parse(text) as { weight_map?: unknown }).weight_map;
  } catch {}
  const shards = [...new Set(Object.values(map ?? {}))];
  if (shards.length > 0 && shards.every((name) => typeof name === "string")) return shards.toSorted();
  throw new InputError("INDEX", `${index} of ${id} has no weight_map from tensors to files`, { repository: id });
}

function missing(id: string, what: string, files: readonly HubFile[], asked: string): InputError {
  const lines = files.slice(0, mostListed).map(({ path }) => `  ${path}`);
  const more = files.length > mostListed ? [`  and ${files.length - mostListed} more`] : [];
  return new InputError("FILE", [`${id} has ${what}; it has`, ...lines, ...more].join("\n"), { repository: id, asked });
}

const mostListed = 40;
