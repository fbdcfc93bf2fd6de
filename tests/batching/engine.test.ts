/**
 * An engine over real models: each request is answered as it is alone, to the bit whoever its neighbours are.
 *
 * Example run: npm run jest -- tests/batching/engine.test.ts
 */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { cpu } from "../../compiler/index.ts";
import {
  type ChatOptions,
  type Engine,
  loadModel,
  type Model,
  type Piece,
  type Summary,
  Worker,
  WorkerLost,
} from "../../inference/index.ts";
import { projectPython } from "../../runtime-bridge/launch/environment-paths.ts";
import { tinyConfig, tinyNumbers, writeTiny } from "../examples/tiny-gpt-oss.ts";
import { root, temporaryFolder } from "../support/cli.ts";
import { describeCases, exhaustive } from "../support/exhaustive.ts";
import { testWorker } from "../support/worker.ts";

/** A token whose embedding is no number, in one model. */
const poison = 32;

let folder: string;
const target = cpu({ weights: { experts: "f32", dense: "f32" } });

beforeAll(async () => {
  folder = await temporaryFolder();
  await promisify(execFile)(projectPython, [
    join(root, "tests/parity/random_llama.py"),
    "untied",
    join(folder, "untied"),
  ]);
  // Rotary frequencies that depend on how long a text is.
  await promisify(execFile)(projectPython, [
    join(root, "tests/parity/random_llama.py"),
    "dynamic",
    join(folder, "dynamic"),
  ]);
  const layers = { num_hidden_layers: 2, layer_types: ["sliding_attention", "full_attention"] };
  const config = tinyConfig({ max_position_embeddings: 4096, ...layers });
  const numbers = tinyNumbers(config);
  await writeTiny(join(folder, "windows"), config, numbers);
  const embedding = numbers.get("model.embed_tokens.weight") as Float32Array;
  embedding.fill(Number.NaN, poison * 24, (poison + 1) * 24);
  await writeTiny(join(folder, "poisoned"), config, numbers);
});

/** What was said, and how it went. */
interface Told {
  readonly tokens: readonly number[];
  /** Of each token and of the two likeliest in its place, to the last digit. */
  readonly logprobs: readonly unknown[];
  readonly summary: Summary;
}

async function drain(answer: AsyncGenerator<Piece, Summary>): Promise<Told> {
  const pieces: Piece[] = [];
  for (;;) {
    const next = await answer.next();
    if (!next.done) pieces.push(next.value);
    else {
      const logprobs = pieces.map(({ logprob, topLogprobs }) => [logprob, topLogprobs]);
      return { tokens: pieces.map(({ token }) => token), logprobs, summary: next.value };
    }
  }
}

const ask = (of: Engine | Model, tokens: readonly number[], options: ChatOptions = {}) =>
  drain(of.generate({ tokens }, { maxTokens: 20, logprobs: 2, ...options }));

const text = (length: number, seed: number): number[] => Array.from({ length }, (_, n) => (n * n + seed * n + 7) % 31);

/** The choices are those made alone, as far as no two tokens were equally likely but for the last digits. */
function expectAsAlone(answer: Told, alone: Told): void {
  const sure = Math.min(...alone.summary.nearTies.map(({ index }) => index), alone.tokens.length);
  expect(answer.tokens.slice(0, sure)).toEqual(alone.tokens.slice(0, sure));
  expect(sure).toBeGreaterThan(0);
}

describeCases(["untied", "windows"], ["windows"], (name) => {
  let model: Model;
  let engine: Engine;

  beforeAll(async () => {
    model = await loadModel(join(folder, name), {
      worker: await testWorker(),
      ...(name === "windows" ? { target } : {}),
    });
    engine = await model.serve({ rows: 4, grid: 16 });
  });
  afterAll(async () => {
    await engine?.close();
    await model?.close();
  });

  test("prompts of many lengths are answered as each is alone", async () => {
    const prompts = [1, 5, 15, 16, 17, 31, 32, 9, 30].map((length, n) => text(length, n));
    const answers = await Promise.all(prompts.map((tokens) => ask(engine, tokens)));
    for (const [n, tokens] of prompts.entries()) expectAsAlone(answers[n] as Told, await ask(model, tokens));
    expect(engine.load).toEqual({ rows: 4, running: 0, waiting: 0 });
  });

  test("random choices, penalties and stops are each request's own", async () => {
    const options: ChatOptions[] = [
      { temperature: 0.8, topK: 20, seed: 7 },
      { temperature: 0.8, topP: 0.9, seed: 9 },
      { repetitionPenalty: 1.4, logitBias: { 7: 3 }, temperature: 0.5, topK: 20, seed: 3 },
      { maxTokens: 12, minTokens: 4, stopTokens: Array.from({ length: 20 }, (_, n) => n) },
      { mask: ({ tokens }) => ({ ids: [tokens.length % 5, 9] }) },
    ];
    const answers = await Promise.all(options.map((each, n) => ask(engine, text(20, n), each)));
    for (const [n, each] of options.entries()) {
      const alone = await ask(model, text(20, n), each);
      expect(answers[n]?.tokens).toEqual(alone.tokens);
      expect(answers[n]?.summary.finishReason).toBe(alone.summary.finishReason);
      if (each.seed !== undefined) expect(answers[n]?.summary.seed).toBe(alone.summary.seed);
    }
  });

  test("an answer has the same bits in any row, beside any neighbours", async () => {
    const prompt = text(45, 4);
    const alone = await ask(engine, prompt);
    const everywhere = await Promise.all(Array.from({ length: 4 }, () => ask(engine, prompt)));
    for (const each of everywhere) expect(each.logprobs).toEqual(alone.logprobs);
    for (const length of [3, 40]) {
      const others = [1, 2, 3, 4, 5].map((n) => ask(engine, text(length * n, 7 * n), { maxTokens: 5 * n }));
      const among = await ask(engine, prompt);
      expect(among.logprobs).toEqual(alone.logprobs);
      await Promise.all(others);
    }
  });

  test("a beginning that is reused holds the bits of one computed anew", async () => {
    const system = text(70, 6);
    const prompts = [1, 2, 3, 4, 5, 6].map((n) => [...system, ...text(3 * n, 5 * n)]);
    await using anew = await model.serve({ rows: 4, grid: 16, prefixes: 0 });
    await using reusing = await model.serve({ rows: 4, grid: 16, prefixes: 2 });
    const [plain, reused] = await Promise.all([
      Promise.all(prompts.map((tokens) => ask(anew, tokens))),
      Promise.all(prompts.map((tokens) => ask(reusing, tokens))),
    ]);
    expect(reused.map(({ logprobs }) => logprobs)).toEqual(plain.map(({ logprobs }) => logprobs));
    expect(plain.map(({ summary }) => summary.reusedTokens)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(reused.map(({ summary }) => summary.reusedTokens)).toEqual([0, 64, 64, 64, 64, 64]);
    expect(reusing.statistics).toMatchObject({ reusedTokens: 320, hitRate: 5 / 6 });
    expect(reusing.statistics.promptTokens).toBe(prompts.reduce((all, { length }) => all + length, 0));
  });

  test("leaving a loop frees the row for who comes next", async () => {
    const long = Array.from({ length: 4 }, (_, n) => engine.generate({ tokens: text(10, n) }, { maxTokens: 200 }));
    for (const each of long) await each.next();
    const waits = ask(engine, text(10, 9), { maxTokens: 200 });
    expect(engine.load).toMatchObject({ running: 4, waiting: 1 });
    await long[2]?.return(undefined as never);
    const { tokens } = await waits;
    expect(engine.load.running).toBeLessThanOrEqual(3);
    for (const each of long) await each.return(undefined as never);
    expectAsAlone(await ask(engine, text(10, 9), { maxTokens: 200 }), {
      ...(await ask(model, text(10, 9), { maxTokens: 200 })),
    });
    expect(tokens.length).toBeGreaterThan(0);
  });
});

describe("what depends on a text's length", () => {
  test("a window's ring turns in each row by itself, and a snapshot of it is a whole one; long and short have their lanes", async () => {
    await using model = await loadModel(join(folder, "windows"), { worker: await testWorker(), target });
    await using engine = await model.serve({ rows: 4, grid: 16, budget: 80 });
    await using anew = await model.serve({ rows: 4, grid: 16, prefixes: 0 });
    // Longer than a ring of 16 and a chunk of 512.
    const system = text(700, 3);
    const prompts = [
      [...system, ...text(20, 5)],
      [...system, ...text(150, 9)],
      text(30, 8),
      [...system.slice(0, 300), ...text(600, 2)],
    ];
    const answers = await Promise.all(prompts.map((tokens) => ask(engine, tokens, { maxTokens: 60 })));
    for (const [n, tokens] of prompts.entries()) {
      const plain = await ask(anew, tokens, { maxTokens: 60 });
      expect(answers[n]?.logprobs).toEqual(plain.logprobs);
    }
    expectAsAlone(answers[0] as Told, await ask(model, prompts[0] as number[], { maxTokens: 60 }));
    // The last goes back by less than a chunk of 512.
    expect(answers.map(({ summary }) => summary.reusedTokens)).toEqual([0, 688, 0, 288]);
    expect(engine.statistics.lanes.map(({ capacity }) => capacity).sort((a, b) => a - b)).toEqual([256, 1024]);
  });

  test(
    exhaustive("an answer that outgrows its row goes on in a longer one, to the same bits whatever its neighbours are"),
    async () => {
      await using model = await loadModel(join(folder, "windows"), { worker: await testWorker(), target });
      await using engine = await model.serve({ rows: 2, grid: 16 });
      const options = { maxTokens: 300, minTokens: 300 };
      const crowd = await Promise.all([1, 2, 3].map((seed) => ask(engine, text(20 * seed, seed), options)));
      expect(engine.statistics.moves).toBe(3);
      await using quiet = await model.serve({ rows: 2, grid: 16 });
      for (const [n, answer] of crowd.entries()) {
        const prompt = text(20 * (n + 1), n + 1);
        expect(answer.logprobs).toEqual((await ask(quiet, prompt, options)).logprobs);
        expectAsAlone(answer, await ask(model, prompt, options));
        expect(answer.summary).toMatchObject({ promptTokens: prompt.length, answerTokens: 300, reusedTokens: 0 });
      }
    },
  );

  test(exhaustive("prompts of which rotary frequencies differ share nothing"), async () => {
    await using model = await loadModel(join(folder, "dynamic"), { worker: await testWorker(), context: 512 });
    await using engine = await model.serve({ rows: 2, grid: 16 });
    // Up to 128 positions the frequencies are the same.
    const prompts = [60, 90, 140, 200].map((length) => [...text(50, 1), ...text(length - 50, length)]);
    const answers = await Promise.all(prompts.map((tokens) => ask(engine, tokens, { maxTokens: 5 })));
    expect(answers.map(({ summary }) => summary.reusedTokens)).toEqual([0, 48, 0, 0]);
    expectAsAlone(answers[3] as Told, await ask(model, prompts[3] as number[], { maxTokens: 5 }));
  });
});

describe("a worker of its own", () => {
  test("NaN logits fail their own request alone; a killed worker ends all, and what was held is freed", async () => {
    const worker = await Worker.launch();
    const model = await loadModel(join(folder, "poisoned"), { worker, target });
    const options = { logitBias: { [poison]: -100 } };
    const buffers = async () => (await worker.info()).buffers;
    const before = await buffers();
    {
      await using engine = await model.serve({ rows: 2, grid: 16 });
      const clean = await ask(engine, text(40, 2), options);
      const bad = [...text(30, 2), poison, ...text(30, 2)];
      const mixed = await Promise.allSettled(
        [bad, text(40, 2), bad, text(40, 2)].map((tokens) => ask(engine, tokens, options)),
      );
      expect(mixed.map(({ status }) => status)).toEqual(["rejected", "fulfilled", "rejected", "fulfilled"]);
      for (const each of mixed) {
        if (each.status === "fulfilled") expect(each.value.logprobs).toEqual(clean.logprobs);
        else
          expect(each.reason).toMatchObject({
            code: "LOGITS_INVALID",
            message: expect.stringContaining("first NaN in  embed"),
          });
      }
      expect(engine.statistics).toMatchObject({ finished: 3, failed: 2 });
    }
    for (let tries = 0; tries < 100 && (await buffers()) > before; tries++)
      await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await buffers()).toBe(before);

    await using engine = await model.serve({ rows: 2, grid: 16 });
    const answers = [1, 2, 3].map((n) => ask(engine, text(10, n), { ...options, maxTokens: 240 }));
    const first = engine.generate({ tokens: text(10, 4) }, options);
    const ended = Promise.allSettled([...answers, first.next()]);
    await new Promise((resolve) => setTimeout(resolve, 200));
    process.kill(worker.processId as number, "SIGKILL");
    for (const each of await ended) expect(each).toMatchObject({ status: "rejected", reason: expect.any(WorkerLost) });
    await expect(ask(engine, [1])).rejects.toThrow(WorkerLost);
    await worker.close();
  });
});
