/**
 * Tokens a second with one token and with several in a call, by `generate` itself: from a worker on this machine, and
 * from one behind a network (slow-link.ts).
 *
 * The kinds take turns within each round, and what counts is the ratio to one token in a call.
 */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { loadModel, type Model, Worker } from "../inference/index.ts";
import { projectPython } from "../runtime-bridge/launch/environment-paths.ts";
import { launch } from "../runtime-bridge/launch/launch.ts";
import { watchNoise } from "./support/noise.ts";
import { readOptions } from "./support/options.ts";
import { slowLink } from "./support/slow-link.ts";
import { defaultModel } from "./support/step.ts";
import { printTable, range, ratios } from "./support/table.ts";

export const description = "tokens a second with one token and with several in a call, near and far";

export async function bench(given: readonly string[]): Promise<void> {
  const options = readOptions(given, { model: defaultModel, tokens: 64, rounds: 7, "round-trip": 20 });
  const folder = await mkdtemp(join(tmpdir(), "tsxla-bench-"));
  const launched = await launch();
  try {
    const script = fileURLToPath(new URL("../tests/parity/random_llama.py", import.meta.url));
    await promisify(execFile)(projectPython, [script, "untied", join(folder, "tiny")]);
    const models = [
      { path: options.model, name: options.model.split("/").at(-1) as string },
      { path: join(folder, "tiny"), name: "a random Llama of two layers" },
    ];
    const noise = watchNoise(() => [launched.processId]);
    const table: string[][] = [];
    const { token } = launched;
    await using link = await slowLink(launched.address, options["round-trip"]);
    for (const { path, name } of models) {
      for (const [where, address] of [
        ["here", launched.address],
        [`${options["round-trip"]} ms away`, link.address],
      ] as const) {
        await using worker = await Worker.connect(address, { token });
        await using model = await loadModel(path, { worker, context: 256 });
        table.push(...(await compare(model, options)).map((cells) => [name, where, ...cells]));
      }
    }
    console.log(`\n${options.rounds} rounds of ${options.tokens} greedy tokens of each kind, in turn\n`);
    printTable(["model", "worker", "tokens in a call", "tokens/s", "× one in a call"], table);
    console.log(`\n${noise.report()}`);
  } finally {
    await launched.close();
    await rm(folder, { recursive: true });
  }
}

// Implementation

const kinds = [
  { name: "1", stepsPerCall: 1 },
  { name: "to 8", stepsPerCall: 8 },
  { name: "to 32", stepsPerCall: 32 },
  { name: "as many as help", stepsPerCall: undefined },
];

async function compare(
  model: Model,
  { tokens, rounds }: { readonly tokens: number; readonly rounds: number },
): Promise<string[][]> {
  const speeds = kinds.map((): number[] => []);
  for (let round = -1; round < rounds; round++) {
    for (const [n, { stepsPerCall }] of kinds.entries()) {
      const speed = await tokensPerSecond(model, tokens, stepsPerCall);
      // The first compiles.
      if (round >= 0) speeds[n]?.push(speed);
    }
  }
  const [one] = speeds as [number[]];
  return kinds.map(({ name }, n) => {
    const own = speeds[n] as number[];
    return [name, range(own), range(ratios(own, one), 2)];
  });
}

/** Of what comes after the first token. */
async function tokensPerSecond(model: Model, count: number, stepsPerCall: number | undefined): Promise<number> {
  const prompt = { tokens: Array.from({ length: 12 }, (_, n) => 20 + 7 * n) };
  const answer = model.generate(prompt, { maxTokens: count, stepsPerCall });
  for (;;) {
    const { done, value } = await answer.next();
    if (done !== true) continue;
    if (value.answerTokens < count) throw new Error(`the answer ended after ${value.answerTokens} tokens`);
    return (count - 1) / value.decodeSeconds;
  }
}
