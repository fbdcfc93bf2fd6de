/**
 * Several prompts at once: each is answered as it is alone, whoever its neighbours are.
 *
 * Example run: npm run jest -- tests/parity/batch.test.ts
 */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import {
  type BatchEvent,
  type BatchSummary,
  type CacheSize,
  type GenerateOptions,
  loadModel,
  type Model,
  type Piece,
  type Prompt,
  type Summary,
  Worker,
} from "../../inference/index.ts";
import { projectPython } from "../../runtime-bridge/launch/environment-paths.ts";
import { root, smollm2, temporaryFolder } from "../support/cli.ts";
import { exhaustive, testTable } from "../support/exhaustive.ts";
import { testWorker } from "../support/worker.ts";
import { type GreedyCase, greedy } from "./greedy-answers.ts";

/** The checkpoint of random_gpt_oss.py. */
const gptOss = "one-of-two";

describe("SmolLM2", () => {
  let model: Model;
  const caches: CacheSize[] = [];

  beforeAll(async () => {
    model = await loadModel(smollm2, { worker: await testWorker(), onCache: (size) => caches.push(size) });
  });
  afterAll(() => model?.close());

  test("answers five chats at once as transformers answers each, token for token", async () => {
    const cases = Object.values(greedy.chats.cases);
    const prompts = cases.map(({ message }): Prompt => [{ role: "user", content: message }]);
    const { answers, summary } = await all(model, prompts, { maxTokens: greedy.chats.max_tokens });
    expectAnswers(answers, cases);
    expect(summary).toMatchObject({ rows: 8, answers: 5, refused: 0 });
    expect(caches.at(-1)).toMatchObject({ rows: 8, positions: 512 });
  });

  test(exhaustive("continues 17 prompts around the sizes of chunks, more than a batch has rows"), async () => {
    const { cases, max_tokens: maxTokens } = greedy.buckets;
    const { answers, summary } = await all(
      model,
      cases.map(({ prompt }) => prompt),
      { maxTokens },
    );
    expectAnswers(answers, cases);
    expect(summary.rows).toBe(16);
  });

  test("a stop string ends one answer, the budget another", async () => {
    const { capital, sea } = greedy.chats.cases as Record<string, GreedyCase>;
    const prompts = [capital, sea].map((each) => ({ tokens: each!.prompt_ids }));
    const { answers } = await all(model, prompts, { stop: ["nce is P"], maxTokens: 7 });
    expect(answers[0]).toMatchObject({
      text: "The capital of Fra",
      summary: { finishReason: "stop", answerTokens: 6 },
    });
    expect(answers[1]?.tokens).toEqual(sea?.answer_ids.slice(0, 7));
    expect(answers[1]?.summary?.finishReason).toBe("length");
  });
});

describe("a worker of its own", () => {
  let worker: Worker;
  let model: Model;
  const prompts = [5, 40, 3, 130, 17].map((length, row) => ({
    tokens: Array.from({ length }, (_, n) => (n * 37 + row * 11) % 200),
  }));
  const buffers = async () => (await worker.info()).buffers;

  beforeAll(async () => {
    const folder = await temporaryFolder();
    // A window of 8 in a ring, in one of two layers.
    await promisify(execFile)(projectPython, [
      join(root, "tests/parity/random_gpt_oss.py"),
      gptOss,
      join(folder, gptOss),
    ]);
    worker = await Worker.launch();
    model = await loadModel(join(folder, gptOss), { worker, context: 4096 });
  });
  afterAll(() => worker?.close());

  testTable(
    "GPT-OSS answers %d prompts as it answers each alone",
    [[1], [3], [5]],
    ([count]) => count === 3,
    async (count) => {
      const { answers } = await all(model, prompts.slice(0, count), { maxTokens: 24 });
      for (const [index, answer] of answers.entries()) {
        const { pieces, summary } = await alone(model, prompts[index]!, { maxTokens: 24 });
        expect(answer.tokens).toEqual(pieces.map(({ token }) => token));
        expect(answer.summary).toMatchObject({
          finishReason: summary.finishReason,
          promptTokens: summary.promptTokens,
        });
      }
    },
  );

  test(exhaustive("a window's ring turns in each row by itself"), async () => {
    const long = prompts.slice(0, 2).map(({ tokens }, n) => ({
      tokens: Array.from({ length: 700 - 300 * n }, (_, at) => (tokens[at % tokens.length]! + at) % 200),
    }));
    const { answers } = await all(model, long, { maxTokens: 300 });
    for (const [index, answer] of answers.entries()) {
      const { pieces } = await alone(model, long[index]!, { maxTokens: 300 });
      expect(answer.tokens).toEqual(pieces.map(({ token }) => token));
    }
  });

  test(exhaustive("a prompt's random choices depend on the seed and its index, not on its neighbours"), async () => {
    const options = { maxTokens: 12, temperature: 0.8, topK: 20, seed: 7 };
    const { answers } = await all(model, prompts, options);
    const { answers: fewer } = await all(model, prompts.slice(0, 2), options);
    expect(fewer.map(({ tokens }) => tokens)).toEqual(answers.slice(0, 2).map(({ tokens }) => tokens));
    const seed = answers[4]?.summary?.seed;
    const { pieces } = await alone(model, prompts[4]!, { ...options, seed });
    expect(pieces.map(({ token }) => token)).toEqual(answers[4]?.tokens);
    // All logits, where candidates do not suffice: for every step, or for some.
    const moved = { maxTokens: 24, temperature: 0.8, topK: 60, repetitionPenalty: 1.4, logitBias: { 7: 3 }, seed: 9 };
    const { answers: penalized } = await all(model, prompts, moved);
    for (const [index, { tokens, summary }] of penalized.entries()) {
      const { pieces: one } = await alone(model, prompts[index]!, { ...moved, seed: summary?.seed });
      expect(one.map(({ token }) => token)).toEqual(tokens);
    }
    const { answers: whole } = await all(model, prompts, { maxTokens: 6, temperature: 0.8, topP: 0.9, seed: 7 });
    const { pieces: own } = await alone(model, prompts[1]!, {
      maxTokens: 6,
      temperature: 0.8,
      topP: 0.9,
      seed: whole[1]?.summary?.seed,
    });
    expect(own.map(({ token }) => token)).toEqual(whole[1]?.tokens);
  });

  test("a refused prompt is reported with its index, and the others are answered", async () => {
    const given = [
      prompts[0]!,
      { tokens: [] },
      { tokens: Array<number>(5000).fill(1) },
      { tokens: [1e6] },
      prompts[2]!,
    ];
    const { answers, refused, summary } = await all(model, given, { maxTokens: 2 });
    expect(refused).toEqual([
      [1, "the prompt has no tokens, and a model needs at least one to start from"],
      [2, "the prompt has 5000 tokens, and the context holds 4096"],
      [3, expect.stringContaining("token 0 is 1000000")],
    ]);
    expect(answers.map((answer) => answer?.tokens.length)).toEqual([2, undefined, undefined, undefined, 2]);
    expect(summary).toMatchObject({ rows: 2, answers: 2, refused: 3 });
    expect((await all(model, [{ tokens: [] }])).summary).toMatchObject({ rows: 0, answers: 0, refused: 1 });
    await expect(all(model, given, { maxTokens: 0 })).rejects.toThrow("maxTokens is 0");
  });

  test("a prompt that fills the context has an answer of no tokens", async () => {
    const full = { tokens: Array<number>(4096).fill(1) };
    const { answers } = await all(model, [full, prompts[0]!], { maxTokens: 2 });
    expect(answers[0]).toMatchObject({ tokens: [], summary: { finishReason: "context", answerTokens: 0 } });
    expect(answers[1]?.tokens).toHaveLength(2);
  });

  test(exhaustive("leaving the loop early, or a signal, frees what the batch held"), async () => {
    const before = await buffers();
    const layers = model.config.layers;
    for await (const { kind } of model.generateAll(prompts)) {
      expect(kind).toBe("piece");
      // Keys and values of the batch, and of the row where prompts are prefilled; the logits of the last prefill.
      expect(await buffers()).toBe(before + 4 * layers + 1);
      break;
    }
    await expectSoon(buffers, before);
    const stop = new AbortController();
    let seen = 0;
    const run = async () => {
      for await (const _ of model.generateAll(prompts, { signal: stop.signal })) {
        if (++seen === 9) stop.abort(new Error("enough"));
      }
    };
    await expect(run()).rejects.toThrow("enough");
    await expectSoon(buffers, before);
    expect((await all(model, prompts, { maxTokens: 1 })).answers).toHaveLength(5);
  });
});

interface Told {
  readonly tokens: number[];
  text: string;
  summary?: Summary;
}

function expectAnswers(answers: readonly (Told | undefined)[], cases: readonly GreedyCase[]): void {
  expect(answers.map((answer) => ({ tokens: answer?.tokens, text: answer?.text }))).toEqual(
    cases.map(({ answer_ids: tokens, text }) => ({ tokens, text })),
  );
  const reasons = answers.map((answer) => answer?.summary?.finishReason);
  expect(reasons).toEqual(cases.map(({ stop }) => (stop === "eos" ? "stop" : "length")));
}

/** Walks a batch to its end, and sorts what it tells by prompt. */
async function all(model: Model, prompts: readonly Prompt[], options?: GenerateOptions) {
  const answers: Told[] = [];
  const refused: [number, string][] = [];
  const { pieces, summary } = await drain<BatchEvent, BatchSummary>(model.generateAll(prompts, options));
  for (const event of pieces) {
    if (event.kind === "refused") {
      refused.push([event.index, event.error.message]);
      continue;
    }
    answers[event.index] ??= { tokens: [], text: "" };
    const answer = answers[event.index] as Told;
    if (event.kind === "done") answer.summary = event.summary;
    else {
      answer.tokens.push(event.piece.token);
      answer.text += event.piece.text;
    }
  }
  return { answers, refused, summary };
}

const alone = (model: Model, prompt: Prompt, options?: GenerateOptions) =>
  drain<Piece, Summary>(model.generate(prompt, options));

async function drain<T, R>(generator: AsyncGenerator<T, R>): Promise<{ pieces: T[]; summary: R }> {
  const pieces: T[] = [];
  for (;;) {
    const next = await generator.next();
    if (next.done === true) return { pieces, summary: next.value };
    pieces.push(next.value);
  }
}

async function expectSoon(look: () => Promise<number>, wanted: number): Promise<void> {
  for (let tries = 0; tries < 100 && (await look()) !== wanted; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(await look()).toBe(wanted);
}
