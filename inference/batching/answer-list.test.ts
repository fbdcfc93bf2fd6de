/** Answers to a list, on a lane that makes its logits up: after token `n` comes `n + 1`, of ten. */
import { expect, test } from "@jest/globals";
import { Answer } from "../answers/answer.ts";
import type { GenerateOptions } from "../answers/answer-options.ts";
import { seedOf } from "../sampling/random.ts";
import { StepsUnderWay } from "../steps/choosing-steps.ts";
import type { NextLogits } from "../steps/step-call.ts";
import { type AnswerList, answerList, type BatchEvent, type OpenedList } from "./answer-list.ts";
import type { Lane } from "./lane.ts";

/**
 * Notes what it is asked to do.
 *
 * @param spoil  a token after which the logits are NaN
 * @param counts  of the steps of each call
 */
function counting(rows: number, calls: string[], spoil?: number, counts: number[] = []) {
  const after = (token: number): NextLogits => {
    const logits = Float32Array.from({ length: 10 }, (_, id) => (id === token + 1 ? 1 : 0));
    return { kind: "candidates", ids: [...logits.keys()], values: logits, logSumExp: token === spoil ? Number.NaN : 1 };
  };
  const lane: Lane = {
    spare: 256,
    begin: async () => {},
    chunk: async (tokens) => after(tokens.at(-1) as number),
    keep: async () => {},
    adopt: async (row) => void calls.push(`fill ${row}`),
    send: async (given, { count }) => {
      counts.push(count);
      let tokens = Array.from(given, ([row, { token }]) => [row, token] as const);
      const next = async () => {
        calls.push(`step ${[...given.keys()].join(" ")}`);
        const logits = new Map(tokens.map(([row, token]) => [row, after(token)]));
        tokens = tokens.map(([row, token]) => [row, token + 1]);
        return { done: false, value: { executeSeconds: 0.01, elapsedSeconds: 0.05, logits } };
      };
      const source = { next, return: async () => {} };
      return new StepsUnderWay(
        count,
        [source, source] as never,
        (result) => (result as never as { logits: never }).logits,
      );
    },
    free: (row) => void calls.push(`free ${row}`),
    clear: async () => {},
    close: async () => void calls.push("close"),
  };
  return async (): Promise<OpenedList> => ({
    size: { rows, positions: 256, bytes: 1 },
    model: {
      rowFor: () => ({ capacity: 256, largest: 256, family: "" }),
      planLane: () => ({ rows, places: 0, bytes: 1 }),
      openLane: async () => lane,
      explain: async (error) => error,
    },
  });
}

function listOf(prompts: readonly (readonly number[])[], options: GenerateOptions = {}): AnswerList {
  const given = { stopIds: new Set([9]), context: 100, tokenizer: undefined };
  const answers = new Map(prompts.map((tokens, index) => [index, new Answer(given, tokens, options)]));
  return { answers, refused: new Map(), seed: 0n };
}

test("a row that is done goes to the next prompt while the others go on", async () => {
  const calls: string[] = [];
  const events: BatchEvent[] = [];
  const prompts = [[6], [1], [7]];
  const options = { maxTokens: 4, stepsPerCall: 1 };
  for await (const event of answerList(listOf(prompts, options), counting(2, calls), options)) events.push(event);
  expect(calls).toEqual([
    ...["fill 0", "fill 1", "step 0 1", "step 0 1", "free 0", "fill 0", "step 0 1"],
    ...["free 0", "free 1", "close"],
  ]);
  const tokens = prompts.map((_, n) =>
    events.flatMap((event) => (event.kind === "piece" && event.index === n ? [event.piece.token] : [])),
  );
  expect(tokens).toEqual([
    [7, 8, 9],
    [2, 3, 4, 5],
    [8, 9],
  ]);
  const reasons = events.flatMap((event) => (event.kind === "done" ? [[event.index, event.summary.finishReason]] : []));
  expect(reasons).toEqual([
    [0, "stop"],
    [2, "stop"],
    [1, "length"],
  ]);
});

test("a row that is free is filled before the next step, also when an answer ends with its first token", async () => {
  const calls: string[] = [];
  const list = listOf([[1], [2], [3], [4], [5]], { maxTokens: 1 });
  for await (const _ of answerList(list, counting(2, calls), {}));
  expect(calls.filter((call) => call.startsWith("step"))).toEqual([]);
  expect(calls.filter((call) => call.startsWith("fill"))).toHaveLength(5);
});

test("while prompts wait, a call ends when the first answer uses up its budget", async () => {
  const calls: string[] = [];
  const counts: number[] = [];
  const list = listOf([[1], [0], [1]], { maxTokens: 7, stepsPerCall: 8 });
  for await (const _ of answerList(list, counting(1, calls, undefined, counts), { stepsPerCall: 8 }));
  expect(calls.filter((call) => call.startsWith("fill"))).toHaveLength(3);
  // The first token of an answer comes from its prefill, six from steps.
  expect(counts).toEqual([1, 2, 3, 6, 6]);
});

test("logits that are not numbers are an error that names the prompt, and everything is freed", async () => {
  const calls: string[] = [];
  const options = { stepsPerCall: 1 };
  const run = async () => {
    for await (const _ of answerList(listOf([[1], [4]], options), counting(2, calls, 6), options));
  };
  await expect(run()).rejects.toMatchObject({
    message: "prompts[1]: log-sum-exp of the logits at position 3 is NaN",
    fields: { prompt: 1, position: 3 },
  });
  expect(calls.at(-1)).toBe("close");
});

test("a signal ends it at once with its reason, unread events or not, and everything is freed", async () => {
  const calls: string[] = [];
  const stop = new AbortController();
  const run = async () => {
    for await (const _ of answerList(listOf([[1], [2]]), counting(2, calls), { signal: stop.signal })) {
      stop.abort(new Error("enough"));
    }
  };
  await expect(run()).rejects.toThrow("enough");
  expect(calls.at(-1)).toBe("close");
});

test("each prompt's seed is made of the batch's and its index", async () => {
  expect([seedOf(7n, 0), seedOf(7n, 1)]).toEqual([7191089600892374487n, 309689372594955804n]);
});
