/**
 * Whole jobs on real workers: what they write, how they go on, whom they refuse, what they survive.
 *
 * Example run: npm run jest -- tests/jobs -t "resumes"
 */
import { appendFile, cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { type JobEvent, type JobOptions, loadModel, type Model, runJob, Worker } from "../../inference/index.ts";
import { runCli, startCli, temporaryFolder } from "../support/cli.ts";
import { exhaustive } from "../support/exhaustive.ts";
import { onTestWorker, testWorker, testWorkerPlace } from "../support/worker.ts";
import { chaosRound, killPython, type Machine, startMachine, stopMachine } from "./chaos.ts";
import { requestLine, requestLines, writeTinyModel } from "./tiny-job.ts";

let folder: string;
let tiny: string;
let other: string;
let model: Model;
let made = 0;

beforeAll(async () => {
  folder = await temporaryFolder();
  tiny = await writeTinyModel(join(folder, "tiny"));
  other = await writeTinyModel(join(folder, "other"), { change: 3 });
  model = await loadModel(tiny, { worker: await testWorker() });
});
afterAll(() => model?.close());

interface OutputLine {
  readonly id: string;
  readonly custom_id: string;
  readonly response: { readonly status_code: number; readonly body: Body } | null;
  readonly error: { readonly code: string; readonly message: string } | null;
}

interface Body {
  readonly choices?: readonly { readonly text: string }[];
  readonly system_fingerprint?: string;
  readonly error?: { readonly code: string; readonly message: string; readonly param: string | null };
}

/** A job on the worker of the test run. */
async function newJob(lines: readonly string[]): Promise<JobOptions> {
  const { address, token } = await testWorkerPlace();
  const input = join(folder, `input-${made}.jsonl`);
  const output = join(folder, `output-${made++}.jsonl`);
  await writeFile(input, lines.map((line) => `${line}\n`).join(""));
  return { model: tiny, input, output, workers: [address], connect: { token }, batch: 4 };
}

async function outputOf({ output }: Pick<JobOptions, "output">): Promise<readonly OutputLine[]> {
  const text = await readFile(output, "utf8");
  expect(text.endsWith("\n") || text === "").toBe(true);
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as OutputLine);
}

/** What the model says, alone. */
async function answerTo(prompt: string, maxTokens: number): Promise<string> {
  let text = "";
  for await (const piece of model.generate(prompt, { maxTokens, temperature: 0 })) text += piece.text;
  return text;
}

describe("a job", () => {
  test("answers what it can, as the model does, and says of every other line why not", async () => {
    const good = [requestLine("a", "The sun", 9), requestLine("b", "Water boils", 5)];
    const job = await newJob([
      good[0] as string,
      "not json",
      "",
      requestLine("a", "again", 3),
      good[1] as string,
      requestLine("c", "x".repeat(1100), 3),
      '{"custom_id":"d","method":"POST","url":"/v1/embeddings","body":{}}',
    ]);
    const summary = await runJob(job);
    expect(summary).toMatchObject({ total: 6, answered: 2, failed: 4, resumed: 0, left: 0, answerTokens: 14 });
    const lines = await outputOf(job);
    expect(lines).toHaveLength(6);
    const answers = new Map(
      lines.flatMap(({ custom_id: id, response }) => (response?.status_code === 200 ? [[id, response.body]] : [])),
    );
    expect(answers.get("a")?.choices?.[0]?.text).toBe(await answerTo("The sun", 9));
    expect(answers.get("b")?.choices?.[0]?.text).toBe(await answerTo("Water boils", 5));
    expect(new Set([...answers.values()].map(({ system_fingerprint: print }) => print)).size).toBe(1);
    const failures = lines.flatMap(({ custom_id: id, response }) =>
      response?.status_code === 400 ? [`${id}: ${response.body.error?.code}`] : [],
    );
    expect(failures.sort()).toEqual([
      "a: duplicate_custom_id",
      "c: context_length_exceeded",
      expect.stringMatching(/^d: /) as unknown,
      "line-2: invalid_json_line",
    ]);

    // All is done, so no worker is needed, nor is anything written.
    const before = await readFile(job.output, "utf8");
    const again = await runJob({ ...job, workers: ["127.0.0.1:1"] });
    expect(again).toMatchObject({ total: 6, answered: 2, failed: 4, resumed: 6, left: 0, answerTokens: 0 });
    expect(await readFile(job.output, "utf8")).toBe(before);
  });

  test("that is interrupted resumes where it was, also with a torn line, and with lines that were added", async () => {
    const lines = requestLines(30, { seed: 5 });
    const job = await newJob(lines);
    const interruption = new AbortController();
    let answered = 0;
    const onEvent = ({ kind }: JobEvent) => {
      if (kind === "answered" && ++answered === 10) interruption.abort(new DOMException("enough", "AbortError"));
    };
    await expect(runJob({ ...job, onEvent, signal: interruption.signal })).rejects.toThrow("enough");
    const first = await outputOf(job);
    expect(first.length).toBeGreaterThanOrEqual(10);
    expect(first.length).toBeLessThan(30);
    await appendFile(job.output, '{"id":"batch_req_0123');
    await appendFile(job.input, `${requestLine("late", "one more", 4)}\n`);
    const events: JobEvent[] = [];
    const summary = await runJob({ ...job, onEvent: (event) => void events.push(event) });
    expect(events[0]).toMatchObject({ kind: "begun", total: 31, resumed: first.length, mended: 21 });
    expect(summary).toMatchObject({ total: 31, answered: 31, failed: 0, resumed: first.length, left: 0 });
    const all = await outputOf(job);
    expect(all.slice(0, first.length)).toEqual(first);
    expect(all.map(({ custom_id: id }) => id).sort()).toEqual([...lines.map((_, n) => `request-${n}`), "late"].sort());
  });

  test("refuses an output of another input, of a changed request, or of another model, and leaves it", async () => {
    const job = await newJob([requestLine("a", "one", 2), requestLine("b", "two", 2)]);
    await runJob(job);
    const before = await readFile(job.output, "utf8");
    const refusal = { code: "JOB_OUTPUT_FOREIGN", exitCode: 2 };
    const { input: elsewhere } = await newJob([requestLine("b", "two", 2), requestLine("c", "three", 2)]);
    await expect(runJob({ ...job, input: elsewhere })).rejects.toMatchObject({
      ...refusal,
      message:
        `the output ${job.output} is not of this input: line 1 answers "a", and in ${elsewhere} there is no such request\n` +
        "  give the job another --output, or move that file away",
    });
    const { input: changed } = await newJob([requestLine("a", "ONE", 2), requestLine("b", "two", 2)]);
    await expect(runJob({ ...job, input: changed })).rejects.toThrow(
      `line 1 answers "a", and in ${changed} that request is another one now`,
    );
    await appendFile(job.input, `${requestLine("c", "three", 2)}\n`);
    await expect(runJob({ ...job, model: other })).rejects.toMatchObject({
      code: "JOB_MODEL_DIFFERS",
      exitCode: 2,
      message: expect.stringMatching(
        /^the output holds answers of fp_\w+, and \S+ would answer as fp_\w+: /,
      ) as unknown,
    });
    await expect(runJob({ ...job, weights: "bf16" })).rejects.toMatchObject({ code: "JOB_MODEL_DIFFERS" });
    expect(await readFile(job.output, "utf8")).toBe(before);
    expect(await runJob(job)).toMatchObject({ answered: 3, resumed: 2 });
  });

  test("has an error for each request whose logits are no numbers, and answers its neighbours", async () => {
    const poisoned = await writeTinyModel(join(folder, "poisoned"), { poison: "~".charCodeAt(0) });
    const prompts = ["one", "t~o", "three", "four", "fi~e", "six"];
    const job = { ...(await newJob(prompts.map((each) => requestLine(each, each, 6)))), model: poisoned };
    expect(await runJob(job)).toMatchObject({ answered: 4, failed: 2, retries: 0, workersLost: 0 });
    for (const { custom_id: id, error } of await outputOf(job)) {
      if (id.includes("~")) expect(error).toMatchObject({ code: "logits_invalid" });
      else expect(error).toBeNull();
    }
  });

  test("ends when no worker is left that may come back, with what each said, and can be resumed", async () => {
    const job = await newJob(requestLines(5));
    const lonely = { ...job, workers: ["127.0.0.1:1", "unix:/nowhere"], patienceMs: 300, connect: { timeoutMs: 200 } };
    await expect(runJob(lonely)).rejects.toMatchObject({
      code: "JOB_NO_WORKERS",
      exitCode: 1,
      message: expect.stringMatching(
        /^no worker is left\n {2}127\.0\.0\.1:1 {2}no worker answers at 127.+\n {2}unix:\/nowhere {2}no worker .+\n {2}what the output holds is whole; /,
      ) as unknown,
    });
    await expect(runJob({ ...job, model: join(folder, "missing") })).rejects.toMatchObject({ code: "PATH_NOT_FOUND" });
    expect(await runJob(job)).toMatchObject({ answered: 5 });
  });

  test("refuses options that cannot be, before anything is written", async () => {
    const job = await newJob(requestLines(1));
    const refused = (options: Partial<JobOptions>) =>
      runJob({ ...job, ...options }).catch(({ message }: Error) => message);
    expect(await refused({ batch: 0 })).toBe("batch is 0, and it is a whole number from 1");
    expect(await refused({ local: 2 })).toBe(
      "local is for workers of this machine, and workers are named; give one of the two",
    );
    expect(await refused({ workers: ["h:1", "h:1"] })).toBe("the worker h:1 is named twice");
    expect(await refused({ workers: ["nonsense"] })).toMatch(/^'nonsense' is no worker's address/);
    expect(await refused({ output: job.input })).toMatch(/is the job's input; give it another name$/);
    await expect(readFile(job.output)).rejects.toThrow("ENOENT");
  });
});

describe("several workers", () => {
  const machines: Machine[] = [];
  let addresses: readonly string[];

  beforeAll(async () => {
    const roots = ["one", "two", "odd"].map((name) => join(folder, `host-${name}`));
    for (const [n, place] of roots.entries()) {
      await mkdir(place);
      await cp(n === 2 ? other : tiny, join(place, "model"), { recursive: true });
    }
    machines.push(...(await Promise.all(roots.map((place) => startMachine(place, [])))));
    addresses = machines.map(({ address }) => address);
    for (const address of addresses) await (await Worker.connect(address, { timeoutMs: 50_000 })).close();
  }, 60_000);
  afterAll(() => Promise.all(machines.map(stopMachine)));

  test("answer together; one with other weights is set aside by name and answers nothing", async () => {
    const lines = requestLines(40, { seed: 9 });
    const job = { ...(await newJob(lines)), model: "model", connect: {}, batch: 2 };
    const [one = "", two = "", odd = ""] = addresses;
    const tokens = new Map<string, number>();
    const onEvent = (event: JobEvent) => {
      if (event.kind === "progress") for (const each of event.workers) tokens.set(each.name, each.tokens);
    };
    const summary = await runJob({ ...job, workers: [odd, one, two], onEvent });
    expect(summary).toMatchObject({ total: 40, answered: 40, failed: 0, retries: 0 });
    expect(summary.workersGone).toEqual([
      { name: odd, reason: expect.stringMatching(/^\S+ differs from \S+ in the weights\n/) as unknown },
    ]);
    expect(tokens.get(odd)).toBe(0);
    for (const { custom_id: id, response } of await outputOf(job)) {
      const { prompt, max_tokens: most } = JSON.parse(lines[Number(id.split("-")[1])] as string).body as {
        prompt: string;
        max_tokens: number;
      };
      expect(response?.body.choices?.[0]?.text).toBe(await answerTo(prompt, most));
    }
  }, 60_000);

  test(exhaustive("that die come back, are checked and loaded again, and do the rest"), async () => {
    const [machine] = machines as [Machine];
    const job = { ...(await newJob(requestLines(60, { seed: 4 }))), model: "model", connect: {}, batch: 2 };
    const states: string[] = [];
    let answered = 0;
    const onEvent = (event: JobEvent) => {
      if (event.kind === "worker") states.push(event.state);
      if (event.kind === "answered" && ++answered === 20) killPython(machine);
    };
    const summary = await runJob({ ...job, workers: [machine.address], onEvent });
    expect(summary).toMatchObject({ total: 60, answered: 60, failed: 0, workersLost: 1 });
    expect(summary.retries).toBeGreaterThan(0);
    const served = ["starting", "checking", "loading", "ready"];
    expect(states.slice(0, 6)).toEqual([...served, "lost", "starting"]);
    expect(states.slice(-4)).toEqual(served);
    expect(await outputOf(job)).toHaveLength(60);
  }, 60_000);

  test("of a name are all machines that it has", async () => {
    const port = addresses[0]?.split(":").at(-1) as string;
    const job = { ...(await newJob(requestLines(4))), model: "model", connect: {} };
    const names = new Set<string>();
    const onEvent = (event: JobEvent) => {
      if (event.kind === "worker" && event.state === "ready") names.add(event.name);
    };
    expect(await runJob({ ...job, workers: [`dns:localhost:${port}`], onEvent })).toMatchObject({ answered: 4 });
    expect([...names]).toEqual([`127.0.0.1:${port}`]);
  }, 60_000);
});

describe("the command", () => {
  test("tells a summary as one object on stdout and what happens as lines of JSON on stderr", async () => {
    const { input, output } = await newJob([...requestLines(6), "broken"]);
    const words = ["jobs", "run", "--model", tiny, "--input", input, "--output", output, "--batch", "2"];
    const ended = await runCli([...words, "--json", ...(await onTestWorker())]);
    expect(ended.code).toBe(0);
    expect(JSON.parse(ended.stdout)).toMatchObject({ total: 7, answered: 6, failed: 1, left: 0, workersLost: 0 });
    const events = ended.stderr
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as JobEvent);
    expect(new Set(events.map(({ kind }) => kind))).toEqual(
      new Set(["begun", "worker", "answered", "failed", "progress"]),
    );
    expect(await outputOf({ output })).toHaveLength(7);
  });

  test("that is interrupted ends with 130 and whole lines, and the same command does the rest", async () => {
    const lines = Array.from({ length: 150 }, (_, n) => requestLine(`r${n}`, `prompt ${n}`, 24));
    const { input, output } = await newJob(lines);
    const words = ["jobs", "run", "--model", tiny, "--input", input, "--output", output, "--json"];
    const place = await onTestWorker();
    const running = startCli([...words, ...place]);
    await running.until(/"kind":"answered"/);
    running.process.kill("SIGINT");
    expect((await running.ended).code).toBe(130);
    const done = (await outputOf({ output })).length;
    expect(done).toBeGreaterThan(0);
    expect(done).toBeLessThan(150);
    await writeFile(input, lines.slice(0, 150).join("\n"));
    const ended = await runCli([...words, "--batch", "8", ...place]);
    expect(JSON.parse(ended.stdout)).toMatchObject({ total: 150, answered: 150, resumed: done });
  }, 60_000);
});

test(exhaustive("workers and orchestrators that are killed lose nothing and answer nothing twice"), async () => {
  const { killed } = await chaosRound({ seed: 3, prompts: 150, kills: 4, group: false });
  expect(killed.length).toBeGreaterThan(1);
}, 120_000);
