/**
 * How far the scales of MXFP4 weights spread: it decides whether they can be held as f8E5M2 with one power of two for
 * each output channel, without loss.
 *
 * An FP4 magnitude is 1 or 1.5 times a power of two from 2^-1 to 2^2. E5M2 has two bits behind the point and reaches
 * from 2^-16, subnormal, to 1.75 · 2^15. With a channel's largest block at 2^13 its largest element is 1.5 · 2^15, and
 * 1.5 · 2^-15, the finest that has to be told apart, is three of the smallest steps: so block exponents may span 28; and
 * 26, where no element is to be subnormal (0.5 · 2^-13 is 2^-14, the least normal number). Blocks of zeros, of any
 * scale, are zeros in any form.
 */

// Public API

/** E5M2 is exact up to here. */
export const exactSpan = 28;
/** And has no subnormals up to here. */
export const normalSpan = 26;

export interface ScaleSpread {
  readonly blocks: number;
  /** Blocks of zeros only; none of what follows counts them. */
  readonly zeroBlocks: number;
  /** How many blocks have each scale, by its exponent s - 127. */
  readonly histogram: Readonly<Record<number, number>>;
  readonly min: number;
  readonly max: number;
  readonly channels: number;
  /** How many channels have each distance from their smallest to their largest exponent. */
  readonly spans: Readonly<Record<number, number>>;
  readonly largestSpan: number;
}

/**
 * Counts scales.
 *
 * @param scales    E8M0, the blocks of a channel side by side
 * @param occupied  for each block not 0, if it has an element that is not zero
 * @param perChannel  blocks of an output channel
 */
export function spreadOf(scales: Uint8Array, occupied: Uint8Array, perChannel: number): ScaleSpread {
  if (scales.length !== occupied.length || scales.length % perChannel !== 0) {
    throw new RangeError(`${scales.length} scales, ${occupied.length} blocks, ${perChannel} in a channel`);
  }
  const counts = new Float64Array(256);
  const spans = new Float64Array(256);
  let zeroBlocks = 0;
  for (let channel = 0; channel < scales.length; channel += perChannel) {
    let [least, most] = [255, -1];
    for (let n = channel; n < channel + perChannel; n += 1) {
      if (occupied[n] === 0) {
        zeroBlocks += 1;
        continue;
      }
      const scale = scales[n] as number;
      counts[scale] = (counts[scale] as number) + 1;
      if (scale < least) least = scale;
      if (scale > most) most = scale;
    }
    const span = Math.max(most - least, 0);
    spans[span] = (spans[span] as number) + 1;
  }
  const histogram = kept(counts, bias);
  const exponents = Object.keys(histogram).map(Number);
  return {
    blocks: scales.length,
    zeroBlocks,
    histogram,
    min: Math.min(...exponents),
    max: Math.max(...exponents),
    channels: scales.length / perChannel,
    spans: kept(spans, 0),
    largestSpan: spans.findLastIndex((count) => count > 0),
  };
}

/** `-7: 0.1 %  -6: 12.3 % …`, what is rarer than one in a thousand at the ends together. */
export function histogramLine({ histogram, blocks, zeroBlocks }: ScaleSpread): string {
  const all = Math.max(blocks - zeroBlocks, 1);
  const entries = Object.entries(histogram)
    .map(([exponent, count]) => [Number(exponent), count / all] as const)
    .sort(([a], [b]) => a - b);
  const first = entries.findIndex(([, share]) => share >= rare);
  const last = entries.findLastIndex(([, share]) => share >= rare);
  const rest = (part: typeof entries) => part.reduce((sum, [, share]) => sum + share, 0);
  const percent = (share: number) => `${(share * 100).toPrecision(2)} %`;
  const below = first > 0 ? [`below: ${percent(rest(entries.slice(0, first)))}`] : [];
  const above = last < entries.length - 1 ? [`above: ${percent(rest(entries.slice(last + 1)))}`] : [];
  const middle = entries.slice(first, last + 1).map(([exponent, share]) => `${exponent}: ${percent(share)}`);
  return [...below, ...middle, ...above].join("  ");
}

/** What the spreads of all matrices mean for E5M2. */
export function verdict(spreads: readonly ScaleSpread[]): string {
  const channels = spreads.reduce((all, each) => all + each.channels, 0);
  const beyond = (span: number) =>
    spreads
      .flatMap((each) => Object.entries(each.spans))
      .reduce((all, [found, count]) => all + (Number(found) > span ? count : 0), 0);
  const largest = Math.max(...spreads.map(({ largestSpan }) => largestSpan));
  const inexact = beyond(exactSpan);
  if (inexact > 0) {
    return `not exact as f8E5M2: ${inexact} of ${channels} output channels span more than ${exactSpan} exponents (${largest} at most)`;
  }
  const subnormal = beyond(normalSpan);
  const where = subnormal === 0 ? "no subnormals" : `subnormals in ${subnormal} of them`;
  return `exact as f8E5M2 with one power of two for each of ${channels} output channels: they span ${largest} exponents at most, of ${exactSpan}; ${where}`;
}

// Implementation

/** Of E8M0 (OCP Microscaling Formats 1.0, 5.4.1). */
const bias = 127;
const rare = 1e-3;

function kept(counts: Float64Array, less: number): Readonly<Record<number, number>> {
  return Object.fromEntries([...counts.entries()].flatMap(([n, count]) => (count > 0 ? [[n - less, count]] : [])));
}
