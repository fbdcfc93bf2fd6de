/** Executables as files: what `exec` runs, and what `--save` writes. */
import { readFile, writeFile } from "node:fs/promises";
import { InputError } from "../../dsl/index.ts";
import { formatBytes } from "../../planning/format-bytes.ts";
import { describeExecutable, type Executable, isSavedExecutable, type Worker } from "../../runtime-bridge/index.ts";
import type { Progress } from "../progress.ts";

// Public API

/** What `exec` was given. */
export type Runnable = (
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "executable"; readonly data: Uint8Array }
) & {
  /** How many devices it is for. */
  readonly devices: number;
};

/**
 * Reads StableHLO text or a saved executable, whichever the file holds.
 *
 * @throws InputError when it can't be read or is neither
 */
export async function readRunnable(file: string): Promise<Runnable> {
  const data = await readFile(file).catch((cause: Error) => {
    throw new InputError("INPUT", `${file} cannot be read: ${cause.message}`, { file }, { cause });
  });
  if (isSavedExecutable(data)) {
    const { devices, platform } = describeExecutable(data, file);
    // A worker is started with as many devices as the file says, and it may say anything.
    return { kind: "executable", data, devices: platform === "cpu" ? Math.min(Math.max(devices, 1), mostDevices) : 1 };
  }
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(data);
    return { kind: "text", text, devices: devicesOf(text) };
  } catch (cause) {
    throw new InputError(
      "INPUT",
      `${file} is neither UTF-8 text nor a saved executable; StableHLO in its text form, or what --save wrote, is wanted`,
      { file },
      { cause },
    );
  }
}

/** Writes an executable as a file. @throws InputError when the file can't be written */
export async function writeExecutable(
  worker: Worker,
  executable: Executable,
  path: string,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const data = await worker.saveExecutable(executable, { signal });
  await writeFile(path, data).catch((cause: Error) => {
    throw new InputError("OUTPUT", `${path} cannot be written: ${cause.message}`, { path }, { cause });
  });
  progress.say(`${path} written, ${formatBytes(data.byteLength)}`);
}

// Implementation

/** As many as a worker pretends to have at most. */
const mostDevices = 1024;

/** The devices of a text's mesh; one without. */
function devicesOf(text: string): number {
  const [, axes = ""] = /\bsdy\.mesh @\w+ = <\[([^\]]*)\]>/.exec(text) ?? [];
  const count = [...axes.matchAll(/=(\d+)/g)].reduce((all, [, size]) => all * Number(size), 1);
  return Math.min(Math.max(count, 1), mostDevices);
}
