/** Rotary frequencies as a program takes them: `frequencies`, or `frequencies.NAME` for each set of a model with several. */
import { type Axis, axis, type Inputs } from "../../dsl/index.ts";
import type { FrequencySets, RotaryInputs } from "../../models/index.ts";

// Public API

/** One argument. */
export interface FrequencyInput {
  readonly name: string;
  /** Radians a position for each rotary pair. */
  readonly values: Float32Array;
}

/** The arguments, in the order in which a program has them. */
export function frequencyInputs(sets: FrequencySets<Float32Array>): readonly FrequencyInput[] {
  if (sets instanceof Float32Array) return [{ name: "frequencies", values: sets }];
  return Object.entries(sets).map(([name, values]) => ({ name: `frequencies.${name}`, values }));
}

/** The same while tracing, for each row of `batch`. */
export function traceFrequencies(
  { input }: Inputs,
  batch: Axis<"batch">,
  sets: FrequencySets<Float32Array>,
): RotaryInputs {
  const tensors = frequencyInputs(sets).map(({ name, values }) =>
    input(name, "f32", batch, axis("freq", values.length)),
  );
  if (sets instanceof Float32Array) return tensors[0] as (typeof tensors)[number];
  return Object.fromEntries(Object.keys(sets).map((name, n) => [name, tensors[n] as (typeof tensors)[number]]));
}
