/** What differs between two texts, operation by operation. */
import type { FunctionText, ModuleText, Operation } from "../mlir/module.ts";
import type { FunctionMap, TextMap } from "../text-map.ts";
import { type Alignment, align } from "./align.ts";
import { identify, keyOf, Numbers, renamed, type Symbols } from "./identity.ts";
import { type Step, type Walk, walk } from "./walk.ts";

// Public API

/** A text, read, with what is known of its values. */
export interface Side {
  readonly module: ModuleText;
  readonly map: TextMap | undefined;
}

/** What differs in a pair of functions. */
export interface FunctionDifference {
  readonly alignment: Alignment;
  readonly before: FunctionMap | undefined;
  readonly after: FunctionMap | undefined;
  readonly changes: readonly Change[];
  /** Operations that differ in nothing but the sizes of what they are given. */
  readonly following: readonly { readonly before: Step; readonly after: Step }[];
  readonly arguments: readonly ArgumentChange[];
  /** Results that lie otherwise than they lay; their types are told by what is returned. */
  readonly results: readonly { readonly index: number; readonly before: string; readonly after: string }[];
}

/** One operation that is not what it was. */
export type Change =
  | { readonly kind: "changed"; readonly before: Step; readonly after: Step }
  | { readonly kind: "added"; readonly after: Step }
  | { readonly kind: "removed"; readonly before: Step }
  | { readonly kind: "moved"; readonly before: Step; readonly after: Step };

/** An argument that is not what it was; positions count from 0. */
export type ArgumentChange =
  | { readonly kind: "changed"; readonly before: number; readonly after: number }
  | { readonly kind: "added"; readonly after: number }
  | { readonly kind: "removed"; readonly before: number }
  | { readonly kind: "moved"; readonly before: number; readonly after: number };

/** What differs in two modules. */
export interface ModuleDifference {
  readonly functions: readonly FunctionDifference[];
  readonly added: readonly FunctionText[];
  readonly removed: readonly FunctionText[];
  readonly renamed: readonly { readonly before: string; readonly after: string }[];
  /** The modules' names, when they differ. */
  readonly names: { readonly before: string; readonly after: string } | undefined;
  /** What stands before the functions, when it differs. */
  readonly preambles: { readonly before: readonly string[]; readonly after: readonly string[] } | undefined;
}

/** Compares two texts. */
export function compareModules(before: Side, after: Side): ModuleDifference {
  const { pairs, added, removed } = pairFunctions(before.module, after.module);
  const symbols: Symbols = new Map(pairs.map(([own, other]) => [other.name, own.name]));
  const functions = pairs.map(([own, other]) =>
    compareFunctions(own, other, symbols, before.map?.get(own.name), after.map?.get(other.name)),
  );
  const [name, otherName] = [before.module.name, after.module.name];
  return {
    functions,
    added,
    removed,
    renamed: pairs
      .filter(([own, other]) => own.name !== other.name)
      .map(([own, other]) => ({ before: own.name, after: other.name })),
    names: name === otherName ? undefined : { before: name, after: otherName },
    preambles:
      String(before.module.preamble) === String(after.module.preamble)
        ? undefined
        : { before: before.module.preamble, after: after.module.preamble },
  };
}

// Implementation

/** Functions that say the same belong together, then those that are called the same. */
function pairFunctions(before: ModuleText, after: ModuleText) {
  const numbers = new Numbers();
  const [own, theirs] = [before.functions, after.functions].map(
    (functions) => new Map(functions.map((func) => [func, contentOf(func, numbers)])),
  ) as [Map<FunctionText, number>, Map<FunctionText, number>];
  const pairs: (readonly [FunctionText, FunctionText])[] = [];
  const [left, right] = [new Set(before.functions), new Set(after.functions)];
  const take = (fits: (own: FunctionText, other: FunctionText) => boolean) => {
    for (const func of left) {
      const other = [...right].find((each) => fits(func, each));
      if (other === undefined) continue;
      left.delete(func);
      right.delete(other);
      pairs.push([func, other]);
    }
  };
  take((func, other) => func.name === "main" && other.name === "main");
  take((func, other) => own.get(func) === theirs.get(other) && func.name === other.name);
  take((func, other) => own.get(func) === theirs.get(other));
  take((func, other) => func.name === other.name);
  const base = ({ name }: FunctionText) => name.replace(/_\d+$/, "");
  take((func, other) => base(func) === base(other));
  pairs.sort(([, a], [, b]) => after.functions.indexOf(a) - after.functions.indexOf(b));
  return { pairs, added: [...right], removed: [...left] };
}

/** A number that functions of equal content share, whatever they and those that they call are named. */
function contentOf(func: FunctionText, numbers: Numbers): number {
  const walked = walk(func);
  const nameless: Symbols = { get: () => "" } as unknown as Symbols;
  const { made } = identify(walked, numbers, nameless);
  const given = func.arguments.map(({ value, attributes }) => `${value.type}{${attributes}}`).join(",");
  return numbers.of(`(${given}) ${walked.steps.map((step) => made.get(step)).join(" ")}`);
}

function compareFunctions(
  before: FunctionText,
  after: FunctionText,
  symbols: Symbols,
  ownMap: FunctionMap | undefined,
  otherMap: FunctionMap | undefined,
): FunctionDifference {
  const names =
    ownMap === undefined || otherMap === undefined || before.name !== "main"
      ? undefined
      : { before: ownMap.arguments.map(({ name }) => name), after: otherMap.arguments.map(({ name }) => name) };
  const alignment = align(walk(before), walk(after), new Numbers(), symbols, names);
  const { changes, following } = findChanges(alignment, symbols);
  return {
    alignment,
    before: ownMap,
    after: otherMap,
    changes,
    following,
    arguments: compareArguments(before, after, alignment.givenBefore),
    results: after.results.flatMap(({ attributes }, index) => {
      const was = before.results[index]?.attributes ?? attributes;
      return was === attributes ? [] : [{ index, before: was, after: attributes }];
    }),
  };
}

function findChanges(alignment: Alignment, symbols: Symbols) {
  const { before, after, forward, backward } = alignment;
  const placed: { readonly at: number; readonly change: Change }[] = [];
  const following: { before: Step; after: Step }[] = [];
  const order = new Map(after.steps.map((step, n) => [step, n]));
  for (const [at, step] of after.steps.entries()) {
    const twin = backward.get(step);
    if (twin === undefined) placed.push({ at, change: { kind: "added", after: step } });
    else if (!isSame(twin, step, alignment, symbols)) {
      if (onlyFollows(twin, step, alignment, symbols)) following.push({ before: twin, after: step });
      else placed.push({ at, change: { kind: "changed", before: twin, after: step } });
    }
  }
  // What is gone is told where it stood: after whatever stood before it.
  let at = -1;
  for (const step of before.steps) {
    const twin = forward.get(step);
    if (twin === undefined) placed.push({ at: at + 0.5, change: { kind: "removed", before: step } });
    else at = order.get(twin) as number;
  }
  const changes = placed.sort((a, b) => a.at - b.at).map(({ change }) => change);
  return { changes: changes.length + following.length > 0 ? changes : findMoves(before, alignment, order), following };
}

function isSame(step: Step, twin: Step, alignment: Alignment, symbols: Symbols): boolean {
  return (
    keyOf(step, "text", new Map()) === keyOf(twin, "text", symbols) &&
    sameOperands(step.operation, twin.operation, alignment)
  );
}

function sameOperands(own: Operation, other: Operation, alignment: Alignment): boolean {
  return (
    own.operands.length === other.operands.length &&
    own.operands.every((value, n) => {
      const theirs = other.operands[n];
      return theirs !== undefined && alignment.corresponds(value, theirs);
    })
  );
}

/** Whether a step differs because what it is given has other sizes, and in nothing else. */
function onlyFollows(step: Step, twin: Step, alignment: Alignment, symbols: Symbols): boolean {
  const [own, other] = [step.operation, twin.operation];
  if (own.kind !== other.kind || !sameOperands(own, other, alignment)) return false;
  const [form, otherForm] = [own.form, renamed(other.form, symbols)].map((each) =>
    holdsSizes.has(own.kind) ? each.replaceAll(/\d+/g, "n") : each,
  );
  if (form !== otherForm) return false;
  const given = own.operands.some((value, n) => value.type !== other.operands[n]?.type);
  // A constant or a repetition takes the size of what it meets.
  const fresh = own.operands.length === 0 || own.kind === "stablehlo.broadcast_in_dim";
  return given || (fresh && own.types !== other.types);
}

/** Operations that say sizes beside their types. */
const holdsSizes = new Set(
  ["slice", "dynamic_slice", "gather", "pad", "reduce_window", "scatter"].map((name) => `stablehlo.${name}`),
);

/** Steps that stand in another order, when that is all that differs. */
function findMoves(before: Walk, { forward }: Alignment, order: ReadonlyMap<Step, number>): Change[] {
  const moves: Change[] = [];
  let last = -1;
  for (const step of before.steps) {
    const twin = forward.get(step);
    const at = twin === undefined ? -1 : (order.get(twin) as number);
    if (twin !== undefined && at < last) moves.push({ kind: "moved", before: step, after: twin });
    last = Math.max(last, at);
  }
  return moves;
}

function compareArguments(
  before: FunctionText,
  after: FunctionText,
  givenBefore: ReadonlyMap<number, number>,
): ArgumentChange[] {
  const changes: ArgumentChange[] = [];
  for (const [n, own] of after.arguments.entries()) {
    const at = givenBefore.get(n);
    const was = at === undefined ? undefined : before.arguments[at];
    if (at === undefined || was === undefined) changes.push({ kind: "added", after: n });
    else if (was.value.type !== own.value.type || was.attributes !== own.attributes)
      changes.push({ kind: "changed", before: at, after: n });
  }
  const kept = new Set(givenBefore.values());
  for (const n of before.arguments.keys()) if (!kept.has(n)) changes.push({ kind: "removed", before: n });
  if (changes.length === 0) {
    for (const [n, at] of givenBefore) if (n !== at) changes.push({ kind: "moved", before: at, after: n });
  }
  return changes;
}
