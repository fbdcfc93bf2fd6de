/**
 * From the tensors of a file to the weights of a model: which feeds which, and through what.
 *
 * Every declared weight is filled and every tensor is used once, or nothing is loaded. What has to happen to the bytes
 * on the way is a small traced program (./load-programs.ts), which the worker runs.
 */
import {
  type Distribution,
  flattenParams,
  flattenUnused,
  formatAxes,
  InputError,
  type Param,
  type ParamTree,
} from "../../dsl/index.ts";
import { isPacked, packedFormats } from "./block-formats.ts";
import { readingOf, type Source } from "./sources.ts";
import { groupAxes, ownShape, type Piece, type Rows, type StoredTensor, type StoredTensors } from "./stored-tensor.ts";

// Public API

/** No tensor: the weight is drawn at random, as its declaration says. */
export interface Drawn extends Distribution {
  readonly kind: "drawn";
}

/** A layout of checkpoints. */
export interface CheckpointTable {
  /** @param tensors  what the file has, for layouts that come in several forms */
  source(param: Param, tensors: StoredTensors): Source;
  /** Tensors that a file may hold although no weight wants them. */
  readonly ignored: readonly RegExp[];
}

/** The layouts that an architecture's files come in. */
export interface CheckpointTables {
  readonly huggingFace: CheckpointTable;
  readonly gguf: CheckpointTable;
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
  const uses = new Map<string, Use[]>();
  const use = (key: string, by: Use) => void uses.set(key, [...(uses.get(key) ?? []), by]);
  for (const [path, declared] of flattenParams(params)) {
    const source = table.source(declared, tensors);
    const { keys, pieces } = readingOf(source);
    if (declared.untrained !== undefined && keys.every((key) => !tensors.has(key))) {
      feeds.push({ path, param: declared, source: { kind: "drawn", ...declared.untrained }, tensors: [] });
      continue;
    }
    const wanted = pieces(declared.axes);
    const found = keys.map((key, n) => {
      const piece = typeof wanted === "string" ? undefined : wanted[n];
      use(key, { path, rows: piece?.rows });
      const tensor = tensors.get(key);
      if (tensor === undefined) missing.push(`${key}  ${formatAxes(piece?.axes ?? declared.axes)}  for ${path}`);
      return tensor;
    });
    if (found.includes(undefined)) continue;
    const stored = found as readonly StoredTensor[];
    if (typeof wanted === "string") misfits.push(wanted);
    else misfits.push(...wanted.flatMap((piece, n) => misfitsOf(piece, stored[n] as StoredTensor)));
    feeds.push({ path, param: declared, source, tensors: stored });
  }
  for (const declared of flattenUnused(params)) {
    const { keys, pieces } = readingOf(table.source(declared, tensors));
    const left = pieces(declared.axes);
    keys.forEach((key, n) => {
      const rows = typeof left === "string" ? undefined : left[n]?.rows;
      if (tensors.has(key)) use(key, { path: "nobody", rows });
    });
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

/** Whether a feed is MXFP4 in its file, so that it can stay so in memory. */
export function isMxfp4({ source, tensors }: Pick<Feed, "source" | "tensors">): boolean {
  return source.kind !== "drawn" && readingOf(source).isMxfp4(tensors);
}

// Implementation

/** A weight that a tensor is for, and its rows of it. */
interface Use {
  readonly path: string;
  readonly rows: Rows | undefined;
}

function misfitsOf(piece: Piece, tensor: StoredTensor): string[] {
  const { axes, rows, isRaw = false } = piece;
  const { name, format, shape, type } = tensor;
  if (isRaw && type.dtype !== "u8") return [`${name}: found elements of ${type.dtype}, wanted u8`];
  const isOutside = rows !== undefined && rows.start + rows.count > (shape[0] ?? 0);
  if (isOutside || groupAxes(axes, ownShape(piece, tensor)) === undefined) {
    const within = rows === undefined ? "" : ` in rows ${rows.start} to ${rows.start + rows.count - 1}`;
    return [`${name}: found [${shape.join(", ")}], wanted ${formatAxes(axes)}${within}`];
  }
  const isPlain = ["f16", "bf16", "f32", "f64"].includes(type.dtype);
  if (isRaw || isPlain || isPacked(format)) return [];
  const blocks = packedFormats().join(", ");
  return [`${name}: found elements of ${format}, wanted floats (F32, F16, BF16) or blocks (${blocks})`];
}

/** A tensor is used once, or in rows that make it up. */
function overlaps(key: string, users: readonly Use[], tensor: StoredTensor | undefined): string[] {
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
