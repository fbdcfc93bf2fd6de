/**
 * Workers that are killed, and commands that are interrupted. Each test starts a worker of its own, most of the time
 * it takes: `npm run jest -- tests/robustness/lost-worker.test.ts`.
 */
import { execFile, execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { beforeAll, describe, expect, test } from "@jest/globals";
import { loadModel, Worker } from "../../inference/index.ts";
import { WorkerLost } from "../../runtime-bridge/index.ts";
import { projectPython } from "../../runtime-bridge/launch/environment-paths.ts";
import { root, smollm2, startCli, temporaryFolder } from "../support/cli.ts";
import { exhaustive, testTable } from "../support/exhaustive.ts";
import "../support/needs-python.ts";

let tiny: string;

beforeAll(async () => {
  tiny = join(await temporaryFolder(), "untied");
  await promisify(execFile)(projectPython, [join(root, "tests/parity/random_llama.py"), "untied", tiny]);
});

describe("a worker that is killed", () => {
  testTable<[string, (worker: Worker, kill: () => void) => Promise<void>]>(
    "%s ends the call with what happened and where its log is",
    [
      [
        "while weights are loaded",
        async (worker, kill) => void (await loadModel(smollm2, { worker, onLoad: once(kill) })),
      ],
      [
        "while a program is compiled",
        async (worker, kill) => {
          const model = await loadModel(smollm2, { worker, onCompile: once(() => void setTimeout(kill, 50)) });
          for await (const _ of model.generate("Hello")) break;
        },
      ],
      [
        "while it decodes",
        async (worker, kill) => {
          const model = await loadModel(tiny, { worker });
          for await (const _ of model.generate({ tokens: [1, 2, 3] }, { maxTokens: 400 })) kill();
        },
      ],
    ],
    ([when]) => when === "while it decodes",
    async (_, body) => {
      const worker = await Worker.launch({ cacheDir: null });
      try {
        const kill = () => void process.kill(worker.processId!, "SIGKILL");
        const error = await body(worker, kill).then(
          () => undefined,
          (reason: unknown) => reason,
        );
        expect(error).toBeInstanceOf(WorkerLost);
        expect(error).toMatchObject({ exitCode: 1, code: "WORKER_LOST" });
        expect((error as Error).message).toMatch(
          new RegExp(`its process ${worker.processId} ended by SIGKILL\\n {2}log {2}${worker.logFile}`),
        );
        expect(existsSync(worker.logFile!)).toBe(true);
        // And every later call at once.
        await expect(worker.info()).rejects.toBe(error);
      } finally {
        await worker.close();
      }
    },
  );

  test(exhaustive("ends the command with 1, and names the log"), async () => {
    const command = answering();
    await command.until(/compiling decode.* s/);
    process.kill(await workerUnder(command.process.pid!), "SIGKILL");
    const { code, stderr } = await command.ended;
    expect(stderr).toMatch(/tsxla: the worker at unix:\S+ was lost: its process \d+ ended by SIGKILL\n {2}log {2}\S+/);
    expect(stderr).not.toMatch(/\n {4}at |bug of tsxla/);
    expect(code).toBe(1);
  });
});

test("a command interrupted in the middle of an answer ends with 130 and leaves no worker behind", async () => {
  const command = answering();
  await command.until(/compiling decode.* s/);
  const worker = await workerUnder(command.process.pid!);
  command.process.kill("SIGINT");
  expect((await command.ended).code).toBe(130);
  for (let tries = 0; tries < 50 && isRunning(worker); tries++) await sleep(100);
  expect(isRunning(worker)).toBe(false);
});

/** A command that answers for a while: SmolLM2 tells a long story. */
function answering() {
  const prompt = [
    "--prompt",
    "Tell me a very long story.",
    "--max-tokens",
    "2000",
    "--temperature",
    "1",
    "--seed",
    "1",
  ];
  return startCli(["generate", "--model", smollm2, ...prompt]);
}

function once(body: () => void): () => void {
  let done = false;
  return () => {
    if (!done) body();
    done = true;
  };
}

/** The process of the worker that a command started, however far below. */
async function workerUnder(ancestor: number): Promise<number> {
  const processes = execFileSync("ps", ["-Ao", "pid=,ppid=,args="], { encoding: "utf8" })
    .trimEnd()
    .split("\n")
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line)!)
    .map(([, pid, parent, words]) => ({ pid: Number(pid), parent: Number(parent), words: words as string }));
  const below = (pid: number): typeof processes =>
    processes.filter(({ parent }) => parent === pid).flatMap((each) => [each, ...below(each.pid)]);
  const found = below(ancestor).find(({ words }) => /-m tsxla_worker\b/.test(words));
  if (found === undefined) throw new Error(`no worker under ${ancestor}`);
  return found.pid;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
