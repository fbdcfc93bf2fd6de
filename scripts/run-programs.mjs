/**
 * What the set-up of a checkout and that of an installed package share: running programs, and saying what went wrong.
 *
 * Node alone, since nothing is installed when it runs.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { killGroup } from "./setup-lock.mjs";

/** The folder above this one. */
const root = fileURLToPath(new URL("..", import.meta.url));

/** What to run when something has been repaired. */
const again = existsSync(new URL("../dsl/index.ts", import.meta.url)) ? "npm run setup" : "npx tsxla setup";

/** A set-up that cannot go on. The message says what to do. */
export class SetupError extends Error {}

/** Runs `main` and turns its SetupError into a message and exit code 1. */
export async function runScript(main) {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    process.stderr.write(`\n${error.message}\n`);
    process.exitCode = 1;
  }
}

const children = new Set();

/** Ends what is running now. */
export function endChildren() {
  for (const child of children) killGroup(child.pid);
}

/** Leaves nothing running and no lock behind when a signal comes; the function that it returns takes that back. */
export function endChildrenOnSignals(lock) {
  const end = (signal) => {
    endChildren();
    lock.release();
    process.stderr.write("\nSet-up was interrupted; the next one goes on from here.\n");
    process.exit(signal === "SIGINT" ? 130 : 143);
  };
  process.on("SIGINT", end);
  process.on("SIGTERM", end);
  return () => {
    process.off("SIGINT", end);
    process.off("SIGTERM", end);
  };
}

/** Runs a program to its end, showing its latest line as the step's detail. */
export function execute({ detail, lock, signal: stopped }, command, args) {
  return new Promise((resolve, reject) => {
    stopped.throwIfAborted();
    // A group of its own, so that what the program starts can be ended with it.
    const child = spawn(command, args, { cwd: root, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    const read = (chunk) => {
      output = (output + chunk).slice(-20_000);
      const line = output.trimEnd().split("\n").at(-1).trim();
      detail(line.replace(/^Downloading (\S*\/)?/, "downloading ").slice(0, 60));
    };
    child.stdout.setEncoding("utf8").on("data", read);
    child.stderr.setEncoding("utf8").on("data", read);
    child.on("error", (error) => {
      const hint =
        error.code === "ENOENT" ? `${command} is not on PATH: install it, then run \`${again}\` again.` : error.message;
      reject(new SetupError(hint, { cause: error }));
    });
    if (child.pid === undefined) return;
    lock.addChild(child.pid);
    children.add(child);
    child.on("close", (code, signal) => {
      children.delete(child);
      lock.removeChild(child.pid);
      if (code === 0) resolve();
      else reject(new SetupError(explain([command, ...args].join(" "), code ?? signal, output)));
    });
  });
}

const causes = [
  [
    /ENOSPC|No space left on device/i,
    `The disk is full: set-up needs about 1.5 GB. Free some space, then run \`${again}\` again.`,
  ],
  [
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|NewConnectionError|NameResolutionError|ReadTimeout|ConnectTimeout|Max retries exceeded|getaddrinfo/i,
    `The package registry could not be reached: check the network or the proxy settings of npm and pip, then run \`${again}\` again. What was fetched is kept.`,
  ],
  [
    /EACCES|EPERM|Permission denied/i,
    "A file or folder may not be written: check who owns the checkout and the caches of npm and pip.",
  ],
  [
    /No matching distribution|Could not find a version|is not a supported wheel/i,
    "A package does not exist for this Python or platform. tsxla is tried with CPython 3.12 and 3.13 on Linux and macOS.",
  ],
  [
    /npm ci.*in sync|EUSAGE/is,
    "package-lock.json does not fit package.json: run `npm install --package-lock-only --ignore-scripts` and commit the lock.",
  ],
  [
    /No module named (venv|ensurepip)|ensurepip is not available/i,
    `This Python has no venv module: install it (Debian and Ubuntu: \`apt install python3-venv\`), then run \`${again}\` again.`,
  ],
];

/** The text of the error for a program that failed. Exported for its test. */
export function explain(command, status, output) {
  const cause =
    causes.find(([pattern]) => pattern.test(output))?.[1] ??
    `Run \`${again}\` again; if it fails the same way, its last lines say why.`;
  const tail = output
    .trimEnd()
    .split("\n")
    .slice(-12)
    .map((line) => `  | ${line}`)
    .join("\n");
  return `${cause}\n\n  ${command.replaceAll(root, "")}\n  ended with ${status}\n${tail}`;
}
