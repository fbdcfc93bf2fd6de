/**
 * The ways in which a file keeps a weight. A kind of source is one entry of the table below: which tensors it names, what
 * each of them holds, and how the weight is made of them.
 *
 * A new kind: its interface, its place in `SourceKinds`, its entry in `readings`.
 */
import { type Axis, InputError, type PackedPart, packings, type Tensor } from "../../dsl/index.ts";
import { type PackedTensors, readElements, readPacked, repackMxfp4, type Stored, stackAlong } from "./read-tensor.ts";
import type { Piece, Rows, StoredTensor } from "./stored-tensor.ts";

// Public API

/** One tensor. */
export interface TensorSource {
  readonly kind: "tensor";
  readonly key: string;
  /** An axis along which the two halves alternate in the file: 0, half, 1, half + 1, … */
  readonly interleaved?: string | undefined;
  /** The axes as the file has them, outermost first; absent is as they are declared. */
  readonly order?: readonly string[] | undefined;
  /** The rows of the file's tensor that are this weight; absent is all of them. */
  readonly rows?: Rows | undefined;
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

/**
 * One more than what the file holds, as Gemma keeps the scales of its norms (transformers, modeling_gemma.py,
 * `GemmaRMSNorm`). Added in f32, then held as any other weight.
 */
export interface OnePlusSource {
  readonly kind: "onePlus";
  readonly of: TensorSource;
}

/** Where a layout keeps a weight. */
export type Source = SourceKinds[keyof SourceKinds];

/** What is known of a source. */
export interface Reading {
  /** The names of its tensors, in order. */
  readonly keys: readonly string[];
  /** All that the program which reads it depends on: everything but the names of tensors. */
  readonly form: readonly unknown[];
  /** What each tensor holds of a weight with these axes; a sentence where such a weight cannot be kept so. */
  pieces(axes: readonly Axis[]): readonly Piece[] | string;
  /** The elements of the weight. */
  values(axes: readonly Axis[], tensors: readonly Stored[]): Tensor<string>;
  /** Whether the file holds MXFP4, so that it can stay so in memory. */
  isMxfp4(tensors: readonly StoredTensor[]): boolean;
  /** MXFP4's blocks and scales as memory has them; absent where the elements are never packed so. */
  readonly mxfp4?: (axes: readonly Axis[], tensors: readonly Stored[]) => PackedTensors;
}

/** What is known of this source. */
export function readingOf(source: Source): Reading {
  // The table pairs each kind with its own source; TypeScript does not follow that through a union.
  return (readings[source.kind] as (source: Source) => Reading)(source);
}

// Implementation

interface SourceKinds {
  readonly tensor: TensorSource;
  readonly mxfp4: PackedSource;
  readonly stack: StackSource;
  readonly onePlus: OnePlusSource;
}

const readings: { readonly [K in keyof SourceKinds]: (source: SourceKinds[K]) => Reading } = {
  tensor: oneTensor,

  mxfp4({ blocks, scales }) {
    return {
      keys: [blocks, scales],
      form: ["mxfp4"],
      pieces(axes) {
        const parts = mxfp4Parts(axes);
        if (typeof parts === "string") return `${blocks}: ${parts}`;
        return parts.map((part, n) => ({ key: n === 0 ? blocks : scales, axes: part.axes, isRaw: true }));
      },
      values(axes, tensors) {
        const packed = readPacked(axes, tensors);
        return packings.mxfp4.unpack([packed.blocks, packed.scales], axes, "f32");
      },
      isMxfp4: () => true,
      // Hugging Face's and OpenAI's form is the form in memory.
      mxfp4: readPacked,
    };
  },

  stack({ along, of }) {
    const parts = of.map(oneTensor);
    const keys = parts.flatMap((part) => part.keys);
    const within = (axes: readonly Axis[]) => axes.filter(({ name }) => name !== along);
    return {
      keys,
      form: ["stack", along, ...parts.map(({ form }) => form)],
      pieces(axes) {
        const count = axes.find(({ name }) => name === along)?.size;
        if (count !== of.length) return `${keys.join(", ")}: found ${of.length} parts, wanted ${count}`;
        return parts.flatMap((part) => part.pieces(within(axes)));
      },
      values(axes, tensors) {
        const read = parts.map((part, n) => part.values(within(axes), tensors.slice(n, n + 1)));
        return stackAlong(along, read);
      },
      isMxfp4: areMxfp4,
      mxfp4(axes, tensors) {
        const packed = parts.map((part, n) => part.mxfp4(within(axes), tensors.slice(n, n + 1)));
        const stacked = (name: keyof PackedTensors) =>
          stackAlong(
            along,
            packed.map((each) => each[name]),
          );
        return { blocks: stacked("blocks"), scales: stacked("scales") };
      },
    };
  },

  onePlus({ of }) {
    const { keys, form, pieces, values } = oneTensor(of);
    return {
      keys,
      form: ["onePlus", form],
      pieces,
      values: (axes, tensors) => values(axes, tensors).cast("f32").add(1),
      // One more than a packed number is no packed number.
      isMxfp4: () => false,
    };
  },
};

/** What is known of one tensor: whatever the weight's axes are, it is one piece of them. */
interface TensorReading extends Reading {
  pieces(axes: readonly Axis[]): readonly Piece[];
  readonly mxfp4: (axes: readonly Axis[], tensors: readonly Stored[]) => PackedTensors;
}

function oneTensor({ key, interleaved, order, rows }: TensorSource): TensorReading {
  const inFile = (axes: readonly Axis[]) =>
    order === undefined ? axes : order.map((name) => axes.find((axis) => axis.name === name) as Axis);
  const piece = (axes: readonly Axis[]): Piece => ({ key, axes: inFile(axes), rows, interleaved });
  return {
    keys: [key],
    form: ["tensor", interleaved, order, rows],
    pieces: (axes) => [piece(axes)],
    values: (axes, [only]) => readElements(piece(axes), only as Stored),
    isMxfp4: areMxfp4,
    mxfp4: (axes, [only]) => repackMxfp4(inFile(axes), only as Stored),
  };
}

function areMxfp4(tensors: readonly StoredTensor[]): boolean {
  return tensors.length > 0 && tensors.every(({ format }) => format === "MXFP4");
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
