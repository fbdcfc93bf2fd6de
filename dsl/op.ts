/**
 * What an op is: one value, in one file of ops/, with its rule, its lowering and its cost.
 *
 * Nothing elsewhere asks which op a node holds: what differs between ops is a property here.
 */
import type { Axis } from "./axes.ts";
import { formatAxes } from "./axes.ts";
import type { Emitter, Ssa } from "./emitter.ts";
import { type ErrorFields, ShapeError } from "./errors.ts";
import { describeOrigin, type Scope, type Value, type ValueType } from "./graph.ts";

// Public API

/** An op of the language. `Attributes` is what it is told besides its operands. */
export interface Op<Attributes = never> {
  readonly name: string;
  /** Its location carries the path of its module alone, without the op's name. */
  readonly nameless?: true;

  /**
   * Checks operands and says what comes out.
   *
   * @throws ShapeError with both operands, their axes and their lines
   */
  infer(inputs: readonly Value[], attributes: Attributes, scopes: readonly Scope[]): readonly ValueType[];

  /** Emits StableHLO. One result for each of `infer`'s; memory order is free. */
  lower(e: Emitter, inputs: readonly Ssa[], attributes: Attributes, scopes: readonly Scope[]): readonly Ssa[];

  /** Floating-point operations; absent means one for each element of the result. */
  flops?(inputs: readonly ValueType[], attributes: Attributes): number;
}

/** Declares an op. */
export function defineOp<Attributes = object>(op: Op<Attributes>): Op {
  // Attributes are checked by the op's own method and read by the op alone, so the rest of the house need not know them.
  return op as Op;
}

/** An operand as an error shows it. */
export type Operand = readonly [role: string, value: Value | number | string];

/**
 * A trace error: what is wrong, each operand with its axes and line, and a hint.
 *
 * @param hint  something to paste or to do; left out when there is nothing better than the sentence
 */
export function shapeError(
  code: string,
  sentence: string,
  operands: readonly Operand[],
  hint?: string,
  fields: ErrorFields = {},
): ShapeError {
  const rows = operands.map(([role, value]) => {
    if (typeof value !== "object") return [role, String(value), "", ""];
    const { what, where } = describeOrigin(value);
    return [role, what, `${value.dtype} ${formatAxes(value.axes)}`, where];
  });
  const width = (column: number) => Math.max(0, ...rows.map((row) => (row[column] as string).length));
  const lines = rows.map(
    (row) =>
      `  ${row
        .map((cell, column) => cell.padEnd(width(column)))
        .join("  ")
        .trimEnd()}`,
  );
  if (hint !== undefined) lines.push(`  hint  ${hint}`);
  return new ShapeError(code, [sentence, ...lines].join("\n"), {
    ...fields,
    operands: operands.map(([role, value]) =>
      typeof value !== "object" ? { role, value } : { role, axes: value.axes, ...describeOrigin(value) },
    ),
  });
}

/** Refuses tensors that have no axis like `over`. */
export function requireAxis(op: string, over: Axis, among: readonly (readonly [path: string, value: Value])[]): void {
  for (const [path, value] of among) {
    const size = value.axes.find(({ name }) => name === over.name)?.size;
    if (size === over.size) continue;
    throw shapeError(
      size === undefined ? "AXIS_MISSING" : "SIZE_MISMATCH",
      `${op} over '${over.name}' of ${over.size}: ${path === "" ? "the tensor" : `'${path}'`} has ${size === undefined ? "no such axis" : `${size}`}`,
      [[path || "tensor", value]],
      undefined,
      { axis: over.name, wanted: over.size, found: size },
    );
  }
}

/** The axis of `value` called `name`. @throws ShapeError that names the op and what the operand has */
export function axisOf(op: string, value: Value, name: string, role = "operand"): Axis {
  const found = value.axes.find((axis) => axis.name === name);
  if (found !== undefined) return found;
  throw shapeError("AXIS_MISSING", `${op} over '${name}': the ${role} has no such axis`, [[role, value]], undefined, {
    axis: name,
  });
}

/** Refuses axes that the operand lacks, or one named twice. */
export function requireAxes(op: string, x: Value, over: readonly string[]): void {
  for (const name of over) axisOf(op, x, name);
  if (new Set(over).size < over.length) {
    throw shapeError("AXIS_TWICE", `${op} over ${over.map((name) => `'${name}'`).join(", ")}: an axis is named twice`, [
      ["operand", x],
    ]);
  }
}

/** Refuses when an axis that both operands have is longer on one side. */
export function requireEqualSizes(
  op: string,
  left: Value,
  right: Value,
  roles: readonly [string, string] = ["left", "right"],
): void {
  for (const { name, size } of right.axes) {
    const own = left.axes.find((axis) => axis.name === name)?.size;
    if (own === undefined || own === size) continue;
    throw shapeError(
      "SIZE_MISMATCH",
      `${op}: axis '${name}' has ${own} ${place(roles[0])}, ${size} ${place(roles[1])}`,
      [
        [roles[0], left],
        [roles[1], right],
      ],
      sizeHint(name, own, size),
      { axis: name, left: own, right: size },
    );
  }
}

/** Why two operands do not have the same axes, element type and sizes but along one axis; nothing when they do. */
export function difference(
  along: string,
  [role, x]: readonly [role: string, value: Value],
  [otherRole, other]: readonly [role: string, value: Value],
): string | undefined {
  for (const { name, size } of x.axes) {
    const found = other.axes.find((axis) => axis.name === name);
    if (found === undefined) return `the ${otherRole} lacks axis '${name}'`;
    if (name !== along && found.size !== size) {
      return `axis '${name}' has ${size} in the ${role}, ${found.size} in the ${otherRole}`;
    }
  }
  const extra = other.axes.find(({ name }) => !x.axes.some((axis) => axis.name === name));
  if (extra !== undefined) return `the ${role} lacks axis '${extra.name}'`;
  return other.dtype === x.dtype ? undefined : `the ${role} is ${x.dtype}, the ${otherRole} ${other.dtype}`;
}

/** What one of two sizes might be, where one is a multiple of the other. */
export function sizeHint(name: string, left: number, right: number): string | undefined {
  const [small, large] = left < right ? [left, right] : [right, left];
  if (small === 1 || large % small !== 0) return undefined;
  const times = large / small;
  return (
    `${large} = ${times} × ${small}: a flat dimension may hold ${times === 2 ? "a pair" : `${times} parts`}; ` +
    `split it where the parameter is declared, param(key, …, ax.part, ax.${name})`
  );
}

// Implementation

const place = (role: string): string => (role === "left" || role === "right" ? `on the ${role}` : `in the ${role}`);
