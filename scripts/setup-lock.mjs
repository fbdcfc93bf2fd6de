/**
 * Lets one set-up work at a time, and cleans up after one that was killed.
 *
 * The lock is a file that names the process that holds it and the processes that this one started. A process is named
 * by its id and, where the system tells, its start time, so that a reused id is not mistaken for it. When the holder is
 * gone, what it started (npm, pip: they go on without it) is ended before the next set-up begins.
 */
import {
  closeSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** Waits for the lock; `onWait(pid)` is called once when another process holds it. */
export async function acquireLock(path, onWait) {
  mkdirSync(dirname(path), { recursive: true });
  const holder = { ...identity(process.pid), children: [] };
  const mine = `${path}.${process.pid}`;
  const file = openSync(mine, "w");
  // One write of one page: a reader, or a kill, never meets half of it.
  const save = () => writeSync(file, JSON.stringify(holder).padEnd(4096), 0);
  save();
  try {
    for (let waited = false; !tryLink(mine, path); ) {
      const other = read(path);
      if (other && !isAlive(other)) {
        breakLock(path, other);
        continue;
      }
      if (other && !waited) {
        waited = true;
        onWait(other.pid);
      }
      await sleep(100);
    }
  } catch (error) {
    closeSync(file);
    rmSync(mine, { force: true });
    throw error;
  }
  return {
    /** Notes a process group that must not outlive this set-up. `path` and `mine` are one file under two names. */
    addChild(pid) {
      holder.children.push(identity(pid));
      save();
    },
    removeChild(pid) {
      holder.children = holder.children.filter((child) => child.pid !== pid);
      save();
    },
    release() {
      closeSync(file);
      rmSync(path, { force: true });
      rmSync(mine, { force: true });
    },
  };
}

/** Ends a process group at once. */
export function killGroup(pid, signal = "SIGKILL") {
  try {
    process.kill(-pid, signal);
  } catch {
    // It has ended by itself.
  }
}

function tryLink(from, to) {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  }
}

/** Only one process may remove a dead holder's lock, or a second one could remove its successor's. */
function breakLock(path, dead) {
  const breaker = `${path}.breaking`;
  try {
    writeFileSync(breaker, "", { flag: "wx" });
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
    // Breaking takes a millisecond: one that is seconds old was itself killed.
    if (Date.now() - (statSync(breaker, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()) > 5000)
      rmSync(breaker, { force: true });
    return;
  }
  const current = read(path);
  if (current?.pid === dead.pid && current.started === dead.started) {
    for (const child of current.children) if (isAlive(child)) killGroup(child.pid);
    rmSync(path, { force: true });
    rmSync(`${path}.${dead.pid}`, { force: true });
  }
  rmSync(breaker, { force: true });
}

function read(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    if (error.code === "ENOENT") return undefined;
    throw error;
  }
}

function identity(pid) {
  return { pid, started: startTime(pid) };
}

function isAlive({ pid, started }) {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (error.code === "ESRCH") return false;
  }
  const now = startTime(pid);
  return now === undefined || started === undefined || now === started;
}

/** In ticks since the start of the system, on Linux; undefined elsewhere and for zombies, which count as gone. */
function startTime(pid) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    return fields[0] === "Z" ? "zombie" : fields[19];
  } catch {
    return undefined;
  }
}
