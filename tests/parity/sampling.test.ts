/**
 * Every combination of sampling options against transformers' logits processors: what they make of logits, to the bit;
 * which tokens are left; how often each is chosen.
 *
 * Five seconds: `npm run jest -- tests/parity/sampling.test.ts`. The fixture is made by sampling_fixtures.py.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "@jest/globals";
import type { Candidates } from "../../inference/sampling/candidates.ts";
import { Penalties } from "../../inference/sampling/penalties.ts";
import { type SampledPosition, Sampler } from "../../inference/sampling/sampler.ts";
import { resolveSampling, type SamplingOptions } from "../../inference/sampling/sampling-options.ts";
import { readAllowed } from "../../inference/sampling/token-mask.ts";
import { type HostTensor, toFloat32Array } from "../../runtime-bridge/index.ts";
import { readSafetensors } from "../../runtime-bridge/safetensors.ts";
import { exhaustive } from "../support/exhaustive.ts";
import { fixtures } from "./digest.ts";

interface Case {
  readonly row: number;
  readonly prompt: readonly number[];
  readonly answer: readonly number[];
  readonly options: SamplingOptions & { readonly allowed?: readonly number[]; readonly forbidden?: readonly number[] };
}

/** A case and what transformers makes of it. */
interface Judged {
  readonly name: string;
  readonly text: Pick<Case, "prompt" | "answer">;
  readonly options: SamplingOptions;
  readonly at: SampledPosition;
  readonly logits: Float32Array;
  /** Bias and penalties included. */
  readonly adjusted: Float32Array;
  readonly kept: readonly number[];
  readonly probabilities: Float32Array;
}

let cases: readonly Judged[];

beforeAll(async () => {
  const listed = JSON.parse(readFileSync(join(fixtures, "sampling.json"), "utf8")) as { cases: readonly Case[] };
  const tensors = await readSafetensors(join(fixtures, "sampling.safetensors"));
  const row = (name: string, n: number): Float32Array => {
    const tensor = tensors.get(name) as HostTensor;
    const width = tensor.shape[1] as number;
    const all = tensor.dtype === "f32" ? toFloat32Array(tensor) : Float32Array.from(tensor.data);
    return all.subarray(n * width, (n + 1) * width);
  };
  cases = listed.cases.map(({ row: of, prompt, answer, options: { allowed, forbidden, ...options } }, n) => ({
    name: `${n}: ${JSON.stringify(options)}`,
    text: { prompt, answer },
    options,
    at: {
      ...(allowed === undefined ? {} : { allowed: readAllowed({ ids: allowed }) }),
      ...(forbidden === undefined ? {} : { forbidden: new Set(forbidden) }),
    },
    logits: row("logits", of),
    adjusted: row("cases.adjusted", n),
    kept: [...row("cases.kept", n).entries()].flatMap(([id, is]) => (is === 1 ? [id] : [])),
    probabilities: row("cases.probabilities", n),
  }));
  expect(cases.length).toBe(256);
});

test("bias and penalties move logits as transformers' processors and OpenAI's formula do, to the bit", () => {
  for (const { name, options, text, logits, adjusted } of cases) {
    const penalties = new Penalties(resolveSampling(options), text.prompt);
    for (const id of text.answer) penalties.add(id);
    const moved = logits.map((logit, id) => (penalties.touched.has(id) ? penalties.apply(id, logit) : logit));
    expect({ name, moved }).toEqual({ name, moved: adjusted });
  }
});

test("every combination leaves the tokens that transformers' processors leave, as likely as there", () => {
  for (const { name, options, text, at, logits, kept, probabilities } of cases) {
    const left = new Sampler(options, text).distribution(logits, at);
    expect({ name, kept: [...left.ids] }).toEqual({ name, kept });
    // The fixture is rounded to f32.
    const difference = Array.from(left.ids, (id, n) => Math.abs(left.probabilities[n]! - probabilities[id]!));
    expect(Math.max(...difference)).toBeLessThan(1e-7);
  }
});

test("greedy takes the largest of the moved logits that may be chosen", () => {
  for (const { name, options, text, at, logits, adjusted } of cases) {
    const { id } = new Sampler({ ...options, temperature: 0 }, text).sample(logits, at);
    const may = [...adjusted.keys()].filter(
      (each) => at.allowed?.has(each) !== false && at.forbidden?.has(each) !== true,
    );
    const best = may.reduce((a, b) => (adjusted[b]! > adjusted[a]! ? b : a));
    expect({ name, id }).toEqual({ name, id: best });
  }
});

// With seeds fixed this cannot flake. Of 256 right samplers, one in 10,000 is beyond 4.9 deviations in one case.
test(exhaustive("tokens are chosen as often as transformers' probabilities say"), () => {
  const draws = 160;
  let all = { chiSquare: 0, freedom: 0 };
  for (const [n, { name, options, text, at, logits, probabilities }] of cases.entries()) {
    const counts = new Float64Array(logits.length);
    for (let draw = 0; draw < draws; draw++) {
      const seed = n * draws + draw;
      counts[new Sampler({ ...options, seed }, text).sample(logits, at).id]!++;
    }
    const fit = chiSquareOf(counts, probabilities, draws);
    expect({ name, deviations: deviations(fit) < 4.9 }).toEqual({ name, deviations: true });
    all = { chiSquare: all.chiSquare + fit.chiSquare, freedom: all.freedom + fit.freedom };
  }
  expect(all.freedom).toBeGreaterThan(500);
  expect(Math.abs(deviations(all))).toBeLessThan(3);
});

test("candidates give the same token, or say that they are not enough; the fewer, the more often", () => {
  const answered: number[] = [];
  for (const count of [6, 12, 24, 40, 48]) {
    let told = 0;
    let asked = 0;
    for (const { name, options, text, at, logits } of cases) {
      for (const given of [options, { ...options, temperature: 0 }]) {
        if (given.temperature !== 0 && !(given.minP && !given.topP) && !((given.topK ?? 99) <= count)) continue;
        asked++;
        const all = { ...given, logprobs: 5, seed: 9 };
        const chosen = new Sampler(all, text).sampleFromCandidates(largestOf(logits, count), at);
        if (chosen === undefined) continue;
        told++;
        const expected = new Sampler(all, text).sample(logits, at);
        expect({ name, id: chosen.id }).toEqual({ name, id: expected.id });
        expect(chosen.logprob).toBeCloseTo(expected.logprob, 10);
        expect(chosen.topLogprobs?.map(({ token }) => token)).toEqual(expected.topLogprobs?.map(({ token }) => token));
      }
    }
    answered.push(told / asked);
  }
  for (const [n, share] of answered.entries()) if (n > 0) expect(share).toBeGreaterThanOrEqual(answered[n - 1]!);
  expect(answered[0]).toBeGreaterThan(0.1);
  expect(answered[0]).toBeLessThan(0.9);
  expect(answered.at(-2)).toBeGreaterThan(0.9);
});

interface Fit {
  readonly chiSquare: number;
  readonly freedom: number;
}

/** Pearson's, with the tokens that are expected fewer than 5 times as one; one that cannot come counts as infinite. */
function chiSquareOf(counts: Float64Array, probabilities: Float32Array, draws: number): Fit {
  const bins: { expected: number; found: number }[] = [];
  const rare = { expected: 0, found: 0 };
  for (const [id, probability] of probabilities.entries()) {
    const expected = probability * draws;
    const found = counts[id]!;
    if (expected === 0 && found > 0) return { chiSquare: Number.POSITIVE_INFINITY, freedom: 1 };
    if (expected >= 5) bins.push({ expected, found });
    else {
      rare.expected += expected;
      rare.found += found;
    }
  }
  if (rare.expected >= 5) bins.push(rare);
  else if (bins[0] !== undefined) {
    bins[0].expected += rare.expected;
    bins[0].found += rare.found;
  }
  const chiSquare = bins.reduce((sum, { expected, found }) => sum + (found - expected) ** 2 / expected, 0);
  return { chiSquare, freedom: bins.length - 1 };
}

/** How unlikely, in standard deviations. Source: Wilson and Hilferty, PNAS 17 (1931) 684. */
function deviations({ chiSquare, freedom }: Fit): number {
  if (freedom === 0) return 0;
  const spread = 2 / (9 * freedom);
  return (Math.cbrt(chiSquare / freedom) - (1 - spread)) / Math.sqrt(spread);
}

/** The `count` largest logits as a device returns them: descending, of equal ones the lower ids. */
function largestOf(logits: Float32Array, count: number): Candidates {
  const ids = [...logits.keys()].sort((a, b) => logits[b]! - logits[a]! || a - b).slice(0, count);
  const max = logits[ids[0]!]!;
  const sum = logits.reduce((total, value) => total + Math.exp(value - max), 0);
  return { ids, values: ids.map((id) => logits[id]!), logSumExp: max + Math.log(sum) };
}
