/** One operation before it has a place: what it makes, and its text. */
import type { Emitter, Ssa } from "../../dsl/emitter.ts";
import { Handle, type Piece, type Region } from "../stablehlo.ts";

// Public API

/** An operation's results, and its text. */
export interface Form {
  readonly results: readonly Handle[];
  readonly pieces: readonly Piece[];
  /** The name that MLIR suggests for the result; absent numbers it. */
  readonly suggested?: string;
  readonly regions?: readonly Region[];
  /** What follows the regions. */
  readonly tail?: string;
}

/** An emitter that also takes forms: what several operations together are written with. */
export interface FormEmitter extends Emitter {
  /** Writes an operation with one result. */
  add(form: Form): Handle;
}

/** The compiler makes every `Ssa` that an op holds. */
export function handle(x: Ssa): Handle {
  return x as Handle;
}

/** A value of the same type. */
export function alike({ dtype, dims }: Handle): Handle {
  return new Handle(dtype, dims);
}
