/**
 * Answers against transformers in f32, token for token, and everything that may not change them.
 *
 * Half a minute on two idle cores, most of it compiling: `npm run jest -- tests/parity/greedy.test.ts`.
 */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { cpu } from "../../compiler/index.ts";
import { Answer } from "../../inference/answers/answer.ts";
import { runAnswer } from "../../inference/answers/generate.ts";
import {
  type CompileEvent,
  type GenerateOptions,
  loadModel,
  Model,
  openModel,
  type Piece,
  type Prompt,
  type Summary,
  Worker,
} from "../../inference/index.ts";
import { capacityFor } from "../../inference/programs/buckets.ts";
import { ModelPrograms } from "../../inference/programs/model-programs.ts";
import { loadWeights, planWeights } from "../../inference/programs/weights.ts";
import { Sequence } from "../../inference/steps/sequence.ts";
import { projectPython } from "../../runtime-bridge/launch/environment-paths.ts";
import { root, smollm2, temporaryFolder } from "../support/cli.ts";
import { exhaustive, testCases, testTable } from "../support/exhaustive.ts";
import { testWorker } from "../support/worker.ts";
import { fixtures } from "./digest.ts";
import { type GreedyCase, greedy } from "./greedy-answers.ts";

/** What transformers' `generate` says with options that move logits. */
interface Penalized {
  readonly max_tokens: number;
  readonly cases: Readonly<
    Record<
      string,
      {
        readonly prompt_ids: readonly number[];
        readonly options: GenerateOptions;
        readonly answer_ids: readonly number[];
        readonly logprobs: readonly number[];
        readonly top_ids: readonly (readonly number[])[];
        readonly top_logprobs: readonly (readonly number[])[];
        /** How many tokens would have been chosen without the options too. */
        readonly unmoved: number;
      }
    >
  >;
}

const penalized = JSON.parse(readFileSync(join(fixtures, "smollm2-penalized.json"), "utf8")) as Penalized;

describe("SmolLM2", () => {
  let model: Model;
  let programs: ModelPrograms;

  beforeAll(async () => {
    const worker = await testWorker();
    const files = await openModel(worker, smollm2);
    const plan = planWeights(files, cpu());
    programs = new ModelPrograms(worker, files, cpu(), await loadWeights(worker, files, plan), plan.storageOf);
    model = new Model({ files, programs, target: cpu(), context: files.config.context });
  });
  afterAll(() => model?.close());

  testCases(
    "answers '%s' as transformers does, token for token",
    Object.keys(greedy.chats.cases),
    ["capital"],
    async (name) => {
      const { message, ...wanted } = greedy.chats.cases[name]!;
      await expectAnswer(model, chat(message), greedy.chats.max_tokens, wanted);
    },
  );

  testTable(
    "continues a prompt of %d tokens as transformers does",
    greedy.buckets.cases.map(({ tokens }) => [tokens] as const),
    ([tokens]) => tokens === 16 || tokens === 17,
    async (count) => {
      const { prompt, ...wanted } = greedy.buckets.cases.find(({ tokens }) => tokens === count)!;
      await expectAnswer(model, prompt, greedy.buckets.max_tokens, wanted);
    },
  );

  testCases(
    "with bias and penalties ('%s') answers as transformers' generate does, with its likeliest tokens",
    Object.keys(penalized.cases),
    [Object.keys(penalized.cases).at(-1) as string],
    async (name) => {
      const wanted = penalized.cases[name]!;
      const options = { ...wanted.options, maxTokens: penalized.max_tokens, logprobs: 3 };
      const { pieces } = await answer(model, { tokens: wanted.prompt_ids }, options);
      expect(pieces.map(({ token }) => token)).toEqual(wanted.answer_ids);
      expect(wanted.unmoved).toBeLessThan(wanted.answer_ids.length);
      for (const [n, { logprob, topLogprobs }] of pieces.entries()) {
        // Logits differ by up to 2e-4 (README.md), and so do these; two that are nearer may change places.
        expect(logprob).toBeCloseTo(wanted.logprobs[n]!, 3);
        for (const [at, each] of (topLogprobs ?? []).entries()) {
          expect(each.logprob).toBeCloseTo(wanted.top_logprobs[n]![at]!, 3);
          expect(wanted.top_ids[n]).toContain(each.token);
        }
        expect(topLogprobs).toHaveLength(3);
      }
    },
  );

  test(exhaustive("gives the same answer and the same log-probabilities a second time"), async () => {
    const prompt = chat(greedy.chats.cases.capital!.message);
    expect((await answer(model, prompt)).pieces).toEqual((await answer(model, prompt)).pieces);
  });

  testTable<[string, GenerateOptions]>(
    "chooses %s among the candidates of the device what it chooses among all logits",
    [
      ["greedily", { stepsPerCall: 1 }],
      ["greedily, several tokens in a call,", { stepsPerCall: 8 }],
      ["with a seed among the 40 likeliest", { temperature: 0.9, topK: 40, topP: 0.95, seed: 7 }],
      ["with penalties that lower most candidates", { repetitionPenalty: 1.5, frequencyPenalty: 2, topK: 64, seed: 5 }],
      ["with a bias from below", { temperature: 0.7, minP: 0.1, logitBias: { 1000: 9 }, presencePenalty: 1, seed: 3 }],
      ["under a mask", { mask: ({ tokens }) => ({ ids: [300 + tokens.length, 400, 500, 600] }), topK: 2, seed: 1 }],
    ],
    ([what]) => what === "with penalties that lower most candidates",
    async (_, options) => {
      const prompt = model.encode(chat(greedy.chats.cases.sea!.message));
      const asked: string[] = [];
      const run = (force: boolean) => {
        const { context, tokenizer } = model;
        const inputs = { stopIds: new Set([2]), context, tokenizer };
        const answer = new Answer(inputs, prompt, { maxTokens: 16, ...options });
        const capacity = capacityFor(prompt.length, prompt.length + answer.room);
        return drain(runAnswer(answer, async () => spied(await Sequence.open(programs, capacity), asked, force)));
      };
      const fromCandidates = await run(false);
      expect(new Set(asked.splice(0))).toEqual(new Set(["candidates"]));
      const fromAll = await run(true);
      expect(fromAll.pieces.map(({ token }) => token)).toEqual(fromCandidates.pieces.map(({ token }) => token));
      fromAll.pieces.forEach(({ logprob }, n) => {
        // The device adds the whole vocabulary up in f32, the sampler in f64.
        expect(logprob).toBeCloseTo(fromCandidates.pieces[n]!.logprob, 4);
      });
    },
  );

  test("ends an answer before a stop string, wherever tokens are cut", async () => {
    const prompt = chat(greedy.chats.cases.capital!.message);
    const { text, summary } = await answer(model, prompt, { stop: ["never said", "nce is P"] });
    expect(text).toBe("The capital of Fra");
    expect(summary).toMatchObject({ finishReason: "stop", answerTokens: 6 });
  });

  test("encodes hard strings and renders chats as transformers does, from the file's own metadata", async () => {
    const tokenizer = JSON.parse(await readFile(join(fixtures, "smollm2-tokenizer.json"), "utf8")) as {
      strings: { text: string; ids: number[] }[];
      conversations: {
        messages: { role: string; content: string }[];
        add_generation_prompt: boolean;
        rendered: string;
        ids: number[];
      }[];
    };
    const { chatTemplate } = await openModel(await testWorker(), smollm2);
    for (const { text, ids } of tokenizer.strings) {
      expect(model.tokenizer?.encode(text, { parseSpecial: true })).toEqual(ids);
      expect(model.tokenizer?.decode(ids, { skipSpecial: false })).toBe(text);
    }
    for (const { messages, add_generation_prompt: addGenerationPrompt, rendered, ids } of tokenizer.conversations) {
      expect(chatTemplate?.render(messages, { addGenerationPrompt })).toBe(rendered);
      if (addGenerationPrompt) expect(model.encode(messages)).toEqual(ids);
    }
  });
});

/** On a tiny model, in workers that nobody else uses: so everything that they hold can be counted. */
describe("a worker of its own", () => {
  const prompt = { tokens: [0, 5, 17, 200, 42] };
  let checkpoint: string;
  let cacheDir: string;
  let worker: Worker;
  let model: Model;
  let compiled: CompileEvent[];

  const load = (context?: number) =>
    loadModel(checkpoint, {
      worker,
      onCompile: (event) => compiled.push(event),
      ...(context === undefined ? {} : { context }),
    });
  const buffers = async () => (await worker.info()).buffers;

  beforeAll(async () => {
    const folder = await temporaryFolder();
    checkpoint = join(folder, "untied");
    cacheDir = join(folder, "cache");
    const script = join(root, "tests/parity/random_llama.py");
    await promisify(execFile)(projectPython, [script, "untied", checkpoint]);
    compiled = [];
    worker = await Worker.launch({ cacheDir });
    model = await load();
  });
  afterAll(() => worker?.close());

  test(
    exhaustive("the answer is the same without a compile cache, with an empty one and with a full one"),
    async () => {
      await using withoutCache = await Worker.launch({ cacheDir: null });
      await using uncached = await loadModel(checkpoint, { worker: withoutCache });
      const wanted = (await answer(uncached, prompt, { maxTokens: 24 })).pieces;
      const fromCache = () => compiled.flatMap(({ done }) => (done === undefined ? [] : [done.fromCache]));
      expect((await answer(model, prompt, { maxTokens: 24 })).pieces).toEqual(wanted);
      expect(fromCache()).toEqual([false, false]);
      await worker.close();
      compiled = [];
      worker = await Worker.launch({ cacheDir });
      model = await load();
      expect((await answer(model, prompt, { maxTokens: 24 })).pieces).toEqual(wanted);
      expect(fromCache()).toEqual([true, true]);
    },
  );

  test("the token budget ends an answer", async () => {
    const { pieces, summary } = await answer(model, prompt, { maxTokens: 3 });
    expect(pieces).toHaveLength(3);
    expect(summary).toMatchObject({ finishReason: "length", answerTokens: 3, promptTokens: 5 });
  });

  test("the end of the context ends an answer, and a longer prompt is refused", async () => {
    await using short = await load(9);
    const { pieces, summary } = await answer(short, prompt, { maxTokens: 100 });
    expect(pieces).toHaveLength(4);
    expect(summary.finishReason).toBe("context");
    await expect(answer(short, { tokens: Array<number>(10).fill(1) })).rejects.toThrow(
      "the prompt has 10 tokens, and the context holds 9",
    );
  });

  test("leaving the loop early frees what the answer held", async () => {
    const before = await buffers();
    let held = 0;
    let seen = 0;
    for await (const _ of model.generate(prompt)) {
      // The first token comes from the prefill, the second one from a step.
      if (++seen < 2) continue;
      held = await buffers();
      break;
    }
    // Keys and values of two layers; the logits of the last step, the token that the device chose in it, and its position.
    expect(held).toBe(before + 7);
    await expectSoon(buffers, before);
  });

  test("an error in the loop's body frees what the answer held", async () => {
    const before = await buffers();
    const failing = async () => {
      for await (const { token } of model.generate(prompt)) throw new Error(`met ${token}`);
    };
    await expect(failing()).rejects.toThrow(/met \d+/);
    await expectSoon(buffers, before);
  });

  test("a signal ends an answer with its reason, and frees what it held", async () => {
    const before = await buffers();
    const stop = new AbortController();
    const seen: number[] = [];
    const run = async () => {
      for await (const { token } of model.generate(prompt, { signal: stop.signal })) {
        seen.push(token);
        if (seen.length === 3) stop.abort(new Error("enough"));
      }
    };
    await expect(run()).rejects.toThrow("enough");
    expect(seen).toHaveLength(3);
    await expectSoon(buffers, before);
    // The worker and the model go on.
    expect((await answer(model, prompt, { maxTokens: 3 })).pieces.map(({ token }) => token)).toEqual(seen);
  });

  test("closing a model frees its weights", async () => {
    const before = await buffers();
    const other = await load();
    expect(await buffers()).toBeGreaterThan(before);
    await other.close();
    await expectSoon(buffers, before);
  });
});

async function expectAnswer(model: Model, prompt: Prompt, maxTokens: number, wanted: GreedyCase): Promise<void> {
  expect(model.encode(prompt)).toEqual(wanted.prompt_ids);
  const { pieces, text, summary } = await answer(model, prompt, { maxTokens });
  expect({ tokens: pieces.map(({ token }) => token), text }).toEqual({ tokens: wanted.answer_ids, text: wanted.text });
  expect(summary.finishReason).toBe(wanted.stop === "eos" ? "stop" : "length");
}

const chat = (content: string): Prompt => [{ role: "user", content }];

const answer = (model: Model, prompt: Prompt, options?: GenerateOptions) => drain(model.generate(prompt, options));

async function drain(
  generator: AsyncGenerator<Piece, Summary>,
): Promise<{ readonly pieces: readonly Piece[]; readonly text: string; readonly summary: Summary }> {
  const pieces: Piece[] = [];
  for (;;) {
    const next = await generator.next();
    if (next.done === true) return { pieces, text: pieces.map(({ text }) => text).join(""), summary: next.value };
    pieces.push(next.value);
  }
}

/** Notes what the loop asks of a sequence, and gives it all logits when `force` is set. */
function spied(sequence: Sequence, asked: string[], force: boolean): Sequence {
  const spy = Object.create(sequence) as Sequence;
  spy.prefill = (tokens, wanted, signal) => {
    asked.push(wanted);
    return sequence.prefill(tokens, force ? "full" : wanted, signal);
  };
  spy.step = (token, wanted, signal) => {
    asked.push(wanted);
    return sequence.step(token, force ? "full" : wanted, signal);
  };
  spy.steps = (token, options) => {
    asked.push(options.wanted);
    return sequence.steps(token, { ...options, wanted: force ? "full" : options.wanted });
  };
  Object.defineProperty(spy, "length", { get: () => sequence.length });
  spy[Symbol.asyncDispose] = () => sequence.close();
  return spy;
}

/** Buffers are freed in the same turn, a little after whoever held them is gone. */
async function expectSoon(look: () => Promise<number>, wanted: number): Promise<void> {
  for (let tries = 0; tries < 100 && (await look()) !== wanted; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(await look()).toBe(wanted);
}
