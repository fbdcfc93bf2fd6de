/**
 * What a golden computes, on a worker: the same numbers by XLA as by StableHLO's reference interpreter, or as written
 * down, or as the text before it.
 */
import { type DType, isFloat, isInteger } from "../dsl/index.ts";
import {
  byteLength,
  type EngineName,
  type HostTensor,
  hostTensor,
  type TensorType,
  toNumbers,
  type Worker,
} from "../runtime-bridge/index.ts";

// Public API

/** How two results compare. */
export interface NumbersResult {
  /** What the results were compared with. */
  readonly against: "the reference interpreter" | "the file's numbers" | "the golden file's text";
  /** A sentence for each result that differs; none when all agree. */
  readonly differences: readonly string[];
}

/** Numbers by name: inputs under the names of arguments, results under `expected.` and theirs. */
export type Numbers = ReadonlyMap<string, HostTensor>;

/** What is run: a text, and what its arguments and results are called. */
export interface Runnable {
  readonly text: string;
  readonly arguments: readonly string[];
  readonly results: readonly string[];
}

/**
 * Runs a text by XLA and compares what comes out.
 *
 * @param other  the text to compare with; without it numbers that are given, or the reference interpreter
 */
export async function compareNumbers(
  worker: Worker,
  program: Runnable,
  {
    given,
    other,
    seed = 0,
    signal,
  }: {
    readonly given?: Numbers | undefined;
    readonly other?: string | undefined;
    readonly seed?: number | undefined;
    readonly signal?: AbortSignal | undefined;
  } = {},
): Promise<NumbersResult> {
  const run = async (text: string, engine: EngineName) => {
    const executable = await worker.compile(text, { engine, signal });
    const inputs = executable.arguments.map(
      (type, n) => given?.get(program.arguments[n] ?? "") ?? seededTensor(type, seed + n),
    );
    return (await worker.execute(executable, inputs, { fetch: "all", signal })).results;
  };
  const results = await run(program.text, "xla");
  const written = program.results.map((name) => given?.get(`expected.${name}`));
  const isWritten = written.length > 0 && written.every((each) => each !== undefined);
  const [against, wanted] =
    other !== undefined
      ? (["the golden file's text", await run(other, "xla")] as const)
      : isWritten
        ? (["the file's numbers", written] as const)
        : (["the reference interpreter", await run(program.text, "reference")] as const);
  const differences = results.flatMap((result, n) => {
    const reason = differenceOf(result, wanted[n]);
    return reason === undefined ? [] : [`result ${program.results[n] ?? n}: ${reason}`];
  });
  return { against, differences };
}

/** A tensor that depends on a seed alone: floats in [-1, 1), whole numbers below four, any bytes where there are no numbers. */
export function seededTensor(type: TensorType, seed: number): HostTensor {
  const { dtype, shape } = type;
  const next = random(seed);
  const count = shape.reduce((all, size) => all * size, 1);
  const fill = (make: () => number, length = count) => Array.from({ length }, make);
  if (hasNumbers(dtype) && isFloat(dtype))
    return hostTensor(
      dtype,
      shape,
      fill(() => next() * 2 - 1),
    );
  if (dtype === "bool")
    return hostTensor(
      dtype,
      shape,
      fill(() => Math.floor(next() * 2)),
    );
  if (isInteger(dtype) && dtype !== "u8")
    return hostTensor(
      dtype,
      shape,
      fill(() => Math.floor(next() * 4)),
    );
  return { dtype, shape, data: Uint8Array.from(fill(() => Math.floor(next() * 256), byteLength(type))) };
}

// Implementation

/** What arithmetic in another order may cost, by the largest number of a result. */
const relative: Readonly<Record<string, number>> = { f64: 1e-12, f32: 1e-4, f16: 2e-2, bf16: 5e-2 };

function differenceOf(found: HostTensor, wanted: HostTensor | undefined): string | undefined {
  if (wanted === undefined) return "it is not there to compare with";
  if (found.dtype !== wanted.dtype || String(found.shape) !== String(wanted.shape)) {
    return `${found.dtype}[${found.shape}], and ${wanted.dtype}[${wanted.shape}] is wanted`;
  }
  const [ours, theirs] = [elementsOf(found), elementsOf(wanted)];
  const largest = Array.from(theirs).reduce(
    (most, value) => (Number.isFinite(value) ? Math.max(most, Math.abs(value)) : most),
    1,
  );
  const allowed = (relative[found.dtype] ?? 0) * largest;
  for (let n = 0; n < ours.length; n++) {
    const [own, other] = [ours[n] as number, theirs[n] as number];
    if (own === other || (Number.isNaN(own) && Number.isNaN(other))) continue;
    if (Math.abs(own - other) <= allowed) continue;
    return `${own} at [${indexOf(n, found.shape)}], and ${other} is wanted`;
  }
  return undefined;
}

function indexOf(flat: number, shape: readonly number[]): string {
  const index: number[] = [];
  let rest = flat;
  for (const size of [...shape].reverse()) {
    index.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return index.join(", ");
}

/** Of types that Node has no numbers for, the bytes. */
const elementsOf = (tensor: HostTensor): ArrayLike<number> =>
  hasNumbers(tensor.dtype) ? toNumbers(tensor) : tensor.data;

const hasNumbers = (dtype: DType): boolean => !dtype.startsWith("f8") && !dtype.startsWith("f4");

/** Mulberry32, by Tommy Ettinger: numbers in [0, 1). */
function random(seed: number): () => number {
  let state = (seed * 0x9e3779b9) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
