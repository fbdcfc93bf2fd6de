/**
 * Where a program is to run, as a value. Model code never names any of this.
 */
import type { DType } from "../dsl/dtype.ts";
import { InputError } from "../dsl/errors.ts";
import type { WeightForms } from "./weight-forms.ts";

// Public API

/** Element types that a model can compute in. */
export type ComputeType = "f32" | "bf16";

/** A platform and what it stores and computes in. */
export interface Target {
  readonly platform: "cpu";
  /** How weights lie in memory; absent leaves it to the architecture. */
  readonly weights: WeightForms | undefined;
  /** What is multiplied and passed on between ops. Sums are kept in f32 either way. */
  readonly compute: ComputeType;
  /** How keys and values of earlier positions lie in memory. */
  readonly cache: DType;
}

/**
 * A CPU target.
 *
 * @throws InputError for a compute type other than f32 and bf16
 */
export function cpu({ compute = "f32", weights }: { compute?: string; weights?: WeightForms } = {}): Target {
  if (compute !== "f32" && compute !== "bf16") {
    throw new InputError("COMPUTE_TYPE", `a model computes in f32 or bf16, and not in ${compute}`, { compute });
  }
  return { platform: "cpu", weights, compute, cache: compute };
}

/**
 * Reads a target as the command line writes it.
 *
 * @throws InputError that names what can be asked for
 */
export function parseTarget(spec: string, options: { compute?: string; weights?: WeightForms } = {}): Target {
  if (spec === "cpu") return cpu(options);
  throw new InputError("TARGET", `target '${spec}' is not known; this version compiles for cpu`, { spec });
}
