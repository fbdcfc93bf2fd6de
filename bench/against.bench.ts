/**
 * This checkout against another one, such as the commit before a change: `npm run bench -- against --other DIR`.
 *
 * The two run in turn within each round, so that a slow minute of the machine is slow for both; what counts is the median of
 * the rounds' ratios. DIR is a clone in which `npm run setup` has run. Tracing takes a new process each time, the other
 * measurements one process and one worker for each checkout.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { InputError } from "../dsl/index.ts";
import { watchNoise } from "./support/noise.ts";
import { readOptions } from "./support/options.ts";
import { defaultModel } from "./support/step.ts";
import { median, printTable, range, ratios } from "./support/table.ts";

export const description = "this checkout against another one, in turn: trace, decode, steps, batching";

export async function bench(given: readonly string[]): Promise<void> {
  const { other, rounds, model, json } = readOptions(given, {
    other: "",
    rounds: 15,
    model: defaultModel,
    json: false,
  });
  if (other === "")
    throw new InputError("OPTION_MISSING", "--other names the checkout to compare with", { option: "other" });
  await using ours = await Checkout.open(fileURLToPath(new URL("..", import.meta.url)), model);
  await using theirs = await Checkout.open(resolve(other), model);
  const noise = watchNoise(() => [ours.workerId, theirs.workerId]);
  const names = ["trace", "decode", "steps", "batching"];
  const samples = names.map(() => ({ ours: [] as number[], theirs: [] as number[] }));
  for (let round = -1; round < rounds; round++) {
    for (const [n, name] of names.entries()) {
      // Each is first in every other round.
      const order = round % 2 === 0 ? [ours, theirs] : [theirs, ours];
      for (const checkout of order) {
        const speed = await checkout.measure(name);
        if (round >= 0) samples[n]?.[checkout === ours ? "ours" : "theirs"].push(speed);
      }
    }
  }
  const rows = names.map((name, n) => ({ name, ...(samples[n] as { ours: number[]; theirs: number[] }) }));
  if (json) {
    const results = rows.map((each) => ({
      name: each.name,
      ours: median(each.ours),
      theirs: median(each.theirs),
      ratio: median(ratios(each.ours, each.theirs)),
    }));
    console.log(JSON.stringify({ rounds, results }));
    return;
  }
  console.log(`\n${rounds} rounds; traces of SmolLM2's decode step and tokens, a second\n`);
  printTable(
    ["", "this checkout", other, "ratio, median and range"],
    rows.map((each) => [
      each.name,
      range(each.ours, 2),
      range(each.theirs, 2),
      range(ratios(each.ours, each.theirs), 3),
    ]),
  );
  console.log(`\n${noise.report()}`);
}

// Implementation

const node = process.execPath;

/** One of the two, with its own library and its own worker. */
class Checkout implements AsyncDisposable {
  readonly workerId: number;
  readonly #path: string;
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;

  static async open(path: string, model: string): Promise<Checkout> {
    const driver = fileURLToPath(new URL("against-once.ts", import.meta.url));
    const child = spawn(node, ["--import", `${path}/bin/typescript-loader.mjs`, driver, path, model], {
      cwd: path,
      stdio: ["pipe", "pipe", "inherit"],
    });
    const answers = createInterface(child.stdout)[Symbol.asyncIterator]();
    return new Checkout(path, child, answers, await nextAnswer(answers, path));
  }

  private constructor(path: string, child: ChildProcess, answers: AsyncIterator<string>, workerId: number) {
    this.#path = path;
    this.#child = child;
    this.#answers = answers;
    this.workerId = workerId;
  }

  /** How many a second. */
  async measure(name: string): Promise<number> {
    if (name === "trace") return this.#trace();
    this.#child.stdin?.write(`${name}\n`);
    return await nextAnswer(this.#answers, this.#path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = new Promise((done) => this.#child.once("exit", done));
    this.#child.stdin?.end();
    if (this.#child.exitCode === null) await ended;
  }

  /** By processor time, which other processes disturb less than the clock. */
  #trace(): number {
    const given = ["--import", "../bin/typescript-loader.mjs", "trace-once.ts", "smollm2-135m", "1", "512", "f32"];
    const { status, stdout, stderr } = spawnSync(node, given, { cwd: `${this.#path}/bench`, encoding: "utf8" });
    if (status !== 0) throw new Error(`the trace of ${this.#path} ended with ${status}\n${stderr}`);
    const { traceMs, lowerMs } = JSON.parse(stdout) as { readonly traceMs: number; readonly lowerMs: number };
    return 1000 / (traceMs + lowerMs);
  }
}

async function nextAnswer(answers: AsyncIterator<string>, path: string): Promise<number> {
  const { done, value } = await answers.next();
  if (done === true) throw new Error(`the process of ${path} ended before it answered`);
  return JSON.parse(value) as number;
}
