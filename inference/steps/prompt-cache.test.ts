/** A text's cache that goes on from answer to answer, over a real model with windows. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { cpu } from "../../compiler/index.ts";
import { tinyConfig, tinyNumbers, writeTiny } from "../../tests/examples/tiny-gpt-oss.ts";
import { temporaryFolder } from "../../tests/support/cli.ts";
import { exhaustive } from "../../tests/support/exhaustive.ts";
import { testWorker } from "../../tests/support/worker.ts";
import { type GenerateOneOptions, loadModel, type Model, PromptCache, type Summary } from "../index.ts";

let folder: string;
let model: Model;

beforeAll(async () => {
  folder = await temporaryFolder();
  const config = tinyConfig({
    max_position_embeddings: 4096,
    num_hidden_layers: 1,
    layer_types: ["sliding_attention"],
  });
  const path = await writeTiny(join(folder, "tiny"), config, tinyNumbers(config));
  const target = cpu({ weights: { experts: "f32", dense: "f32" } });
  model = await loadModel(path, { worker: await testWorker(), target });
});

afterAll(() => model.close());

/** The tokens of an answer, and how it went. */
async function answer(tokens: readonly number[], options: GenerateOneOptions = {}, given = model) {
  const said: number[] = [];
  const pieces = given.generate({ tokens }, { maxTokens: 8, ...options });
  for (;;) {
    const next = await pieces.next();
    if (next.done) return { said, summary: next.value satisfies Summary };
    said.push(next.value.token);
  }
}

const text = (length: number, seed: number): number[] => Array.from({ length }, (_, n) => (n * n + seed * n + 7) % 33);

describe("a prompt cache", () => {
  test("gives the answers that there are without it, and holds what a prompt has in common with the last text", async () => {
    await using cache = new PromptCache();
    const first = text(60, 3);
    const one = await answer(first, { cache });
    expect(one.summary.reusedTokens).toBe(0);
    expect(one.said).toEqual((await answer(first)).said);

    // The whole answer but its last token, which was never fed.
    const second = [...first, ...one.said, ...text(20, 5)];
    const two = await answer(second, { cache });
    expect(two.summary.reusedTokens).toBe(first.length + one.said.length - 1);
    expect(two.said).toEqual((await answer(second)).said);

    // Back into the middle, and the same again.
    const third = [...first.slice(0, 40), ...text(30, 9)];
    const three = await answer(third, { cache });
    expect(three.summary.reusedTokens).toBeGreaterThanOrEqual(40);
    expect(three.said).toEqual((await answer(third)).said);
    const again = await answer(third, { cache });
    expect(again.summary.reusedTokens).toBe(third.length - 1);
    expect(again.said).toEqual(three.said);
  });

  test(exhaustive("does not go back to where a window has been written over"), async () => {
    await using cache = new PromptCache();
    const long = text(1500, 3);
    expect((await answer(long, { cache })).summary.reusedTokens).toBe(0);
    const near = [...long.slice(0, 1200), 1, 2, 3];
    const close = await answer(near, { cache });
    expect(close.summary.reusedTokens).toBe(1200);
    expect(close.said).toEqual((await answer(near)).said);
    const far = [...long.slice(0, 300), 1, 2, 3];
    const away = await answer(far, { cache });
    expect(away.summary.reusedTokens).toBe(0);
    expect(away.said).toEqual((await answer(far)).said);
  });

  test("goes on after an answer that was left in the middle, or aborted", async () => {
    await using cache = new PromptCache();
    const prompt = text(50, 4);
    for await (const { token } of model.generate({ tokens: prompt }, { cache })) if (token >= 0) break;
    const left = await answer(prompt, { cache });
    expect(left.summary.reusedTokens).toBe(prompt.length - 1);

    const controller = new AbortController();
    const run = async () => {
      for await (const _ of model.generate({ tokens: text(80, 6) }, { cache, signal: controller.signal })) {
        controller.abort(new DOMException("enough", "AbortError"));
      }
    };
    await expect(run()).rejects.toThrow("enough");
    const after = await answer(text(80, 6), { cache });
    expect(after.summary.reusedTokens).toBe(79);
    expect(after.said).toEqual((await answer(text(80, 6))).said);
  });

  test("serves one answer at a time, and one model", async () => {
    await using cache = new PromptCache();
    const pieces = model.generate({ tokens: text(20, 3) }, { cache });
    await pieces.next();
    await expect(answer(text(20, 3), { cache })).rejects.toThrow(
      "the prompt cache serves another answer; it serves one at a time",
    );
    await pieces.return(undefined as never);
    const target = cpu({ weights: { experts: "f32", dense: "f32" } });
    await using other = await loadModel(join(folder, "tiny"), { worker: await testWorker(), target });
    await expect(answer(text(20, 3), { cache }, other)).rejects.toThrow(
      "the prompt cache belongs to another model; make one for each",
    );
    expect((await answer(text(20, 3), { cache })).summary.reusedTokens).toBe(19);
  });
});
