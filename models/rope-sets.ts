/**
 * Rotary embeddings by name, for families of which some layers turn by another base. One set alone needs no name: its
 * frequencies are an array, and a program's argument `frequencies`.
 */
import { type Angles, InputError, Tensor } from "../dsl/index.ts";
import type { FrequencySets, RotaryInputs } from "./architecture.ts";
import { type RopeConfig, ropeFrequencies } from "./rope-scaling.ts";

// Public API

/** What layers turn by, such as `{ global, local }`; at least one. */
export type RopeSets = Readonly<Record<string, RopeConfig>>;

/** What `Architecture.frequencies` says of these sets. */
export function setFrequencies(sets: RopeSets, length: number): FrequencySets<Float32Array> {
  const found = Object.entries(sets).map(([name, rope]) => [name, ropeFrequencies(rope, length)] as const);
  const [only] = found;
  return found.length === 1 && only !== undefined ? only[1] : Object.fromEntries(found);
}

/** What a layer turns by. */
export interface Turn<A extends string> {
  readonly angles: Angles<A>;
  /** How many of a head's dimensions turn. */
  readonly rotaryDim: number;
}

/**
 * What each set turns by, by its name.
 *
 * @param frequencies  what the program was given of `setFrequencies`
 * @param make         makes a set's angles; `name` is `rope`, and `rope.NAME` where there are several
 * @returns a function that throws an InputError for a name that no set has
 */
export function setTurns<A extends string>(
  sets: RopeSets,
  frequencies: RotaryInputs,
  make: (rope: RopeConfig, frequencies: Tensor<"batch" | "freq">, name: string) => Angles<A>,
): (name: string) => Turn<A> {
  const turns = new Map(
    Object.entries(sets).map(([name, rope]): [string, Turn<A>] => {
      const isOnly = frequencies instanceof Tensor;
      const own = isOnly ? frequencies : (frequencies[name] as Tensor<"batch" | "freq">);
      return [name, { angles: make(rope, own, isOnly ? "rope" : `rope.${name}`), rotaryDim: rope.rotaryDim }];
    }),
  );
  return (name) => {
    const found = turns.get(name);
    if (found !== undefined) return found;
    const sentence = `a layer turns by '${name}', which is no set of frequencies; there are ${[...turns.keys()].join(", ")}`;
    throw new InputError("ARCHITECTURE", sentence, { name, sets: [...turns.keys()] });
  };
}
