/**
 * Keeps a worker serving: starts its Python process in the foreground and again when it dies, saying why.
 *
 * A process whose peer host is lost is ended by JAX, so a worker that is to stay has to be started anew from outside.
 * Not here: workers that belong to one Node program (launch.ts).
 */
import { type ChildProcess, spawn } from "node:child_process";
import { delimiter } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { RuntimeFailure } from "../../dsl/errors.ts";
import { hungExit, peerLostExit } from "../group/host-loss.ts";
import { compileCache } from "./cache-folders.ts";
import { projectPython, pythonPath } from "./environment-paths.ts";
import { requirePython } from "./require-python.ts";

// Public API

/** The worker's own options, by the names of its command line without dashes: `listen`, `tokenFile`, … */
export type WorkerFlags = Readonly<Record<string, string | number | undefined>>;

/**
 * Serves until `signal` is aborted or this process is asked to end.
 *
 * @returns what the process should end with: 0 after an ordinary end, 2 when the worker refused its options
 * @throws RuntimeFailure when there is no Python to run, or the worker keeps dying as it starts
 */
export async function superviseWorker(flags: WorkerFlags, signal: AbortSignal): Promise<0 | 2> {
  requirePython(projectPython);
  const given = Object.entries({ cacheDir: compileCache(), ...flags }).filter(([, value]) => value !== undefined);
  const words = given.flatMap(([name, value]) => [`--${dashed(name)}`, String(value)]);
  let ending = false;
  let child: ChildProcess | undefined;
  const end = () => {
    ending = true;
    child?.kill("SIGTERM");
  };
  signal.addEventListener("abort", end, { once: true });
  process.on("SIGTERM", end);
  try {
    for (let early = 0; ; ) {
      const started = performance.now();
      // The pipe ends the worker when this process is killed.
      child = spawn(projectPython, ["-m", "tsxla_worker", "--parent-pipe", ...words], {
        stdio: ["pipe", "inherit", "inherit"],
        env: { ...process.env, PYTHONPATH: pythonPath.join(delimiter) },
      });
      const how = await ended(child);
      if (ending) return 0;
      if (how.code === 2) return 2;
      const lived = (performance.now() - started) / 1000;
      const after = `after ${lived.toFixed(1)} s`;
      // It does not count as dying: the group forms again when all its hosts are back.
      if (how.code === peerLostExit || how.code === hungExit) {
        process.stderr.write(
          `tsxla: the other hosts of the group were lost or did not come, ${after}; starting again\n`,
        );
        await sleep(peerPauseMs, undefined, { signal }).catch(() => {});
        if (ending) return 0;
        continue;
      }
      early = lived < steadySeconds ? early + 1 : 0;
      if (early === patience) {
        throw new RuntimeFailure(
          "WORKER_KEEPS_DYING",
          `the worker died ${patience} times as it started, last ${how.text}`,
          how,
        );
      }
      const pauseMs = Math.min(250 * 2 ** early, 10_000);
      process.stderr.write(`tsxla: the worker died ${after}, ${how.text}; starting it again\n`);
      await sleep(pauseMs, undefined, { signal }).catch(() => {});
      if (ending) return 0;
    }
  } finally {
    signal.removeEventListener("abort", end);
    process.off("SIGTERM", end);
  }
}

// Implementation

/** A worker that lived so long had started. */
const steadySeconds = 20;
const patience = 5;
const peerPauseMs = 1_000;

function ended(child: ChildProcess): Promise<{ readonly code: number | null; readonly text: string }> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      resolve({ code, text: signal === null ? `with exit code ${code}` : `by ${signal}` });
    });
  });
}

/** `tokenFile` as the command line spells it: `token-file`. */
function dashed(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
