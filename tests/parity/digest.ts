/** The logit fixtures, and how far logits are from them. README.md says what a fixture holds. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { toFloat32Array, toInt32Array } from "../../runtime-bridge/index.ts";
import { readSafetensors } from "../../runtime-bridge/safetensors.ts";

// Public API

/** What is kept of the logits of one prompt. */
export interface Digest {
  readonly tokens: readonly number[];
  /** Of every token: the log-sum-exp, and the id of the largest. */
  readonly logSumExp: Float32Array;
  readonly top1: Int32Array;
  /** The tokens of which values are kept: row after row, the 64 largest with their ids, and those of `fixedIds`. */
  readonly positions: Int32Array;
  readonly topIds: Int32Array;
  readonly topValues: Float32Array;
  readonly fixedIds: Int32Array;
  readonly fixedValues: Float32Array;
}

/** How far logits are from a digest. */
export interface Distance {
  /** Over the log-sum-exps, the largest logits and the fixed ids. */
  readonly largest: number;
  /** Tokens after which another id is the likeliest. */
  readonly otherTop1: readonly number[];
}

/** The committed fixtures. */
export const fixtures = fileURLToPath(new URL("fixtures/", import.meta.url));

/** Reads the digests of a file, by key. */
export async function readDigests(file: string): Promise<(key: string) => Digest> {
  const tensors = await readSafetensors(join(fixtures, file));
  const tensor = (name: string) => {
    const found = tensors.get(name);
    if (found === undefined) throw new Error(`${file} has no ${name}`);
    return found;
  };
  const floats = (name: string) => toFloat32Array(tensor(name));
  const ids = (name: string) => toInt32Array(tensor(name));
  return (key) => ({
    tokens: [...ids(`${key}.tokens`)],
    logSumExp: floats(`${key}.lse`),
    top1: ids(`${key}.argmax`),
    positions: ids(`${key}.positions`),
    topIds: ids(`${key}.top_ids`),
    topValues: floats(`${key}.top_values`),
    fixedIds: ids("fixed_ids"),
    fixedValues: floats(`${key}.fixed_values`),
  });
}

/** All rows in one array. */
export async function collected(chunks: AsyncIterable<Float32Array>, count: number): Promise<Float32Array> {
  const all = new Float32Array(count);
  let filled = 0;
  for await (const chunk of chunks) {
    all.set(chunk, filled);
    filled += chunk.length;
  }
  if (filled !== count) throw new Error(`${filled} logits came, and ${count} were wanted`);
  return all;
}

/**
 * @param logits  [rows, vocabulary], row-major
 * @param first  the token after which the first row stands
 */
export function distanceFrom(digest: Digest, logits: Float32Array, vocab: number, first = 0): Distance {
  const count = logits.length / vocab;
  const row = (position: number) => logits.subarray((position - first) * vocab, (position - first + 1) * vocab);
  let largest = 0;
  // Not Math.max: NaN must not pass for near.
  const see = (found: number, wanted: number) => {
    const difference = Math.abs(found - wanted);
    if (!(difference <= largest)) largest = difference;
  };
  const otherTop1: number[] = [];
  for (let position = first; position < first + count; position++) {
    const { logSumExp, top1 } = summary(row(position));
    see(logSumExp, digest.logSumExp[position]!);
    if (top1 !== digest.top1[position]) otherTop1.push(position);
  }
  const top = digest.topIds.length / digest.positions.length;
  digest.positions.forEach((position, n) => {
    if (position < first || position >= first + count) return;
    const values = row(position);
    for (let m = 0; m < top; m++) see(values[digest.topIds[n * top + m]!]!, digest.topValues[n * top + m]!);
    digest.fixedIds.forEach((id, m) => void see(values[id]!, digest.fixedValues[n * digest.fixedIds.length + m]!));
  });
  return { largest, otherTop1 };
}

/** The largest difference between two sets of logits. */
export function largestDifference(left: Float32Array, right: Float32Array): number {
  if (left.length !== right.length) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (let n = 0; n < left.length; n++) {
    const difference = Math.abs(left[n]! - right[n]!);
    if (!(difference <= largest)) largest = difference;
  }
  return largest;
}

// Implementation

function summary(logits: Float32Array): { readonly logSumExp: number; readonly top1: number } {
  let top1 = 0;
  for (let id = 1; id < logits.length; id++) if (logits[id]! > logits[top1]!) top1 = id;
  const most = logits[top1]!;
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - most);
  return { logSumExp: most + Math.log(sum), top1 };
}
