/** The `tsxla` command as people run it: a process of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll } from "@jest/globals";

// Public API

/** What a command left behind. */
export interface Ended {
  /** Absent when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command under way. */
export interface Running {
  readonly process: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves once what was written to stderr or stdout so far matches; rejects when the command ends before. */
  until(pattern: RegExp): Promise<void>;
  /** What was written to stderr and stdout so far. */
  said(): string;
}

export const root = fileURLToPath(new URL("../../", import.meta.url));

/** Where the demo's model is, under its name in a checkout. */
export const smollm2 = join(root, "checkpoints/smollm2-135m-instruct.gguf");

/** Starts `tsxla WORDS`. @param stdin  what it can read: nothing, or what is written to the process */
export function startCli(
  words: readonly string[],
  env: NodeJS.ProcessEnv = {},
  { stdin = "ignore" }: { readonly stdin?: "ignore" | "pipe" } = {},
): Running {
  const child = spawn(process.execPath, [join(root, "bin/tsxla.mjs"), ...words], {
    stdio: [stdin, "pipe", "pipe"],
    env: { ...process.env, ...env },
  });
  const said = { stdout: "", stderr: "" };
  const waiting = new Set<() => void>();
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.setEncoding("utf8").on("data", (text: string) => {
      said[name] += text;
      for (const wake of waiting) wake();
    });
  }
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, ...said }));
  });
  const until = (pattern: RegExp) =>
    new Promise<void>((resolve, reject) => {
      const look = () => pattern.test(said.stderr + said.stdout) && resolve();
      waiting.add(look);
      look();
      ended.then(({ stderr }) => reject(new Error(`tsxla ended before it said ${pattern}:\n${stderr}`)), reject);
    });
  return { process: child, ended, until, said: () => said.stderr + said.stdout };
}

/** Runs `tsxla WORDS` to its end. */
export function runCli(words: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return startCli(words, env).ended;
}

/** A folder for a test file's own files, gone when its tests are done. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "tsxla-"));
  folders.push(folder);
  return folder;
}

// Implementation

const folders: string[] = [];

afterAll(async () => {
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true })));
});
