/**
 * Many requests on one worker: an engine's throughput against the same requests one at a time, and what it saves when
 * they begin alike.
 *
 * `--rows`, `--grid` and `--budget` are the engine's (inference/batching/engine-options.ts), `--requests` and `--tokens`
 * how many there are and how long each answer is. Every answer has all its tokens, so that both sides do the same.
 */
import { type Engine, type EngineOptions, loadModel, type Model, type Prompt, Worker } from "../inference/index.ts";
import { watchNoise } from "./support/noise.ts";
import { readOptions } from "./support/options.ts";
import { defaultModel } from "./support/step.ts";
import { printTable, range, ratios } from "./support/table.ts";

export const description =
  "many requests at once, against one at a time; prompts that begin alike, with and without reuse";

export async function bench(given: readonly string[]): Promise<void> {
  const options = readOptions(given, {
    model: defaultModel,
    compute: "f32",
    rounds: 3,
    requests: 16,
    tokens: 32,
    rows: 8,
    grid: 64,
    budget: 256,
    system: 500,
  });
  const { rows, grid, budget, requests, tokens } = options;
  await using worker = await Worker.launch();
  await using model = await loadModel(options.model, { worker, computeDtype: options.compute });
  const noise = watchNoise(() => [worker.processId!]);
  const engineOptions = { rows, grid, budget };
  const short = Array.from({ length: requests }, (_, n) => chat(`${n}. ${questions[n % questions.length]}`));
  const system = systemPrompt(model, options.system);
  const shared = Array.from({ length: requests }, (_, n) => chat(`${n}. ${questions[n % questions.length]}`, system));

  const [alone, together, anew, reused]: [number[], number[], number[], number[]] = [[], [], [], []];
  const firsts: { anew: number[]; reused: number[] } = { anew: [], reused: [] };
  await using engine = await model.serve(engineOptions);
  let reusedTokens = 0;
  let promptTokens = 0;
  for (let round = -1; round < options.rounds; round++) {
    const one = await timed(async () => {
      for (const prompt of short) for await (const _ of model.generate(prompt, budgetOf(tokens)));
    });
    const all = await timed(() => atOnce(engine, short, tokens));
    // A fresh engine each time: what was kept must not help.
    const without = await serveOnce(model, { ...engineOptions, prefixes: 0 }, shared, tokens);
    const withReuse = await serveOnce(model, engineOptions, shared, tokens);
    if (round < 0) continue; // compiles and warms up
    alone.push(one);
    together.push(all);
    anew.push(without.seconds);
    reused.push(withReuse.seconds);
    firsts.anew.push(without.first);
    firsts.reused.push(withReuse.first);
    ({ reusedTokens, promptTokens } = withReuse);
  }
  const rate = (seconds: readonly number[]) => seconds.map((each) => (requests * tokens) / each);
  console.log(
    `\n${options.model.split("/").at(-1)}, ${options.compute}; ${requests} requests of ${tokens} tokens, ` +
      `${rows} rows, chunks of ${grid}, budget ${budget}; ${options.rounds} rounds\n`,
  );
  printTable(
    ["short prompts", "s", "tokens/s", "ratio"],
    [
      ["one at a time", range(alone), range(rate(alone)), ""],
      ["engine", range(together), range(rate(together)), range(ratios(alone, together), 2)],
    ],
  );
  console.log(`\nOccupancy of all rows ${engine.statistics.occupancy.toFixed(2)}.\n`);
  printTable(
    [`the same ${options.system} tokens first`, "s", "tokens/s", "s to the last first token", "ratio of s"],
    [
      ["without reuse", range(anew), range(rate(anew)), range(firsts.anew), ""],
      ["with reuse", range(reused), range(rate(reused)), range(firsts.reused), range(ratios(anew, reused), 2)],
    ],
  );
  console.log(`\n${reusedTokens} of ${promptTokens} prompt tokens were reused.\n${noise.report()}`);
}

// Implementation

const questions = [
  "What is the capital of France?",
  "Name three rivers.",
  "Why is the sky blue?",
  "Write a line about autumn.",
  "How many legs does a spider have?",
  "What does a compiler do?",
  "Tell me about the moon.",
  "Which animals sleep in winter?",
];

const budgetOf = (tokens: number) => ({ maxTokens: tokens, minTokens: tokens });

function chat(question: string, system?: string): Prompt {
  const asked = { role: "user", content: question } as const;
  return system === undefined ? [asked] : [{ role: "system", content: system }, asked];
}

/** About so many tokens of instructions. */
function systemPrompt(model: Model, tokens: number): string {
  const rule = "Answer in one short sentence, and say so when you are not certain of something. ";
  const each = model.encode(rule).length;
  return Array.from({ length: Math.ceil(tokens / each) }, () => rule).join("");
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}

/** Answers all at once; the time to the last of the first tokens. */
async function atOnce(engine: Engine, prompts: readonly Prompt[], tokens: number): Promise<number> {
  const started = performance.now();
  const firsts = await Promise.all(
    prompts.map(async (prompt) => {
      let first = 0;
      for await (const _ of engine.generate(prompt, budgetOf(tokens))) first ||= performance.now() - started;
      return first / 1000;
    }),
  );
  return Math.max(...firsts);
}

async function serveOnce(model: Model, options: EngineOptions, prompts: readonly Prompt[], tokens: number) {
  await using engine = await model.serve(options);
  // Opens its lane.
  await atOnce(engine, [{ tokens: Array<number>(model.encode(prompts[0] as Prompt).length).fill(1) }], 1);
  let first = 0;
  const seconds = await timed(async () => {
    first = await atOnce(engine, prompts, tokens);
  });
  return { seconds, first, ...engine.statistics };
}
