/** The options that say how tokens are chosen and when an answer ends; the library's, word for word. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { REASONING_EFFORTS } from "../inference/harmony/messages.ts";
import type { GenerateOptions } from "../inference/index.ts";
import { collect, number, wholeFromZero, wholeNumber } from "./options.ts";

// Public API

/** As commander gives them. */
export interface SamplingFlags {
  readonly maxTokens?: number;
  readonly minTokens?: number;
  readonly temperature?: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly minP?: number;
  readonly presencePenalty?: number;
  readonly frequencyPenalty?: number;
  readonly repetitionPenalty?: number;
  readonly logitBias?: ReadonlyMap<number, number>;
  readonly logprobs?: number;
  readonly seed?: bigint;
  readonly stop?: readonly string[];
  readonly stopToken?: readonly number[];
  readonly onDevice?: true;
  readonly stepsPerCall?: number;
}

/** Adds the options. docs/sampling.md has their ranges and sources. */
export function withSampling(command: Command, { maxTokens = 256 }: { readonly maxTokens?: number } = {}): Command {
  return command
    .option("--max-tokens <n>", `how many tokens at most (${maxTokens})`, wholeNumber)
    .option("--min-tokens <n>", "how many tokens before anything may end the answer (0)", wholeFromZero)
    .option("--temperature <t>", "0 takes the likeliest token each time (0)", number)
    .option("--top-k <k>", "choose among the k likeliest tokens (0: all)", number)
    .option("--top-p <p>", "choose among the likeliest tokens that make up this probability (1: all)", number)
    .option("--min-p <p>", "choose among tokens at least so likely relative to the likeliest (0: all)", number)
    .option("--presence-penalty <p>", "taken from the logit of what the answer holds already, -2 to 2 (0)", number)
    .option("--frequency-penalty <p>", "the same for each time that it holds it, -2 to 2 (0)", number)
    .option(
      "--repetition-penalty <f>",
      "divides the logit of what prompt or answer hold; above 1 avoids it (1)",
      number,
    )
    .option("--logit-bias <id=value>", "added to the logit of a token, -100 to 100; may be repeated", collectBias)
    .option("--logprobs <n>", "tell the n likeliest tokens in each place; with --json", wholeFromZero)
    .option(
      "--seed <s>",
      "makes the choices repeatable; of --prompts, each has a seed of its own made from it",
      wholeSeed,
    )
    .option("--stop <text>", "ends the answer where this comes up; may be repeated", collect)
    .option("--stop-token <id>", "ends the answer beside the model's own stop tokens; may be repeated", collectIds)
    .option("--on-device", "draw tokens on the device, with --temperature and a --top-k of 1 to 64 and nothing else")
    .option(
      "--steps-per-call <n>",
      "how many tokens chosen on the device a call makes (up to 8, where it helps)",
      wholeNumber,
    );
}

/** What the library is told: what was said and no more. */
export function sampling({ logitBias, stopToken, ...flags }: SamplingFlags): GenerateOptions {
  const { maxTokens, minTokens, temperature, topK, topP, minP, seed, stop, logprobs, onDevice, stepsPerCall } = flags;
  const { presencePenalty, frequencyPenalty, repetitionPenalty } = flags;
  const penalties = { presencePenalty, frequencyPenalty, repetitionPenalty };
  const all = { maxTokens, minTokens, temperature, topK, topP, minP, ...penalties, seed, stop, logprobs };
  const said = Object.entries({
    ...all,
    ...{ onDevice, stepsPerCall },
    logitBias: logitBias === undefined ? undefined : Object.fromEntries(logitBias),
    stopTokens: stopToken,
  });
  return Object.fromEntries(said.filter(([, value]) => value !== undefined));
}

/** How much a GPT-OSS thinks. */
export function reasoningOption(): Option {
  return new Option("--reasoning <effort>", "how much a GPT-OSS thinks before it answers (medium)").choices([
    ...REASONING_EFFORTS,
  ]);
}

// Implementation

/** Seeds that the command tells may be beyond what a number holds. */
function wholeSeed(text: string): bigint {
  if (/^\d+$/.test(text) && BigInt(text) < 2n ** 64n) return BigInt(text);
  throw new InvalidArgumentError("It is a whole number from 0 to 2^64 - 1.");
}

function collectIds(text: string, before: readonly number[] = []): readonly number[] {
  return [...before, wholeFromZero(text)];
}

function collectBias(text: string, before: ReadonlyMap<number, number> = new Map()): ReadonlyMap<number, number> {
  const [, id, value] = /^(\d+)=(.+)$/.exec(text) ?? [];
  if (id === undefined || value === undefined) {
    throw new InvalidArgumentError("It is a token id and what is added to its logit, such as 42=-1.5.");
  }
  if (before.has(Number(id))) throw new InvalidArgumentError(`Token ${id} has a bias already.`);
  return new Map([...before, [wholeFromZero(id), number(value)]]);
}
