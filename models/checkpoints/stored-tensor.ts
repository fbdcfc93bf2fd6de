/** Tensors of a file as its index describes them, and which of a weight's axes they hold. */
import type { Axis, DType } from "../../dsl/index.ts";

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

/** The tensors of a file by name. */
export type StoredTensors = ReadonlyMap<string, StoredTensor>;

/** Rows of a tensor that several weights share. */
export interface Rows {
  readonly start: number;
  readonly count: number;
}

/** What one tensor of a file holds of a weight. */
export interface Piece {
  /** The tensor's name. */
  readonly key: string;
  /** The axes that it holds, outermost first. */
  readonly axes: readonly Axis[];
  /** Its rows that belong to the weight; absent is all of them. */
  readonly rows?: Rows | undefined;
  /** An axis along which the two halves alternate: 0, half, 1, half + 1, … */
  readonly interleaved?: string | undefined;
  /** Whether the tensor holds bytes of a packed form and no elements. */
  readonly isRaw?: boolean;
}

/** The shape of those rows of a tensor that belong to a weight. */
export function ownShape({ rows }: Pick<Piece, "rows">, { shape }: Pick<StoredTensor, "shape">): readonly number[] {
  return rows === undefined ? shape : [rows.count, ...shape.slice(1)];
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
