/**
 * What ops refuse while tracing, and how they say it: axes that are missing, taken or of two sizes, and element types
 * that don't fit. Each names the op, the operands, and the axis.
 */
import type { Axis } from "./axes.ts";
import { dtypes, holds, isFloat, type Kind, meet } from "./dtype.ts";
import type { Value } from "./graph.ts";
import { type Operand, shapeError } from "./shape-error.ts";

// Public API

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

/**
 * Refuses an axis whose name is taken.
 *
 * @param others  the axes that it will stand beside, when they aren't all those of `x`
 */
export function requireFresh(op: string, x: Value, added: Axis, others: readonly Axis[] = x.axes): void {
  if (!others.some(({ name }) => name === added.name)) return;
  const own = x.axes.some(({ name }) => name === added.name);
  throw shapeError(
    "AXIS_TAKEN",
    own ? `${op}: axis '${added.name}' already exists` : `${op}: axis '${added.name}' is named twice`,
    [["operand", x]],
    own ? `rename one of the two: x.rename("${added.name}", …)` : undefined,
    { axis: added.name },
  );
}

/** Refuses a number that the operand's element type lacks. */
export function requireHeld(
  op: string,
  left: Value,
  number: number,
  roles: readonly [string, string] = ["left", "right"],
): void {
  if (holds(left.dtype, number)) return;
  throw shapeError(
    "NUMBER_RANGE",
    `${op}: ${number} is not a value of ${left.dtype}`,
    [
      [roles[0], left],
      [roles[1], number],
    ],
    undefined,
    { dtype: left.dtype, number },
  );
}

/** Refuses a right operand with axes that the left one lacks, or with other sizes, or a number it cannot hold. */
export function requireWithin(op: string, left: Value, right: Value | undefined, scalar?: number): void {
  if (right === undefined) {
    requireHeld(op, left, scalar as number);
    return;
  }
  const extra = right.axes.filter(({ name }) => !left.axes.some((axis) => axis.name === name));
  if (extra.length > 0) {
    const list = extra.map(({ name }) => `'${name}'`).join(", ");
    throw shapeError(
      "AXIS_EXTRA",
      `${op}: the right operand has ${list}, which the left one lacks`,
      [
        ["left", left],
        ["right", right],
      ],
      `the left operand owns the axes: swap the two, or left.broadcast(${extra.map(({ name }) => `ax.${name}`).join(", ")})`,
      { axes: extra.map(({ name }) => name) },
    );
  }
  requireEqualSizes(op, left, right);
}

/**
 * Refuses a right operand that cannot silently become the left's element type: truth and numbers, fractions and
 * integers, integers that might not fit. Floats round, as everywhere in the language.
 */
export function requireConvertible(op: string, left: Value, right: Value | undefined): void {
  if (right === undefined || (isFloat(left.dtype) && right.dtype !== "bool")) return;
  if (meet(left.dtype, right.dtype) === left.dtype) return;
  const hint = left.dtype === "bool" ? "right.ne(0)" : `right.cast("${left.dtype}")`;
  throw shapeError(
    "DTYPE",
    `${op}: the left operand is ${left.dtype}, and not every ${right.dtype} is a value of that`,
    [
      ["left", left],
      ["right", right],
    ],
    hint,
    { left: left.dtype, right: right.dtype },
  );
}

/**
 * Refuses an operand whose kind of element the op does not take.
 *
 * @param beside  the operands that the error shows before this one
 */
export function requireKind(
  op: string,
  x: Value,
  kinds: readonly Kind[],
  role = "operand",
  beside: readonly Operand[] = [],
): void {
  const { kind } = dtypes[x.dtype];
  if (kinds.includes(kind)) return;
  const wanted =
    kinds.length === 1
      ? kindNames[kinds[0] as Kind]
      : `${kinds
          .slice(0, -1)
          .map((each) => kindNames[each])
          .join(", ")} or ${kindNames[kinds.at(-1) as Kind]}`;
  const subject =
    role === "left" || role === "right" ? `the ${role} operand is` : `the ${role} ${role.endsWith("s") ? "are" : "is"}`;
  // Numbers become truth by a comparison, which says what is true of them; a cast would only say that they are not 0.
  const hint =
    kinds[0] === "bool"
      ? `${role}.ne(0)`
      : `${role}.cast("${kinds.includes("float") ? "f32" : kinds[0] === "uint" ? "u32" : "i32"}")`;
  throw shapeError("DTYPE", `${op} takes ${wanted}, and ${subject} ${x.dtype}`, [...beside, [role, x]], hint, {
    dtype: x.dtype,
    kinds,
  });
}

// Implementation

const kindNames: Readonly<Record<Kind, string>> = {
  bool: "bool",
  int: "signed integers",
  uint: "unsigned integers",
  float: "floats",
};

const place = (role: string): string => (role === "left" || role === "right" ? `on the ${role}` : `in the ${role}`);
