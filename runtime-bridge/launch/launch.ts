/**
 * Starts a worker on this machine and watches how it ends.
 *
 * A Unix socket in a folder that only this user may enter, and a token that only the two processes know: handed over in
 * a file that is gone once the worker is ready. The worker ends with its launcher (launcher.py), and that with Node.
 */
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Loss, WorkerUnavailable } from "../errors.ts";
import { peerLostExit } from "../group/host-loss.ts";
import { compileCache, logFolder } from "./cache-folders.ts";
import { projectPython, pythonPath } from "./environment-paths.ts";
import { claimInterpreter, type Interpreter } from "./interpreter.ts";
import { requirePython } from "./require-python.ts";

// Public API

/** How to start a worker. */
export interface LaunchOptions {
  /** How many devices a CPU worker pretends to have; of a group each of its hosts. Default: 1. */
  readonly devices?: number | undefined;
  /** How many processes to start, which run programs together as the hosts of a group do. Default: 1. */
  readonly hosts?: number | undefined;
  /** The folder to which paths are confined and at which relative ones start. Default: no confinement, and relative paths start where Node runs. */
  readonly root?: string | undefined;
  /** The folder of compiled programs; `null` keeps none. Default: `.cache/compile` in a checkout, else the user's cache. */
  readonly cacheDir?: string | null | undefined;
  /** A file with the key that signs saved executables. Default: one of its own, beside the compiled programs. */
  readonly executableKey?: string | undefined;
  /** Kept after the worker's end. Default: a file of its own beside the caches, kept only when the worker is lost. */
  readonly logFile?: string | undefined;
  /** Default: 60 s, most of which a first import of JAX may take on a cold disk. */
  readonly startTimeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Default: that of the environment `TSXLA_VENV`, or of the one that set-up made. */
  readonly python?: string | undefined;
}

/** Which host of a group a worker is to be. */
export interface GroupPlace {
  /** `HOST:PORT`, where host 0 listens for the others. */
  readonly coordinator: string;
  readonly hosts: number;
  readonly index: number;
}

/** A worker that was started here. */
export interface LaunchedWorker {
  readonly address: string;
  readonly token: string;
  readonly processId: number;
  readonly logFile: string;
  /** What is known of the worker's end, if it ends within the time. */
  loss(withinMs: number): Promise<Loss | undefined>;
  /** The log is worth a look: it outlives the worker. */
  keepLog(): void;
  /** Ends the worker, by force when it doesn't go, and removes what it leaves. Never rejects. */
  close(): Promise<void>;
}

/** Starts a worker and waits until it says that it is ready. */
export async function launch(options: LaunchOptions = {}, place?: GroupPlace): Promise<LaunchedWorker> {
  options.signal?.throwIfAborted();
  const python = options.python ?? projectPython;
  requirePython(python);
  const logFile = options.logFile === undefined ? await newLogFile() : resolve(options.logFile);
  await mkdir(dirname(logFile), { recursive: true });
  const folder = await privateFolder();
  let interpreter: Interpreter | undefined;
  try {
    interpreter = await claimInterpreter(existsSync(projectPython) ? projectPython : python);
    const token = randomBytes(32).toString("base64url");
    const tokenFile = join(folder, "token");
    await writeFile(tokenFile, token, { mode: 0o600 });
    const address = `unix:${join(folder, "s")}`;
    const cacheDir = options.cacheDir === undefined ? compileCache() : options.cacheDir;
    if (cacheDir !== null) await mkdir(cacheDir, { recursive: true });
    const command = [
      python,
      ...["-m", "tsxla_worker", "--parent-pipe"],
      ...["--listen", address, "--token-file", tokenFile, "--log-file", logFile],
      ...["--root", resolve(options.root ?? "/"), "--devices", String(options.devices ?? 1)],
      ...(cacheDir === null ? [] : ["--cache-dir", resolve(cacheDir)]),
      ...(options.executableKey === undefined ? [] : ["--executable-key", resolve(options.executableKey)]),
      ...(place === undefined ? [] : ["--coordinator", place.coordinator]),
      ...(place === undefined ? [] : ["--num-processes", String(place.hosts), "--process-id", String(place.index)]),
    ];
    const answer = await interpreter.call("start", JSON.stringify({ command, pythonPath, folder, logFile }));
    const { processId, error } = JSON.parse(answer) as { processId: number; error?: string };
    if (error !== undefined) {
      throw new WorkerUnavailable("WORKER_START_FAILED", `the worker could not be started: ${error}`, {
        error,
        python,
      });
    }
    const worker = new Launched({
      interpreter,
      processId,
      address,
      token,
      logFile,
      folder,
      keepLog: options.logFile !== undefined,
    });
    try {
      await worker.untilReady(options.startTimeoutMs ?? 60_000, options.signal);
    } catch (error) {
      await worker.abandon({ keepLog: error instanceof WorkerUnavailable });
      throw error;
    }
    await rm(tokenFile, { force: true });
    return worker;
  } catch (error) {
    interpreter?.release();
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

// Implementation

interface Ending {
  readonly exitCode: number;
  readonly signal: string | null;
}

interface Status {
  readonly ready: object | null;
  readonly ended: Ending | null;
}

interface Parts {
  readonly interpreter: Interpreter;
  readonly processId: number;
  readonly address: string;
  readonly token: string;
  readonly logFile: string;
  readonly folder: string;
  readonly keepLog: boolean;
}

/** How long a worker may take to end by itself: it may be in the middle of a program. */
const farewellMs = 3_000;
const pollMs = 20;

class Launched implements LaunchedWorker {
  readonly address: string;
  readonly token: string;
  readonly processId: number;
  readonly logFile: string;
  readonly #parts: Parts;
  #closing: Promise<void> | undefined;
  #keepLog = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.address = parts.address;
    this.token = parts.token;
    this.processId = parts.processId;
    this.logFile = parts.logFile;
  }

  async untilReady(timeoutMs: number, signal: AbortSignal | undefined): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      signal?.throwIfAborted();
      const { ready, ended } = await this.#status();
      if (ended) throw await this.#startFailure(`it ended ${endingText(ended)} before it was ready`);
      if (ready) return;
      if (performance.now() > deadline) throw await this.#startFailure(`it was not ready after ${timeoutMs / 1000} s`);
      await sleep(pollMs);
    }
  }

  async loss(withinMs: number): Promise<Loss | undefined> {
    const { interpreter } = this.#parts;
    const ended = await this.#end(withinMs).catch(() => undefined);
    const common = { address: this.address, processId: this.processId, logFile: this.logFile };
    if (ended) {
      const { exitCode, signal } = ended;
      const why = exitCode === peerLostExit && !signal ? ", as JAX ends a host when another of its group is lost" : "";
      const how = `its process ${this.processId} ended ${endingText(ended)}${why}`;
      return { ...common, how, exitCode, signal: signal ?? undefined, logTail: await this.#tail() };
    }
    if (!interpreter.ended) return undefined;
    return { ...common, how: `its launcher ended ${interpreter.ended}, and it with that`, logTail: await this.#tail() };
  }

  keepLog(): void {
    this.#keepLog = true;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close(this.#parts.keepLog || this.#keepLog, farewellMs);
    return this.#closing;
  }

  /** Ends a worker that never came to serve anybody. */
  abandon({ keepLog }: { keepLog: boolean }): Promise<void> {
    this.#closing ??= this.#close(keepLog || this.#parts.keepLog, 0);
    return this.#closing;
  }

  async #close(keepLog: boolean, patienceMs: number): Promise<void> {
    const { interpreter, processId, folder } = this.#parts;
    let keep = keepLog;
    try {
      await interpreter.call("hang_up", processId);
      const ended = await this.#end(patienceMs);
      // How it died is worth a look.
      if (ended && (ended.signal || (ended.exitCode !== 0 && ended.exitCode !== peerLostExit))) keep = true;
      if (!ended) {
        await interpreter.call("kill", processId);
        await this.#end(farewellMs);
      }
      await interpreter.call("forget", processId);
    } catch {
      // The launcher is gone, and the worker with it.
      keep = true;
    }
    interpreter.release();
    await rm(folder, { recursive: true, force: true }).catch(() => {});
    if (!keep) await rm(this.logFile, { force: true }).catch(() => {});
  }

  async #status(): Promise<Status> {
    return JSON.parse(await this.#parts.interpreter.call("status", this.processId)) as Status;
  }

  async #end(withinMs: number): Promise<Ending | undefined> {
    const deadline = performance.now() + withinMs;
    for (;;) {
      const { ended } = await this.#status();
      if (ended) return ended;
      if (performance.now() > deadline) return undefined;
      await sleep(pollMs);
    }
  }

  async #startFailure(how: string): Promise<WorkerUnavailable> {
    const logTail = await this.#tail();
    const shown = logTail ? `\n${logTail.replaceAll(/^/gm, "  | ")}` : "";
    return new WorkerUnavailable(
      "WORKER_START_FAILED",
      `the worker did not start: ${how}\n  log  ${this.logFile}${shown}`,
      {
        how,
        logFile: this.logFile,
      },
    );
  }

  /** The last lines of the log; undefined when it has none. */
  async #tail(): Promise<string | undefined> {
    const text = await readFile(this.logFile, "utf8").catch(() => "");
    const lines = text.trimEnd().split("\n").slice(-8);
    const logTail = lines.map((line) => (line.length > 400 ? `${line.slice(0, 400)}…` : line)).join("\n");
    return logTail || undefined;
  }
}

const endingText = ({ exitCode, signal }: Ending): string => (signal ? `by ${signal}` : `with exit code ${exitCode}`);

/** A socket's path is at most 104 bytes on macOS, whose temporary folder alone takes 60. */
async function privateFolder(): Promise<string> {
  const base = Buffer.byteLength(tmpdir()) > 80 ? "/tmp" : tmpdir();
  const folder = await mkdtemp(join(base, "tsxla-"));
  await chmod(folder, 0o700);
  return folder;
}

/** How many logs this process has named. */
let logs = 0;
const logDays = 7;

/** Names a new log, and removes those of an earlier week. */
async function newLogFile(): Promise<string> {
  const folder = logFolder();
  await mkdir(folder, { recursive: true });
  const oldest = Date.now() - logDays * 24 * 3600 * 1000;
  for (const name of await readdir(folder)) {
    if (!/^worker-.*\.log$/.test(name)) continue;
    const path = join(folder, name);
    const found = await stat(path).catch(() => undefined);
    if (found && found.mtimeMs < oldest) await rm(path, { force: true });
  }
  const time = new Date().toISOString().replaceAll(/[-:]/g, "").slice(0, 15);
  logs += 1;
  return join(folder, `worker-${time}-${process.pid}-${logs}.log`);
}
