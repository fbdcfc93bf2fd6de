/** What a model's numbers are on a target: how weights are held, what is multiplied, what is added up, what caches hold. */

import type { ComputeType, Target } from "../../compiler/index.ts";
import type { DType, ParamTree, Storage } from "../../dsl/index.ts";
import { flattenParams } from "../../dsl/index.ts";
import type { DeclaredModel } from "./compile-step.ts";

// Public API

/** Element types and packed forms, by what they are for. */
export interface DTypes {
  /** Of experts' matrices; absent where a model has none. Several where they are held differently. */
  readonly experts?: readonly Storage[];
  /** Of all other weights of two axes or more. */
  readonly dense: readonly Storage[];
  /** What is multiplied and passed on between ops. */
  readonly compute: ComputeType;
  /** What products and sums are added up in. */
  readonly accumulate: "f32";
  /** What keys and values of earlier positions are held as. */
  readonly cache: DType;
}

/** The dtypes of a model on a target. */
export function dtypesOf(
  { architecture, config, storageOf }: DeclaredModel,
  { compute, accumulate, cache }: Target,
): DTypes {
  const matrices = flattenParams(architecture.weights(config) as ParamTree)
    .map(([, param]) => param)
    .filter(({ axes }) => axes.length > 1);
  const isExpert = (param: (typeof matrices)[number]) => architecture.isExpertMatrix?.(param) === true;
  const held = (of: typeof matrices) => [...new Set(of.map(storageOf))].sort();
  const experts = held(matrices.filter(isExpert));
  const dense = held(matrices.filter((each) => !isExpert(each)));
  return { ...(experts.length === 0 ? {} : { experts }), dense, compute, accumulate, cache };
}

/** `experts mxfp4, weights bf16, products bf16, sums f32, cache bf16`. */
export function formatDTypes({ experts, dense, compute, accumulate, cache }: DTypes): string {
  const held = experts === undefined ? [] : [`experts ${experts.join("+")}`];
  return [...held, `weights ${dense.join("+")}`, `products ${compute}`, `sums ${accumulate}`, `cache ${cache}`].join(
    ", ",
  );
}
