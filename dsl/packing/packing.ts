/** What a packed form of a weight is: the tensors that lie in memory, and the two ways between them and the elements. */
import type { Axis } from "../axes.ts";
import type { DType } from "../dtype.ts";
import type { Tensor } from "../tensor.ts";

/** One of the tensors that make up a packed weight. */
export interface PackedPart {
  /** What is added to the weight's path: `blocks`, `scales`. */
  readonly name: string;
  readonly dtype: DType;
  /** In memory order, outermost first. */
  readonly axes: readonly Axis[];
}

/** A packed form. The last axis of a weight is the one that is packed: a product contracts it. */
export interface Packing {
  /** Elements that would come back otherwise are refused, and not rounded. */
  readonly lossless?: true;
  /** Only the matrices of experts can be held so: no checkpoint has others in four bits. */
  readonly expertsOnly?: true;
  /** @throws InputError when the last axis cannot be packed so */
  parts(of: readonly Axis[]): readonly PackedPart[];
  /** The elements, in `dtype`. */
  unpack(parts: readonly Tensor<string>[], of: readonly Axis[], dtype: DType): Tensor<string>;
  /** The nearest packed form of elements in f32; absent where none is made here. */
  pack?(values: Tensor<string>, of: readonly Axis[]): readonly Tensor<string>[];
}
