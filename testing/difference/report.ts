/** A difference as people read it: both sides of every operation, its axes, and the TypeScript that made it. */
import type { AxisNames } from "../../compiler/index.ts";
import type { Operation, Value } from "../mlir/module.ts";
import type { ArgumentChange, Change, FunctionDifference, ModuleDifference } from "./compare.ts";
import { describeOperation } from "./form.ts";
import { differenceOfTypes, reasonsFor, type Sides } from "./reasons.ts";
import { Describer, formatPlace, shortKind } from "./values.ts";
import type { Step, Walk } from "./walk.ts";

// Public API

/** A difference, written. */
export interface Report {
  /** `2 operations changed, 1 added`. */
  readonly summary: string;
  /** A block for each change, indented by two. */
  readonly text: string;
  readonly counts: Readonly<
    Record<"changed" | "added" | "removed" | "moved" | "following" | "arguments" | "other", number>
  >;
}

/** Writes a difference. No more than `most` operations and arguments are told of in full. */
export function reportDifference(difference: ModuleDifference, most = 20): Report {
  const counts = { changed: 0, added: 0, removed: 0, moved: 0, following: 0, arguments: 0, other: 0 };
  const blocks: string[] = [];
  const { names } = difference;
  if (names !== undefined) blocks.push(`  the module is called ${names.after}, and was ${names.before}`);
  const { preambles } = difference;
  if (preambles !== undefined) {
    const [was, is] = [preambles.before, preambles.after].map((lines) => lines.join("; ") || "nothing");
    blocks.push(`  ~ before the functions\n    - ${was}\n    + ${is}`);
  }
  for (const { before, after } of difference.renamed) blocks.push(`  function @${before} is called @${after} now`);
  for (const { name, body } of difference.removed)
    blocks.push(`  - function @${name}, of ${body.operations.length} operations, is gone`);
  for (const { name, body } of difference.added)
    blocks.push(`  + function @${name}, of ${body.operations.length} operations, is new`);
  counts.other = blocks.length;
  for (const each of difference.functions) {
    const { alignment, changes, following } = each;
    const own = new FunctionReport(each);
    for (const change of each.arguments.slice(0, most)) blocks.push(own.argument(change));
    if (each.arguments.length > most) blocks.push(`  … and ${each.arguments.length - most} more arguments`);
    counts.arguments += each.arguments.length;
    for (const { index, before, after } of each.results.slice(0, most)) {
      blocks.push(`  ~ result ${index} of @${alignment.after.func.name}: {${before}} → {${after}}`);
    }
    counts.other += each.results.length;
    for (const change of changes) {
      counts[change.kind]++;
      const told = counts.changed + counts.added + counts.removed + counts.moved;
      if (told <= most) blocks.push(own.change(change));
    }
    counts.following += following.length;
    if (following.length > 0) blocks.push(own.following(alignment.after.func.name));
  }
  const told = counts.changed + counts.added + counts.removed + counts.moved;
  if (told > most) blocks.push(`  … and ${told - most} more`);
  return { summary: summarise(counts), text: blocks.join("\n"), counts };
}

// Implementation

class FunctionReport {
  readonly #difference: FunctionDifference;
  readonly #sides: Sides;

  constructor(difference: FunctionDifference) {
    const { alignment, before, after } = difference;
    this.#difference = difference;
    const now = new Describer(alignment.after, after, () => undefined);
    const was = new Describer(alignment.before, before, (value) => borrow(value, difference, now));
    this.#sides = { before: was, after: now };
  }

  change(change: Change): string {
    const { before: was, after: is } = this.#sides;
    if (change.kind === "added") {
      return [this.#head("+", change.after, is, "is new"), this.#line("+", change.after, is)].join("\n");
    }
    if (change.kind === "removed") {
      return [this.#head("-", change.before, was, "is gone"), this.#line("-", change.before, was)].join("\n");
    }
    if (change.kind === "moved") {
      return [this.#head("~", change.after, is, "stands elsewhere"), this.#line(" ", change.after, is)].join("\n");
    }
    const { before: step, after: twin } = change;
    const reasons = reasonsFor(step, twin, this.#sides, this.#difference.alignment);
    const [place, placeBefore] = [formatPlace(is.placeOf(twin)), formatPlace(was.placeOf(step))];
    return [
      this.#head("~", twin, is, "changed"),
      this.#line("-", step, was, placeBefore === place ? "" : placeBefore),
      this.#line("+", twin, is),
      ...reasons.map((reason) => `      ${reason}`),
    ].join("\n");
  }

  argument(change: ArgumentChange): string {
    const { before: was, after: is } = this.#sides;
    const { func } = this.#difference.alignment.after;
    const own = (n: number) => this.#difference.alignment.before.func.arguments[n]?.value as Value;
    const theirs = (n: number) => func.arguments[n]?.value as Value;
    const where = func.name === "main" ? "" : ` of @${func.name}`;
    if (change.kind === "added") {
      return `  + argument ${is.name(theirs(change.after))}${where} is new: ${is.type(theirs(change.after))}`;
    }
    if (change.kind === "removed") {
      return `  - argument ${was.name(own(change.before))}${where} is gone: ${was.type(own(change.before))}`;
    }
    const [value, now] = [own(change.before), theirs(change.after)];
    if (change.kind === "moved") {
      return `  ~ argument ${is.name(now)}${where} stands at ${change.after}, and stood at ${change.before}`;
    }
    const [attributes, attributesNow] = [
      this.#difference.alignment.before.func.arguments[change.before]?.attributes ?? "",
      func.arguments[change.after]?.attributes ?? "",
    ];
    const reasons = differenceOfTypes(value, now, this.#sides);
    if (attributes !== attributesNow) reasons.push(`{${attributes}} → {${attributesNow}}`);
    return [
      `  ~ argument ${is.name(now)}${where} changed`,
      `    - ${was.type(value)}`,
      `    + ${is.type(now)}`,
      ...reasons.map((reason) => `      ${reason}`),
    ].join("\n");
  }

  /** One line for all operations whose types follow those of what they are given, with the axes that make them. */
  following(name: string): string {
    const { following } = this.#difference;
    const why = following.flatMap(({ before, after }) =>
      before.operation.results.flatMap((value, n) => {
        const theirs = after.operation.results[n];
        return theirs === undefined ? [] : differenceOfTypes(value, theirs, this.#sides);
      }),
    );
    const reasons = [...new Set(why)].slice(0, 4).join("; ");
    const operations = following.length === 1 ? "1 operation" : `${following.length} operations`;
    return `  ~ ${operations} of @${name} only follow${following.length === 1 ? "s" : ""}${reasons === "" ? "" : `: ${reasons}`}`;
  }

  #head(sign: string, step: Step, side: Describer, what: string): string {
    const { alignment } = this.#difference;
    const func = alignment.after.func.name;
    const place = formatPlace(side.placeOf(step));
    const inside = step.parent === undefined ? "" : ` in ${shortKind(step.parent.operation.kind)}`;
    return `  ${sign} ${shortKind(step.operation.kind)} ${what}${inside}${func === "main" ? "" : ` in @${func}`}${place === "" ? "" : `  ${place}`}`;
  }

  #line(sign: string, step: Step, side: Describer, place = ""): string {
    const { operation } = step;
    const types = typesOf(operation, side);
    const names = operation.results.length === 0 ? "" : `${operation.results[0]?.name.replace(/#\d+$/, "")} = `;
    const line = `    ${sign} ${names}${describeOperation(operation, side)}${types === "" ? "" : ` : ${types}`}`;
    return place === "" ? line : `${line}  ${place}`;
  }
}

/** The results' types, and those of operands that have another. */
function typesOf(operation: Operation, side: Describer): string {
  const results = operation.results.map((value) => side.type(value));
  const given = operation.operands.map((value, slot) => side.type(value, side.operandAxes(operation, slot)));
  const written = results.length === 1 ? (results[0] as string) : results.length === 0 ? "" : `(${results.join(", ")})`;
  const differ = given.some((type) => type !== results[0]);
  if (!differ || given.length === 0) return written;
  return results.length === 0 ? given.join(", ") : `(${given.join(", ")}) → ${written}`;
}

/** A value of the old side has the axes of its counterpart, when it has as many: its own were not written down. */
function borrow(value: Value, { alignment }: FunctionDifference, now: Describer): AxisNames | undefined {
  const twin = counterpart(value, alignment.before, alignment.after, alignment.forward, alignment.givenBefore);
  const axes = twin === undefined ? undefined : now.knownAxes(twin);
  const rank = (type: string) => type.split("x").length;
  return twin !== undefined && rank(twin.type) === rank(value.type) ? axes : undefined;
}

function counterpart(
  value: Value,
  before: Walk,
  after: Walk,
  forward: ReadonlyMap<Step, Step>,
  givenBefore: ReadonlyMap<number, number>,
): Value | undefined {
  if (value.maker !== undefined) return forward.get(before.stepOf(value.maker))?.operation.results[value.index];
  if (before.argumentOf(value).owner !== undefined) return undefined;
  const at = [...givenBefore].find(([, index]) => index === value.index)?.[0];
  return at === undefined ? undefined : after.func.arguments[at]?.value;
}

function summarise(counts: Report["counts"]): string {
  const many = (count: number, what: string) => `${count} ${what}${count === 1 ? "" : "s"}`;
  const operations = (["changed", "added", "removed", "moved"] as const).filter((kind) => counts[kind] > 0);
  const parts = operations.map((kind, n) => `${n === 0 ? many(counts[kind], "operation") : counts[kind]} ${kind}`);
  if (counts.arguments > 0) parts.unshift(`${many(counts.arguments, "argument")} changed`);
  if (counts.following > 0)
    parts.push(`${operations.length === 0 ? many(counts.following, "operation") : counts.following} following`);
  return parts.length > 0 ? parts.join(", ") : "no operation differs";
}
