/**
 * A lock that one process holds at a time: a file that names its holder.
 *
 * On one machine a dead holder is recognised by its process id and start time, so that a reused id is not mistaken for it.
 * A holder on another machine (a pod that shares the volume) cannot be asked whether it lives: it touches the file every
 * few seconds, and a file that stays untouched for `silentMs` has lost its holder.
 */
import { readFileSync } from "node:fs";
import { constants, copyFile, link, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";

// Public API

/** A lock that this process holds. Disposing releases it. */
export interface FileLock extends AsyncDisposable {
  /** Whether the file still names this process. */
  isHeld(): Promise<boolean>;
}

/** The process that a lock file names. */
export interface LockHolder {
  readonly host: string;
  /** Identifies one run of the machine or container, where the system has such an id. */
  readonly boot: string;
  readonly pid: number;
  /** When the process began, in ticks since the system's start, on Linux. */
  readonly started: string | undefined;
  readonly nonce: string;
}

/** How to take a lock. */
export interface LockOptions {
  /** The error for a lock whose holder lives. The holder is undefined when the file cannot be read as a lock. */
  readonly refusal: (holder: LockHolder | undefined) => Error;
  /** How often the holder touches the file. Default: 5 s. */
  readonly heartbeatMs?: number | undefined;
  /** How long a holder on another machine may leave the file untouched. Default: 30 s. */
  readonly silentMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Creates the lock file `path`, or takes it over from a holder that has ended.
 *
 * @throws the refusal while another process holds it, or the file system's error when the folder cannot be written
 */
export async function lockFile(
  path: string,
  { refusal, heartbeatMs = 5_000, silentMs = 30_000, signal }: LockOptions,
): Promise<FileLock> {
  const own: LockHolder = {
    ...machine(),
    pid: process.pid,
    started: startTime(process.pid),
    nonce: Math.random().toString(36).slice(2),
  };
  const text = JSON.stringify(own);
  const written = `${path}.${own.pid}.${own.nonce}`;
  await writeFile(written, text);
  try {
    while (!(await createdFrom(written, path))) {
      const found = await readFile(path, "utf8").catch(() => undefined);
      if (found === undefined) continue;
      const holder = parsed(found);
      if (!(await hasEnded(holder, path, silentMs, signal))) throw refusal(holder);
      await removeIfUnchanged(path, found);
    }
  } finally {
    await rm(written, { force: true });
  }
  const isHeld = async () => (await readFile(path, "utf8").catch(() => "")) === text;
  const timer = setInterval(() => void touch(path), heartbeatMs).unref();
  return {
    isHeld,
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer);
      if (await isHeld()) await rm(path, { force: true });
    },
  };
}

// Implementation

/**
 * Makes `to` appear whole, unless it exists: no process ever reads half a lock.
 *
 * A link does that. File systems without links, such as exFAT, get an exclusive copy.
 */
async function createdFrom(from: string, to: string): Promise<boolean> {
  for (const make of [link, (a: string, b: string) => copyFile(a, b, constants.COPYFILE_EXCL)]) {
    try {
      await make(from, to);
      return true;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EEXIST") return false;
      if (make !== link || !["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EINVAL"].includes(code ?? "")) throw error;
    }
  }
  return false;
}

async function hasEnded(
  holder: LockHolder | undefined,
  path: string,
  silentMs: number,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const { host, boot } = machine();
  if (holder?.host === host && holder.boot === boot) return isDead(holder);
  // The clocks of two machines differ, so only a change of the file's time counts.
  const before = await touchedMs(path);
  for (const until = performance.now() + silentMs; performance.now() < until; ) {
    await sleep(Math.min(500, silentMs), undefined, signal === undefined ? {} : { signal });
    if ((await touchedMs(path)) !== before) return false;
  }
  return true;
}

function isDead({ pid, started }: LockHolder): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return true;
  }
  const now = startTime(pid);
  return now !== undefined && started !== undefined && now !== started;
}

/** Another process may have taken the lock meanwhile: the file is moved aside, read, and put back if it changed. */
async function removeIfUnchanged(path: string, expected: string): Promise<void> {
  const aside = `${path}.gone.${process.pid}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  if ((await readFile(aside, "utf8")) !== expected) await createdFrom(aside, path);
  await rm(aside, { force: true });
}

function parsed(text: string): LockHolder | undefined {
  try {
    return JSON.parse(text) as LockHolder;
  } catch {
    return undefined;
  }
}

const touchedMs = async (path: string): Promise<number | undefined> =>
  (await stat(path).catch(() => undefined))?.mtimeMs;

async function touch(path: string): Promise<void> {
  const now = new Date();
  await utimes(path, now, now).catch(() => {});
}

function machine(): Pick<LockHolder, "host" | "boot"> {
  return { host: hostname(), boot: read("/proc/sys/kernel/random/boot_id") ?? "" };
}

/** In ticks since the system's start, on Linux; undefined elsewhere. A zombie has a value of its own: it has ended. */
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
