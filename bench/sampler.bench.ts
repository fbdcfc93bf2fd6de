/**
 * What a token's choice costs in TypeScript, for GPT-OSS's vocabulary unless `--vocabulary` says another.
 *
 * Against one pass of exponentials over all logits, which nobody who tells log-probabilities of full logits goes below.
 * Logits are random and of a bell's shape, three wide: top-p then leaves thousands of tokens, more than a model does.
 */
import { type SampledPosition, Sampler } from "../inference/sampling/sampler.ts";
import type { SamplingOptions } from "../inference/sampling/sampling-options.ts";
import { readAllowed } from "../inference/sampling/token-mask.ts";
import { watchNoise } from "./support/noise.ts";
import { readOptions } from "./support/options.ts";
import { median, printTable, range, ratios } from "./support/table.ts";

export const description = "choosing a token of 201,088, against a pass of exponentials over them";

export async function bench(given: readonly string[]): Promise<void> {
  const { rounds, vocabulary } = readOptions(given, { rounds: 15, vocabulary: 201_088 });
  const logits = bell(vocabulary);
  const prompt = Array.from({ length: 1000 }, (_, n) => (n * 7919) % vocabulary);
  const penalties = {
    presencePenalty: 0.5,
    frequencyPenalty: 0.3,
    repetitionPenalty: 1.2,
    logitBias: { 5: 2, 99: -9 },
  };
  const half = { bitmask: new Int32Array(Math.ceil(vocabulary / 32)).fill(0x5555_5555) };
  const everything = { temperature: 0.8, topK: 1000, topP: 0.9, minP: 0.01, ...penalties, logprobs: 20 };
  const cases: readonly (readonly [string, SamplingOptions, SampledPosition?])[] = [
    ["greedy", { temperature: 0 }],
    ["temperature 0.8", { temperature: 0.8 }],
    ["top-k 40", { temperature: 0.8, topK: 40 }],
    ["top-p 0.9", { temperature: 0.8, topP: 0.9 }],
    ["min-p 0.05", { temperature: 0.8, minP: 0.05 }],
    ["greedy, penalties and bias, a prompt of 1000", { temperature: 0, ...penalties }],
    ["greedy, 20 logprobs", { temperature: 0, logprobs: 20 }],
    ["top-k 40 under a bit mask", { temperature: 0.8, topK: 40 }, { allowed: readAllowed(half) }],
    ["all of them", everything, { allowed: readAllowed(half) }],
  ];
  const candidates = largest(logits, 64);
  const noise = watchNoise();
  const pass = timed(() => exponentials(logits));
  const rows = cases.map(([what, options, at]) => {
    const sampler = new Sampler({ seed: 1, ...options }, { prompt });
    return measure(
      what,
      rounds,
      pass,
      timed(() => void sampler.sample(logits, at)),
    );
  });
  const few: readonly (readonly [string, SamplingOptions])[] = [
    ["64 candidates, greedy", { temperature: 0 }],
    ["64 candidates, top-k 40, top-p 0.9", { temperature: 0.8, topK: 40, topP: 0.9 }],
    ["64 candidates, top-k 40, penalties, 20 logprobs", { temperature: 0.8, topK: 40, ...penalties, logprobs: 20 }],
  ];
  for (const [what, options] of few) {
    const sampler = new Sampler({ seed: 1, ...options }, { prompt });
    rows.push(
      measure(
        what,
        rounds,
        pass,
        timed(() => void sampler.sampleFromCandidates(candidates)),
      ),
    );
  }
  printTable(["of a token", "ms", "passes of exponentials"], rows);
  console.log(`\n${noise.report()}`);
}

/** Milliseconds of a call; the first ones, which are compiled meanwhile, are not counted. */
function timed(run: () => void): () => number {
  for (let n = 0; n < 5; n++) run();
  return () => {
    const started = performance.now();
    run();
    return performance.now() - started;
  };
}

function measure(what: string, rounds: number, pass: () => number, run: () => number): string[] {
  const own: number[] = [];
  const peer: number[] = [];
  for (let round = 0; round < rounds; round++) {
    own.push(run());
    peer.push(pass());
  }
  return [what, range(own, 2), median(ratios(own, peer)).toFixed(2)];
}

function exponentials(logits: Float32Array): number {
  let sum = 0;
  for (let id = 0; id < logits.length; id++) sum += Math.exp(logits[id]! - 14);
  return sum;
}

function bell(count: number): Float32Array {
  let state = 1;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  return Float32Array.from(
    { length: count },
    () => 3 * Math.sqrt(-2 * Math.log(next())) * Math.cos(2 * Math.PI * next()),
  );
}

function largest(logits: Float32Array, count: number) {
  const ids = Int32Array.from([...logits.keys()].sort((a, b) => logits[b]! - logits[a]! || a - b).slice(0, count));
  const logSumExp = Math.log(logits.reduce((sum, value) => sum + Math.exp(value), 0));
  return { ids, values: Float32Array.from(ids, (id) => logits[id]!), logSumExp };
}
