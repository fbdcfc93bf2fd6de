/** The engine's loop over lanes that make their logits up: after token `n` comes `n + 1`, of a vocabulary of 100. */
import { describe, expect, test } from "@jest/globals";
import { InputError, RuntimeFailure } from "../../dsl/index.ts";
import { WorkerLost } from "../../runtime-bridge/index.ts";
import { Answer, type Piece } from "../answers/answer.ts";
import type { SentSteps } from "../answers/generation-loop.ts";
import type { ChatOptions } from "../answers/prompt.ts";
import type { Summary } from "../answers/summary.ts";
import { isInvalidLogits } from "../debugging/explain-logits.ts";
import type { NextLogits } from "../steps/step-call.ts";
import { rowCapacity } from "./chunk-grid.ts";
import { Engine, type ServedModel } from "./engine.ts";
import { type EngineOptions, planLane, resolveEngineOptions } from "./engine-options.ts";
import type { Lane } from "./lane.ts";

const vocabulary = 100;
const stop = 99;
/** A token after which nothing is a number. */
const poison = 66;

function after(token: number): NextLogits {
  const logits = Float32Array.from({ length: vocabulary }, (_, id) => (id === token + 1 ? 1 : 0));
  return {
    kind: "candidates",
    ids: Int32Array.from(logits.keys()),
    values: logits,
    logSumExp: token === poison ? Number.NaN : 1,
    all: async () => logits,
  };
}

interface Fake {
  readonly engine: Engine;
  readonly calls: string[];
  /** Makes the next call of that kind fail. */
  breakNext(call: string, error: Error): void;
}

/** Steps that are computed when they are read. */
class FakeSteps implements SentSteps {
  readonly times = undefined;
  taken = 0;

  constructor(
    readonly count: number,
    readonly step: (n: number) => Promise<ReadonlyMap<number, NextLogits>>,
  ) {}

  async next(): Promise<IteratorResult<ReadonlyMap<number, NextLogits>, undefined>> {
    if (this.taken === this.count) return { done: true, value: undefined };
    return { done: false, value: await this.step(this.taken++) };
  }

  async return(): Promise<IteratorResult<ReadonlyMap<number, NextLogits>, undefined>> {
    this.taken = this.count;
    return { done: true, value: undefined };
  }
}

function serve(options: EngineOptions = {}, { gate }: { readonly gate?: Promise<void> } = {}): Fake {
  const calls: string[] = [];
  const broken = new Map<string, Error>();
  const settings = resolveEngineOptions({ rows: 2, grid: 16, ...options }, { platform: "cpu", free: undefined });
  const call = async (name: string, detail = "") => {
    calls.push(`${name}${detail}`);
    await new Promise((resolve) => setImmediate(resolve));
    const error = broken.get(name);
    broken.delete(name);
    if (error !== undefined) throw error;
  };
  const lane = (): Lane => ({
    spare: 1024,
    begin: (from) => call("begin", from === undefined ? "" : ` ${from.length}`),
    chunk: async (tokens, _sizes, wanted) => {
      await call("chunk", ` ${tokens.length}`);
      return wanted === undefined ? undefined : after(tokens.at(-1) as number);
    },
    keep: (place) => call("keep", ` ${place}`),
    adopt: (row) => call("adopt", ` ${row}`),
    send: async (rows, { wanted, count }) => {
      if (gate !== undefined) await gate;
      const detail = ` ${[...rows.keys()].join(" ")}${wanted === "full" ? " full" : ""}`;
      const step = async (n: number) => {
        await call("step", detail);
        return new Map(Array.from(rows, ([row, { token }]) => [row, after(token + n)]));
      };
      return new FakeSteps(Math.min(count, 3), step);
    },
    free: (row) => void calls.push(`free ${row}`),
    clear: () => call("clear"),
    close: () => call("close"),
  });
  const model: ServedModel = {
    beginAnswer: (prompt, given) => {
      const { tokens } = prompt as { readonly tokens: readonly number[] };
      return new Answer({ stopIds: new Set([stop]), context: 1000, vocabulary, tokenizer: undefined }, tokens, given);
    },
    rowFor: (answer) => ({
      capacity: rowCapacity(answer, false),
      largest: rowCapacity(answer, true),
      family: "",
    }),
    planLane: (capacity) => planLane(capacity, capacity, settings),
    openLane: async (capacity) => {
      await call("open", ` ${capacity}`);
      return lane();
    },
    explain: async (error) =>
      isInvalidLogits(error) ? new RuntimeFailure(error.code, `${error.message}, explained`) : error,
  };
  return { engine: new Engine(model, settings), calls, breakNext: (name, error) => void broken.set(name, error) };
}

async function drain(answer: AsyncGenerator<Piece, Summary>) {
  const tokens: number[] = [];
  for (;;) {
    const next = await answer.next();
    if (next.done) return { tokens, summary: next.value };
    tokens.push(next.value.token);
  }
}

const ask = (engine: Engine, tokens: readonly number[], options: ChatOptions = {}) =>
  drain(engine.generate({ tokens }, options));
const count = (length: number) => Array.from({ length }, (_, n) => n % 50);
const ticks = async (many: number) => {
  for (let n = 0; n < many; n++) await new Promise((resolve) => setImmediate(resolve));
};

describe("answers", () => {
  test("come to all who asked, more than there are rows, each with its own options", async () => {
    const { engine } = serve();
    await using _ = engine;
    const answers = await Promise.all([
      ask(engine, [1], { maxTokens: 3 }),
      ask(engine, [10], { maxTokens: 1 }),
      ask(engine, [95]),
      ask(engine, [20], { maxTokens: 2, minTokens: 2, stopTokens: [21] }),
      ask(engine, [30], { maxTokens: 4, mask: () => ({ ids: [7] }) }),
    ]);
    expect(answers.map(({ tokens }) => tokens)).toEqual([
      [2, 3, 4],
      [11],
      [96, 97, 98, 99],
      expect.anything(),
      [7, 7, 7, 7],
    ]);
    expect(answers[3]?.tokens).toHaveLength(2);
    expect(answers[3]?.tokens).not.toContain(21);
    expect(answers.map(({ summary }) => summary.finishReason)).toEqual([
      "length",
      "length",
      "stop",
      "length",
      "length",
    ]);
    expect(engine.statistics).toMatchObject({ requests: 5, finished: 5, failed: 0, cancelled: 0, answerTokens: 14 });
    expect(engine.load).toEqual({ rows: 2, running: 0, waiting: 0 });
  });

  test("are under way before they are read, and a request that comes later joins between two steps", async () => {
    const { engine, calls } = serve();
    await using _ = engine;
    const first = engine.generate({ tokens: [1] }, { maxTokens: 40 });
    await ticks(20);
    expect(engine.load.running).toBe(1);
    const steps = () => calls.filter((each) => each === "step 0").length;
    expect(steps()).toBeGreaterThan(2);
    const late = await ask(engine, [50], { maxTokens: 4 });
    expect(late.tokens).toEqual([51, 52, 53, 54]);
    expect(calls).toContain("step 0 1");
    expect((await drain(first)).tokens).toHaveLength(40);
  });

  test("a long prompt is prefilled a few chunks at a time, and the others take steps meanwhile", async () => {
    const { engine, calls } = serve({ budget: 18 });
    await using _ = engine;
    const short = ask(engine, [1], { maxTokens: 60 });
    await ticks(20);
    const from = calls.length;
    const long = ask(engine, count(100), { maxTokens: 2 });
    await Promise.all([short, long]);
    const prefill = calls.slice(from, calls.indexOf("adopt 1")).filter((each) => /^(chunk|step)/.test(each));
    // Six chunks, the last one longer; between two of them a step.
    expect(prefill.filter((each) => each.startsWith("chunk"))).toHaveLength(6);
    expect(prefill.filter((each) => each === "step 0").length).toBeGreaterThanOrEqual(5);
    expect(prefill.join()).not.toContain("chunk 16,chunk 16");
  });

  test("candidates are fetched for all and all logits for whom they are wanted, or all where all want them", async () => {
    const { engine, calls } = serve();
    await using _ = engine;
    const sampled = { temperature: 1e-3, topP: 0.5, maxTokens: 3 };
    const [greedy, full] = await Promise.all([ask(engine, [1], { maxTokens: 3 }), ask(engine, [5], sampled)]);
    expect([greedy.tokens, full.tokens]).toEqual([
      [2, 3, 4],
      [6, 7, 8],
    ]);
    expect(calls).toContain("step 0 1");
    calls.length = 0;
    await ask(engine, [5], sampled);
    expect(calls).toContain("step 0 full");
  });
});

describe("an answer that may become long", () => {
  test("begins in a short row, and goes on in a longer one before all who wait", async () => {
    const { engine, calls } = serve({ rows: 1 });
    await using _ = engine;
    const long = ask(engine, [1], { maxTokens: 300, mask: ({ tokens }) => ({ ids: [tokens.length % 50] }) });
    const next = ask(engine, [2], { maxTokens: 3 });
    const { tokens, summary } = await long;
    expect(tokens).toEqual(count(300));
    expect(summary).toMatchObject({ finishReason: "length", promptTokens: 1, reusedTokens: 0 });
    expect((await next).tokens).toEqual([3, 4, 5]);
    // All 257 positions are prefilled anew: those of 256 places and the token that found none.
    expect(calls.filter((each) => each.startsWith("open"))).toEqual(["open 256", "open 512"]);
    expect(calls.filter((each) => each === "chunk 16")).toHaveLength(15);
    expect(calls).toContain("chunk 17");
    expect(engine.statistics).toMatchObject({ requests: 2, finished: 2, moves: 1, promptTokens: 2, answerTokens: 303 });
  });

  test("is refused at once when its longest row has no room", async () => {
    const { engine } = serve({ rows: 1, cacheBytes: 300 });
    await using _ = engine;
    await expect(ask(engine, [1], { maxTokens: 300 })).rejects.toMatchObject({ code: "CACHE_TOO_LARGE" });
    expect((await ask(engine, [1], { maxTokens: 2 })).tokens).toEqual([2, 3]);
  });

  test("leaves its row whole when it is left while it waits for the longer one", async () => {
    const { engine, breakNext } = serve({ rows: 1 });
    await using _ = engine;
    const options = {
      maxTokens: 300,
      mask: ({ tokens }: { tokens: readonly number[] }) => ({ ids: [tokens.length % 50] }),
    };
    const failing = ask(engine, [1], options);
    await ticks(10);
    breakNext("open", new RuntimeFailure("NO", "no room"));
    await expect(failing).rejects.toThrow("no room");
    expect(engine.load).toMatchObject({ running: 0, waiting: 0 });
    expect((await ask(engine, [5], { maxTokens: 2 })).tokens).toEqual([6, 7]);
  });
});

describe("beginnings that are shared", () => {
  test("the first of many leaves what the others begin from", async () => {
    const { engine, calls } = serve();
    await using _ = engine;
    const system = count(40);
    const prompts = [1, 2, 3].map((n) => [...system, n, n, n]);
    const answers = await Promise.all(prompts.map((tokens) => ask(engine, tokens, { maxTokens: 2 })));
    expect(answers.map(({ summary }) => summary.reusedTokens)).toEqual([0, 32, 32]);
    expect(calls.filter((each) => each.startsWith("keep"))).toHaveLength(1);
    expect(calls.filter((each) => each === "begin 32")).toHaveLength(2);
    expect(engine.statistics).toMatchObject({ promptTokens: 129, reusedTokens: 64, hitRate: 2 / 3 });
  });

  test("without places nothing is kept", async () => {
    const { engine, calls } = serve({ prefixes: 0 });
    await using _ = engine;
    await Promise.all([1, 2].map((n) => ask(engine, [...count(40), n], { maxTokens: 2 })));
    expect(calls.filter((each) => /keep|begin ./.test(each))).toEqual([]);
    expect(engine.statistics.reusedTokens).toBe(0);
  });

  test("what a prompt left that has failed is forgotten, and cleared before the next", async () => {
    const { engine, calls } = serve();
    await using _ = engine;
    const bad = [...count(20), poison];
    const [one, two] = await Promise.allSettled([
      ask(engine, bad, { maxTokens: 4 }),
      ask(engine, bad, { maxTokens: 4 }),
    ]);
    expect([one.status, two.status]).toEqual(["rejected", "rejected"]);
    expect(engine.statistics.lanes[0]?.prefixes).toBe(0);
    expect((await ask(engine, [1], { maxTokens: 1 })).tokens).toEqual([2]);
    expect(calls.filter((each) => each === "clear")).toHaveLength(2);
  });
});

describe("leaving", () => {
  test("a reader who leaves frees the row at once, and the next one gets it", async () => {
    const { engine } = serve({ rows: 1 });
    await using _ = engine;
    const waiting = ask(engine, [30], { maxTokens: 2 });
    const second = ask(engine, [40], { maxTokens: 2 });
    await waiting;
    for await (const { token } of engine.generate({ tokens: [1] }, { maxTokens: 80 })) if (token === 4) break;
    expect((await second).tokens).toEqual([41, 42]);
    expect(engine.load).toEqual({ rows: 1, running: 0, waiting: 0 });
    expect(engine.statistics).toMatchObject({ finished: 2, cancelled: 1 });
  });

  test("an answer that was never read is left, too, by return and by dispose", async () => {
    const { engine } = serve();
    await using _ = engine;
    const unread = engine.generate({ tokens: [1] }, { maxTokens: 80 });
    await unread.return(undefined as never);
    {
      await using other = engine.generate({ tokens: [1] }, { maxTokens: 80 });
      expect((await other.next()).value).toMatchObject({ token: 2 });
    }
    await ticks(5);
    expect(engine.load).toEqual({ rows: 2, running: 0, waiting: 0 });
    expect(await unread.next()).toEqual({ done: true, value: undefined });
  });

  test("a signal ends what runs, what waits and what comes too late, with its reason", async () => {
    const { engine } = serve({ rows: 1 });
    await using _ = engine;
    const controller = new AbortController();
    const { signal } = controller;
    const runs = engine.generate({ tokens: [1] }, { maxTokens: 80, signal });
    const waits = ask(engine, [1], { maxTokens: 80, signal });
    await runs.next();
    controller.abort(new Error("enough"));
    await expect(runs.next()).rejects.toThrow("enough");
    await expect(waits).rejects.toThrow("enough");
    await expect(ask(engine, [1], { signal })).rejects.toThrow("enough");
    expect((await ask(engine, [8], { maxTokens: 1 })).tokens).toEqual([9]);
  });
});

describe("the line", () => {
  test("is bounded: the error says what to do, and those in line are answered", async () => {
    const { engine } = serve({ queue: 1 });
    await using _ = engine;
    const taken = [1, 2, 3].map((n) => ask(engine, [n], { maxTokens: 2 }));
    await expect(ask(engine, [4])).rejects.toMatchObject({
      code: "QUEUE_FULL",
      message:
        "0 requests run and 3 wait, and the engine's queue holds 1; `await engine.ready()` before each, or give `serve` a longer `queue`",
    });
    expect((await Promise.all(taken)).map(({ tokens }) => tokens[0])).toEqual([2, 3, 4]);
  });

  test("callers that wait for room are admitted one after the other, and none is refused", async () => {
    const { engine } = serve({ queue: 1 });
    await using _ = engine;
    let most = 0;
    const answers = await Promise.all(
      count(30).map(async (n) => {
        await engine.ready();
        const answer = ask(engine, [n], { maxTokens: 3 });
        most = Math.max(most, engine.load.waiting);
        return (await answer).tokens[0];
      }),
    );
    expect(answers).toEqual(count(30).map((n) => n + 1));
    expect(most).toBeLessThanOrEqual(3);
  });

  test("a place that its caller did not take goes to the next", async () => {
    const { engine } = serve({ rows: 1, queue: 0 });
    await using _ = engine;
    await engine.ready();
    await engine.ready();
    expect((await ask(engine, [1], { maxTokens: 1 })).tokens).toEqual([2]);
  });
});

describe("failures", () => {
  test("a prompt or an option that cannot be taken is refused at the first next", async () => {
    const { engine } = serve();
    await using _ = engine;
    await expect(ask(engine, [])).rejects.toThrow(InputError);
    await expect(ask(engine, [1], { maxTokens: 0 })).rejects.toThrow("maxTokens is 0");
    expect(engine.statistics.requests).toBe(0);
    const full = await ask(engine, Array<number>(1000).fill(1));
    expect(full).toMatchObject({ tokens: [], summary: { finishReason: "context" } });
  });

  test("logits that are no numbers fail one request, with what is found out about it; the others go on", async () => {
    const { engine } = serve();
    await using _ = engine;
    const good = ask(engine, [1], { maxTokens: 30 });
    const bad = drain(engine.generate({ tokens: [poison - 3] }));
    await expect(bad).rejects.toThrow("log-sum-exp of the logits at position 4 is NaN, explained");
    expect((await good).tokens).toHaveLength(30);
    expect(engine.statistics).toMatchObject({ finished: 1, failed: 1 });
  });

  test("so does a mask that throws", async () => {
    const { engine } = serve();
    await using _ = engine;
    const mask = () => {
      throw new Error("no grammar");
    };
    const [bad, good] = await Promise.allSettled([ask(engine, [1], { mask }), ask(engine, [1], { maxTokens: 5 })]);
    expect(bad).toMatchObject({ status: "rejected", reason: new Error("no grammar") });
    expect(good).toMatchObject({ status: "fulfilled" });
  });

  test.each(["step", "chunk", "adopt"])(
    "a %s that fails fails those of its lane, and the lane opens anew",
    async (name) => {
      const { engine, calls, breakNext } = serve();
      await using _ = engine;
      breakNext(name, new Error("the device is out of order"));
      const answers = await Promise.allSettled([1, 2].map((n) => ask(engine, [n], { maxTokens: 3 })));
      expect(answers[0]).toMatchObject({ status: "rejected", reason: new Error("the device is out of order") });
      expect((await ask(engine, [7], { maxTokens: 2 })).tokens).toEqual([8, 9]);
      expect(calls.filter((each) => each === "open 256")).toHaveLength(2);
      expect(engine.load).toEqual({ rows: 2, running: 0, waiting: 0 });
    },
  );

  test("a lane that does not open fails those who wait for it", async () => {
    const { engine, breakNext } = serve();
    await using _ = engine;
    breakNext("open", new InputError("CACHE_TOO_LARGE", "no room"));
    await expect(ask(engine, [1])).rejects.toThrow("no room");
    expect((await ask(engine, [1], { maxTokens: 1 })).tokens).toEqual([2]);
  });

  test("a lost worker fails every request that runs, waits or comes after", async () => {
    const { engine, breakNext } = serve({ queue: 1 });
    await using _ = engine;
    const lost = new WorkerLost({ address: "unix:/somewhere", how: "it was ended by SIGKILL" });
    const answers = [1, 2, 3].map((n) => ask(engine, [n], { maxTokens: 50 }));
    const waits = engine.ready();
    breakNext("step", lost);
    for (const answer of await Promise.allSettled([...answers, waits])) {
      expect(answer).toMatchObject({ status: "rejected", reason: lost });
    }
    await expect(ask(engine, [1])).rejects.toBe(lost);
    await expect(engine.ready()).rejects.toBe(lost);
  });

  test("closing ends what runs and what waits, and closes every lane", async () => {
    let open = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const { engine, calls } = serve({}, { gate });
    const answers = [1, 2, 3].map((n) => ask(engine, [n]));
    await ticks(20);
    const closed = engine.close();
    open();
    for (const answer of await Promise.allSettled(answers)) {
      expect(answer).toMatchObject({ status: "rejected", reason: { code: "ENGINE_CLOSED" } });
    }
    await closed;
    expect(calls.at(-1)).toBe("close");
    await expect(ask(engine, [1])).rejects.toThrow("the engine is closed; `model.serve()` gives another");
    await expect(engine.ready()).rejects.toThrow("the engine is closed");
    await engine.close();
  });
});

describe("memory", () => {
  test("a lane has fewer snapshots, then fewer rows, where memory ends; half of it is left to another lane", () => {
    const plan = (cacheBytes: number) => planLane(256, 1, { rows: 8, prefixes: 8, cacheBytes });
    expect(plan(34)).toEqual({ rows: 8, places: 8, bytes: 17 });
    expect(plan(20)).toEqual({ rows: 8, places: 1, bytes: 10 });
    expect(plan(18)).toEqual({ rows: 8, places: 0, bytes: 9 });
    expect(plan(10)).toEqual({ rows: 4, places: 0, bytes: 5 });
    expect(plan(1)).toEqual({ rows: 1, places: 0, bytes: 1 });
    expect(() => plan(0.5)).toThrow("a cache of 256 positions takes");
  });

  test("a request for which there is no room at all is refused, a large one takes the room of idle lanes", async () => {
    const { engine, calls } = serve({ cacheBytes: 1100 });
    await using _ = engine;
    expect((await ask(engine, [1], { maxTokens: 2 })).tokens).toEqual([2, 3]);
    expect((await ask(engine, count(600), { maxTokens: 2 })).tokens).toHaveLength(2);
    expect(calls.filter((each) => /open|close/.test(each))).toEqual(["open 256", "close", "open 1024"]);
    const { engine: small } = serve({ cacheBytes: 500 });
    await using __ = small;
    await expect(ask(small, count(300))).rejects.toMatchObject({ code: "CACHE_TOO_LARGE" });
    expect((await ask(small, [1], { maxTokens: 1 })).tokens).toEqual([2]);
  });

  test.each([
    [{ rows: 0 }, "rows of an engine is 0, and it is a whole number from 1 to 1024"],
    [{ grid: 48 }, "grid of an engine is 48, and it is one of 16, 32, 64, 128, 256, 512"],
    [{ queue: -1 }, "queue of an engine is -1, and it is a whole number from 0"],
    [{ budget: 0.5 }, "budget of an engine is 0.5, and it is a whole number from 1"],
    [{ prefixes: -1 }, "prefixes of an engine is -1, and it is a whole number from 0 to 1024"],
    [{ cacheBytes: 0 }, "cacheBytes of an engine is 0, and it is a number of bytes"],
  ])("%j is refused", (options, message) => {
    expect(() => resolveEngineOptions(options, { platform: "cpu", free: 1e9 })).toThrow(
      new InputError("OPTION_VALUE", message),
    );
  });
});
