/**
 * Adds a model family in a copy of the repository, as docs/add-a-model-family.md says, and prints what each command said:
 *
 *     node --import ./bin/typescript-loader.mjs tests/extending/add-model-family.ts [FOLDER]
 *
 * The page's own blocks are the files, the changes and the commands. Among the commands are git, which names the files that
 * were touched, and a reference in numpy, which says whether the logits are equal.
 */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { walkPage } from "../docs/walk.ts";
import { copyRepository } from "../support/repository-copy.ts";

// Public API

/** What git says of the copy when the page was walked: its commands may touch more than they say. */
export interface Touched {
  readonly files: readonly string[];
}

/** @param folder  where the copy is made; what is there before is removed */
export async function addModelFamily(
  folder: string,
  onStep: (command: string, said: string) => void = () => {},
): Promise<Touched> {
  const page = await readFile(fileURLToPath(new URL("../../docs/add-a-model-family.md", import.meta.url)), "utf8");
  await copyRepository(folder);
  await git(folder, "init", "--quiet");
  await git(folder, "add", "--all");
  const author = ["-c", "user.name=tests", "-c", "user.email=tests@localhost", "-c", "commit.gpgsign=false"];
  await git(folder, ...author, "commit", "--quiet", "--message", "The repository before the page");
  const commands = {
    "npx tsxla": "node bin/tsxla.mjs",
    "npx tsc": "node node_modules/typescript/bin/tsc",
    python: ".venv/bin/python",
  };
  await walkPage(page, { folder, commands, env: process.env, onStep });
  const status = await git(folder, "status", "--short", "--untracked-files=all");
  return { files: status.trimEnd().split("\n") };
}

// Implementation

async function git(folder: string, ...words: readonly string[]): Promise<string> {
  return (await promisify(execFile)("git", words, { cwd: folder })).stdout;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const [given] = process.argv.slice(2);
  const folder = given ?? (await mkdtemp(join(tmpdir(), "tsxla-family-")));
  const { files } = await addModelFamily(folder, (command, said) => process.stdout.write(`$ ${command}\n${said}`));
  process.stdout.write(`files touched in the copy:\n${files.join("\n")}\n`);
  if (given === undefined) await rm(folder, { recursive: true, force: true });
}
