/**
 * The keys of config.json and of GGUF headers that say how a model turns positions: read the same for every family.
 *
 * Meanings and defaults are those of transformers' modeling_rope_utils.py and of llama.cpp.
 */
import { z } from "zod";
import { InputError } from "../dsl/index.ts";
import { count, positive } from "./parse-input.ts";
import { longropeAttentionFactor, type RopeConfig, type RopeScaling, yarnAttentionFactor } from "./rope-scaling.ts";

// Public API

/** What one set of rotary frequencies is made of. */
export const ropeKeys = z
  .looseObject({
    rope_type: z.string(),
    type: z.string(),
    rope_theta: positive().nullable(),
    factor: positive().nullable(),
    original_max_position_embeddings: count(2 ** 30),
    attention_factor: positive().nullable(),
    beta_fast: positive().nullable(),
    beta_slow: positive().nullable(),
    mscale: z.number().nullable(),
    mscale_all_dim: z.number().nullable(),
    truncate: z.boolean(),
    low_freq_factor: positive(),
    high_freq_factor: positive(),
    short_factor: z.array(positive()),
    long_factor: z.array(positive()),
    partial_rotary_factor: positive(1),
  })
  .partial();

export type RopeKeys = z.infer<typeof ropeKeys>;

/** The keys of config.json about it, for a family's schema. */
export const huggingFaceRope = {
  max_position_embeddings: count(2 ** 30).default(2048),
  rope_theta: positive().nullish(),
  rope_scaling: ropeKeys.nullish(),
  rope_parameters: ropeKeys.nullish(),
  partial_rotary_factor: positive(1).nullish(),
  original_max_position_embeddings: count(2 ** 30).nullish(),
};

/** The keys of a GGUF header about it. */
export const ggufRope = {
  context_length: count(2 ** 30),
  "rope.dimension_count": count().optional(),
  "rope.freq_base": positive().default(10_000),
  "rope.scaling.type": z
    .enum(["none", "linear", "yarn"], { error: "one of those that are known: none, linear and yarn" })
    .default("none"),
  "rope.scaling.factor": positive().optional(),
  "rope.scaling.original_context_length": count(2 ** 30).optional(),
  "rope.scaling.attn_factor": positive().optional(),
  "rope.scaling.yarn_beta_fast": positive().default(32),
  "rope.scaling.yarn_beta_slow": positive().default(1),
};

/**
 * How config.json says that positions turn.
 *
 * @param keys  those of one set, for families that have several; default: those of the whole model
 * @throws InputError for a scaling that is not known, or that lacks one of its keys
 */
export function ropeFromHuggingFace(
  c: z.infer<z.ZodObject<typeof huggingFaceRope>>,
  headDim: number,
  // `rope_parameters` is what transformers 5 writes; older files have `rope_scaling` beside `rope_theta`.
  keys: RopeKeys = c.rope_parameters ?? c.rope_scaling ?? {},
): RopeConfig {
  const partial = keys.partial_rotary_factor ?? c.partial_rotary_factor ?? 1;
  const original =
    c.original_max_position_embeddings ?? keys.original_max_position_embeddings ?? c.max_position_embeddings;
  return {
    theta: keys.rope_theta ?? c.rope_theta ?? 10_000,
    rotaryDim: Math.floor(headDim * partial),
    scaling: scalingFromHuggingFace(keys, original, c.max_position_embeddings),
  };
}

/** How a GGUF header says that positions turn. */
export function ropeFromGguf(c: z.infer<z.ZodObject<typeof ggufRope>>, headDim: number): RopeConfig {
  return {
    theta: c["rope.freq_base"],
    rotaryDim: c["rope.dimension_count"] ?? headDim,
    scaling: scalingFromGguf(c),
  };
}

/** What makes no rope for heads of this size, as sentences. */
export function ropeFaults({ rotaryDim, scaling }: RopeConfig, headDim: number): readonly string[] {
  const pairs = rotaryDim / 2;
  const faults =
    rotaryDim % 2 !== 0 || rotaryDim > headDim || rotaryDim < 2
      ? [`${rotaryDim} dimensions of a head of ${headDim} are to turn, and they turn in pairs`]
      : [];
  if (scaling.kind !== "longrope") return faults;
  const lists = { shortFactor: scaling.shortFactor, longFactor: scaling.longFactor };
  const wrong = Object.entries(lists).filter(([, { length }]) => length !== pairs);
  return [...faults, ...wrong.map(([key, { length }]) => `${length} factors (${key}) for ${pairs} rotary pairs`)];
}

// Implementation

function scalingFromHuggingFace(keys: RopeKeys, originalContext: number, context: number): RopeScaling {
  const kind = keys.rope_type ?? keys.type ?? "default";
  const need = <K extends keyof RopeKeys>(key: K): NonNullable<RopeKeys[K]> => {
    const value = keys[key];
    if (value !== undefined && value !== null) return value as NonNullable<RopeKeys[K]>;
    throw new InputError("CONFIG", `config.json: rope scaling "${kind}" lacks its ${String(key)}`, {
      kind,
      key,
    });
  };
  switch (kind) {
    case "default":
      return { kind };
    case "linear":
      return { kind, factor: need("factor") };
    case "dynamic":
      // The length that counts is max_position_embeddings: NTK scaling starts beyond it.
      return { kind, factor: need("factor"), originalContext: context };
    case "yarn": {
      const factor = keys.factor ?? context / originalContext;
      const { mscale, mscale_all_dim: mscaleAllDim } = keys;
      const inferred =
        mscale && mscaleAllDim
          ? yarnAttentionFactor(factor, mscale) / yarnAttentionFactor(factor, mscaleAllDim)
          : yarnAttentionFactor(factor);
      return {
        kind,
        factor,
        originalContext,
        betaFast: keys.beta_fast || 32,
        betaSlow: keys.beta_slow || 1,
        attentionFactor: keys.attention_factor ?? inferred,
        truncate: keys.truncate ?? true,
      };
    }
    case "llama3":
      return {
        kind,
        factor: need("factor"),
        lowFreqFactor: need("low_freq_factor"),
        highFreqFactor: need("high_freq_factor"),
        originalContext,
      };
    case "longrope":
      return {
        kind,
        shortFactor: need("short_factor"),
        longFactor: need("long_factor"),
        attentionFactor:
          keys.attention_factor ?? longropeAttentionFactor(keys.factor ?? context / originalContext, originalContext),
        originalContext,
      };
    default:
      throw new InputError(
        "CONFIG",
        `config.json: rope scaling "${kind}" is not known; known are default, linear, dynamic, yarn, llama3 and longrope`,
        { kind },
      );
  }
}

function scalingFromGguf(c: z.infer<z.ZodObject<typeof ggufRope>>): RopeScaling {
  const kind = c["rope.scaling.type"];
  const factor = c["rope.scaling.factor"];
  if (kind === "none" || factor === undefined) return { kind: "default" };
  if (kind === "linear") return { kind, factor };
  return {
    kind,
    factor,
    originalContext: c["rope.scaling.original_context_length"] ?? c.context_length,
    betaFast: c["rope.scaling.yarn_beta_fast"],
    betaSlow: c["rope.scaling.yarn_beta_slow"],
    // llama.cpp multiplies the factor that it is given by YaRN's own.
    attentionFactor: yarnAttentionFactor(factor) * (c["rope.scaling.attn_factor"] ?? 1),
    truncate: true,
  };
}
