/** The loop over an engine that says what it is told to. */
import { describe, expect, test } from "@jest/globals";
import type { Piece } from "./answer.ts";
import type { GenerateOptions } from "./answer-options.ts";
import { generateTokens, type Summary } from "./generate.ts";
import type { Sequence } from "./sequence.ts";
import type { NextLogits } from "./step-call.ts";
import type { Tokenizer } from "./tokenizer.ts";

const vocabulary = ["<end>", "a", "b", "ab", " "];

/** Only what the loop asks for: each token's text at once. */
const tokenizer = {
  decoder: () => ({ push: (id: number) => vocabulary[id], flush: () => "" }),
} as unknown as Tokenizer;

/** An engine that makes one token after the other the likeliest, and notes what it is asked. */
function engine(tokens: readonly number[]) {
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
    [Symbol.asyncDispose]: async () => void calls.push("close"),
  } as unknown as Sequence;
  return { calls, sequence };
}

function start(
  tokens: readonly number[],
  options: GenerateOptions = {},
  prompt: readonly number[] = [4],
  context = 100,
) {
  const { calls, sequence } = engine(tokens);
  const openSequence = async (room: number) => {
    calls.push(`open ${room}`);
    return sequence;
  };
  return {
    calls,
    answer: generateTokens({ prompt, context, stopIds: new Set([0]), tokenizer, openSequence }, options),
  };
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

  test("closes its sequence when the caller leaves, and an error of the step under way is nobody's", async () => {
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
    ];
    for (const [{ answer, calls }, said] of cases) {
      await expect(drain(answer)).rejects.toThrow(said);
      expect(calls).toEqual([]);
    }
  });
});
