/**
 * Choosing a token on the device, so that the next step needs nobody's answer: what a program computes, and the same in
 * TypeScript for the one token of an answer that comes from a prefill.
 *
 * Greedy is the largest logit, the lowest id of equal ones, as ./largest-logit.ts has it. With a temperature a token is
 * drawn from the softmax of the `topK` largest logits by the Gumbel-max trick (Gumbel 1954; Maddison et al. 2014,
 * arXiv:1411.0030): the largest of logit / temperature + Gumbel noise. The noise is by counter: it depends on the row's
 * key, the position and the candidate's rank alone, and not on neighbours or on how steps are grouped into calls.
 * It is another mode than the sampler's: a seed gives other tokens there.
 */
import { type Axis, iota, RuntimeFailure, randomUniform, type Tensor } from "../../dsl/index.ts";
import type { Candidates } from "./candidates.ts";
import { splitMix64 } from "./random.ts";
import { type ThreefryKey, threefryUniform } from "./threefry.ts";

// Public API

/** How a row's tokens are chosen on the device. */
export interface DeviceChoice {
  /** Divides the logits; 0 is greedy. */
  readonly temperature: number;
  /** Among how many of the largest logits, at least 1; more than there are candidates is all of them. */
  readonly topK: number;
  /** Of the row's random numbers. */
  readonly key: ThreefryKey;
}

/** The largest logit. */
export const greedyChoice: DeviceChoice = { temperature: 0, topK: 1, key: [0, 0] };

/** The key of a seed: one step of SplitMix64, so that neighbouring seeds have nothing in common at any position. */
export function deviceKey(seed: bigint): ThreefryKey {
  const words = splitMix64(seed, 0);
  return [Number(words >> 32n), Number(words & 0xffff_ffffn)];
}

/** What a program is told of each row. */
export interface ChoiceInputs {
  /** f32; 0 is greedy. */
  readonly temperature: Tensor<"batch">;
  /** i32. */
  readonly topK: Tensor<"batch">;
  /** u32, two words. */
  readonly key: Tensor<"batch" | "word">;
  /** i32: of the token whose logits these are. */
  readonly position: Tensor<"batch">;
}

/**
 * The id of each row's token, i32, chosen among candidates, which come largest first. Where logits are NaN it is no id,
 * and a table read by it gives its last entry.
 */
export function chosenToken(
  { values, ids }: Record<"values" | "ids", Tensor<"batch" | "candidate">>,
  { temperature, topK, key, position }: ChoiceInputs,
): Tensor<"batch"> {
  const [candidate, word] = [axisOf(values, "candidate"), axisOf(key, "word")];
  const batch = axisOf(key, "batch");
  const largest = values.maxOver("candidate");
  // Sorting puts 0 before -0, which are equal.
  const first = ids.where(values.eq(largest), 0x7fff_ffff).minOver("candidate");

  const isGreedy = temperature.le(0);
  // Taken off first, so that a small temperature cannot make infinities of finite logits.
  const scaled = values.sub(largest).div(temperature.where(isGreedy.not(), 1));
  const step = iota(word, "u32").broadcast(batch).mul(position.cast("u32")) as Tensor<"batch" | "word">;
  const uniform = randomUniform(key.add(step).rename("word", "key"), candidate).add(half);
  const noise = uniform.log().neg().log().neg();
  const isIn = iota(candidate).broadcast(batch).lt(topK);
  const scores = scaled.add(noise).where(isIn, Number.NEGATIVE_INFINITY) as Tensor<"batch" | "candidate">;
  const drawn = ids.at("candidate", scores.argMax("candidate"));
  return first.where(isGreedy, drawn);
}

/**
 * What `chosenToken` chooses, but for rounding of logarithms.
 *
 * @param position  of the token whose logits these are
 */
export function chooseHere(candidates: Candidates, choice: DeviceChoice, position: number): number {
  const { temperature, topK, key } = choice;
  const order = ranked(candidates);
  const largest = order[0] as Ranked;
  if (temperature <= 0) return Math.min(...order.filter(({ value }) => value === largest.value).map(({ id }) => id));
  const at: ThreefryKey = [key[0], (key[1] + position) >>> 0];
  let best = largest;
  let bestScore = Number.NEGATIVE_INFINITY;
  for (const [rank, each] of order.slice(0, topK).entries()) {
    const noise = -Math.log(-Math.log(threefryUniform(at, rank) + half));
    const score = (each.value - largest.value) / Math.fround(temperature) + noise;
    if (score <= bestScore) continue;
    best = each;
    bestScore = score;
  }
  return best.id;
}

/** Whether a token is among the `topK` first candidates, or as likely as the last of them. */
export function isAmongFirst(candidates: Candidates, topK: number, id: number): boolean {
  const order = ranked(candidates);
  const least = order[Math.min(topK, order.length) - 1] as Ranked;
  return order.some((each) => each.id === id && each.value >= least.value);
}

/** What is said of a device that chose what it should not have: a bug, here or in a compiler. */
export function choiceDiffers(found: number, wanted: string, position: number): RuntimeFailure {
  const text = `the device chose token ${found} at position ${position}, and its logits say ${wanted}`;
  return new RuntimeFailure("CHOICE_DIFFERS", text, { found, wanted, position });
}

// Implementation

/** Between two numbers of 23 bits: neither 0 nor 1, of which the logarithms are infinite. */
const half = 2 ** -24;

interface Ranked {
  readonly id: number;
  readonly value: number;
}

function ranked({ ids, values }: Candidates): readonly Ranked[] {
  const all = Array.from(ids, (id, n): Ranked => ({ id, value: values[n] as number }));
  return all.sort((a, b) => b.value - a.value || a.id - b.id);
}

function axisOf<N extends string>({ axes }: { readonly axes: readonly Axis[] }, name: N): Axis<N> {
  return axes.find((axis) => axis.name === name) as Axis<N>;
}
