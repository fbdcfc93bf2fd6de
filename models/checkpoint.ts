/**
 * From the tensors of a file to the weights of a model: which feeds which, and through what.
 *
 * Every declared weight is filled and every tensor is used once, or nothing is loaded. What has to happen to the bytes
 * on the way (unpacking blocks, splitting flat dimensions, putting interleaved rows back) is a small traced program,
 * which the worker runs.
 */
import {
  type Axis,
  type DType,
  flattenParams,
  formatAxes,
  type Graph,
  InputError,
  type Param,
  type ParamTree,
  type Tensor,
  trace,
} from "../dsl/index.ts";
import { isPacked, unpackBlocks } from "./block-formats.ts";

// Public API

/** A tensor of a file, as its index describes it. */
export interface StoredTensor {
  readonly name: string;
  /** How the elements are stored: `F32`, `BF16`, `Q4_1`, … */
  readonly format: string;
  /** The shape of the elements, outermost first. */
  readonly shape: readonly number[];
  /** What a program receives: packed formats as raw blocks. */
  readonly type: { readonly dtype: DType; readonly shape: readonly number[] };
}

/** Where a layout keeps a weight. */
export interface Source {
  readonly key: string;
  /** An axis along which the two halves alternate in the file: 0, half, 1, half + 1, … */
  readonly interleaved?: string;
}

/** A layout of checkpoints. */
export interface CheckpointTable {
  source(param: Param): Source;
  /** Tensors that a file may hold although no weight wants them. */
  readonly ignored: readonly RegExp[];
}

/** A weight and the tensor that fills it. */
export interface Feed {
  /** The weight's path in the model, such as `layers.3.attn.q`. */
  readonly path: string;
  readonly param: Param;
  readonly tensor: StoredTensor;
  readonly interleaved: string | undefined;
}

/**
 * Decides which tensor feeds which weight.
 *
 * @throws InputError that lists weights without a tensor, tensors without a weight, and shapes or formats that don't fit
 */
export function matchCheckpoint(
  params: ParamTree,
  tensors: ReadonlyMap<string, StoredTensor>,
  table: CheckpointTable,
): readonly Feed[] {
  const feeds: Feed[] = [];
  const missing: string[] = [];
  const misfits: string[] = [];
  const used = new Map<string, string>();
  for (const [path, declared] of flattenParams(params)) {
    const { key, interleaved } = table.source(declared);
    const tensor = tensors.get(key);
    if (tensor === undefined) {
      missing.push(`${key}  ${formatAxes(declared.axes)}  for ${path}`);
      continue;
    }
    const problem = misfit(declared, tensor);
    if (problem !== undefined) misfits.push(`${key}: ${problem}`);
    const other = used.get(key);
    if (other !== undefined) misfits.push(`${key}: wanted by both ${other} and ${path}`);
    used.set(key, path);
    feeds.push({ path, param: declared, tensor, interleaved });
  }
  const surplus = [...tensors.values()]
    .filter(({ name }) => !used.has(name) && !table.ignored.some((pattern) => pattern.test(name)))
    .map(({ name, format, shape }) => `${name}  ${format} [${shape.join(", ")}]`);
  if (missing.length + misfits.length + surplus.length > 0) {
    const lines = [
      ...section("the model wants and the file lacks", missing),
      ...section("the file has and the model does not want", surplus),
      ...section("do not fit", misfits),
    ];
    throw new InputError("CHECKPOINT_MISMATCH", ["the checkpoint does not fit the model", ...lines].join("\n"), {
      missing,
      surplus,
      misfits,
    });
  }
  return feeds;
}

/**
 * The program that makes a weight of its tensor. Feeds that need the same have programs with the same text.
 *
 * @param dtype  how the weight will lie in memory
 */
export function loadGraph({ param: declared, tensor, interleaved }: Feed, dtype: DType): Graph {
  return trace("load", ({ input }) => {
    const packed = isPacked(tensor.format);
    const names = tensor.type.shape.map((_, n) => (packed ? packedName(n, tensor.type.shape.length) : `d${n}`));
    const stored = input(
      "stored",
      tensor.type.dtype,
      ...tensor.type.shape.map((size, n) => ({ name: names[n] as string, size })),
    );
    const values = packed ? unpackBlocks(tensor.format, stored, `d${tensor.shape.length - 1}`) : stored;
    const grouped = group(declared.axes, tensor.shape) as readonly (readonly Axis[])[];
    const split = grouped.reduce(
      (x, axes, n) => splitDimension(x, `d${n}`, axes, interleaved),
      values as Tensor<string>,
    );
    return { weight: split.cast(dtype) };
  });
}

// Implementation

/** Axes of raw blocks: rows, then the blocks of a row, then the bytes of a block. */
function packedName(n: number, rank: number): string {
  if (n === rank - 1) return "byte";
  return n === rank - 2 ? "block" : `d${n}`;
}

/** One flat dimension as the axes that it holds. */
function splitDimension(
  x: Tensor<string>,
  flat: string,
  axes: readonly Axis[],
  interleaved: string | undefined,
): Tensor<string> {
  const turned = axes.find(({ name }) => name === interleaved);
  // Rows that alternate between the halves are an axis of halves inside one of pairs.
  const written = axes.flatMap((axis) =>
    axis === turned
      ? [
          { name: "pair", size: axis.size / 2 },
          { name: "half", size: 2 },
        ]
      : [axis],
  );
  const split = x.split(flat, written as never) as unknown as Tensor<string>;
  return turned === undefined ? split : (split.merge(["half", "pair"], turned as never) as unknown as Tensor<string>);
}

/** Which consecutive axes make up each dimension; undefined where they don't. */
function group(axes: readonly Axis[], shape: readonly number[]): readonly (readonly Axis[])[] | undefined {
  const rest = [...axes];
  const groups = shape.map((size) => {
    const taken: Axis[] = [];
    let product = 1;
    while (rest.length > 0 && (product < size || (rest[0] as Axis).size === 1)) {
      const next = rest.shift() as Axis;
      taken.push(next);
      product *= next.size;
    }
    return product === size ? taken : undefined;
  });
  return rest.length > 0 || groups.includes(undefined) ? undefined : (groups as Axis[][]);
}

function misfit({ axes }: Param, { format, shape, type }: StoredTensor): string | undefined {
  if (group(axes, shape) === undefined) return `found [${shape.join(", ")}], wanted ${formatAxes(axes)}`;
  const plain = ["f16", "bf16", "f32", "f64"].includes(type.dtype);
  if (!plain && !isPacked(format))
    return `found elements of ${format}, wanted floats (F32, F16, BF16) or blocks (Q8_0, Q4_0, Q4_1)`;
  return undefined;
}

/** At most ten of a list: a file of another model differs in everything. */
function section(title: string, entries: readonly string[]): string[] {
  if (entries.length === 0) return [];
  const more = entries.length > 10 ? [`    and ${entries.length - 10} more`] : [];
  return [`  ${title} (${entries.length})`, ...entries.slice(0, 10).map((entry) => `    ${entry}`), ...more];
}
