/**
 * Reads Dockerfiles, and does what a stage of one does in a folder of this machine, without Docker.
 *
 * Reference: https://docs.docker.com/reference/dockerfile/. Only what this repository's files use; anything else throws.
 */
import { execFile } from "node:child_process";
import { cp, mkdir, readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import picomatch from "picomatch";

// Public API

/** One instruction: its word in capitals, and what follows with lines joined. */
export interface Instruction {
  readonly word: string;
  readonly rest: string;
}

/** From one FROM to the next. */
export interface Stage {
  /** What FROM names, as it stands. */
  readonly base: string;
  /** What AS names. */
  readonly name: string | undefined;
  readonly instructions: readonly Instruction[];
}

export interface Dockerfile {
  /** Defaults of the arguments before the first FROM. */
  readonly args: ReadonlyMap<string, string>;
  readonly stages: readonly Stage[];
}

/** Takes a Dockerfile apart. */
export async function readDockerfile(path: string): Promise<Dockerfile> {
  const text = (await readFile(path, "utf8")).replaceAll(/\\\n/g, " ");
  const lines = text.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("#"));
  const args = new Map<string, string>();
  const stages: (Stage & { readonly instructions: Instruction[] })[] = [];
  for (const line of lines) {
    const [, word = "", rest = ""] = /^([A-Z]+) +(.*)$/.exec(line.trim()) ?? [];
    if (word === "FROM") {
      const [, base = "", name] = /^(\S+)(?: AS (\S+))?$/.exec(rest) ?? [];
      stages.push({ base, name, instructions: [] });
    } else if (stages.length > 0) stages.at(-1)?.instructions.push({ word, rest });
    else if (word === "ARG") args.set(rest.split("=")[0] ?? "", rest.slice(rest.indexOf("=") + 1));
    else throw new Error(`${path}: ${line} stands before the first FROM`);
  }
  return { args, stages };
}

/** All of a stage's instructions of one kind. */
export function allOf(stage: Stage, word: string): readonly string[] {
  return stage.instructions.filter((each) => each.word === word).map(({ rest }) => rest);
}

/** What a stage sets with ENV. A value's `$PATH` stays as it stands. */
export function environmentOf(stage: Stage): Readonly<Record<string, string>> {
  const words = allOf(stage, "ENV").flatMap((rest) => rest.split(/ +/));
  return Object.fromEntries(words.map((word) => [word.split("=")[0], word.slice(word.indexOf("=") + 1)]));
}

/**
 * Does a stage's WORKDIR, COPY from the context, and RUN.
 *
 * @param imageRoot  the folder that stands for `/` of the image
 * @throws Error for an instruction of another kind, a source that the context lacks, or a command that fails
 */
export async function replayStage(
  stage: Stage,
  {
    context,
    imageRoot,
    env,
  }: { readonly context: string; readonly imageRoot: string; readonly env: NodeJS.ProcessEnv },
): Promise<void> {
  let folder = imageRoot;
  for (const { word, rest } of stage.instructions) {
    if (word === "WORKDIR") {
      folder = join(imageRoot, rest);
      await mkdir(folder, { recursive: true });
    } else if (word === "COPY" && !rest.startsWith("--")) {
      const names = rest.split(/ +/);
      const to = names.pop() ?? "";
      for (const name of names) await copy(context, name, join(folder, to), { into: to.endsWith("/") });
    } else if (word === "RUN" && !rest.startsWith("[")) {
      await promisify(execFile)("sh", ["-c", rest], { cwd: folder, env });
    } else throw new Error(`${word} ${rest} cannot be done without Docker`);
  }
}

// Implementation

async function copy(context: string, name: string, to: string, { into }: { readonly into: boolean }): Promise<void> {
  const isNamed = picomatch(name, { dot: true });
  const found = (await readdir(context, { recursive: true })).filter((path) => isNamed(path));
  if (found.length !== 1 && !(into && found.length > 1))
    throw new Error(`COPY ${name}: the context has ${found.length}`);
  for (const each of found) await cp(join(context, each), into ? join(to, basename(each)) : to, { recursive: true });
}
