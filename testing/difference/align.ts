/**
 * Finds for each operation of one text its counterpart in another, by structure.
 *
 * First those that are computed from the same and those of which the same becomes: one change in the middle leaves all
 * before it and all after it paired. From there pairs spread: to operands in the same place, to what has the same
 * operands; with equal text first, then with equal kind, at last by the place alone.
 */
import type { Value } from "../mlir/module.ts";
import { type Identities, identify, Keys, type Level, levels, type Numbers, type Symbols } from "./identity.ts";
import type { Step, Walk } from "./walk.ts";

// Public API

/** Which steps of two functions are counterparts. */
export interface Alignment {
  readonly before: Walk;
  readonly after: Walk;
  /** The counterpart in `after`. */
  readonly forward: ReadonlyMap<Step, Step>;
  /** The counterpart in `before`. */
  readonly backward: ReadonlyMap<Step, Step>;
  /** For each argument of `after` its number in `before`; absent for one that is new. */
  readonly givenBefore: ReadonlyMap<number, number>;
  /** Whether a value of `before` and one of `after` are counterparts, or the same. */
  corresponds(value: Value, other: Value): boolean;
}

/** How arguments of functions are told apart, where their names are known. */
export interface ArgumentNames {
  readonly before: readonly string[];
  readonly after: readonly string[];
}

/** Aligns two functions. `symbols` says what functions of `after` are called in `before`. */
export function align(
  before: Walk,
  after: Walk,
  numbers: Numbers,
  symbols: Symbols,
  names: ArgumentNames | undefined,
): Alignment {
  const pairing = new Pairing(before, after, numbers, symbols, pairArguments(before, after, names));
  pairing.run();
  return pairing;
}

// Implementation

const none: Symbols = new Map();

class Pairing implements Alignment {
  readonly before: Walk;
  readonly after: Walk;
  readonly forward = new Map<Step, Step>();
  readonly backward = new Map<Step, Step>();
  readonly givenBefore: ReadonlyMap<number, number>;
  readonly #keys: { readonly before: Keys; readonly after: Keys };
  readonly #ids: { readonly before: Identities; readonly after: Identities };

  constructor(before: Walk, after: Walk, numbers: Numbers, symbols: Symbols, given: ReadonlyMap<number, number>) {
    this.before = before;
    this.after = after;
    this.givenBefore = given;
    this.#keys = { before: new Keys(none), after: new Keys(symbols) };
    const label = (argument: number) => String(given.get(argument) ?? `new ${argument}`);
    this.#ids = { before: identify(before, numbers, none), after: identify(after, numbers, symbols, label) };
  }

  run(): void {
    this.#pair(this.before.root, this.after.root);
    this.#pairEqual("used");
    this.#pairEqual("made");
    const rounds = [
      ...levels.map((level) => () => this.#spread(level) || (level === "text" && this.#pairRest())),
      () => this.#pairInOrder(),
      () => this.#spread(undefined),
    ];
    // A pair that was found by little is a place from which others are found by more.
    for (let n = 0; n < rounds.length; ) n = (rounds[n] as () => boolean)() ? 0 : n + 1;
  }

  corresponds(value: Value, other: Value): boolean {
    if (value.index !== other.index) {
      if (value.maker !== undefined || other.maker !== undefined) return false;
    }
    if (value.maker !== undefined && other.maker !== undefined) {
      const [step, twin] = [this.before.stepOf(value.maker), this.after.stepOf(other.maker)];
      return this.forward.get(step) === twin || this.#ids.before.made.get(step) === this.#ids.after.made.get(twin);
    }
    if (value.maker !== undefined || other.maker !== undefined) return false;
    const [own, theirs] = [this.before.argumentOf(value), this.after.argumentOf(other)];
    if (own.owner === undefined || theirs.owner === undefined)
      return own.owner === theirs.owner && this.givenBefore.get(theirs.index) === own.index;
    return this.forward.get(own.owner) === theirs.owner && own.region === theirs.region && own.index === theirs.index;
  }

  #pair(step: Step, twin: Step): void {
    this.forward.set(step, twin);
    this.backward.set(twin, step);
    // What ends a region has its counterpart there, whatever it says.
    step.terminators.forEach((last, n) => {
      const other = twin.terminators[n];
      if (other !== undefined && !this.forward.has(last) && !this.backward.has(other)) this.#pair(last, other);
    });
  }

  /** Counterparts stand in counterparts. */
  #fits(step: Step, twin: Step): boolean {
    if (this.forward.has(step) || this.backward.has(twin) || step.isTerminator !== twin.isTerminator) return false;
    if (step.parent === undefined || twin.parent === undefined) return step.parent === twin.parent;
    return step.region === twin.region && this.forward.get(step.parent) === twin.parent;
  }

  /** Steps of one number are paired when there are as many on both sides; otherwise their surroundings decide later. */
  #pairEqual(by: "made" | "used"): boolean {
    const [own, theirs] = [this.#open(this.before, this.forward), this.#open(this.after, this.backward)];
    const groups = groupBy(theirs, (step) => this.#ids.after[by].get(step));
    let found = false;
    for (const [number, steps] of groupBy(own, (step) => this.#ids.before[by].get(step))) {
      const others = groups.get(number) ?? [];
      if (steps.length !== others.length) continue;
      steps.forEach((step, n) => {
        if (!this.#fits(step, others[n] as Step)) return;
        this.#pair(step, others[n] as Step);
        found = true;
      });
    }
    return found;
  }

  /** Values that are the same but not as often: in their order. */
  #pairRest(): boolean {
    const groups = groupBy(this.#open(this.after, this.backward), (step) => this.#ids.after.made.get(step));
    let found = false;
    for (const step of this.#open(this.before, this.forward)) {
      const twin = (groups.get(this.#ids.before.made.get(step)) ?? []).find((each) => this.#fits(step, each));
      if (twin === undefined) continue;
      this.#pair(step, twin);
      found = true;
    }
    return found;
  }

  /** Steps of one kind that give as many elements of one type, in the order in which they stand. */
  #pairInOrder(): boolean {
    const [own, theirs] = [this.#open(this.before, this.forward), this.#open(this.after, this.backward)];
    const likeness = ({ operation: { kind, results } }: Step) =>
      `${kind} ${results.map(({ type }) => type.split("x").sort().join(" "))}`;
    const pairs = longestCommon(own.map(likeness), theirs.map(likeness));
    let found = false;
    for (const [n, m] of pairs) {
      const [step, twin] = [own[n], theirs[m]];
      if (step === undefined || twin === undefined || !this.#fits(step, twin)) continue;
      this.#pair(step, twin);
      found = true;
    }
    return found;
  }

  /** One round from the pairs there are; `level` says what counterparts must have in common, nothing that their place is enough. */
  #spread(level: Level | undefined): boolean {
    const alike = (step: Step, twin: Step) =>
      level === undefined || this.#keys.before.of(step, level) === this.#keys.after.of(twin, level);
    let found = false;
    for (const [user, otherUser] of [...this.forward]) {
      const operands = user.operation.operands;
      operands.forEach((value, slot) => {
        const other = otherUser.operation.operands[slot];
        if (value.maker === undefined || other?.maker === undefined || value.index !== other.index) return;
        if (operands.length !== otherUser.operation.operands.length && level !== "text") return;
        const [step, twin] = [this.before.stepOf(value.maker), this.after.stepOf(other.maker)];
        if (!this.#fits(step, twin) || !alike(step, twin)) return;
        this.#pair(step, twin);
        found = true;
      });
    }
    if (found || level === undefined) return found;
    return this.#spreadToUsers(level);
  }

  /** Pairs what has the same operands. */
  #spreadToUsers(level: Level): boolean {
    const theirs = groupBy(this.#open(this.after, this.backward), (step) => this.#keys.after.of(step, level));
    let found = false;
    for (const step of this.#open(this.before, this.forward)) {
      const { operands } = step.operation;
      if (operands.length === 0) continue;
      const twin = theirs
        .get(this.#keys.before.of(step, level))
        ?.find(
          (each) =>
            this.#fits(step, each) &&
            each.operation.operands.length === operands.length &&
            operands.every((value, n) => this.corresponds(value, each.operation.operands[n] as Value)),
        );
      if (twin === undefined) continue;
      this.#pair(step, twin);
      found = true;
    }
    return found;
  }

  #open(walk: Walk, paired: ReadonlyMap<Step, Step>): Step[] {
    return walk.steps.filter((step) => !paired.has(step));
  }
}

function groupBy<T, K>(items: readonly T[], key: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group === undefined) groups.set(key(item), [item]);
    else group.push(item);
  }
  return groups;
}

/** Arguments with the same name belong together; where names are unknown, those of equal type in their order. */
function pairArguments(before: Walk, after: Walk, names: ArgumentNames | undefined): ReadonlyMap<number, number> {
  const [own, theirs] = [before.func.arguments, after.func.arguments];
  const label = (side: "before" | "after", n: number, type: string) => names?.[side][n] ?? type;
  const [from, to] = [
    own.map(({ value }, n) => label("before", n, value.type)),
    theirs.map(({ value }, n) => label("after", n, value.type)),
  ];
  if (names === undefined && from.length === to.length) return new Map(to.map((_, n) => [n, n]));
  if (names !== undefined) {
    return new Map(to.flatMap((name, n) => (from.includes(name) ? [[n, from.indexOf(name)] as const] : [])));
  }
  return new Map(longestCommon(from, to).map(([a, b]) => [b, a]));
}

/** The longest common subsequence of two lists, as pairs of indices. */
function longestCommon(from: readonly string[], to: readonly string[]): (readonly [number, number])[] {
  const lengths = Array.from({ length: from.length + 1 }, () => new Array<number>(to.length + 1).fill(0));
  const at = (a: number, b: number) => lengths[a]?.[b] ?? 0;
  for (let a = from.length - 1; a >= 0; a--) {
    for (let b = to.length - 1; b >= 0; b--) {
      const row = lengths[a] as number[];
      row[b] = from[a] === to[b] ? at(a + 1, b + 1) + 1 : Math.max(at(a + 1, b), at(a, b + 1));
    }
  }
  const pairs: (readonly [number, number])[] = [];
  for (let [a, b] = [0, 0]; a < from.length && b < to.length; ) {
    if (from[a] === to[b]) pairs.push([a++, b++]);
    else if (at(a + 1, b) >= at(a, b + 1)) a++;
    else b++;
  }
  return pairs;
}
