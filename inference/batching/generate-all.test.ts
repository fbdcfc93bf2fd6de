/** The loop over several prompts, on a batch that makes its logits up. */
import { expect, test } from "@jest/globals";
import type { Batch } from "../steps/batch.ts";
import type { NextLogits } from "../steps/step-call.ts";
import { type BatchEvent, type BatchInputs, generateBatch, seedOf } from "./generate-batch.ts";

/** After token `n` comes `n + 1`, of ten. */
function counting(rows: number, calls: string[], spoil?: number): BatchInputs["openBatch"] {
  const after = (token: number): NextLogits => {
    const logits = Float32Array.from({ length: 10 }, (_, id) => (id === token + 1 ? 1 : 0));
    return { kind: "candidates", ids: [...logits.keys()], values: logits, logSumExp: token === spoil ? Number.NaN : 1 };
  };
  const batch = {
    fill: async (row: number, prompt: readonly number[]) => {
      calls.push(`fill ${row}`);
      return after(prompt.at(-1) as number);
    },
    step: async (tokens: ReadonlyMap<number, number>) => {
      calls.push(`step ${[...tokens.keys()].join(" ")}`);
      return new Map([...tokens].map(([row, token]) => [row, after(token)]));
    },
    free: (row: number) => calls.push(`free ${row}`),
    [Symbol.asyncDispose]: async () => void calls.push("close"),
  };
  return async () => ({ batch: batch as unknown as Batch, size: { rows, positions: 256, bytes: 1 } });
}

const given = { stopIds: new Set([9]), context: 100, tokenizer: undefined };

test("a row that is done goes to the next prompt while the others go on", async () => {
  const calls: string[] = [];
  const events: BatchEvent[] = [];
  const prompts = [[6], [1], [7]];
  for await (const event of generateBatch(
    { ...given, prompts: prompts.map((tokens) => ({ tokens })), openBatch: counting(2, calls) },
    { maxTokens: 4, stepsPerCall: 1 },
  )) {
    events.push(event);
  }
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

test("logits that are not numbers are an error that names the prompt, and everything is freed", async () => {
  const calls: string[] = [];
  const run = async () => {
    const prompts = [{ tokens: [1] }, { tokens: [4] }];
    const inputs = { ...given, prompts, openBatch: counting(2, calls, 6) };
    for await (const _ of generateBatch(inputs, { stepsPerCall: 1 }));
  };
  await expect(run()).rejects.toMatchObject({
    message: "prompts[1]: log-sum-exp of the logits at position 3 is NaN",
    fields: { prompt: 1, position: 3 },
  });
  expect(calls.at(-1)).toBe("close");
});

test("each prompt's seed is made of the batch's and its index", async () => {
  expect([seedOf(7n, 0), seedOf(7n, 1)]).toEqual([7191089600892374487n, 309689372594955804n]);
});
