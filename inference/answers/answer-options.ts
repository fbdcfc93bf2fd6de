/** What may be said about an answer, checked against what a model's files say. */
import { InputError } from "../../dsl/index.ts";
import { candidateCount } from "../programs/step-program.ts";
import { type DeviceChoice, greedyChoice } from "../sampling/choose-on-device.ts";
import { canSampleFromCandidates, requireToken, Sampler } from "../sampling/sampler.ts";
import { type ResolvedSampling, resolveSampling, type SamplingOptions } from "../sampling/sampling-options.ts";
import type { TokenMask } from "../sampling/token-mask.ts";
import type { Wanted } from "../steps/step-call.ts";
import { mostStepsPerCall } from "../steps/steps-per-call.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import type { AnswerReader } from "./answer-reader.ts";

// Public API

/** How to generate. The defaults are greedy. See docs/sampling.md. */
export interface GenerateOptions extends SamplingOptions {
  /** How many tokens at most. Default: 256. */
  readonly maxTokens?: number | undefined;
  /** Until so many tokens are there, no stop token is chosen and no stop string looked for. Default: 0. */
  readonly minTokens?: number | undefined;
  /** Strings that end the text; they are not part of it. */
  readonly stop?: readonly string[] | undefined;
  /** Tokens that end the text, beside the model's own; they have no text. */
  readonly stopTokens?: readonly number[] | undefined;
  /** Says before each token which may come. Of several prompts each asks it. */
  readonly mask?: TokenMask | undefined;
  /**
   * Draws tokens on the device, so that several can be made before Node is asked: with a temperature, from 1 to 64 of the
   * largest logits (`topK`) and nothing else that has a say. A seed gives other tokens than without. Default: no; greedy
   * choice, which is the same everywhere, is on the device where nothing else has a say.
   */
  readonly onDevice?: boolean | undefined;
  /**
   * How many tokens chosen on the device a call makes, at most 256: 1, 2, 4 and so on up to it. Default: up to 8, and only
   * where that saves time. 1 asks for each greedy token by itself.
   */
  readonly stepsPerCall?: number | undefined;
  /** Ends the iteration with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** What a model's files say about answers. */
export interface AnswerInputs {
  readonly stopIds: ReadonlySet<number>;
  /** Positions that the model was made for, or fewer. */
  readonly context: number;
  /** How many logits a position has. When it is not known, options that name tokens are checked at the first one. */
  readonly vocabulary?: number;
  readonly tokenizer: Tokenizer | undefined;
  /** Reads what the tokens say. Default: as text. */
  readonly reader?: () => AnswerReader;
}

/** Options, checked. */
export interface AnswerSettings {
  readonly sampling: SamplingOptions;
  readonly wanted: Wanted;
  readonly budget: number;
  readonly minTokens: number;
  readonly stops: readonly string[];
  readonly stopIds: ReadonlySet<number>;
  readonly mask: TokenMask | undefined;
  /** How the device may choose, when it may: greedily, or, if it was asked to, by temperature. */
  readonly deviceChoice: Pick<DeviceChoice, "temperature" | "topK"> | undefined;
  readonly stepsPerCall: number | undefined;
}

export const defaultMaxTokens = 256;

/**
 * What options mean for a model. Greedy unless told otherwise.
 *
 * @throws InputError for an option out of range
 */
export function resolveOptions(options: GenerateOptions, given: AnswerInputs): AnswerSettings {
  const { maxTokens = defaultMaxTokens, minTokens = 0, stop, stopTokens = [], mask, signal: _, ...others } = options;
  const { onDevice = false, stepsPerCall, ...chosen } = others;
  // An option that is undefined has its default.
  const defined = Object.fromEntries(Object.entries(chosen).filter(([, value]) => value !== undefined));
  const sampling: SamplingOptions = { temperature: 0, ...defined };
  const wanted = canSampleFromCandidates(sampling, candidateCount) ? "candidates" : "full";
  const resolved = resolveSampling(sampling);
  if (given.vocabulary !== undefined) {
    for (const id of Object.keys(sampling.logitBias ?? {})) requireToken(Number(id), given.vocabulary);
  }
  wholeNumber("maxTokens", maxTokens, 1);
  wholeNumber("minTokens", minTokens, 0);
  if (minTokens > maxTokens) {
    throw new InputError("OPTION_CONFLICT", `minTokens is ${minTokens}, more than maxTokens, which is ${maxTokens}`, {
      option: "minTokens",
      found: minTokens,
      wanted: maxTokens,
    });
  }
  if (stepsPerCall !== undefined) wholeNumber("stepsPerCall", stepsPerCall, 1, mostStepsPerCall);
  const hindrance = whatHinders(resolved, { minTokens, mask: mask !== undefined });
  if (onDevice && hindrance !== undefined) {
    const why = `onDevice chooses greedily, or by temperature among a topK from 1 to ${candidateCount}, and ${hindrance}`;
    throw new InputError("OPTION_UNSUPPORTED", why, { option: "onDevice" });
  }
  const mayChoose = hindrance === undefined && (onDevice || (resolved.greedy && stepsPerCall !== 1));
  return {
    sampling,
    wanted,
    deviceChoice: mayChoose ? (resolved.greedy ? greedyChoice : resolved) : undefined,
    stepsPerCall,
    budget: maxTokens,
    minTokens,
    stops: checkedStops(stop, given.tokenizer),
    stopIds: new Set([...given.stopIds, ...checkedStopTokens(stopTokens, given.vocabulary)]),
    mask: checkedMask(mask),
  };
}

/**
 * Checks options without a prompt, and gives their seed, a fresh one if there is none.
 *
 * @throws InputError for an option out of range
 */
export function checkOptions(options: GenerateOptions, given: AnswerInputs): { readonly seed: bigint } {
  const { sampling } = resolveOptions(options, given);
  return { seed: new Sampler(sampling).seed };
}

// Implementation

function wholeNumber(option: string, found: number, least: number, most = Number.POSITIVE_INFINITY): void {
  if (Number.isSafeInteger(found) && found >= least && found <= most) return;
  const wanted = most === Number.POSITIVE_INFINITY ? `from ${least}` : `from ${least} to ${most}`;
  throw new InputError("OPTION_VALUE", `${option} is ${found}, and it is a whole number ${wanted}`, { option, found });
}

/** What keeps the device from choosing, as a part of a sentence. */
function whatHinders(
  { greedy, topK, topP, minP, logprobs = 0, logitBias, ...penalties }: ResolvedSampling,
  { minTokens, mask }: { readonly minTokens: number; readonly mask: boolean },
): string | undefined {
  const { presencePenalty, frequencyPenalty, repetitionPenalty } = penalties;
  const said = {
    presencePenalty: presencePenalty !== 0,
    frequencyPenalty: frequencyPenalty !== 0,
    repetitionPenalty: repetitionPenalty !== 1,
    logitBias: logitBias.size > 0,
    mask,
    minTokens: minTokens > 0,
    topP: !greedy && topP !== 1,
    minP: !greedy && minP > 0,
  };
  const found = Object.entries(said).find(([, isSaid]) => isSaid);
  if (found !== undefined) return `${found[0]} was given too`;
  if (greedy) return undefined;
  if (topK < 1 || topK > candidateCount) return `topK is ${topK}`;
  return logprobs > candidateCount ? `logprobs is ${logprobs}` : undefined;
}

function checkedStops(stop: readonly string[] = [], tokenizer: Tokenizer | undefined): readonly string[] {
  if (stop.includes(""))
    throw new InputError("OPTION_VALUE", "stop holds an empty string, which would end every text at once", {
      option: "stop",
    });
  if (stop.length > 0 && tokenizer === undefined) {
    throw new InputError("OPTION_UNSUPPORTED", "stop needs a tokenizer, and the model's folder has none", {
      option: "stop",
    });
  }
  return stop;
}

function checkedStopTokens(ids: readonly number[], vocabulary = Number.POSITIVE_INFINITY): readonly number[] {
  const wrong = ids.find((id) => !Number.isSafeInteger(id) || id < 0 || id >= vocabulary);
  if (wrong === undefined) return ids;
  const wanted = vocabulary === Number.POSITIVE_INFINITY ? "from 0" : `from 0 to ${vocabulary - 1}`;
  throw new InputError("OPTION_VALUE", `stopTokens holds ${wrong}, and token ids are whole numbers ${wanted}`, {
    option: "stopTokens",
    found: wrong,
  });
}

function checkedMask(mask: TokenMask | undefined): TokenMask | undefined {
  if (mask === undefined || typeof mask === "function") return mask;
  throw new InputError("OPTION_VALUE", `mask is a ${typeof mask}, and it is a function`, { option: "mask" });
}
