/** Why an operation is not what it was, in words: its kind, its operands, its axes. */

import type { Value } from "../mlir/module.ts";
import { split } from "../mlir/scan.ts";
import type { Alignment } from "./align.ts";
import { namedForm } from "./form.ts";
import { type Describer, formatAxes, formatPlace, shortKind, type TypeParts } from "./values.ts";
import type { Step } from "./walk.ts";

// Public API

/** Both sides, for those who write about them. */
export interface Sides {
  readonly before: Describer;
  readonly after: Describer;
}

/** A sentence for everything that differs between a step and its counterpart. */
export function reasonsFor(step: Step, twin: Step, sides: Sides, alignment: Alignment): string[] {
  const [own, other] = [step.operation, twin.operation];
  const reasons: string[] = [];
  if (own.kind !== other.kind) reasons.push(`operation: ${shortKind(own.kind)} → ${shortKind(other.kind)}`);
  const [form, otherForm] = [namedForm(own, sides.before), namedForm(other, sides.after)];
  if (own.kind === other.kind && form !== otherForm) reasons.push(...differenceOfForms(form, otherForm));
  const count = Math.max(own.operands.length, other.operands.length);
  for (let n = 0; n < count; n++) {
    const [value, theirs] = [own.operands[n], other.operands[n]];
    if (value === undefined && theirs !== undefined)
      reasons.push(`operand ${n + 1} is new: ${madeBy(theirs, sides.after, alignment.after.stepOf)}`);
    else if (theirs === undefined && value !== undefined)
      reasons.push(`operand ${n + 1} is gone: ${madeBy(value, sides.before, alignment.before.stepOf)}`);
    else if (value !== undefined && theirs !== undefined && !alignment.corresponds(value, theirs)) {
      const [was, is] = [
        madeBy(value, sides.before, alignment.before.stepOf),
        madeBy(theirs, sides.after, alignment.after.stepOf),
      ];
      reasons.push(`operand ${count === 1 ? "" : `${n + 1} `}was ${was}, is ${is}`);
    }
  }
  const results = own.results.flatMap((value, n) => {
    const theirs = other.results[n];
    return theirs === undefined ? [] : differenceOfTypes(value, theirs, sides);
  });
  return [...reasons, ...new Set(results)];
}

/** What differs between the types of two values, axis by axis. */
export function differenceOfTypes(value: Value, theirs: Value, sides: Sides): string[] {
  if (value.type === theirs.type && String(sides.before.axesOf(value)) === String(sides.after.axesOf(theirs)))
    return [];
  const [was, is] = [sides.before.parts(value), sides.after.parts(theirs)];
  if (was?.names === undefined || is?.names === undefined) {
    return value.type === theirs.type ? [] : [`type: ${value.type} → ${theirs.type}`];
  }
  const reasons = was.dtype === is.dtype ? [] : [`elements: ${was.dtype} → ${is.dtype}`];
  return [...reasons, ...differenceOfAxes(was, is)];
}

// Implementation

/** Attribute by attribute, where both sides have as many. */
function differenceOfForms(was: string, is: string): string[] {
  const [from, to] = [split(was, ", "), split(is, ", ")];
  if (from.length !== to.length) return [`${was || "nothing"} → ${is || "nothing"}`];
  return from.flatMap((part, n) => (part === to[n] ? [] : [`${part} → ${to[n]}`]));
}

function differenceOfAxes(was: TypeParts, is: TypeParts): string[] {
  const [from, to] = [was, is].map(({ names, sizes }) => new Map((names ?? []).map((name, n) => [name, sizes[n]])));
  const reasons: string[] = [];
  for (const [name, size] of from ?? []) {
    const now = to?.get(name);
    if (now === undefined) reasons.push(`axis '${name}' of ${size} is gone`);
    else if (now !== size) reasons.push(`axis '${name}': ${size} → ${now}`);
  }
  for (const [name, size] of to ?? []) if (!from?.has(name)) reasons.push(`axis '${name}' of ${size} is new`);
  if (reasons.length === 0 && String(was.names) !== String(is.names)) {
    reasons.push(`memory order: ${formatAxes(was)} → ${formatAxes(is)}`);
  }
  return reasons;
}

function madeBy(value: Value, side: Describer, stepOf: (operation: NonNullable<Value["maker"]>) => Step): string {
  if (value.maker === undefined) return side.name(value);
  const place = formatPlace(side.placeOf(stepOf(value.maker)));
  return `${side.name(value)}${place === "" ? "" : ` of ${place}`}`;
}
