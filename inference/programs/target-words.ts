/** What a model is compiled for, as a program says it: a value, or the command line's words. */
import { parseTarget, parseWeightForms, type Target, type WeightForms } from "../../compiler/index.ts";
import { InputError } from "../../dsl/index.ts";

// Public API

/** A target and its parts, by the names of the command line's options. */
export interface TargetWords {
  /** What to compile for, such as `cpu`, or a value that says all of this. Default: this machine's CPU. */
  readonly target?: Target | string | undefined;
  /** How the devices are arranged, such as `expert=2,model=2`. Default: all along `model`. */
  readonly mesh?: string | undefined;
  /** How matrices are held, `EXPERTS[,DENSE]`, such as `mxfp4,bf16`. Default: as the architecture has them. */
  readonly weights?: WeightForms | string | undefined;
  /** What is multiplied: `f32` or `bf16`. Default: f32 on CPU. */
  readonly computeDtype?: string | undefined;
}

/**
 * The target that options name.
 *
 * @throws InputError for words that are not known, and for a target's value beside words for its parts
 */
export function targetOf({ target = "cpu", mesh, weights, computeDtype }: TargetWords): Target {
  if (typeof target === "object") {
    const given = { mesh, weights, computeDtype };
    const twice = Object.entries(given).find(([, value]) => value !== undefined)?.[0];
    if (twice === undefined) return target;
    throw new InputError(
      "OPTION_CONFLICT",
      `${twice} stands beside a target that says it already: give cpu({ … }) both, or name the target as a text`,
      { option: twice },
    );
  }
  const forms = typeof weights === "string" ? parseWeightForms(weights) : weights;
  return parseTarget(target, {
    ...(mesh === undefined ? {} : { mesh }),
    ...(computeDtype === undefined ? {} : { compute: computeDtype }),
    ...(forms === undefined ? {} : { weights: forms }),
  });
}
