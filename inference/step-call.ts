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
} from "../runtime-bridge/index.ts";
import type { Candidates } from "./candidates.ts";
import type { ModelPrograms, StepProgram } from "./model-programs.ts";

// Public API

/**
 * What a sampler is given: all logits, or the largest ones with the whole vocabulary's log-sum-exp. Of the latter, `all`
 * fetches the rest after all; only until the next step.
 */
export type NextLogits =
  | { readonly kind: "full"; readonly logits: Float32Array }
  | ({ readonly kind: "candidates"; readonly all?: () => Promise<Float32Array> } & Candidates);

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

/**
 * Wires a step program to the caches in the slots from `firstSlot`.
 *
 * @param logitsSlot  where all logits stay until the next call, for steps of which only the candidates are sent
 */
export function defineStep(
  session: Session,
  programs: ModelPrograms,
  { executable, signature }: StepProgram,
  { firstSlot, logitsSlot }: { readonly firstSlot: number; readonly logitsSlot: number },
): SessionCall {
  const hasCandidates = signature.results.some(({ name }) => name === "logSumExp");
  const slots = new Map(programs.cacheNames.map((name, n) => [name, firstSlot + n]));
  for (const [name, slot] of activationSlots(programs, { signature })) slots.set(name, slot);
  return session.define({
    executable,
    arguments: signature.arguments.map(({ name }): CallArgument => {
      const slot = slots.get(name);
      if (slot !== undefined) return { slot };
      const input = stepInputs.indexOf(name);
      return input >= 0 ? { input } : programs.weight(name);
    }),
    results: signature.results.map(({ name }) => (name === "logits" && hasCandidates ? logitsSlot : slots.get(name))),
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
  // After the caches of a text and of a batch, and after the logits of both.
  const firstSlot = 2 * cacheNames.length + 2;
  const names = signature.results.map(({ name }) => name).filter((name) => name.startsWith("activations."));
  return new Map(names.map((name, n) => [name, firstSlot + n]));
}

/** What a call sends: every row padded to `bucket` tokens. */
export function stepTensors(programs: ModelPrograms, rows: readonly StepRow[], bucket: number): readonly HostTensor[] {
  const tokens = new Int32Array(rows.length * bucket);
  for (const [n, row] of rows.entries()) tokens.set(row.tokens, n * bucket);
  const frequencies = rows.map(({ total }) => programs.frequencies(total));
  const pairs = (frequencies[0] as Float32Array).length;
  const all = new Float32Array(rows.length * pairs);
  for (const [n, each] of frequencies.entries()) all.set(each, n * pairs);
  const whole = (of: (row: StepRow) => number) => hostTensor("i32", [rows.length], Int32Array.from(rows, of));
  return [
    hostTensor("i32", [rows.length, bucket], tokens),
    whole(({ start }) => start),
    whole(({ tokens }) => tokens.length),
    hostTensor("f32", [rows.length, pairs], all),
  ];
}

/** Which results of a program to ask for. */
export function wantedResults(program: StepProgram, wanted: Wanted | undefined): readonly number[] {
  return (wanted === undefined ? [] : resultsOf[wanted]).map((name) => program.resultIndex(name));
}

/**
 * The logits of each row of a call.
 *
 * @param fetchAll  fetches those of the whole vocabulary, where only the candidates were sent
 */
export function readLogits(
  { tensors }: StepResult,
  wanted: Wanted,
  { rows, fetchAll }: { readonly rows: number; readonly fetchAll: () => Promise<HostTensor> },
): readonly NextLogits[] {
  const [first, ...others] = tensors as [HostTensor, ...HostTensor[]];
  const values = rowsOf(toFloat32Array(first), rows);
  if (wanted === "full") return values.map((logits) => ({ kind: "full", logits }));
  const [ids, sums] = others as [HostTensor, HostTensor];
  const idRows = rowsOf(toInt32Array(ids), rows);
  const logSumExp = toFloat32Array(sums);
  let all: Promise<readonly Float32Array[]> | undefined;
  return values.map((each, n) => ({
    kind: "candidates",
    all: async () => {
      all ??= fetchAll().then((logits) => rowsOf(toFloat32Array(logits), rows));
      return (await all)[n] as Float32Array;
    },
    values: each,
    ids: idRows[n] as Int32Array,
    logSumExp: logSumExp[n] as number,
  }));
}

/** The arguments that each step is given anew, in the order in which they are sent. */
export const stepInputs: readonly string[] = ["tokens", "start", "length", "frequencies"];

// Implementation

const resultsOf: Readonly<Record<Wanted, readonly string[]>> = {
  full: ["logits"],
  candidates: ["candidates.values", "candidates.ids", "logSumExp"],
};

function rowsOf<T extends Float32Array | Int32Array>(all: T, rows: number): readonly T[] {
  const size = all.length / rows;
  return Array.from({ length: rows }, (_, n) => all.subarray(n * size, (n + 1) * size) as T);
}
