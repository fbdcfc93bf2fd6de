/**
 * One orchestrator at a time for an output.
 *
 * The lock is a file that names its holder. On one machine a holder that is gone is told by its process id and start
 * time, so that a reused id is not mistaken for it. Of a holder elsewhere (a pod on the same volume) only its signs of life
 * are seen: it touches the file every few seconds.
 */
import { readFileSync } from "node:fs";
import { link, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { InputError, RuntimeFailure } from "../dsl/index.ts";

// Public API

/** A lock that is held. */
export interface Lock extends AsyncDisposable {
  /** Rejects when somebody else has taken it. */
  check(): Promise<void>;
}

/**
 * Takes the lock of an output, or that of a holder that is gone.
 *
 * @param signs  how often the holder shows itself, and how long one elsewhere may be silent
 * @throws RuntimeFailure that names the holder
 */
export async function acquireLock(
  output: string,
  { signal, everyMs = 5_000, silentMs = 30_000 }: { signal?: AbortSignal; everyMs?: number; silentMs?: number } = {},
): Promise<Lock> {
  const path = `${output}.lock`;
  const me: Holder = { ...place(), pid: process.pid, started: startTime(process.pid), nonce: String(Math.random()) };
  const mine = `${path}.${me.pid}.${me.nonce.slice(2)}`;
  const text = JSON.stringify(me);
  try {
    await writeFile(mine, text);
  } catch (cause) {
    throw new InputError(
      "JOB_OUTPUT",
      `the output ${output} cannot be locked: ${(cause as Error).message}; its folder has to be there, and writable`,
      { output },
      { cause },
    );
  }
  try {
    // A file that appears whole: nobody reads half a lock.
    while (!(await linked(mine, path))) await outlive(path, output, silentMs, signal);
  } finally {
    await rm(mine, { force: true });
  }
  const check = async () => {
    if ((await readFile(path, "utf8").catch(() => "")) === text) return;
    throw new RuntimeFailure("JOB_LOCKED", `the lock ${path} was taken by somebody else`, { path });
  };
  const timer = setInterval(() => void touch(path), everyMs).unref();
  return {
    check,
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer);
      if (
        await check().then(
          () => true,
          () => false,
        )
      )
        await rm(path, { force: true });
    },
  };
}

// Implementation

interface Holder {
  readonly host: string;
  /** Of a machine or a container since when it runs, where the system tells. */
  readonly boot: string;
  readonly pid: number;
  readonly started: string | undefined;
  readonly nonce: string;
}

/** Waits for a holder that may be gone, and removes its lock when it is. */
async function outlive(path: string, output: string, silentMs: number, signal?: AbortSignal): Promise<void> {
  const found = await readFile(path, "utf8").catch(() => undefined);
  if (found === undefined) return;
  const holder = parsed(found);
  const isHere = holder !== undefined && holder.host === place().host && holder.boot === place().boot;
  if (!(isHere ? isGone(holder) : await isSilent(path, silentMs, signal))) {
    const who = holder === undefined ? "somebody" : `process ${holder.pid} on ${holder.host}`;
    throw new RuntimeFailure(
      "JOB_LOCKED",
      `${output} is being written by another job, ${who}; wait for it, or give this one another output`,
      { output, holder },
    );
  }
  // Out of the way in one move, and back when it is not what was judged: another may have taken it meanwhile.
  const aside = `${path}.gone.${process.pid}`;
  if (!(await moved(path, aside))) return;
  if ((await readFile(aside, "utf8")) !== found) await linked(aside, path);
  await rm(aside, { force: true });
}

async function isSilent(path: string, silentMs: number, signal?: AbortSignal): Promise<boolean> {
  // Clocks of two machines differ, so only whether the time changes counts.
  const before = await touched(path);
  for (const until = performance.now() + silentMs; performance.now() < until; ) {
    await sleep(Math.min(500, silentMs), undefined, signal === undefined ? {} : { signal });
    if ((await touched(path)) !== before) return false;
  }
  return true;
}

function isGone({ pid, started }: Holder): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return true;
  }
  const now = startTime(pid);
  return now !== undefined && started !== undefined && now !== started;
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

async function moved(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}

function parsed(text: string): Holder | undefined {
  try {
    return JSON.parse(text) as Holder;
  } catch {
    return undefined;
  }
}

const touched = async (path: string): Promise<number | undefined> => (await stat(path).catch(() => undefined))?.mtimeMs;

async function touch(path: string): Promise<void> {
  const now = new Date();
  await utimes(path, now, now).catch(() => {});
}

function place(): Pick<Holder, "host" | "boot"> {
  return { host: hostname(), boot: read("/proc/sys/kernel/random/boot_id") ?? "" };
}

/** In ticks since the system's start, on Linux; that of a zombie is told as such, so that it counts as gone. */
function startTime(pid: number): string | undefined {
  const fields = read(`/proc/${pid}/stat`)
    ?.replace(/^.*\) /s, "")
    .split(" ");
  return fields?.[0] === "Z" ? "zombie" : fields?.[19];
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return undefined;
  }
}
