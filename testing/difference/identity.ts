/**
 * What makes two operations the same: numbers for what they compute and for what is made of them.
 *
 * Equal things get equal numbers (hash-consing), on both sides of a comparison and whatever they are called: names of
 * values are MLIR's numbering, which one more line shifts for all that follow.
 */
import type { Value } from "../mlir/module.ts";
import type { Step, Walk } from "./walk.ts";

// Public API

/** How much of an operation counts: all that is written, all but sizes and numbers, or its kind alone. */
export const levels = ["text", "form", "kind"] as const;
export type Level = (typeof levels)[number];

/** What an operation is by itself, whatever its operands are. */
export function keyOf({ operation: { kind, form, types } }: Step, level: Level, symbols: Symbols): string {
  if (level === "kind") return kind;
  const named = renamed(form, symbols);
  return level === "text" ? `${kind} ${named} : ${types}` : `${kind} ${named.replaceAll(/\d+/g, "n")}`;
}

/** `keyOf` for one side, which is asked again and again while pairs are looked for. */
export class Keys {
  readonly #symbols: Symbols;
  readonly #known = new Map<Level, Map<Step, string>>(levels.map((level) => [level, new Map()]));

  constructor(symbols: Symbols) {
    this.#symbols = symbols;
  }

  of(step: Step, level: Level): string {
    const known = this.#known.get(level) as Map<Step, string>;
    const key = known.get(step) ?? keyOf(step, level, this.#symbols);
    known.set(step, key);
    return key;
  }
}

/** A form with the functions that it names called as on the other side. */
export function renamed(form: string, symbols: Symbols): string {
  if (!form.includes("@")) return form;
  return form.replaceAll(/@[\w$.]+/g, (symbol) => `@${symbols.get(symbol.slice(1)) ?? symbol.slice(1)}`);
}

/** For names of functions what they are called on the other side. */
export type Symbols = ReadonlyMap<string, string>;

/** Gives equal texts equal numbers. */
export class Numbers {
  readonly #known = new Map<string, number>();

  of(text: string): number {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    this.#known.set(text, this.#known.size);
    return this.#known.size - 1;
  }
}

/** Numbers of a function's steps. */
export interface Identities {
  /** By what a step computes: equal when its text and all that it is computed from are. */
  readonly made: ReadonlyMap<Step, number>;
  /** By what becomes of it: equal when its text and all that is computed from it are. */
  readonly used: ReadonlyMap<Step, number>;
}

/** Numbers every step of a function. `labels` tells its arguments apart, which may stand in another order. */
export function identify(
  walk: Walk,
  numbers: Numbers,
  symbols: Symbols,
  labels: (argument: number) => string = String,
): Identities {
  return { made: numberMade(walk, numbers, symbols, labels), used: numberUsed(walk, numbers, symbols) };
}

// Implementation

function numberMade(
  walk: Walk,
  numbers: Numbers,
  symbols: Symbols,
  labels: (argument: number) => string,
): Map<Step, number> {
  const heads = new Map<Step, number>();
  const made = new Map<Step, number>();
  const valueNumber = (value: Value): string => {
    if (value.maker !== undefined) return `${made.get(walk.stepOf(value.maker))}#${value.index}`;
    const { owner, region, index } = walk.argumentOf(value);
    const place = owner === undefined ? `argument ${labels(index)}` : `${heads.get(owner)}/${region} ${index}`;
    return `${place}: ${value.type}`;
  };
  for (const step of walk.steps) {
    const around = step.parent === undefined ? "" : `in ${heads.get(step.parent)}/${step.region} `;
    const text = `${around}${keyOf(step, "text", symbols)}(${step.operation.operands.map(valueNumber).join(",")})`;
    const head = numbers.of(text);
    heads.set(step, head);
    // What follows a step with regions stands after them, so its number is made anew when they are known.
    made.set(step, head);
    if (step.isTerminator && step.parent !== undefined) {
      const inner = step.parent.terminators.map((each) => made.get(each) ?? "");
      made.set(step.parent, numbers.of(`${heads.get(step.parent)}{${inner.join(";")}}`));
    }
  }
  return made;
}

function numberUsed(walk: Walk, numbers: Numbers, symbols: Symbols): Map<Step, number> {
  const uses = new Map<Step, string[]>();
  const used = new Map<Step, number>();
  const settle = (step: Step): void => {
    const by = step.isTerminator
      ? `${step.parent === undefined ? "returned" : used.get(step.parent)}/${step.region}`
      : [...(uses.get(step) ?? [])].sort().join(",");
    const around = step.parent === undefined ? "" : ` in ${used.get(step.parent)}`;
    const number = numbers.of(`${keyOf(step, "text", symbols)}=>${by}${around}`);
    used.set(step, number);
    step.operation.operands.forEach((value, slot) => {
      if (value.maker === undefined) return;
      const maker = walk.stepOf(value.maker);
      uses.set(maker, [...(uses.get(maker) ?? []), `${number}.${slot}#${value.index}`]);
    });
  };
  // From the last step of a block to its first, a step before those of its regions: whoever uses a value comes earlier.
  const blocks = new Map<string, Step[]>();
  const ids = new Map<Step, number>(walk.steps.map((step, n) => [step, n]));
  const blockOf = (parent: Step | undefined, region: number) =>
    `${parent === undefined ? "" : ids.get(parent)}/${region}`;
  for (const step of walk.steps) {
    const key = blockOf(step.parent, step.region);
    blocks.set(key, [...(blocks.get(key) ?? []), step]);
  }
  const visit = (parent: Step | undefined, region: number): void => {
    for (const step of [...(blocks.get(blockOf(parent, region)) ?? [])].reverse()) {
      settle(step);
      for (let n = step.terminators.length - 1; n >= 0; n--) visit(step, n);
    }
  };
  visit(undefined, 0);
  return used;
}
