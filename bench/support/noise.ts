/**
 * How much of the machine others took while something was measured.
 *
 * A figure without this says nothing: on two processors one other busy process halves everything. Linux only; elsewhere
 * the load average is all there is.
 */
import { readFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";

// Public API

/** Measures from now until `report` is called. `ours` are processes besides this one, such as a worker. */
export function watchNoise(ours: () => readonly number[] = () => []): { report(): string } {
  const before = snapshot(ours());
  return {
    report() {
      const load = loadavg()
        .map((each) => each.toFixed(1))
        .join(" ");
      const after = snapshot(ours());
      if (before === undefined || after === undefined)
        return `noise: load average ${load} on ${cpus().length} processors`;
      const all = after.all - before.all;
      const share = (ticks: number) => `${((100 * ticks) / all).toFixed(0)} %`;
      const others = Math.max(0, after.busy - before.busy - (after.own - before.own));
      return (
        `noise: other processes took ${share(others)} of ${cpus().length} processors, the hypervisor ` +
        `${share(after.steal - before.steal)}; load average ${load}`
      );
    },
  };
}

// Implementation

interface Snapshot {
  readonly all: number;
  readonly busy: number;
  readonly steal: number;
  readonly own: number;
}

function snapshot(ours: readonly number[]): Snapshot | undefined {
  try {
    const first = readFileSync("/proc/stat", "utf8").split("\n", 1)[0]!.trim().split(/\s+/).slice(1, 9).map(Number);
    const [user, nice, system, idle, waiting, hard, soft, steal] = first as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    const busy = user + nice + system + hard + soft;
    const own = [process.pid, ...ours].reduce((sum, id) => sum + ticksOf(id), 0);
    return { all: busy + idle + waiting + steal, busy, steal, own };
  } catch {
    return undefined;
  }
}

/** User and system ticks of a process and of its children that have ended. */
function ticksOf(id: number): number {
  try {
    const fields = readFileSync(`/proc/${id}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0);
  } catch {
    return 0;
  }
}
