/**
 * A step program in a session: how its arguments are wired, what each call sends and what comes back.
 *
 * Caches live in neighbouring slots and are updated in place; weights are wired once.
 */
import {
  type CallArgument,
  type HostTensor,
  hostTensor,
  type Session,
  type SessionCall,
  type StepResult,
  toFloat32Array,
  toInt32Array,
} from "../../runtime-bridge/index.ts";
import type { FrequencyInput } from "../programs/frequency-inputs.ts";
import type { ModelPrograms, StepProgram } from "../programs/model-programs.ts";
import { candidateCount } from "../programs/step-program.ts";
import type { Candidates } from "../sampling/candidates.ts";
import type { DeviceChoice } from "../sampling/choose-on-device.ts";

// Public API

/**
 * What a sampler is given: all logits, or the largest ones with the whole vocabulary's log-sum-exp. Of the latter, `all`
 * fetches the rest after all; only until the next step. `chosen` is the token that the device chose, if it did.
 */
export type NextLogits = { readonly chosen?: number } & (
  | { readonly kind: "full"; readonly logits: Float32Array }
  | ({ readonly kind: "candidates"; readonly all?: (() => Promise<Float32Array>) | undefined } & Candidates)
);

/** How logits come back. */
export type Wanted = NextLogits["kind"];

/** What one row of a call is given. */
export interface StepRow {
  /** At least one, and no more than the program takes. */
  readonly tokens: readonly number[];
  /** How many positions the row holds already. */
  readonly start: number;
  /** How long the row will be, which some rotary frequencies depend on. */
  readonly total: number;
}

/** A row of a call whose program chooses: of one token. */
export interface ChoosingRow extends StepRow {
  readonly choice: DeviceChoice;
}

/** Where a step finds and leaves what stays on the devices. */
export interface StepSlots {
  /** Of the caches. */
  readonly firstSlot: number;
  /** Where all logits stay until the next call, for steps of which only the candidates are sent. */
  readonly logitsSlot: number;
  /** Whether the tokens and where they stand are what a step before has left (`next`), and not sent. Default: no. */
  readonly isFed?: boolean;
}

/** Wires a step program. */
export function defineStep(
  session: Session,
  programs: ModelPrograms,
  { executable, signature }: StepProgram,
  { firstSlot, logitsSlot, isFed = false }: StepSlots,
): SessionCall {
  const hasCandidates = signature.results.some(({ name }) => name === "logSumExp");
  const kept = new Map(programs.cacheNames.map((name, n) => [name, firstSlot + n]));
  for (const [name, slot] of activationSlots(programs, { signature })) kept.set(name, slot);
  for (const [name, slot] of nextSlots(programs)) kept.set(`next.${name}`, slot);
  const fed = isFed ? nextSlots(programs) : new Map<string, number>();
  const isChoosing = signature.arguments.every(({ name }) => name !== "length");
  const sent = (isChoosing ? choosingInputs : stepInputs)(programs).filter((name) => !fed.has(name));
  return session.define({
    executable,
    arguments: signature.arguments.map(({ name }): CallArgument => {
      const slot = fed.get(name) ?? kept.get(name);
      if (slot !== undefined) return { slot };
      const input = sent.indexOf(name);
      return input >= 0 ? { input } : programs.weight(name);
    }),
    results: signature.results.map(({ name }) => (name === "logits" && hasCandidates ? logitsSlot : kept.get(name))),
  });
}

/**
 * The slots in which a program leaves its activations, by the names of the results: they are fetched one at a time,
 * since together they may be more than a message holds.
 */
export function activationSlots(
  { cacheNames }: Pick<ModelPrograms, "cacheNames">,
  { signature }: Pick<StepProgram, "signature">,
): ReadonlyMap<string, number> {
  const firstSlot = nextSlot(cacheNames) + nextNames.length;
  const names = signature.results.map(({ name }) => name).filter((name) => name.startsWith("activations."));
  return new Map(names.map((name, n) => [name, firstSlot + n]));
}

/** What a call sends: every row padded to `bucket` tokens. */
export function stepTensors(programs: ModelPrograms, rows: readonly StepRow[], bucket: number): readonly HostTensor[] {
  const tokens = new Int32Array(rows.length * bucket);
  for (const [n, row] of rows.entries()) tokens.set(row.tokens, n * bucket);
  return [
    hostTensor("i32", [rows.length, bucket], tokens),
    perRow(rows, ({ start }) => start),
    perRow(rows, ({ tokens }) => tokens.length),
    ...frequencyTensors(programs, rows),
  ];
}

/** What a call sends whose program chooses: all of it, or for one that is fed what is left of it. */
export function choosingTensors(programs: ModelPrograms, rows: readonly ChoosingRow[], isFed: boolean) {
  const choices = rows.map(({ choice }) => choice);
  const choosing = [
    ...frequencyTensors(programs, rows),
    hostTensor(
      "f32",
      [rows.length],
      Float32Array.from(choices, ({ temperature }) => temperature),
    ),
    perRow(rows, ({ choice }) => Math.min(choice.topK, candidateCount)),
    hostTensor("u32", [rows.length, 2], Uint32Array.from(choices.flatMap(({ key }) => key))),
  ];
  if (isFed) return choosing;
  const tokens = Int32Array.from(rows, ({ tokens }) => tokens[0] as number);
  return [hostTensor("i32", [rows.length, 1], tokens), perRow(rows, ({ start }) => start), ...choosing];
}

/** Which results of a program to ask for. */
export function wantedResults(program: StepProgram, wanted: Wanted | undefined): readonly number[] {
  return (wanted === undefined ? [] : resultsOf[wanted]).map((name) => program.resultIndex(name));
}

/**
 * The logits of each row of a call.
 *
 * @param fetchAll  fetches those of the whole vocabulary, where only the candidates were sent and the others are still there
 */
export function readLogits(
  { tensors }: StepResult,
  wanted: Wanted,
  { rows, fetchAll }: { readonly rows: number; readonly fetchAll?: (() => Promise<HostTensor>) | undefined },
): readonly NextLogits[] {
  const [first, ...others] = tensors as [HostTensor, ...HostTensor[]];
  const values = rowsOf(toFloat32Array(first), rows);
  if (wanted === "full") return values.map((logits) => ({ kind: "full", logits }));
  const [ids, sums] = others as [HostTensor, HostTensor];
  const idRows = rowsOf(toInt32Array(ids), rows);
  const logSumExp = toFloat32Array(sums);
  let all: Promise<readonly Float32Array[]> | undefined;
  const allOf = (fetch: () => Promise<HostTensor>, n: number) => async () => {
    all ??= fetch().then((logits) => rowsOf(toFloat32Array(logits), rows));
    return (await all)[n] as Float32Array;
  };
  return values.map((each, n) => ({
    kind: "candidates",
    all: fetchAll && allOf(fetchAll, n),
    values: each,
    ids: idRows[n] as Int32Array,
    logSumExp: logSumExp[n] as number,
  }));
}

/** The arguments that each step is given anew, in the order in which they are sent. */
export function stepInputs({ frequencyNames }: Pick<ModelPrograms, "frequencyNames">): readonly string[] {
  return ["tokens", "start", "length", ...frequencyNames];
}

// Implementation

/** Those of a step that chooses. */
function choosingInputs({ frequencyNames }: ModelPrograms): readonly string[] {
  return ["tokens", "start", ...frequencyNames, "choice.temperature", "choice.topK", "choice.key"];
}

const nextNames = ["tokens", "start"];

/** After the caches of a text and of a batch, and after the logits of both. */
function nextSlot(cacheNames: readonly string[]): number {
  return 2 * cacheNames.length + 2;
}

/** Where a step leaves what the next one is given, by argument. Whoever reads it is sent together with who writes it. */
function nextSlots({ cacheNames }: Pick<ModelPrograms, "cacheNames">): ReadonlyMap<string, number> {
  return new Map(nextNames.map((name, n) => [name, nextSlot(cacheNames) + n]));
}

function perRow<R>(rows: readonly R[], of: (row: R) => number): HostTensor {
  return hostTensor("i32", [rows.length], Int32Array.from(rows, of));
}

/** Each set of frequencies, for all rows. */
function frequencyTensors(programs: ModelPrograms, rows: readonly StepRow[]): readonly HostTensor[] {
  const byRow = rows.map(({ total }) => programs.frequencyInputs(total));
  return programs.frequencyNames.map((_, set) => {
    const values = byRow.map((inputs) => (inputs[set] as FrequencyInput).values);
    const pairs = (values[0] as Float32Array).length;
    const all = new Float32Array(rows.length * pairs);
    for (const [n, each] of values.entries()) all.set(each, n * pairs);
    return hostTensor("f32", [rows.length, pairs], all);
  });
}

const resultsOf: Readonly<Record<Wanted, readonly string[]>> = {
  full: ["logits"],
  candidates: ["candidates.values", "candidates.ids", "logSumExp"],
};

function rowsOf<T extends Float32Array | Int32Array>(all: T, rows: number): readonly T[] {
  const size = all.length / rows;
  return Array.from({ length: rows }, (_, n) => all.subarray(n * size, (n + 1) * size) as T);
}
