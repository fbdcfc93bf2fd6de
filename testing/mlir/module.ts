/** A StableHLO text as data: what `read-module.ts` makes of it, and what two texts are compared by. */

/** Where TypeScript made something, as a location of the text says it. */
export interface Place {
  /** The module's path and the op, such as `attn.q.dot`, or an argument's name. */
  readonly name?: string;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
}

/** A text's module. */
export interface ModuleText {
  readonly name: string;
  /** What stands between the name and the brace, such as `attributes {…}`; mostly nothing. */
  readonly attributes: string;
  /** What stands before the functions, such as the mesh of devices. */
  readonly preamble: readonly string[];
  readonly functions: readonly FunctionText[];
}

/** A function. */
export interface FunctionText {
  readonly name: string;
  readonly visibility: string;
  readonly arguments: readonly ArgumentText[];
  readonly results: readonly ResultText[];
  readonly body: Block;
}

/** What a function returns. */
export interface ResultText {
  readonly type: string;
  /** Such as a sharding; mostly nothing. */
  readonly attributes: string;
}

/** An argument of a function. */
export interface ArgumentText {
  readonly value: Value;
  /** Such as `tf.aliasing_output = 0 : i32`; mostly nothing. */
  readonly attributes: string;
  readonly place: Place | undefined;
}

/** A block: its arguments, its operations in order, and what ends it. */
export interface Block {
  readonly arguments: readonly Value[];
  readonly operations: readonly Operation[];
  readonly terminator: Operation;
}

/** One operation, or the terminator of a block. */
export interface Operation {
  /** Such as `stablehlo.add`; inside a function the dialect `func` is left out, as in `call`. */
  readonly kind: string;
  /** All that is written between the kind and the types, with `_` for each operand. */
  readonly form: string;
  readonly operands: readonly Value[];
  readonly results: readonly Value[];
  /** The types as they are written, of operands too. */
  readonly types: string;
  readonly regions: readonly Block[];
  readonly place: Place | undefined;
  /** Of the text, from 1. */
  readonly line: number;
}

/** A value, as whoever uses it sees it. */
export interface Value {
  /** As it is written, such as `%3#1`. */
  readonly name: string;
  /** Such as `tensor<2x8xf32>`. */
  readonly type: string;
  /** Among the arguments or the results that it belongs to. */
  readonly index: number;
  /** What makes it; absent for arguments of functions and blocks. */
  readonly maker: Operation | undefined;
}
