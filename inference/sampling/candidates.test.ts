/** Candidates never answer what the whole vocabulary would not; where they need not be asked twice they are not. */
import { describe, expect, test } from "@jest/globals";
import type { Candidates } from "./candidates.ts";
import { splitMix64, uniform } from "./random.ts";
import { canSampleFromCandidates, type SampledPosition, Sampler } from "./sampler.ts";
import type { SamplingOptions } from "./sampling-options.ts";
import { readAllowed } from "./token-mask.ts";

const vocabulary = 14;

/** Few values, so that many are equal; much bias; small sets. Everything that decides by a hair is common here. */
function randomCase(seed: bigint) {
  let drawn = 0;
  const below = (n: number) => Math.floor(uniform(seed, drawn++) * n);
  const pick = <T>(...of: readonly T[]): T => of[below(of.length)] as T;
  const ids = (most: number) => Array.from({ length: below(most + 1) }, () => below(vocabulary));
  const logits = Float32Array.from({ length: vocabulary }, () => pick(-2, -1, 0, 0.5, 1, 2, Number.NEGATIVE_INFINITY));
  logits[below(vocabulary)] = 1;
  const options: SamplingOptions = {
    ...pick<SamplingOptions>({ temperature: 0 }, { topK: 1 + below(5) }, { minP: pick(0.1, 0.36787, 0.9, 1) }),
    ...pick<SamplingOptions>({}, { topP: 0.6, topK: 3 }, { logprobs: 2 }),
    presencePenalty: pick(0, 0, 0.5, 1, -1),
    frequencyPenalty: pick(0, 0, 0.5, -0.5),
    repetitionPenalty: pick(1, 1, 2, 0.5),
    logitBias: Object.fromEntries(ids(3).map((id) => [id, pick(-1, -0.5, 0.5, 1, 2, -100)])),
    seed: below(2 ** 40),
  };
  const at: SampledPosition = {
    ...pick<SampledPosition>({}, {}, { allowed: readAllowed({ ids: [1, ...ids(6)] }) }, { allowed: maskOf(ids(9)) }),
    ...pick<SampledPosition>({}, {}, { forbidden: new Set(ids(3)) }),
  };
  return { logits, options, at, text: { prompt: ids(4), answer: ids(4) }, count: 3 + below(6) };
}

function maskOf(ids: readonly number[]) {
  return readAllowed({ bitmask: Int32Array.of(ids.reduce((bits, id) => bits | (1 << id), 2)) });
}

/** The `count` largest logits as a device returns them: descending, of equal ones the lower ids. */
function largestOf(logits: Float32Array, count: number): Candidates {
  const ids = [...logits.keys()].sort((a, b) => logits[b]! - logits[a]! || a - b).slice(0, count);
  const sum = logits.reduce((total, value) => total + Math.exp(value), 0);
  return { ids, values: ids.map((id) => logits[id]!), logSumExp: Math.log(sum) };
}

test("never choose what the whole vocabulary would not, in 10,000 cases full of ties", () => {
  let [told, untold, refused] = [0, 0, 0];
  for (let n = 0n; n < 10_000n; n++) {
    const { logits, options, at, text, count } = randomCase(splitMix64(77n, Number(n)));
    if (!canSampleFromCandidates(options, count)) continue;
    const result = attempt(() => new Sampler(options, text).sampleFromCandidates(largestOf(logits, count), at));
    if (result === undefined) {
      untold++;
      continue;
    }
    const expected = attempt(() => new Sampler(options, text).sample(logits, at));
    if (typeof result === "string") refused++;
    else told++;
    const id = (of: typeof expected) => (typeof of === "object" ? of.id : of);
    const likeliest = (of: typeof expected) =>
      typeof of === "object" ? of.topLogprobs?.map(({ token }) => token).join() : undefined;
    // Compared before it is expected: ten thousand expectations take seconds.
    if (id(result) === id(expected) && likeliest(result) === likeliest(expected)) continue;
    const given = { n, options, at, text, count };
    expect({ ...given, id: id(result), likeliest: likeliest(result) }).toEqual({
      ...given,
      id: id(expected),
      likeliest: likeliest(expected),
    });
  }
  // Neither answer is rare, or the test would show nothing.
  expect(told).toBeGreaterThan(3000);
  expect(untold).toBeGreaterThan(1000);
  expect(refused).toBeGreaterThan(1);
});

describe("are enough", () => {
  const logits = Float32Array.from({ length: 1000 }, (_, id) => Math.sin(id) * 8);
  const candidates = largestOf(logits, 64);
  const answers = (options: SamplingOptions, at: SampledPosition = {}, prompt: readonly number[] = []) =>
    new Sampler({ seed: 1, ...options }, { prompt }).sampleFromCandidates(candidates, at) !== undefined;
  const [first, second] = [candidates.ids[0]!, candidates.ids[1]!];
  const last = [...logits.keys()].reduce((a, b) => (logits[b]! < logits[a]! ? b : a));

  test("while as many are left ahead of the others as topK wants", () => {
    const lowered = Array.from(candidates.ids).slice(0, 44);
    expect(answers({ topK: 20, repetitionPenalty: 5 }, {}, lowered)).toBe(true);
    expect(answers({ topK: 21, repetitionPenalty: 5 }, {}, lowered)).toBe(false);
  });

  test("when a token is lifted from below, but not to where it could be chosen", () => {
    expect(answers({ temperature: 0, logitBias: { [last]: 0.001 } })).toBe(true);
    // It might have had the smallest candidate's logit.
    expect(answers({ temperature: 0, logitBias: { [last]: 1 } })).toBe(false);
  });

  test("when all that a mask lists is among them", () => {
    expect(answers({ topK: 20 }, { allowed: readAllowed({ ids: [first, second] }) })).toBe(true);
    expect(answers({ topK: 20 }, { allowed: readAllowed({ ids: [first, last] }) })).toBe(false);
    expect(answers({ temperature: 0 }, { allowed: readAllowed({ ids: [first, last] }) })).toBe(true);
  });

  test("for minP, when the smallest of them is too unlikely", () => {
    expect(answers({ minP: 0.99 })).toBe(true);
    expect(answers({ minP: 0.5 })).toBe(Math.exp(candidates.values[63]! - candidates.values[0]!) < 0.5);
    expect(answers({ minP: 0.5, temperature: 100 })).toBe(false);
  });
});

function attempt<T>(run: () => T): T | string {
  try {
    return run();
  } catch (error) {
    return (error as { code: string }).code;
  }
}
