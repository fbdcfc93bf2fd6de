/**
 * What the compiler hands on: text, and how to call it.
 *
 * The signature is all that the runtime needs to bind weights, state and inputs by name: it never reads the text.
 */
import type { DType } from "../dsl/dtype.ts";

/** One argument or result of `@main`, in the memory order that the compiler chose. */
export interface ProgramValue {
  /** A path through the function's argument or result tree, such as `weights.layers.3.attn.q` or `logits`. */
  readonly name: string;
  readonly dtype: DType;
  /** Axis names, outermost first. */
  readonly axes: readonly string[];
  /** The sizes of `axes`. */
  readonly shape: readonly number[];
}

/** An argument. */
export interface ProgramArgument extends ProgramValue {
  /** The index of the result that takes over this argument's memory, when it is donated. */
  readonly donatedTo?: number | undefined;
}

/** How to call a program. */
export interface Signature {
  readonly arguments: readonly ProgramArgument[];
  readonly results: readonly ProgramValue[];
}

/** A lowered function. The same graph and target give the same bytes. */
export interface Program {
  readonly name: string;
  /** StableHLO with locations, as MLIR prints it. */
  readonly text: string;
  readonly signature: Signature;
}
