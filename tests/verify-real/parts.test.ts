/** The parts of scripts/verify-real that need no weights. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { describe, expect, test } from "@jest/globals";
import "../support/needs-python.ts";
import { countParameters, type ParamTree } from "../../dsl/index.ts";
import { findByConfig, publishedConfigs } from "../../models/index.ts";
import { projectPython } from "../../runtime-bridge/launch/environment-paths.ts";
import { compareAnswer, type ExpectedAnswer } from "../../scripts/verify-real/expectations.ts";
import { knownModels, root } from "../../scripts/verify-real/known-models.ts";
import { exactSpan, histogramLine, normalSpan, spreadOf, verdict } from "../../scripts/verify-real/scale-spread.ts";

describe("spreadOf", () => {
  // Three channels of four blocks; zeros may have any scale.
  const scales = Uint8Array.of(120, 122, 121, 0, 127, 127, 127, 127, 255, 255, 255, 255);
  const occupied = Uint8Array.of(1, 1, 1, 0, 1, 1, 16, 112, 0, 0, 0, 0);
  const spread = spreadOf(scales, occupied, 4);

  test("counts the scales of blocks that are not all zeros, and what each channel spans", () => {
    expect(spread).toEqual({
      blocks: 12,
      zeroBlocks: 5,
      histogram: { [-7]: 1, [-6]: 1, [-5]: 1, 0: 4 },
      min: -7,
      max: 0,
      channels: 3,
      spans: { 0: 2, 2: 1 },
      largestSpan: 2,
    });
  });

  test("shows shares in the order of the exponents, and what is rare at the ends together", () => {
    expect(histogramLine(spread)).toBe("-7: 14 %  -6: 14 %  -5: 14 %  0: 57 %");
    const many = spreadOf(
      Uint8Array.from({ length: 9000 }, (_, n) => (n < 3 ? 100 + n : n < 6 ? 140 + n : 127 + (n % 2))),
      new Uint8Array(9000).fill(1),
      9000,
    );
    expect(histogramLine(many)).toBe("below: 0.033 %  0: 50 %  1: 50 %  above: 0.033 %");
  });

  test("refuses blocks that are no whole channels", () => {
    expect(() => spreadOf(scales, occupied, 5)).toThrow("12 scales, 12 blocks, 5 in a channel");
  });

  test("of nothing but zeros spans nothing", () => {
    expect(spreadOf(scales, new Uint8Array(12), 4)).toMatchObject({ largestSpan: 0, spans: { 0: 3 }, zeroBlocks: 12 });
  });
});

describe("the verdict on f8E5M2", () => {
  const span = (exponents: number) => spreadOf(Uint8Array.of(100, 100 + exponents), Uint8Array.of(1, 1), 2);

  test("is that of ml_dtypes, which converts every element of such a channel", async () => {
    // FP4 by ml_dtypes, anchored as the header of scale-spread.ts says; whether all come back, and whether any is subnormal.
    const script = `
import json
import ml_dtypes, numpy as np
codes = np.arange(16, dtype=np.uint8).view(ml_dtypes.float4_e2m1fn).astype(np.float64)
def kind(span):
    values = np.concatenate([codes * 2.0**13, codes * 2.0 ** (13 - span)])
    held = values.astype(ml_dtypes.float8_e5m2).astype(np.float64)
    tiny = float(ml_dtypes.finfo(ml_dtypes.float8_e5m2).smallest_normal)
    if not (held == values).all():
        return "inexact"
    return "subnormal" if ((values != 0) & (abs(values) < tiny)).any() else "normal"
print(json.dumps([kind(span) for span in range(40)]))
`;
    const { stdout } = await promisify(execFile)(projectPython, ["-c", script]);
    const kinds = Array.from({ length: 40 }, (_, n) => {
      const said = verdict([span(n)]);
      return said.startsWith("not exact") ? "inexact" : said.includes("no subnormals") ? "normal" : "subnormal";
    });
    expect(kinds).toEqual(JSON.parse(stdout));
    expect(kinds.lastIndexOf("normal")).toBe(normalSpan);
    expect(kinds.lastIndexOf("subnormal")).toBe(exactSpan);
  });

  test("counts channels over all matrices", () => {
    expect(verdict([span(3), span(27)])).toBe(
      "exact as f8E5M2 with one power of two for each of 2 output channels: they span 27 exponents at most, of 28; subnormals in 1 of them",
    );
    expect(verdict([span(3), span(30)])).toBe(
      "not exact as f8E5M2: 1 of 2 output channels span more than 28 exponents (30 at most)",
    );
  });
});

describe("compareAnswer", () => {
  const expected: ExpectedAnswer = {
    prompt: "p",
    promptIds: [1, 2],
    text: "abcd",
    answerIds: [10, 11, 12, 13],
    gaps: [1, 2, 0.004, 3],
  };
  const found = (answerIds: readonly number[], promptIds: readonly number[] = [1, 2]) =>
    compareAnswer(expected, { promptIds, answerIds, text: "" }, 0.01);

  test.each<[string, readonly number[], boolean, string]>([
    ["the same", [10, 11, 12, 13], true, "the same 4 tokens"],
    ["another after a clear choice", [10, 9, 12, 13], false, "token 2 is 9; expected 11, by 2"],
    [
      "another at a tie",
      [10, 11, 7, 5],
      true,
      "the same 2 tokens; then token 3 is 7; expected 12, which was a tie (by 0.004, below 0.01)",
    ],
    ["one that ended early", [10, 11, 12], false, "token 4 is missing; expected 13, by 3"],
    ["one that went on", [10, 11, 12, 13, 14], false, "token 5 is 14; expected none"],
  ])("of %s", (_, ids, holds, said) => {
    expect(found(ids)).toEqual({ holds, said });
  });

  test("of a prompt that was cut otherwise", () => {
    expect(found([10, 11, 12, 13], [1, 3])).toEqual({
      holds: false,
      said: "the prompt is cut otherwise: [1,3]; expected [1,2]",
    });
  });

  test("of texts, where tokens are not known", () => {
    const texts = (text: string) =>
      compareAnswer({ prompt: "p", text: "the sea is blue and wide" }, { promptIds: [], answerIds: [], text }, 0.5);
    expect(texts("the sea is blue and wide")).toEqual({ holds: true, said: "the same text" });
    expect(texts("the sea is green")).toEqual({
      holds: false,
      said: 'after 11 characters …"the sea is green"; expected …"the sea is blue and wide" (how close it was is not known)',
    });
  });
});

test("what was published of GPT-OSS holds for models of those sizes", () => {
  // Bytes: MXFP4 takes 17 for 32 elements, the rest is in bf16.
  for (const [name, layers, experts] of [
    ["gpt-oss-20b", 24, 32],
    ["gpt-oss-120b", 36, 128],
  ] as const) {
    const made = publishedConfigs[name];
    const architecture = findByConfig(made);
    const read = architecture.fromHuggingFace(made);
    const parameters = countParameters(architecture.weights(read) as ParamTree);
    const inExperts = layers * experts * 3 * 2880 * 2880;
    const tensorBytes = (inExperts / 32) * 17 + (parameters - inExperts) * 2;
    const described = { parameters, config: read as unknown as Readonly<Record<string, unknown>>, tensorBytes };
    const facts = knownModels[name]!.facts;
    expect(facts.map(({ what, found }) => [what, found(described)])).toEqual(
      facts.map(({ what, published }) => [what, published]),
    );
  }
});

test("the answers for SmolLM2 that are kept are transformers', with their gaps", () => {
  const kept = JSON.parse(readFileSync(`${root}scripts/verify-real/expectations/smollm2.json`, "utf8")) as {
    recordedBy: string;
    answers: ExpectedAnswer[];
  };
  expect(kept.recordedBy).toMatch(/^transformers 5/);
  expect(kept.answers.map(({ answerIds, gaps }) => answerIds!.length === gaps!.length)).toEqual(Array(5).fill(true));
});
