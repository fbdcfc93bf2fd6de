/**
 * StableHLO as data: functions of instructions, before they have names.
 *
 * An instruction carries the text of its own form, with holes for the names of values, since names depend on the whole
 * function. Types are text already: they depend on nothing.
 */
import type { Axis } from "../dsl/axes.ts";
import { type DType, dtypes } from "../dsl/dtype.ts";
import type { Ssa } from "../dsl/emitter.ts";
import type { Location } from "../dsl/location.ts";

// Public API

/** Where an instruction comes from: the module's path and the op, and the line. Absent means unknown. */
export interface Origin {
  readonly name: string;
  readonly at?: Location;
}

/** A value: a result of an instruction, or an argument of a block. */
export class Handle implements Ssa {
  readonly dtype: DType;
  readonly dims: readonly Axis[];
  readonly weight: boolean;
  readonly type: string;

  /** Whether it was converted from an element type of fewer bits, in which it still lies in memory. */
  readonly narrow: boolean;

  constructor(dtype: DType, dims: readonly Axis[], weight = false, narrow = false) {
    this.dtype = dtype;
    this.dims = dims;
    this.weight = weight;
    this.narrow = narrow;
    this.type = tensorType(dtype, dims);
  }
}

/** What stands between the results and the location: text, and handles whose names go in. */
export type Piece = string | Handle;

/** One operation. */
export interface Instruction {
  readonly results: readonly Handle[];
  /** The name that MLIR suggests for the result, such as `c`; absent numbers it. */
  readonly suggested?: string | undefined;
  readonly pieces: readonly Piece[];
  /** Its operands as its op sees them: a value may go by other names of axes than where it was made. */
  readonly operands: readonly Handle[];
  readonly regions: readonly Region[];
  /** How regions are written after the pieces. */
  readonly layout: "none" | "while" | "generic";
  /** What follows the regions. */
  readonly tail: string;
  readonly origin: Origin | undefined;
}

/** A block with arguments. */
export interface Region {
  readonly arguments: readonly Handle[];
  /** The names that MLIR suggests for arguments; absent numbers them as `arg`. */
  readonly suggested?: string | undefined;
  readonly body: readonly Instruction[];
  readonly returns: readonly Handle[];
}

/** A function. */
export interface Func {
  name: string;
  readonly visibility: "public" | "private";
  readonly arguments: readonly {
    readonly handle: Handle;
    readonly attributes: string;
    readonly origin: Origin | undefined;
  }[];
  readonly body: readonly Instruction[];
  readonly returns: readonly Handle[];
  /** An attribute of each result; absent, and none has one. */
  readonly returnAttributes?: readonly string[];
}

/** A module. */
export interface Module {
  readonly name: string;
  /** Operations that stand before the functions, such as a mesh. */
  readonly preamble: readonly string[];
  readonly functions: readonly Func[];
}

/** `tensor<2x8xf32>`. */
export function tensorType(dtype: DType, dims: readonly Axis[]): string {
  return `tensor<${dims.map(({ size }) => `${size}x`).join("")}${dtypes[dtype].stablehlo}>`;
}

/** One type as it is, several in parentheses: what follows an arrow. */
export function resultTypes(handles: readonly Handle[]): string {
  return handles.length === 1 ? (handles[0] as Handle).type : `(${typeList(handles)})`;
}

/** Types separated by commas. */
export function typeList(handles: readonly Handle[]): string {
  return handles.map(({ type }) => type).join(", ");
}

/** Handles separated by commas, as pieces. */
export function list(handles: readonly Handle[]): Piece[] {
  return handles.flatMap((handle, n) => (n === 0 ? [handle] : [", ", handle]));
}

/** A string as MLIR writes it: a backslash doubled, and what is no printable ASCII, or a quote, as two hexadecimal digits a byte. */
export function quote(text: string): string {
  // What nearly every text is: nothing to write otherwise.
  if (/^[ !#-[\]-~]*$/.test(text)) return `"${text}"`;
  const escaped = Array.from(new TextEncoder().encode(text), (byte) => {
    if (byte === 0x5c) return "\\\\";
    if (byte >= 0x20 && byte < 0x7f && byte !== 0x22) return String.fromCharCode(byte);
    return `\\${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  });
  return `"${escaped.join("")}"`;
}
