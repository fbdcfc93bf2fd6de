/** Rotary frequencies as a program takes them: `frequencies`, or `frequencies.NAME` for each set of a model with several. */
import { type Axis, axis, InputError, type Inputs } from "../../dsl/index.ts";
import type { Architecture, FrequencySets, RotaryInputs } from "../../models/index.ts";

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

/**
 * What `forward` is given of a model in which nothing turns: no frequencies, and an error that says so when they are read.
 * A copy of the inputs has none either.
 */
export function withoutFrequencies<T extends object>(
  inputs: T,
  { name }: Pick<Architecture, "name">,
): T & { readonly frequencies: RotaryInputs } {
  const get = (): never => {
    throw new InputError(
      "ARCHITECTURE",
      `forward of architecture "${name}" reads frequencies, and the architecture declares none\n  hint  add frequencies(config, length), such as ropeFrequencies(config.rope, length)`,
      { name },
    );
  };
  return Object.defineProperty(inputs, "frequencies", { get }) as T & { readonly frequencies: RotaryInputs };
}
