/**
 * Several tokens in a call are those of a call for each, over real models: with windows, batches, stops in the middle.
 *
 * Example run: npm run jest -- inference/steps/choosing-steps.test.ts -t "rotary"
 */
import { execFile } from "node:child_process";
import { getEventListeners } from "node:events";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { loadForBench } from "../../bench/support/step.ts";
import { cpu } from "../../compiler/index.ts";
import { projectPython } from "../../runtime-bridge/launch/environment-paths.ts";
import { tinyConfig, tinyNumbers, writeTiny } from "../../tests/examples/tiny-gpt-oss.ts";
import { root, temporaryFolder } from "../../tests/support/cli.ts";
import { exhaustive, testCases } from "../../tests/support/exhaustive.ts";
import { testWorker } from "../../tests/support/worker.ts";
import {
  type GenerateOneOptions,
  type LoadModelOptions,
  loadModel,
  type Model,
  type Piece,
  PromptCache,
  type Summary,
} from "../index.ts";
import { Batch } from "./batch.ts";
import { Sequence } from "./sequence.ts";
import type { Wanted } from "./step-call.ts";

let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
});

const target = cpu({ weights: { experts: "f32", dense: "f32" } });

/** A GPT-OSS of one layer with a window and one without, of which some numbers may be changed. */
async function tiny(name: string, change: (numbers: ReturnType<typeof tinyNumbers>) => void = () => {}) {
  const config = tinyConfig({
    max_position_embeddings: 1024,
    num_hidden_layers: 2,
    layer_types: ["sliding_attention", "full_attention"],
  });
  const numbers = tinyNumbers(config);
  change(numbers);
  return await writeTiny(join(folder, name), config, numbers);
}

async function llama(name: string, options: Partial<LoadModelOptions> = {}): Promise<Model> {
  const path = join(folder, name);
  await promisify(execFile)(projectPython, [join(root, "tests/parity/random_llama.py"), name, path]);
  return await loadModel(path, { worker: await testWorker(), ...options });
}

/** An answer's pieces, and how it went. */
async function answer(model: Model, tokens: readonly number[], options: GenerateOneOptions = {}) {
  const pieces: Piece[] = [];
  const all = model.generate({ tokens }, options);
  for (;;) {
    const next = await all.next();
    if (next.done) return { said: pieces.map(({ token }) => token), pieces, summary: next.value satisfies Summary };
    pieces.push(next.value);
  }
}

const text = (length: number, seed: number): number[] => Array.from({ length }, (_, n) => (n * n + seed * n + 7) % 33);

describe("a GPT-OSS with windows", () => {
  let model: Model;
  beforeAll(async () => {
    model = await loadModel(await tiny("tiny"), { worker: await testWorker(), target });
  });
  afterAll(() => model?.close());

  test("says the same however many tokens a call makes, past where a ring has wrapped", async () => {
    // The ring holds the window of 16 and a chunk of 512.
    const prompt = text(500, 3);
    const one = await answer(model, prompt, { maxTokens: 60, stepsPerCall: 1, logprobs: 3 });
    for (const stepsPerCall of [8, 5, 64, undefined]) {
      const several = await answer(model, prompt, { maxTokens: 60, stepsPerCall, logprobs: 3 });
      expect(several.said).toEqual(one.said);
      for (const [n, { logprob, topLogprobs }] of several.pieces.entries()) {
        const wanted = one.pieces[n] as Piece;
        // Two programs round differently in the last digits.
        expect(Math.abs(logprob - wanted.logprob)).toBeLessThan(1e-4);
        expect(topLogprobs?.[0]?.token).toBe(wanted.topLogprobs?.[0]?.token);
      }
    }
  });

  test("draws by temperature what a seed says, however many tokens a call makes, and among the first alone", async () => {
    const prompt = text(490, 4);
    const options = { maxTokens: 40, temperature: 1.5, topK: 4, seed: 11, onDevice: true, logprobs: 4 };
    const one = await answer(model, prompt, { ...options, stepsPerCall: 1 });
    expect(new Set(one.said).size).toBeGreaterThan(5);
    for (const stepsPerCall of [8, 3])
      expect((await answer(model, prompt, { ...options, stepsPerCall })).said).toEqual(one.said);
    for (const { token, logprob, topLogprobs } of one.pieces) {
      const own = topLogprobs?.find((each) => each.token === token);
      expect(own?.logprob).toBe(logprob);
    }
    expect((await answer(model, prompt, { ...options, seed: 12 })).said).not.toEqual(one.said);
    // Going on from the middle draws the same: random numbers belong to positions.
    const rest = await answer(model, [...prompt, ...one.said.slice(0, 7)], { ...options, maxTokens: 33 });
    expect(rest.said).toEqual(one.said.slice(7));
  });

  test("is answered in a batch as alone, rows at different positions, ends and turns", async () => {
    const prompts = [500, 12, 3].map((length, n) => ({ tokens: text(length, n + 2) }));
    for (const options of [
      { maxTokens: 45 },
      { maxTokens: 30, temperature: 1.2, topK: 5, seed: 3, onDevice: true },
    ] as const) {
      const said = prompts.map((): number[] => []);
      const seeds: (number | bigint)[] = [];
      for await (const event of model.generateAll(prompts, { ...options, stepsPerCall: 8 })) {
        if (event.kind === "piece") said[event.index]?.push(event.piece.token);
        else if (event.kind === "done") seeds[event.index] = event.summary.seed;
      }
      for (const [n, { tokens }] of prompts.entries()) {
        const alone = await answer(model, tokens, { ...options, seed: seeds[n], stepsPerCall: 3 });
        expect(said[n]).toEqual(alone.said);
      }
    }
  });

  test("stops in the middle of a call, and its cache serves the next prompt as if nothing had come after", async () => {
    await using cache = new PromptCache();
    const prompt = text(505, 6);
    const all = await answer(model, prompt, { maxTokens: 60, stepsPerCall: 1 });
    // The fifth token is the first of a call of four; so what ends it is not the last of a call.
    const at = all.said.findIndex((token, n) => n > 7 && n % 8 < 6 && all.said.indexOf(token) === n);
    expect(at).toBeGreaterThan(0);
    const stop = { maxTokens: 60, stepsPerCall: 64, stopTokens: [all.said[at] as number] };
    const stopped = await answer(model, prompt, { ...stop, cache });
    expect(stopped.said).toEqual(all.said.slice(0, at + 1));
    expect(stopped.summary.finishReason).toBe("stop");
    const next = [...prompt, ...stopped.said, ...text(9, 8)];
    const after = await answer(model, next, { maxTokens: 20, stepsPerCall: 8, cache });
    expect(after.summary.reusedTokens).toBe(prompt.length + at);
    expect(after.said).toEqual((await answer(model, next, { maxTokens: 20, stepsPerCall: 1 })).said);
    // Back to before what was written beyond the end.
    const back = [...prompt.slice(0, 490), ...text(9, 5)];
    const again = await answer(model, back, { maxTokens: 20, stepsPerCall: 8, cache });
    expect(again.said).toEqual((await answer(model, back, { maxTokens: 20, stepsPerCall: 1 })).said);
  });

  test("goes on after a call that was left, or aborted, in its middle", async () => {
    await using cache = new PromptCache();
    const prompt = text(500, 4);
    const whole = await answer(model, prompt, { maxTokens: 30, stepsPerCall: 1 });
    const abort = new AbortController();
    const leave = [
      async () => {
        let seen = 0;
        for await (const _ of model.generate({ tokens: prompt }, { maxTokens: 60, stepsPerCall: 64, cache })) {
          if (++seen === 10) break;
        }
      },
      async () => {
        let seen = 0;
        const options = { maxTokens: 60, stepsPerCall: 64, cache, signal: abort.signal };
        for await (const _ of model.generate({ tokens: prompt }, options))
          if (++seen === 10) abort.abort(new Error("enough"));
      },
    ];
    await (leave[0] as () => Promise<void>)();
    const first = await answer(model, [...prompt, ...whole.said.slice(0, 5)], {
      maxTokens: 25,
      cache,
      stepsPerCall: 8,
    });
    expect(first.summary.reusedTokens).toBe(prompt.length + 4);
    expect(first.said).toEqual(whole.said.slice(5));
    await expect((leave[1] as () => Promise<void>)()).rejects.toThrow("enough");
    const second = await answer(model, [...prompt, ...whole.said.slice(0, 5)], {
      maxTokens: 25,
      cache,
      stepsPerCall: 8,
    });
    expect(second.summary.reusedTokens).toBe(prompt.length + 4);
    expect(second.said).toEqual(whole.said.slice(5));
  });

  test("leaves nothing that listens to a signal", async () => {
    const { signal } = new AbortController();
    await answer(model, text(500, 4), { maxTokens: 40, stepsPerCall: 4, signal });
    expect(getEventListeners(signal, "abort")).toEqual([]);
    for await (const _ of model.generateAll([{ tokens: text(500, 4) }], { maxTokens: 40, stepsPerCall: 8, signal })) {
      expect(getEventListeners(signal, "abort").length).toBeLessThan(4);
    }
    for await (const { token } of model.generate({ tokens: text(500, 4) }, { stepsPerCall: 8, signal })) {
      if (token >= 0) break;
    }
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  test("ends with the context in the middle of a call", async () => {
    const prompt = text(1010, 3);
    const one = await answer(model, prompt, { maxTokens: 60, stepsPerCall: 1 });
    const several = await answer(model, prompt, { maxTokens: 60, stepsPerCall: 8 });
    expect(several.said).toEqual(one.said);
    expect(several.summary).toMatchObject({ finishReason: "context", answerTokens: 14 });
  });

  test("goes back no further than what was written leaves of a window, read or not", async () => {
    const { programs } = await loadForBench(await testWorker(), join(folder, "tiny"), "f32");
    await using sequence = await Sequence.open(programs, 1024);
    await sequence.prefill(text(10, 3), "candidates");
    const all = await collect(await sequence.steps(5, { count: 256, wanted: "candidates" }));
    expect(sequence.length).toBe(266);
    await (await sequence.steps(all.at(-1)?.chosen as number, { count: 256, wanted: "candidates" })).return();
    expect(sequence.length).toBe(266);
    // 522 were written, and a ring has room for a chunk of 512 beside its window.
    expect(sequence.rewind(9)).toBe(false);
    expect(sequence.rewind(10)).toBe(true);
    const again = await collect(await sequence.steps(5, { count: 8, wanted: "candidates" }));
    expect(again.map(({ chosen }) => chosen)).toEqual(all.slice(0, 8).map(({ chosen }) => chosen));
  });

  test("refuses to draw on the device where anything else has a say, by its name", async () => {
    const refused: [GenerateOneOptions, string][] = [
      [{ temperature: 1 }, "onDevice chooses greedily, or by temperature among a topK from 1 to 64, and topK is 0"],
      [{ temperature: 1, topK: 65 }, "and topK is 65"],
      [{ temperature: 1, topK: 5, topP: 0.9 }, "and topP was given too"],
      [{ temperature: 1, topK: 5, minP: 0.1 }, "and minP was given too"],
      [{ temperature: 1, topK: 5, minTokens: 2 }, "and minTokens was given too"],
      [{ temperature: 1, topK: 5, logprobs: 65 }, "and logprobs is 65"],
      [{ logitBias: { 3: 1 } }, "and logitBias was given too"],
      [{ repetitionPenalty: 1.1 }, "and repetitionPenalty was given too"],
      [{ mask: () => "all" }, "and mask was given too"],
      [{ stepsPerCall: 0 }, "stepsPerCall is 0, and it is a whole number from 1 to 256"],
      [{ stepsPerCall: 257 }, "stepsPerCall is 257"],
    ];
    for (const [options, said] of refused) {
      const work = answer(model, [1, 2], { onDevice: true, ...options });
      const code = "stepsPerCall" in options ? "OPTION_VALUE" : "OPTION_UNSUPPORTED";
      await expect(work).rejects.toMatchObject({ code, message: expect.stringContaining(said) });
    }
  });
});

test("equal logits are greedily the lowest id, in a call of several as in one", async () => {
  const path = await tiny("ties", (numbers) => void numbers.get("lm_head.weight")?.fill(0));
  await using model = await loadModel(path, { worker: await testWorker(), target });
  expect((await answer(model, [3, 1], { maxTokens: 9, stepsPerCall: 8 })).said).toEqual(Array(9).fill(0));
});

test(
  exhaustive(
    "logits that are not numbers in the middle of a call are an error at their place, and the next prompt is answered",
  ),
  async () => {
    await using good = await loadModel(await tiny("good"), { worker: await testWorker(), target });
    // A prompt and a token of its answer that neither has before.
    let [prompt, said, at]: [number[], number[], number] = [[], [], -1];
    for (let seed = 1; at < 0 && seed < 40; seed++) {
      prompt = text(3, seed);
      ({ said } = await answer(good, prompt, { maxTokens: 12 }));
      at = said.findIndex((token, n) => n > 4 && n < 10 && said.indexOf(token) === n && !prompt.includes(token));
    }
    expect(at).toBeGreaterThan(4);
    const bad = said[at] as number;
    const path = await tiny("bad", (numbers) => {
      numbers.get("model.embed_tokens.weight")?.fill(Number.NaN, bad * 24, (bad + 1) * 24);
    });
    await using model = await loadModel(path, { worker: await testWorker(), target });
    await using cache = new PromptCache();
    const seen: number[] = [];
    const run = async (options: GenerateOneOptions) => {
      for await (const { token } of model.generate({ tokens: prompt }, { maxTokens: 30, ...options })) seen.push(token);
    };
    const where = `at position ${prompt.length + at + 1}`;
    await expect(run({ stepsPerCall: 64, cache })).rejects.toMatchObject({
      code: "LOGITS_INVALID",
      message: expect.stringContaining(where),
    });
    expect(seen).toEqual(said.slice(0, at + 1));
    const after = await answer(model, prompt, { maxTokens: 4, stepsPerCall: 8, cache });
    expect(after.said).toEqual(said.slice(0, 4));
    const drawn = { onDevice: true, temperature: 0.01, topK: 3, seed: 1 };
    await expect(run({ stepsPerCall: 64, ...drawn })).rejects.toMatchObject({ code: "LOGITS_INVALID" });
  },
);

describe("a Llama", () => {
  testCases(
    "with %s rotary frequencies is read by those of each length",
    ["dynamic", "longrope"],
    ["dynamic"],
    async (name) => {
      // Beyond 128 positions they change, with each or once.
      await using model = await llama(name, { context: 256 });
      const prompt = Array.from({ length: 120 }, (_, n) => (n * 31 + 5) % 331);
      const one = await answer(model, prompt, { maxTokens: 24, stepsPerCall: 1 });
      expect((await answer(model, prompt, { maxTokens: 24, stepsPerCall: 8 })).said).toEqual(one.said);
    },
  );

  test("gives steps until frequencies change or its cache ends, and is as long as was read", async () => {
    const { programs } = await loaded("dynamic");
    await using sequence = await Sequence.open(programs, 256);
    await sequence.prefill(ids(120), "candidates");
    // Up to 128 positions all is as in training.
    const steps = await sequence.steps(5, { count: 32, wanted: "candidates" });
    expect(steps.count).toBe(8);
    const chosen: number[] = [];
    for await (const { chosen: token } of steps) {
      chosen.push(token as number);
      expect(sequence.length).toBe(120 + chosen.length);
      if (chosen.length === 3) break;
    }
    expect(sequence.length).toBe(123);
    expect((await steps.next()).done).toBe(true);
    // From where its reader stopped, with a call that nobody reads in between.
    await (await sequence.steps(chosen[2] as number, { count: 4, wanted: "candidates" })).return();
    expect(sequence.length).toBe(123);
    const next = await sequence.steps(chosen[2] as number, { count: 32, wanted: "full" });
    expect(next.count).toBe(5);
    for await (const logits of next) expect(logits).toMatchObject({ kind: "full", chosen: expect.any(Number) });
    expect((await sequence.steps(1, { count: 32, wanted: "candidates" })).count).toBe(1);
    sequence.restart();
    await sequence.prefill(ids(7), "candidates");
    const again = await collect(await sequence.steps(3, { count: 5, wanted: "candidates" }));
    // The last of them has all logits where they were left.
    expect(again.map((each) => each.kind === "candidates" && each.all !== undefined)).toEqual([
      ...[false, false, false, false],
      true,
    ]);
  });

  test("has rows that end or are given away in the middle of a call, and the others go on", async () => {
    const { programs } = await loaded("longrope");
    const [long, short] = [ids(250), ids(10)];
    const alone: number[] = [];
    {
      await using sequence = await Sequence.open(programs, 256);
      await sequence.prefill(short, "candidates");
      for await (const { chosen } of await sequence.steps(3, { count: 20, wanted: "candidates" })) {
        alone.push(chosen as number);
      }
    }
    await using batch = await Batch.open(programs, { rows: 4, capacity: 256 });
    await fill(batch, 0, long, "candidates");
    await fill(batch, 2, short, "candidates");
    await fill(batch, 3, short, "candidates");
    const told: number[][] = [];
    const said: number[] = [];
    const tokens = new Map([0, 2, 3].map((row) => [row, 3]));
    const steps = await batch.steps(tokens, { count: 20, wanted: "candidates" });
    expect(steps.count).toBe(20);
    for await (const next of steps) {
      told.push([...next.keys()]);
      said.push(next.get(2)?.chosen as number);
      if (told.length === 9) batch.free(3);
    }
    expect(told).toEqual([...Array(6).fill([0, 2, 3]), ...Array(3).fill([2, 3]), ...Array(11).fill([2])]);
    expect(said).toEqual(alone);
    // The row that was given away, and the one that goes on, in one more call.
    await fill(batch, 3, short, "candidates");
    const more = await batch.steps(
      new Map([
        [2, said.at(-1) as number],
        [3, 3],
      ]),
      { count: 4, wanted: "candidates" },
    );
    const rows = await collect(more);
    expect(rows.map((next) => next.get(3)?.chosen)).toEqual(alone.slice(0, 4));
  });
});

/** Gives a row to a prompt. */
async function fill(batch: Batch, row: number, prompt: readonly number[], wanted: Wanted): Promise<void> {
  batch.prefilled.restart();
  await batch.prefilled.prefill(prompt, wanted);
  await batch.adopt(row);
}

const ids = (length: number) => Array.from({ length }, (_, n) => (n * 31 + 5) % 331);

async function loaded(name: string) {
  const path = join(folder, name);
  await promisify(execFile)(projectPython, [join(root, "tests/parity/random_llama.py"), name, path]);
  return await loadForBench(await testWorker(), path, "f32");
}

async function collect<T>(all: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const each of all) found.push(each);
  return found;
}
