/**
 * The memory of this process and all below it, in proportional set sizes: what several processes map is shared out
 * among them, so the sum counts nothing twice. Linux only.
 */
import { readdirSync, readFileSync } from "node:fs";

// Public API

/** Looks every `everyMs` until it is stopped; tells the largest sum that it saw, in bytes. */
export function watchMemory(everyMs = 1000): { stop(): number } {
  let peak = 0;
  const look = () => void (peak = Math.max(peak, treeBytes()));
  const timer = setInterval(look, everyMs);
  return {
    stop() {
      look();
      clearInterval(timer);
      return peak;
    },
  };
}

/** The bytes of this process, and of all below it. */
export function treeMemory(): { readonly own: number; readonly others: number } {
  const own = bytesOf(process.pid);
  return { own, others: treeBytes() - own };
}

// Implementation

function treeBytes(): number {
  const parents = new Map(
    readdirSync("/proc").flatMap((name) => (/^\d+$/.test(name) ? [[Number(name), parentOf(name)]] : [])),
  );
  const isOurs = (id: number | undefined): boolean =>
    id !== undefined && (id === process.pid || isOurs(parents.get(id)));
  return [...parents.keys()].filter(isOurs).reduce((sum, id) => sum + bytesOf(id), 0);
}

function parentOf(id: string): number | undefined {
  try {
    // The name before it may hold spaces and parentheses.
    return Number(
      readFileSync(`/proc/${id}/stat`, "utf8")
        .replace(/^.*\) /s, "")
        .split(" ")[1],
    );
  } catch {
    return undefined; // ended meanwhile
  }
}

function bytesOf(id: number): number {
  try {
    return 1024 * Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${id}/smaps_rollup`, "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
