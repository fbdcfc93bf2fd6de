/** How workers begin and end, and what their clients hear of it: `npm run jest -- runtime-bridge/lifetimes.test.ts`. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { hostTensor, Worker, WorkerLost, WorkerUnavailable } from "./index.ts";
import { projectPython, pythonPath } from "./launch/environment-paths.ts";
import { addText, safetensors, slowToCompileText, spinText } from "./test-programs.ts";
import "../tests/support/needs-python.ts";
import { exhaustive } from "../tests/support/exhaustive.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
let folder: string;
const children = new Set<ChildProcess>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lifetimes-test-"));
});

afterAll(async () => {
  for (const child of children) child.kill("SIGKILL");
  await rm(folder, { recursive: true });
});

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** A process that has ended and waits to be read by its parent is gone too. */
function isAlive(pid: number): boolean {
  try {
    return !execFileSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" }).startsWith("Z");
  } catch {
    return false;
  }
}

const parentOf = (pid: number): number =>
  Number(execFileSync("ps", ["-o", "ppid=", "-p", String(pid)], { encoding: "utf8" }));

async function gone(pid: number, withinMs = 5000): Promise<boolean> {
  for (const end = Date.now() + withinMs; Date.now() < end; await sleep(20)) if (!isAlive(pid)) return true;
  return false;
}

interface Started {
  readonly node: ChildProcess;
  readonly worker: number;
  readonly launcher: number;
  readonly socketFolder: string;
  readonly log: string;
  /** The rest of what the process writes. */
  readonly output: () => string;
}

/** A Node process that launches a worker, tells about it, and goes on with `rest`. */
async function nodeThatLaunches(rest: string, options: { detached?: boolean } = {}): Promise<Started> {
  const script = `
    import ${JSON.stringify(pathToFileURL(join(root, "bin/typescript-loader.mjs")).href)};
    const { Worker, hostTensor } = await import(${JSON.stringify(pathToFileURL(join(root, "runtime-bridge/index.ts")).href)});
    const worker = await Worker.launch({ cacheDir: null });
    console.log(JSON.stringify([worker.processId, worker.address, worker.logFile]));
    // Until the test has seen who is whose parent.
    await new Promise((resolve) => process.stdin.once("data", resolve));
    process.stdin.destroy();
    ${rest}
  `;
  const node = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["pipe", "pipe", "pipe"],
    ...options,
  });
  children.add(node);
  // It may have been killed before it reads.
  node.stdin!.on("error", () => {});
  let output = "";
  node.stdout!.setEncoding("utf8").on("data", (text) => (output += text));
  node.stderr!.setEncoding("utf8").on("data", (text) => (output += text));
  while (!output.includes("\n") && node.exitCode === null) await sleep(20);
  const line = output.slice(0, output.indexOf("\n"));
  const [worker, address, log] = JSON.parse(line) as [number, string, string];
  const launcher = parentOf(worker);
  node.stdin!.end("seen\n");
  return {
    node,
    worker,
    launcher,
    socketFolder: dirname(address.slice("unix:".length)),
    log,
    output: () => output.slice(line.length + 1),
  };
}

const before = new Set(startingWorkers());

test("a worker and its launcher go with a Node process that is killed, and leave no folder", async () => {
  const { node, worker, launcher, socketFolder } = await nodeThatLaunches(
    "await new Promise(() => setInterval(() => {}, 1000));",
  );
  node.kill("SIGKILL");
  expect(await gone(worker)).toBe(true);
  expect(await gone(launcher)).toBe(true);
  expect(existsSync(socketFolder)).toBe(false);
});

test(exhaustive("a worker that is in the middle of a program goes with a Node process that is killed"), async () => {
  const { node, worker } = await nodeThatLaunches(`
    const spin = await worker.compile(${JSON.stringify(spinText)});
    worker.execute(spin, [hostTensor("i64", [], [1e12])]);
    setTimeout(() => console.log("running"), 200);
    await new Promise(() => setInterval(() => {}, 1000));
  `);
  await sleep(1500);
  node.kill("SIGKILL");
  expect(await gone(worker)).toBe(true);
});

test("Ctrl-C at a terminal ends all three", async () => {
  const { node, worker, launcher, output } = await nodeThatLaunches(
    "await new Promise(() => setInterval(() => {}, 1000));",
    {
      detached: true,
    },
  );
  process.kill(-node.pid!, "SIGINT");
  expect(await gone(worker)).toBe(true);
  expect(await gone(launcher)).toBe(true);
  expect(output()).not.toContain("Traceback");
});

test("a Node process that closes its worker ends by itself, and nothing is left", async () => {
  const { node, worker, launcher, socketFolder, log, output } = await nodeThatLaunches("await worker.close();");
  const [code] = node.exitCode === null ? await once(node, "exit") : [node.exitCode];
  expect([code, output()]).toEqual([0, ""]);
  expect(isAlive(worker) || (await gone(launcher, 1000)) === false).toBe(false);
  expect([existsSync(socketFolder), existsSync(log)]).toEqual([false, false]);
});

test(exhaustive("a Node process that forgets its worker ends all the same, and the worker with it"), async () => {
  const { node, worker } = await nodeThatLaunches("await worker.info();");
  const [code] = node.exitCode === null ? await once(node, "exit") : [node.exitCode];
  expect(code).toBe(0);
  expect(await gone(worker)).toBe(true);
});

test("a worker goes with its launcher when that is killed, and its client hears of it", async () => {
  const { node, worker, launcher, output } = await nodeThatLaunches(`
    const session = worker.session();
    try {
      const call = session.define({ executable: await worker.compile(${JSON.stringify(addText(1))}), arguments: [{ input: 0 }, { input: 0 }], results: [0] });
      for (;;) { await session.step(call, [hostTensor("f32", [1], [1])]); await new Promise((r) => setTimeout(r, 10)); }
    } catch (error) { console.log(error.code, error.message); }
    await worker.close();
    const again = await Worker.launch({ cacheDir: null });
    console.log("again", (await again.info()).platform);
    await again.close();
  `);
  await sleep(1500);
  process.kill(launcher, "SIGKILL");
  expect(await gone(worker)).toBe(true);
  if (node.exitCode === null) await once(node, "exit");
  expect(output()).toContain("WORKER_LOST");
  expect(output()).toContain("its launcher ended by SIGKILL");
  expect(output()).toContain("again cpu");
});

test(exhaustive("one of several workers may close, and a new one starts after the last has"), async () => {
  const [a, b] = await Promise.all([Worker.launch({ cacheDir: null }), Worker.launch({ cacheDir: null, devices: 3 })]);
  expect(a.processId).not.toBe(b.processId);
  await a.close();
  expect((await b.info()).devices).toHaveLength(3);
  await b.close();
  await expect(b.info()).rejects.toMatchObject({ code: "WORKER_CLOSED" });
  await using c = await Worker.launch({ cacheDir: null });
  expect((await c.info()).devices).toHaveLength(1);
});

/** What a client that waits gets when the worker is killed in the middle. */
async function lossDuring(work: (worker: Worker) => Promise<unknown>, afterMs = 300): Promise<void> {
  const logFile = join(folder, `${Math.random()}.log`);
  await using worker = await Worker.launch({ cacheDir: null, root: folder, logFile });
  const waiting = work(worker).then(
    () => undefined,
    (error: unknown) => error,
  );
  await sleep(afterMs);
  process.kill(worker.processId!, "SIGKILL");
  const killed = performance.now();
  const error = await waiting;
  expect(performance.now() - killed).toBeLessThan(2000);
  expect(error).toBeInstanceOf(WorkerLost);
  expect(error).toMatchObject({ exitCode: 1, fields: { signal: "SIGKILL", processId: worker.processId, logFile } });
  expect((error as Error).message).toContain(
    `its process ${worker.processId} ended by SIGKILL\n  log  ${logFile}\n  | {"time":`,
  );
  const begun = performance.now();
  await expect(worker.info()).rejects.toBe(error);
  await expect((async () => worker.session())()).rejects.toBe(error);
  expect(performance.now() - begun).toBeLessThan(50);
}

test("a worker that is killed while it runs a program is reported as lost", () =>
  lossDuring(async (worker) => worker.execute(await worker.compile(spinText), [hostTensor("i64", [], [1e12])]), 1000));

test(exhaustive("a worker that is killed while it compiles is reported as lost"), () =>
  lossDuring((worker) => worker.compile(slowToCompileText(400))),
);

test(exhaustive("a worker that is killed while it loads is reported as lost"), async () => {
  const size = 4_000_000;
  await writeFile(
    join(folder, "model.safetensors"),
    safetensors({ a: { shape: [size], values: Array(size).fill(1) } }),
  );
  await lossDuring(async (worker) => {
    const checkpoint = await worker.openCheckpoint("model.safetensors");
    for (;;) for (const [buffer] of await worker.load(checkpoint, [{ tensors: ["a"] }])) buffer!.release();
  });
});

test("a worker that is killed while a session waits is reported as lost, to every step of it", () =>
  lossDuring(async (worker) => {
    const session = worker.session();
    const call = session.define({
      executable: await worker.compile(spinText),
      arguments: [{ input: 0 }],
      results: [0],
    });
    const long = [hostTensor("i64", [], [1e12])];
    const steps = [session.step(call, long), session.step(call, long), session.fetch(0)];
    const errors = await Promise.all(steps.map((step) => step.catch((error: unknown) => error)));
    expect(new Set(errors).size).toBe(1);
    throw errors[0];
  }, 1000));

test(exhaustive("several calls that wait get the same error"), () =>
  lossDuring(async (worker) => {
    const spin = await worker.compile(spinText);
    const calls = [worker.execute(spin, [hostTensor("i64", [], [1e12])]), worker.compile(slowToCompileText(400))];
    const errors = await Promise.all(calls.map((call) => call.catch((error: unknown) => error)));
    expect(errors[1]).toBe(errors[0]);
    throw errors[0];
  }, 1000),
);

test("a launch without set-up says what to run", async () => {
  const launch = Worker.launch({ python: join(folder, "no-python") });
  await expect(launch).rejects.toBeInstanceOf(WorkerUnavailable);
  await expect(launch).rejects.toThrow("npm run setup");
});

test("a worker that ends before it is ready is reported with its exit code and its log", async () => {
  const python = join(folder, "python-that-fails");
  await writeFile(python, "#!/bin/sh\necho 'no module named jax' >&2\nexit 3\n", { mode: 0o755 });
  const logFile = join(folder, "start.log");
  await expect(Worker.launch({ python, logFile })).rejects.toThrow(
    `the worker did not start: it ended with exit code 3 before it was ready\n  log  ${logFile}\n  | no module named jax`,
  );
});

test("a worker that is not ready in time, or no longer wanted, is ended", async () => {
  const python = join(folder, "python-that-sleeps");
  const pidFile = join(folder, "pid");
  await writeFile(python, `#!/bin/sh\necho $$ > ${pidFile}\nexec sleep 60\n`, { mode: 0o755 });
  await expect(Worker.launch({ python, startTimeoutMs: 300 })).rejects.toThrow("it was not ready after 0.3 s");
  expect(await gone(Number(await readFile(pidFile, "utf8")), 100)).toBe(true);
  await expect(Worker.launch({ python, signal: AbortSignal.timeout(300) })).rejects.toMatchObject({
    name: "TimeoutError",
  });
  expect(await gone(Number(await readFile(pidFile, "utf8")), 100)).toBe(true);
});

test("a worker that runs elsewhere is reached with its token, and its end is told", async () => {
  const tokenFile = join(folder, "token");
  await writeFile(tokenFile, "only-we-two\n", { mode: 0o600 });
  const elsewhere = spawn(
    projectPython,
    ["-m", "tsxla_worker", "--listen", "127.0.0.1:0", "--token-file", tokenFile, "--root", folder],
    {
      env: { ...process.env, PYTHONPATH: pythonPath.join(":") },
      stdio: ["ignore", "pipe", "ignore"],
    },
  );
  children.add(elsewhere);
  const [line] = (await Promise.race([once(elsewhere.stdout!, "data"), once(elsewhere, "exit")])) as [Buffer];
  const { address } = JSON.parse(line.toString()) as { address: string };
  await expect(Worker.connect(address)).rejects.toMatchObject({ status: "UNAUTHENTICATED", exitCode: 2 });
  await using worker = await Worker.connect(address, { tokenFile });
  const spin = await worker.compile(spinText);
  const waiting = worker.execute(spin, [hostTensor("i64", [], [1e12])]);
  setTimeout(() => elsewhere.kill("SIGKILL"), 200);
  await expect(waiting).rejects.toThrow(`the worker at ${address} was lost: the connection broke`);
  await expect(worker.info()).rejects.toBeInstanceOf(WorkerLost);
});

test("closing a worker ends the calls that wait, with an error that says so", async () => {
  const worker = await Worker.launch({ cacheDir: null });
  const spin = await worker.compile(spinText);
  const waiting = worker.execute(spin, [hostTensor("i64", [], [1e12])]);
  await sleep(100);
  const [error] = await Promise.all([waiting.catch((e: unknown) => e), worker.close()]);
  expect(error).toMatchObject({ code: "WORKER_CLOSED" });
  expect(isAlive(worker.processId!)).toBe(false);
});

test("these tests left no socket folder behind", async () => {
  // A worker that another test is starting has one too, for a moment.
  for (let n = 0; n < 200 && socketFolders().length > 0; n++) await sleep(100);
  expect(socketFolders()).toEqual([]);
});

/** Folders of workers that are not ready, but for those that were there before these tests. */
function socketFolders(): string[] {
  return startingWorkers().filter((name) => !before.has(name));
}

function startingWorkers(): string[] {
  return readdirSync(tmpdir()).filter((name) => name.startsWith("tsxla-") && existsSync(join(tmpdir(), name, "token")));
}
