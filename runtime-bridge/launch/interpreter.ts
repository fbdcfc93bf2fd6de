/**
 * The one Python interpreter of this Node process, through pythonia, and the launcher that runs in it.
 *
 * What pythonia leaves to its user is done here. It never notices that its process has ended, so each call races its
 * `exit`. It holds Node's event loop, so its handles are unreferenced, and only a call in progress keeps Node. Its
 * `exit()` comes when the last user lets go, and a later user starts it anew.
 */
import { fileURLToPath } from "node:url";
import { WorkerUnavailable } from "../errors.ts";

// Public API

/** The functions of launcher.py. */
export interface Launcher {
  start(spec: string): Promise<string>;
  status(pid: number): Promise<string>;
  hang_up(pid: number): Promise<unknown>;
  kill(pid: number): Promise<unknown>;
  forget(pid: number): Promise<unknown>;
}

/** A claim on the interpreter. */
export interface Interpreter {
  readonly processId: number;
  /** How the interpreter ended, once it did. */
  readonly ended: string | undefined;
  /** Calls the launcher. Rejects when the interpreter ends instead of answering. */
  call<K extends keyof Launcher>(name: K, ...args: Parameters<Launcher[K]>): Promise<Awaited<ReturnType<Launcher[K]>>>;
  /** Ends the interpreter if this was its last claim. */
  release(): void;
}

/** Claims the interpreter; starts it when there is none. `python` is used only then. */
export async function claimInterpreter(python: string): Promise<Interpreter> {
  if (!current || current.ended) current = start(python);
  const mine = current;
  mine.claims += 1;
  let released = false;
  const release = (): void => {
    if (released) return;
    released = true;
    mine.claims -= 1;
    if (mine.claims === 0) mine.exit();
  };
  try {
    await mine.launcher;
  } catch (error) {
    release();
    throw error;
  }
  return {
    processId: mine.process.pid ?? 0,
    get ended() {
      return mine.ended;
    },
    call: async (name, ...args) => {
      const launcher = await mine.launcher;
      // The launcher's functions are called as methods: pythonia's proxies bind nothing.
      return (await mine.race((launcher[name] as (...a: typeof args) => Promise<unknown>)(...args))) as never;
    },
    release,
  };
}

// Implementation

/** What is used of pythonia; its own declarations leave `com` out. */
interface Pythonia {
  readonly python: { (file: string): Promise<Launcher>; exit(): void };
  readonly com: { proc: import("node:child_process").ChildProcess | null };
}

interface Running {
  claims: number;
  ended: string | undefined;
  readonly process: { readonly pid: number | undefined };
  readonly launcher: Promise<Launcher>;
  race<T>(answer: Promise<T>): Promise<T>;
  exit(): void;
}

let current: Running | undefined;

const launcherPath = fileURLToPath(new URL("launcher.py", import.meta.url));
const answerTimeoutMs = 20_000;

function start(python: string): Running {
  const process_: { pid: number | undefined } = { pid: undefined };
  let pythonia: Pythonia | undefined;
  const losers = new Set<(error: Error) => void>();
  const gone = (): Error =>
    new WorkerUnavailable("LAUNCHER_LOST", `the Python process that launches workers ended: ${running.ended}`, {
      processId: process_.pid,
    });

  const running: Running = {
    claims: 0,
    ended: undefined,
    process: process_,
    launcher: load(),
    race: async (answer) => {
      if (running.ended) throw gone();
      let lose: (error: Error) => void = () => {};
      const lost = new Promise<never>((_, reject) => {
        lose = reject;
        losers.add(reject);
      });
      // Also what keeps Node alive while it waits, since nothing of pythonia's does.
      const timer = setTimeout(
        () => lose(new WorkerUnavailable("LAUNCHER_SILENT", "the Python process that launches workers did not answer")),
        answerTimeoutMs,
      );
      answer.catch(() => {});
      try {
        return await Promise.race([answer, lost]);
      } finally {
        clearTimeout(timer);
        losers.delete(lose);
      }
    },
    exit: () => {
      if (running.ended) return;
      running.ended = "it was told to";
      if (current === running) current = undefined;
      // Not the process of a successor: pythonia has one slot.
      if (pythonia?.com.proc) pythonia.python.exit();
    },
  };

  async function load(): Promise<Launcher> {
    let opened: Promise<Launcher>;
    // REQ_TIMEOUT: without it each unanswered call would hold Node for 100 s. PYTHON_BIN is read at each start.
    const restore = setEnvironment({ PYTHON_BIN: python, REQ_TIMEOUT: "0" });
    try {
      // One cast at the border to a package whose types leave `com` out.
      pythonia = ((await import("pythonia")) as unknown as { default: Pythonia }).default;
      opened = pythonia.python(launcherPath);
    } finally {
      restore();
    }
    const child = pythonia.com.proc;
    if (!child) throw gone();
    process_.pid = child.pid;
    child.unref();
    child.channel?.unref();
    (globalThis as { __pythonBridge?: { loop?: NodeJS.Timeout } }).__pythonBridge?.loop?.unref();
    child.once("exit", (code, signal) => {
      running.ended ??= signal ? `by ${signal}` : `with code ${code}`;
      if (current === running) current = undefined;
      if (pythonia!.com.proc === child) pythonia!.com.proc = null;
      for (const lose of losers) lose(gone());
    });
    return await running.race(opened);
  }

  running.launcher.catch(() => {});
  return running;
}

/** pythonia takes its options from the environment. */
function setEnvironment(values: Readonly<Record<string, string>>): () => void {
  const before = Object.keys(values).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, values);
  return () => {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  };
}
