/**
 * From the tensors of a file to the weights of a model: which feeds which, and through what.
 *
 * Every declared weight is filled and every tensor is used once, or nothing is loaded. What has to happen to the bytes
 * on the way is a small traced program (./load-programs.ts), which the worker runs.
 */
import {
  type Axis,
  type Distribution,
  type DType,
  flattenParams,
  flattenUnused,
  formatAxes,
  InputError,
  type PackedPart,
  type Param,
  type ParamTree,
  packings,
} from "../dsl/index.ts";
import { isPacked, packedFormats } from "./block-formats.ts";

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
export type Source = TensorSource | PackedSource | StackSource;

/** No tensor: the weight is drawn at random, as its declaration says. */
export interface Drawn extends Distribution {
  readonly kind: "drawn";
}

/** One tensor. */
export interface TensorSource {
  readonly kind: "tensor";
  readonly key: string;
  /** An axis along which the two halves alternate in the file: 0, half, 1, half + 1, … */
  readonly interleaved?: string | undefined;
  /** The axes as the file has them, outermost first; absent is as they are declared. */
  readonly order?: readonly string[] | undefined;
  /** The rows of the file's tensor that are this weight; absent is all of them. */
  readonly rows?: { readonly start: number; readonly count: number } | undefined;
}

/** Two tensors of MXFP4: bytes of two elements, and a scale for each block. */
export interface PackedSource {
  readonly kind: "mxfp4";
  readonly blocks: string;
  readonly scales: string;
}

/** One source for each position of an axis. */
export interface StackSource {
  readonly kind: "stack";
  readonly along: string;
  readonly of: readonly TensorSource[];
}

/** The tensors of a file by name. */
export type StoredTensors = ReadonlyMap<string, StoredTensor>;

/** A layout of checkpoints. */
export interface CheckpointTable {
  /** @param tensors  what the file has, for layouts that come in several forms */
  source(param: Param, tensors: StoredTensors): Source;
  /** Tensors that a file may hold although no weight wants them. */
  readonly ignored: readonly RegExp[];
}

/** A weight and the tensors that fill it. */
export interface Feed {
  /** The weight's path in the model, such as `layers.3.attn.q`. */
  readonly path: string;
  readonly param: Param;
  readonly source: Source | Drawn;
  /** In the order in which the source names them. */
  readonly tensors: readonly StoredTensor[];
}

/**
 * Decides which tensor feeds which weight. A weight that is declared `untrained` and has no tensor is drawn; a tensor of
 * one that is declared `unused` is left.
 *
 * @param hint  lines that end the error, for who can do something about it
 * @throws InputError that lists weights without a tensor, tensors without a weight, and shapes or formats that don't fit
 */
export function matchCheckpoint(
  params: ParamTree,
  tensors: StoredTensors,
  table: CheckpointTable,
  hint: readonly string[] = [],
): readonly Feed[] {
  const feeds: Feed[] = [];
  const missing: string[] = [];
  const misfits: string[] = [];
  const uses = new Map<string, { readonly path: string; readonly rows: TensorSource["rows"] }[]>();
  for (const [path, declared] of flattenParams(params)) {
    const source = table.source(declared, tensors);
    if (declared.untrained !== undefined && keysOf(source).every((key) => !tensors.has(key))) {
      feeds.push({ path, param: declared, source: { kind: "drawn", ...declared.untrained }, tensors: [] });
      continue;
    }
    const found = keysOf(source).map((key, n) => {
      uses.set(key, [...(uses.get(key) ?? []), { path, rows: source.kind === "tensor" ? source.rows : undefined }]);
      const tensor = tensors.get(key);
      if (tensor === undefined) missing.push(`${key}  ${formatAxes(partAxes(declared, source, n))}  for ${path}`);
      return tensor;
    });
    if (found.includes(undefined)) continue;
    const stored = found as readonly StoredTensor[];
    misfits.push(...misfitsOf(declared, source, stored));
    feeds.push({ path, param: declared, source, tensors: stored });
  }
  for (const declared of flattenUnused(params)) {
    const source = table.source(declared, tensors);
    for (const key of keysOf(source)) {
      const rows = source.kind === "tensor" ? source.rows : undefined;
      if (tensors.has(key)) uses.set(key, [...(uses.get(key) ?? []), { path: "nobody", rows }]);
    }
  }
  misfits.push(...[...uses].flatMap(([key, users]) => overlaps(key, users, tensors.get(key))));
  const surplus = [...tensors.values()]
    .filter(({ name }) => !uses.has(name) && !table.ignored.some((pattern) => pattern.test(name)))
    .map(({ name, format, shape }) => `${name}  ${format} [${shape.join(", ")}]`);
  if (missing.length + misfits.length + surplus.length > 0) {
    const lines = [
      ...section("the model wants and the file lacks", missing),
      ...section("the file has and the model does not want", surplus),
      ...section("do not fit", misfits),
    ];
    throw new InputError(
      "CHECKPOINT_MISMATCH",
      ["the checkpoint does not fit the model", ...lines, ...hint].join("\n"),
      {
        missing,
        surplus,
        misfits,
      },
    );
  }
  return feeds;
}

/** The keys that a source names, in order. */
export function keysOf(source: Source): readonly string[] {
  switch (source.kind) {
    case "tensor":
      return [source.key];
    case "mxfp4":
      return [source.blocks, source.scales];
    case "stack":
      return source.of.flatMap(keysOf);
  }
}

/** Whether a feed is MXFP4 in its file, so that it can stay so in memory. */
export function isMxfp4({ source, tensors }: Pick<Feed, "source" | "tensors">): boolean {
  return source.kind === "mxfp4" || (tensors.length > 0 && tensors.every(({ format }) => format === "MXFP4"));
}

/** Which consecutive axes make up each dimension of a shape; undefined where they don't. */
export function groupAxes(axes: readonly Axis[], shape: readonly number[]): readonly (readonly Axis[])[] | undefined {
  const rest = [...axes];
  const groups = shape.map((size, n) => {
    const taken: Axis[] = [];
    let product = 1;
    // Each dimension holds at least one axis; axes of one beyond that belong to the last.
    const wantsMore = () => taken.length === 0 || product < size || (n === shape.length - 1 && rest[0]?.size === 1);
    while (rest.length > 0 && wantsMore()) {
      const next = rest.shift() as Axis;
      taken.push(next);
      product *= next.size;
    }
    return product === size && taken.length > 0 ? taken : undefined;
  });
  return rest.length > 0 || groups.includes(undefined) ? undefined : (groups as Axis[][]);
}

/** The axes of one part of a stack, or of a tensor in the file's order. */
export function sourceAxes(axes: readonly Axis[], source: Source): readonly Axis[] {
  if (source.kind === "stack") return axes.filter(({ name }) => name !== source.along);
  if (source.kind !== "tensor" || source.order === undefined) return axes;
  return source.order.map((name) => axes.find((axis) => axis.name === name) as Axis);
}

// Implementation

/** The axes of the tensor that the source names as its n-th. */
function partAxes({ axes }: Param, source: Source, n: number): readonly Axis[] {
  if (source.kind !== "mxfp4") return sourceAxes(axes, source);
  const parts = mxfp4Parts(axes);
  return typeof parts === "string" ? axes : (parts[n]?.axes ?? axes);
}

/** What MXFP4 makes of a weight, or why it can't. */
function mxfp4Parts(axes: readonly Axis[]): readonly PackedPart[] | string {
  try {
    return packings.mxfp4.parts(axes);
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
}

function misfitsOf({ axes }: Param, source: Source, tensors: readonly StoredTensor[]): string[] {
  switch (source.kind) {
    case "tensor":
      return tensorMisfits(sourceAxes(axes, source), source, tensors[0] as StoredTensor);
    case "stack": {
      const count = axes.find(({ name }) => name === source.along)?.size;
      if (count !== source.of.length)
        return [`${keysOf(source).join(", ")}: found ${source.of.length} parts, wanted ${count}`];
      return source.of.flatMap((part, n) => tensorMisfits(sourceAxes(axes, source), part, tensors[n] as StoredTensor));
    }
    case "mxfp4": {
      const parts = mxfp4Parts(axes);
      if (typeof parts === "string") return [`${source.blocks}: ${parts}`];
      return parts.flatMap(({ axes: wanted }, n) => {
        const { name, shape, type } = tensors[n] as StoredTensor;
        if (type.dtype !== "u8") return [`${name}: found elements of ${type.dtype}, wanted u8`];
        return groupAxes(wanted, shape) === undefined
          ? [`${name}: found [${shape.join(", ")}], wanted ${formatAxes(wanted)}`]
          : [];
      });
    }
  }
}

function tensorMisfits(
  axes: readonly Axis[],
  { rows }: TensorSource,
  { name, format, shape, type }: StoredTensor,
): string[] {
  const own = rows === undefined ? shape : [rows.count, ...shape.slice(1)];
  const isOutside = rows !== undefined && rows.start + rows.count > (shape[0] ?? 0);
  if (isOutside || groupAxes(axes, own) === undefined) {
    return [
      `${name}: found [${shape.join(", ")}], wanted ${formatAxes(axes)}${rows === undefined ? "" : ` in rows ${rows.start} to ${rows.start + rows.count - 1}`}`,
    ];
  }
  const isPlain = ["f16", "bf16", "f32", "f64"].includes(type.dtype);
  if (isPlain || isPacked(format)) return [];
  const blocks = packedFormats().join(", ");
  return [`${name}: found elements of ${format}, wanted floats (F32, F16, BF16) or blocks (${blocks})`];
}

/** A tensor is used once, or in rows that make it up. */
function overlaps(
  key: string,
  users: readonly { readonly path: string; readonly rows: TensorSource["rows"] }[],
  tensor: StoredTensor | undefined,
): string[] {
  if (tensor === undefined || (users.length === 1 && users[0]?.rows === undefined)) return [];
  const paths = users.map(({ path }) => path).join(", ");
  const rows = users.map((user) => user.rows);
  if (rows.includes(undefined)) return [`${key}: wanted by all of ${paths}`];
  const covered = rows.reduce((all, each) => all + (each?.count ?? 0), 0);
  return covered === tensor.shape[0] ? [] : [`${key}: found ${tensor.shape[0]} rows, and ${paths} want ${covered}`];
}

/** At most ten of a list: a file of another model differs in everything. */
function section(title: string, entries: readonly string[]): string[] {
  if (entries.length === 0) return [];
  const more = entries.length > 10 ? [`    and ${entries.length - 10} more`] : [];
  return [`  ${title} (${entries.length})`, ...entries.slice(0, 10).map((entry) => `    ${entry}`), ...more];
}
