/**
 * Lets one pull at a time work in a folder, and takes over from one that was killed.
 *
 * The lock is a file that names a process by its id and, where the system tells, its start time, so that a reused id
 * is not mistaken for it. A process of another machine, which may share the folder, cannot be asked whether it lives:
 * its lock has to be removed by hand.
 */
import { constants, copyFile, link, readFile, rm, stat, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { RuntimeFailure } from "../dsl/index.ts";

// Public API

/** Takes the lock at `path`. @throws RuntimeFailure that names the process which has it */
export async function acquireLock(path: string): Promise<AsyncDisposable> {
  const own: Holder = { pid: process.pid, host: hostname(), started: await startTime(process.pid) };
  const written = `${path}.${own.pid}-${Math.random().toString(36).slice(2)}`;
  await writeFile(written, JSON.stringify(own));
  try {
    for (;;) {
      if (await tryLink(written, path)) return { [Symbol.asyncDispose]: () => rm(path, { force: true }) };
      const other = await read(path);
      if (other !== undefined && (await isAlive(other))) {
        const where = other.host === own.host ? "" : ` on ${other.host}`;
        throw new RuntimeFailure(
          "FOLDER_BUSY",
          `another pull (process ${other.pid}${where}) works in this folder\n  hint  if there is none any more: rm ${path}`,
          { path, pid: other.pid, host: other.host },
        );
      }
      if (other !== undefined) await breakLock(path, other);
    }
  } finally {
    await rm(written, { force: true });
  }
}

// Implementation

interface Holder {
  readonly pid: number;
  readonly host: string;
  readonly started: string | undefined;
}

/** A link appears whole, and only where nothing is. Where the file system has none, as exFAT, an exclusive copy does. */
async function tryLink(from: string, to: string): Promise<boolean> {
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

async function read(path: string): Promise<Holder | undefined> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as Holder;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new RuntimeFailure(
      "FOLDER_BUSY",
      `${path} is no lock of a pull: ${(error as Error).message}`,
      { path },
      { cause: error },
    );
  }
}

/** Only one process may remove a dead one's lock, or a second one could remove its successor's. */
async function breakLock(path: string, dead: Holder): Promise<void> {
  const breaker = `${path}.breaking`;
  try {
    await writeFile(breaker, "", { flag: "wx" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    // Breaking takes a millisecond: one that is seconds old was itself killed.
    const since = (await stat(breaker).catch(() => undefined))?.mtimeMs ?? Date.now();
    if (Date.now() - since > 5000) await rm(breaker, { force: true });
    await sleep(20);
    return;
  }
  try {
    const current = await read(path);
    if (current?.pid === dead.pid && current.started === dead.started) await rm(path, { force: true });
  } finally {
    await rm(breaker, { force: true });
  }
}

async function isAlive({ pid, host, started }: Holder): Promise<boolean> {
  if (host !== hostname()) return true;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
  }
  const now = await startTime(pid);
  return now === undefined || started === undefined || now === started;
}

/** In ticks since the start of the system, on Linux; undefined elsewhere. A zombie has ended. */
async function startTime(pid: number): Promise<string | undefined> {
  try {
    const fields = (await readFile(`/proc/${pid}/stat`, "utf8")).replace(/^.*\) /s, "").split(" ");
    return fields[0] === "Z" ? "zombie" : fields[19];
  } catch {
    return undefined;
  }
}
