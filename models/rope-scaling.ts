/**
 * Rotary frequencies, and the ways in which models are stretched beyond the length that they were trained on.
 *
 * Formulas follow transformers' modeling_rope_utils.py, which decides what a published configuration means. `dynamic` and
 * `longrope` depend on how long a row is, for all of its positions: so frequencies enter a program as an input.
 */

// Public API

/** Where rotary frequencies come from. */
export interface RopeConfig {
  /** The base of the frequencies' geometric series. */
  readonly theta: number;
  /** How many of a head's dimensions turn; the others stay. */
  readonly rotaryDim: number;
  readonly scaling: RopeScaling;
}

/** How frequencies are changed for longer contexts. Lengths are positions. */
export type RopeScaling =
  | { readonly kind: "default" }
  | { readonly kind: "linear"; readonly factor: number }
  | { readonly kind: "dynamic"; readonly factor: number; readonly originalContext: number }
  | {
      readonly kind: "yarn";
      readonly factor: number;
      readonly originalContext: number;
      readonly betaFast: number;
      readonly betaSlow: number;
      readonly attentionFactor: number;
      readonly truncate: boolean;
    }
  | {
      readonly kind: "llama3";
      readonly factor: number;
      readonly lowFreqFactor: number;
      readonly highFreqFactor: number;
      readonly originalContext: number;
    }
  | {
      readonly kind: "longrope";
      readonly shortFactor: readonly number[];
      readonly longFactor: readonly number[];
      readonly attentionFactor: number;
      readonly originalContext: number;
    };

/** Radians a position for each pair, for a row that will be `length` positions long. */
export function ropeFrequencies({ theta, rotaryDim, scaling }: RopeConfig, length: number): Float32Array {
  const pairs = Array.from({ length: rotaryDim / 2 }, (_, pair) => pair);
  const plain = (base: number) => pairs.map((pair) => base ** ((-2 * pair) / rotaryDim));
  switch (scaling.kind) {
    case "default":
      return Float32Array.from(plain(theta));
    case "linear":
      return Float32Array.from(plain(theta), (frequency) => frequency / scaling.factor);
    case "dynamic": {
      // The base grows with the length, so that the lowest frequency spans the row (NTK-aware scaling).
      const { factor, originalContext } = scaling;
      const longer = Math.max(length, originalContext);
      const growth = (factor * longer) / originalContext - (factor - 1);
      return Float32Array.from(plain(theta * growth ** (rotaryDim / (rotaryDim - 2))));
    }
    case "yarn":
      return Float32Array.from(yarn(plain(theta), theta, rotaryDim, scaling));
    case "llama3":
      return Float32Array.from(plain(theta), (frequency) => llama3(frequency, scaling));
    case "longrope": {
      const factors = length > scaling.originalContext ? scaling.longFactor : scaling.shortFactor;
      return Float32Array.from(plain(theta), (frequency, pair) => frequency / (factors[pair] as number));
    }
  }
}

/** What cosines and sines are multiplied by. */
export function ropeAttentionFactor({ scaling }: RopeConfig): number {
  return "attentionFactor" in scaling ? scaling.attentionFactor : 1;
}

/** YaRN's attention factor for a stretch (arXiv:2309.00071, section 3.4). */
export function yarnAttentionFactor(factor: number, mscale = 1): number {
  return factor <= 1 ? 1 : 0.1 * mscale * Math.log(factor) + 1;
}

/** LongRoPE's attention factor for a stretch (arXiv:2402.13753). */
export function longropeAttentionFactor(factor: number, originalContext: number): number {
  return factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(originalContext));
}

// Implementation

type Yarn = Extract<RopeScaling, { kind: "yarn" }>;
type Llama3 = Extract<RopeScaling, { kind: "llama3" }>;

/** Fast pairs stay, slow ones are interpolated, those between are blended. */
function yarn(plain: readonly number[], theta: number, rotaryDim: number, scaling: Yarn): number[] {
  const { factor, originalContext, betaFast, betaSlow, truncate } = scaling;
  /** The pair that turns so many times within the original context. */
  const pairOf = (rotations: number) =>
    (rotaryDim * Math.log(originalContext / (rotations * 2 * Math.PI))) / (2 * Math.log(theta));
  const [first, last] = [pairOf(betaFast), pairOf(betaSlow)];
  const low = Math.max(truncate ? Math.floor(first) : first, 0);
  const high = Math.min(truncate ? Math.ceil(last) : last, rotaryDim - 1);
  // An empty range would divide by zero.
  const width = low === high ? 0.001 : high - low;
  return plain.map((frequency, pair) => {
    const ramp = Math.min(Math.max((pair - low) / width, 0), 1);
    return (frequency / factor) * ramp + frequency * (1 - ramp);
  });
}

/** By wavelength: short ones stay, long ones are stretched, those between are blended (Llama 3.1). */
function llama3(frequency: number, { factor, lowFreqFactor, highFreqFactor, originalContext }: Llama3): number {
  const wavelength = (2 * Math.PI) / frequency;
  if (wavelength < originalContext / highFreqFactor) return frequency;
  if (wavelength > originalContext / lowFreqFactor) return frequency / factor;
  const smooth = (originalContext / wavelength - lowFreqFactor) / (highFreqFactor - lowFreqFactor);
  return (1 - smooth) * (frequency / factor) + smooth * frequency;
}
