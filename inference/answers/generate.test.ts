/** The loop over an engine that says what it is told to. */
import { describe, expect, test } from "@jest/globals";
import type { TokenMask } from "../sampling/token-mask.ts";
import { StepsUnderWay } from "../steps/choosing-steps.ts";
import type { TextUnderWay } from "../steps/prompt-cache.ts";
import type { NextLogits } from "../steps/step-call.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { Answer, type Piece } from "./answer.ts";
import type { GenerateOptions } from "./answer-options.ts";
import { runAnswer } from "./generate.ts";
import type { Summary } from "./summary.ts";

const vocabulary = ["<end>", "a", "b", "ab", " "];

/** Only what the loop asks for: each token's text at once. */
const tokenizer = {
  decoder: () => ({ push: (id: number) => vocabulary[id], flush: () => "" }),
} as unknown as Tokenizer;

/**
 * An engine that makes one token after the other the likeliest, and notes what it is asked.
 *
 * @param misled  what a device chooses instead
 */
function engine(tokens: readonly number[], misled?: number) {
  const calls: string[] = [];
  let next = 0;
  const say = (): NextLogits => {
    const logits = new Float32Array(vocabulary.length);
    logits[tokens[next++] ?? 0] = 10;
    return { kind: "full", logits };
  };
  const sequence = {
    prefill: async (prompt: readonly number[]) => {
      calls.push(`prefill ${prompt.join(" ")}`);
      return say();
    },
    step: async (token: number) => {
      calls.push(`step ${token}`);
      if (tokens[next] === undefined) throw new Error("the engine was asked for more than it has");
      return say();
    },
    steps: async (token: number, { count }: { readonly count: number }) => {
      calls.push(`steps ${token} x${count}`);
      const said = Array.from({ length: count }, () => ({ ...say(), chosen: misled ?? tokens[next - 1] ?? 0 }));
      // As of a worker at the other end of a network.
      const result = { iteration: 0, tensors: [], executeSeconds: 0.01, elapsedSeconds: 0.05 };
      const source = {
        next: async () => ({ done: false, value: result }),
        return: async () => void calls.push("left"),
      };
      return new StepsUnderWay(count, [source, source] as never, (_, n) => said[n] as NextLogits);
    },
    [Symbol.asyncDispose]: async () => void calls.push("close"),
  } as unknown as TextUnderWay;
  return { calls, sequence };
}

function start(
  tokens: readonly number[],
  options: GenerateOptions = {},
  prompt: readonly number[] = [4],
  context = 100,
  misled?: number,
) {
  const { calls, sequence } = engine(tokens, misled);
  async function* run(): AsyncGenerator<Piece, Summary> {
    const inputs = { context, stopIds: new Set([0]), tokenizer };
    const answer = new Answer(inputs, prompt, { stepsPerCall: 1, ...options });
    const openText = async () => {
      calls.push(`open ${prompt.length + answer.room}`);
      return sequence;
    };
    return yield* runAnswer(answer, openText, options.signal);
  }
  return { calls, answer: run() };
}

async function drain(answer: AsyncGenerator<Piece, Summary>) {
  const texts: string[] = [];
  for (;;) {
    const next = await answer.next();
    if (next.done) return { texts, summary: next.value };
    texts.push(next.value.text);
  }
}

describe("the generation loop", () => {
  test("gives the text of each token and stops at a stop token, which has none", async () => {
    const { answer, calls } = start([1, 2, 3, 0]);
    const { texts, summary } = await drain(answer);
    expect(texts).toEqual(["a", "b", "ab", ""]);
    expect(summary).toMatchObject({ finishReason: "stop", promptTokens: 1, answerTokens: 4 });
    expect(calls).toEqual(["open 100", "prefill 4", "step 1", "step 2", "step 3", "close"]);
  });

  test("tells where another token was nearly as likely, of greedy answers only", async () => {
    // Token 1 each time; token 2 comes near it, nearer, and as near as penalties let it.
    const near = [1, 5e-5, 0, 1];
    const run = (options: GenerateOptions) => {
      let n = 0;
      const say = async (): Promise<NextLogits> => ({
        kind: "full",
        logits: Float32Array.of(-5, 0, -(near[n++] as number), -6, -7),
      });
      const text = { prefill: say, step: say, [Symbol.asyncDispose]: async () => {} } as unknown as TextUnderWay;
      const inputs = { context: 100, stopIds: new Set<number>(), tokenizer };
      const given = { maxTokens: 3, stepsPerCall: 1, logitBias: { 3: 0.1 }, ...options };
      return drain(runAnswer(new Answer(inputs, [4], given), async () => text));
    };
    const { summary } = await run({});
    expect(summary.nearTies).toEqual([
      { index: 1, margin: expect.closeTo(5e-5, 9) },
      { index: 2, margin: 0 },
    ]);
    expect((await run({ temperature: 0.1, topK: 2 })).summary.nearTies).toEqual([]);
    // What was moved counts as it was moved.
    expect((await run({ logitBias: { 2: -1 } })).summary.nearTies).toEqual([]);
    expect((await run({ logitBias: { 2: 1 }, maxTokens: 1 })).summary.nearTies).toEqual([{ index: 0, margin: 0 }]);
    // Only one that is allowed has no rival.
    expect((await run({ mask: () => ({ ids: [1] }) })).summary.nearTies).toEqual([]);
  });

  test("has the next step under way while the caller looks at a token", async () => {
    const { answer, calls } = start([1, 2, 0]);
    await answer.next();
    expect(calls.at(-1)).toBe("step 1");
    await answer.next();
    expect(calls.at(-1)).toBe("step 2");
    await answer.return(undefined as never);
  });

  test("asks for nothing after the last token of the budget", async () => {
    const { answer, calls } = start([1, 2], { maxTokens: 2 });
    expect((await drain(answer)).summary.finishReason).toBe("length");
    expect(calls).toEqual(["open 3", "prefill 4", "step 1", "close"]);
  });

  test("stops where the context ends, and opens no more room than that", async () => {
    const { answer, calls } = start([1, 2, 1], {}, [4, 4], 4);
    const { texts, summary } = await drain(answer);
    expect(texts).toEqual(["a", "b"]);
    expect(summary.finishReason).toBe("context");
    expect(calls[0]).toBe("open 4");
  });

  test("holds text back while it may begin a stop string, and gives it out when it does not", async () => {
    const { answer } = start([1, 2, 4, 2, 0], { stop: ["a a"] });
    const { texts } = await drain(answer);
    expect(texts).toEqual(["", "ab", " ", "b", ""]);
  });

  test("ends before a stop string that begins inside one token and ends inside another", async () => {
    const { answer, calls } = start([3, 4, 3, 2], { stop: ["b a"] });
    const { texts, summary } = await drain(answer);
    expect(texts.join("")).toBe("a");
    expect(summary).toMatchObject({ finishReason: "stop", answerTokens: 3 });
    // The token that completes it is not fed.
    expect(calls.filter((call) => call.startsWith("step"))).toEqual(["step 3", "step 4"]);
  });

  test("gives out what it held back when the budget ends the text", async () => {
    const { answer } = start([2, 1], { stop: ["ab"], maxTokens: 2 });
    expect((await drain(answer)).texts).toEqual(["b", "a"]);
  });

  test("ends at a stop token of the caller's, which has no text", async () => {
    const { answer } = start([1, 2, 3, 1], { stopTokens: [3] });
    const { texts, summary } = await drain(answer);
    expect(texts).toEqual(["a", "b", ""]);
    expect(summary.finishReason).toBe("stop");
  });

  test("chooses no stop token and looks for no stop string until the least number of tokens is there", async () => {
    // Of the second step's logits the end is the largest, then the lowest id of the others.
    const { answer } = start([1, 0, 2, 1, 2, 0], { minTokens: 2, stop: ["ab"] });
    const { texts, summary } = await drain(answer);
    // "aa" is there, then "b" comes: the "a" before it was not searched.
    expect(texts).toEqual(["a", "a", "b", "", ""]);
    expect(summary).toMatchObject({ finishReason: "stop", answerTokens: 5 });
  });

  test("asks a mask once before each token, with all before it, and may have to wait", async () => {
    const seen: string[] = [];
    const mask: TokenMask = async ({ prompt, tokens }) => {
      seen.push(`${prompt.join(" ")} | ${tokens.join(" ")}`);
      await new Promise((resolve) => setImmediate(resolve));
      return tokens.length === 1 ? { bitmask: Int32Array.of(0b100) } : "all";
    };
    const { answer } = start([1, 1, 3, 0], { mask });
    expect((await drain(answer)).texts).toEqual(["a", "b", "ab", ""]);
    expect(seen).toEqual(["4 | ", "4 | 1", "4 | 1 2", "4 | 1 2 3"]);
  });

  test("a mask that allows nothing, or fails, ends the answer with its error and closes the sequence", async () => {
    const cases: [TokenMask, string | RegExp][] = [
      [
        ({ tokens }) => ({ ids: tokens.length === 0 ? [1] : [] }),
        "the mask allows no token of the vocabulary at position 2",
      ],
      [() => Promise.reject(new Error("the grammar is lost")), "the grammar is lost"],
      [() => ({ ids: [Number.NaN] }), "the mask allows NaN, which is no token id"],
    ];
    for (const [mask, said] of cases) {
      const { answer, calls } = start([1, 1, 1], { mask });
      await expect(drain(answer)).rejects.toThrow(said);
      expect(calls.at(-1)).toBe("close");
    }
  });

  test("fetches all logits when the candidates do not tell, and not otherwise", async () => {
    let fetched = 0;
    const logits = Float32Array.of(-9, 3, 2.5, 2, 1.5);
    const next: NextLogits = {
      kind: "candidates",
      ids: [1],
      values: [3],
      logSumExp: 3.7,
      all: async () => {
        fetched++;
        return logits;
      },
    };
    const answer = new Answer({ stopIds: new Set([0]), context: 99, tokenizer }, [4], {
      presencePenalty: 0.75,
      maxTokens: 5,
    });
    const taken: number[][] = [];
    for (let n = 0; n < 4; n++) taken.push([(await answer.take(next)).token, fetched]);
    // The first is certain; after it every candidate has been said, and 3 - 0.75 may be less than another's logit.
    expect(taken).toEqual([
      [1, 0],
      [2, 1],
      [1, 2],
      [1, 3],
    ]);
    const { all: _, ...without } = next;
    await expect(answer.take(without)).rejects.toThrow("the candidates do not tell what to choose");
  });

  test("closes its sequence when the caller leaves, and drops an error of the step under way", async () => {
    const { answer, calls } = start([1]);
    for await (const _ of answer) break;
    await new Promise((resolve) => setImmediate(resolve));
    expect(calls.at(-1)).toBe("close");
  });

  test("passes an error of a step on, and closes its sequence", async () => {
    const { answer, calls } = start([1]);
    await expect(drain(answer)).rejects.toThrow("asked for more than it has");
    expect(calls.at(-1)).toBe("close");
  });

  test("opens nothing for a prompt that is empty or too long, or an option out of range", async () => {
    const cases: [ReturnType<typeof start>, RegExp][] = [
      [start([1], {}, []), /the prompt has no tokens/],
      [start([1], {}, [1, 1, 1], 2), /the prompt has 3 tokens, and the context holds 2/],
      [start([1], { maxTokens: 0 }), /maxTokens is 0/],
      [start([1], { maxTokens: 1.5 }), /maxTokens is 1\.5/],
      [start([1], { stop: [""] }), /stop holds an empty string/],
      [start([1], { temperature: -1 }), /temperature/],
      [start([1], { minTokens: 300 }), /minTokens is 300, more than maxTokens, which is 256/],
      [start([1], { minTokens: -1 }), /minTokens is -1/],
      [start([1], { stopTokens: [1.5] }), /stopTokens holds 1\.5, and token ids are whole numbers from 0/],
      [start([1], { logitBias: { 5: 200 } }), /logitBias\.5 is 200; wanted a number from -100 to 100/],
      [start([1], { mask: 5 as unknown as TokenMask }), /mask is a number, and it is a function/],
    ];
    for (const [{ answer, calls }, said] of cases) {
      await expect(drain(answer)).rejects.toThrow(said);
      expect(calls).toEqual([]);
    }
  });
});

describe("several tokens in a call", () => {
  test("are 1, 2, 4 and so on, never more than the budget has left, and the next call waits for the last token", async () => {
    const { answer, calls } = start([1, 2, 1, 2, 1, 2, 1, 2, 1, 2], { stepsPerCall: 4, maxTokens: 10 });
    await answer.next();
    expect(calls.at(-1)).toBe("steps 1 x1");
    await answer.next();
    expect(calls.at(-1)).toBe("steps 2 x2");
    await answer.next();
    expect(calls.at(-1)).toBe("steps 2 x2");
    const { texts, summary } = await drain(answer);
    expect(texts).toHaveLength(7);
    expect(summary).toMatchObject({ finishReason: "length", answerTokens: 10 });
    expect(calls.filter((call) => call.startsWith("steps"))).toEqual([
      ...["steps 1 x1", "steps 2 x2", "steps 2 x4"],
      "steps 2 x2",
    ]);
  });

  test("are as many as help without a number: the way takes four times as long as a step", async () => {
    const { answer, calls } = start(Array(40).fill(1), { stepsPerCall: undefined, maxTokens: 40 });
    await drain(answer);
    expect(calls.filter((call) => call.startsWith("steps")).slice(0, 5)).toEqual(
      ["x1", "x2", "x4", "x8", "x8"].map((size) => `steps 1 ${size}`),
    );
  });

  test("end with a stop token among them: the others are left unread, and nothing more is asked for", async () => {
    const { answer, calls } = start([1, 2, 1, 0, 1, 2, 1, 2], { stepsPerCall: 8 });
    const { texts, summary } = await drain(answer);
    expect(texts).toEqual(["a", "b", "a", ""]);
    expect(summary).toMatchObject({ finishReason: "stop", answerTokens: 4 });
    expect(calls).toEqual(["open 100", "prefill 4", "steps 1 x1", "steps 2 x2", "left", "left", "close"]);
  });

  test("are held to their logits: a device that chose something else is an error", async () => {
    const { answer } = start([1, 2, 1, 2], { stepsPerCall: 8 }, [4], 100, 3);
    await expect(drain(answer)).rejects.toMatchObject({
      code: "CHOICE_DIFFERS",
      message: "the device chose token 3 at position 2, and its logits say 2",
    });
  });

  test("are not asked for where something else has a say", async () => {
    for (const options of [
      { logitBias: { 1: 1 } },
      { mask: () => "all" as const },
      { minTokens: 1 },
      { temperature: 1 },
    ] satisfies GenerateOptions[]) {
      const { answer, calls } = start([1, 2, 1, 2, 1, 2, 1], { stepsPerCall: 8, maxTokens: 3, ...options });
      await drain(answer);
      expect(calls.some((call) => call.startsWith("steps"))).toBe(false);
    }
  });
});
